"""Repository: what workstreams on the same plan repository lock when they contend for its files.

Requirements: AD-3, BX-5.
"""

from django.db import models


class Repository(models.Model):
    """A name that plans use; its row is the lock of rounds across workstreams."""

    name = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name
