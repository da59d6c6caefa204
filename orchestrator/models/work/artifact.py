"""HandoffArtifact: the file that announces an event, and its way into the workspace (FR-014)."""

from django.db import models

from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.work.attempt import Attempt
from orchestrator.models.workstreams.workstream import Workstream


class HandoffArtifact(models.Model):
    """Outbox row and register in one: written in the act's transaction, committed to git afterwards.

    `body` is the RFC 8785 text of the file, frozen; `sha256` is over its UTF-8 bytes. `problem` says what is
    wrong with the file while the state is `damaged`, and why it could not be written while it is `pending`.
    """

    workstream = models.ForeignKey(Workstream, models.PROTECT, related_name="artifacts")
    sequence = models.PositiveIntegerField()
    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="artifacts")
    event = models.CharField(max_length=30, choices=choices(EventType))
    path = models.CharField(max_length=600, unique=True)
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=choices(ArtifactState), default=ArtifactState.PENDING)
    problem = models.TextField(blank=True)
    commit = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["workstream_id", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["workstream", "sequence"], name="artifact_sequence_once"),
            one_of("event", EventType, "artifact_event_known"),
            one_of("state", ArtifactState, "artifact_state_known"),
        ]
        indexes = [
            models.Index(fields=["workstream", "state"]),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state=ArtifactState.DAMAGED.value),
                name="artifact_damaged",
            ),
        ]

    def __str__(self) -> str:
        return self.path


class OutputFile(models.Model):
    """A file an attempt produced, that waits for the workspace and then lies there beside its artifact."""

    artifact = models.ForeignKey(HandoffArtifact, models.PROTECT, related_name="outputs")
    path = models.CharField(max_length=600)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["artifact_id", "path"]
        constraints = [models.UniqueConstraint(fields=["artifact", "path"], name="output_path_once")]

    def __str__(self) -> str:
        return self.path
