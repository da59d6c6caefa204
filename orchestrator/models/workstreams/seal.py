"""HistoryCheckpoint and HistoryTile: signed statements of how far the history went, and the hashes of its
tree (FR-009)."""

from django.db import models


class HistoryCheckpoint(models.Model):
    """Append-only, like the history. `note` is a signed note of C2SP: that the first `size` entries have
    this `root` (64 hexadecimal digits)."""

    size = models.PositiveBigIntegerField(unique=True)
    root = models.CharField(max_length=64)
    note = models.TextField()
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["size"]

    def __str__(self) -> str:
        return f"{self.size} entries"


class HistoryTile(models.Model):
    """A full tile of the history's tree: 256 hashes of a level, side by side, and their root; append-only
    too."""

    level = models.PositiveSmallIntegerField()
    number = models.PositiveBigIntegerField()
    hashes = models.BinaryField()
    root = models.BinaryField()

    class Meta:
        ordering = ["level", "number"]
        constraints = [models.UniqueConstraint(fields=["level", "number"], name="history_tile_once")]

    def __str__(self) -> str:
        return f"level {self.level}, tile {self.number}"
