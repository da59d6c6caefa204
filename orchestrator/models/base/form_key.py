"""FormKey.

A form that was sent, with what it came to, so that sending it again makes nothing a second time.
"""

from django.conf import settings
from django.db import models


class FormKey(models.Model):
    """`digest` is over what was sent; `said` and `address` are the first answer, empty while it is being
    worked on. An answer without an address was a refusal."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    key = models.CharField(max_length=60)
    digest = models.CharField(max_length=64)
    said = models.TextField(blank=True)
    address = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="form_key_once")]

    def __str__(self) -> str:
        return self.key
