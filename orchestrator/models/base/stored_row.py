"""StoredRow: a row that knows what its columns hold in the database."""

from collections.abc import Mapping
from typing import Any, Self

from django.db import models


class StoredRow(models.Model):
    """A row that acts change in several places and write once: only the columns that differ from what was
    read are written, so that an index of another column is left alone."""

    class Meta:
        abstract = True

    #: What the row's columns hold in the database as far as this copy knows.
    stored: Mapping[str, Any] = {}

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        row = super().from_db(*args, **kwargs)
        row.remember_stored()
        return row

    def remember_stored(self) -> None:
        """The row was just read or written: from now on its changes are told from these values."""
        vars(self).pop("stored", None)
        self.stored = dict(vars(self))
