"""Audit records: the history, the handoff artifacts and what was told to whom, for reading only (FR-009)."""

from django.contrib import admin

from orchestrator.admin.read_only import ReadOnly
from orchestrator.admin.site import site
from orchestrator.models import Delivery, HandoffArtifact, HistoryEntry, ResultFile, Subscription


@admin.register(HistoryEntry, site=site)
class HistoryEntryAdmin(ReadOnly):
    list_display = (
        "sequence",
        "recorded_at",
        "actor",
        "account",
        "kind",
        "action",
        "subject",
        "workstream",
        "leaf_hash",
    )
    list_filter = ("action",)
    list_select_related = ("workstream",)
    search_fields = ("actor", "action", "subject", "leaf_hash")
    ordering = ("-sequence",)


@admin.register(HandoffArtifact, site=site)
class HandoffArtifactAdmin(ReadOnly):
    list_display = ("path", "workstream", "event", "state", "created_at", "committed_at")
    list_filter = ("state", "event")
    list_select_related = ("workstream",)
    search_fields = ("path", "sha256", "commit")


@admin.register(ResultFile, site=site)
class ResultFileAdmin(ReadOnly):
    list_display = ("executor", "path", "state", "problem", "attempt", "commit", "seen_at")
    list_filter = ("state", "executor")
    list_select_related = ("attempt__task__step",)
    search_fields = ("executor", "path", "commit", "sha256")


@admin.register(Subscription, site=site)
class SubscriptionAdmin(ReadOnly):
    list_display = ("person", "executor", "channel", "rhythm", "created_at", "ended_at")
    list_filter = ("channel", "rhythm")
    list_select_related = ("person", "executor")
    exclude = ("nonce", "address")


@admin.register(Delivery, site=site)
class DeliveryAdmin(ReadOnly):
    list_display = ("subscription", "topic", "entry", "state", "tries", "due_at", "sent_at", "problem")
    list_filter = ("state", "topic")
    list_select_related = ("subscription__person", "subscription__executor", "entry")
