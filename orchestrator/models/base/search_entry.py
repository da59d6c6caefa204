"""SearchEntry: the words of one thing that people look for."""

from django.db import models

from orchestrator.core.terms import SearchKind
from orchestrator.models.base.choices import choices, one_of


class SearchEntry(models.Model):
    """Written by database triggers alone (`search_index`), from the row of `kind` with the id `ref`.

    `title`, `body` and `notes` are its texts, which of them it says in its kind; state, time and domain are
    read from the row itself.
    """

    kind = models.CharField(max_length=12, choices=choices(SearchKind))
    ref = models.PositiveBigIntegerField()
    title = models.TextField()
    body = models.TextField()
    notes = models.TextField()

    class Meta:
        verbose_name_plural = "search entries"
        constraints = [
            models.UniqueConstraint(fields=["kind", "ref"], name="search_entry_once"),
            one_of("kind", SearchKind, "search_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"
