"""Workstreams, tasks, attempts and what people decided about them."""

from django.contrib import admin

from orchestrator.admin.read_only import NamedValues, ReadOnly
from orchestrator.admin.site import site
from orchestrator.models import (
    Assignment,
    Attempt,
    BaselineIntegration,
    Blocker,
    GateReview,
    Intervention,
    Learning,
    MappedStep,
    Migration,
    OwnershipTransfer,
    PreHandoffReview,
    SchedulingDecision,
    Task,
    ThreadAssignment,
    Workstream,
)


@admin.register(Workstream, site=site)
class WorkstreamAdmin(ReadOnly):
    list_display = (
        "slug",
        "title",
        "status",
        "domain",
        "owner",
        "open_tasks",
        "done_tasks",
        "blocked_tasks",
        "updated_at",
    )
    list_filter = ("status", ("domain", NamedValues))
    list_select_related = ("owner",)
    search_fields = ("slug", "title", "uuid")


@admin.register(Task, site=site)
class TaskAdmin(ReadOnly):
    list_display = ("step", "workstream", "status", "needs_human", "rework", "updated_at")
    list_filter = ("status", "needs_human")
    list_select_related = ("step", "workstream")
    search_fields = ("step__key", "workstream__slug")


@admin.register(Attempt, site=site)
class AttemptAdmin(ReadOnly):
    list_display = ("task", "number", "status", "queued_at", "started_at", "ended_at")
    list_filter = ("status",)
    list_select_related = ("task__step", "task__workstream")
    search_fields = ("task__step__key", "task__workstream__slug")


@admin.register(Assignment, site=site)
class AssignmentAdmin(ReadOnly):
    list_display = (
        "attempt",
        "executor",
        "claimed_as",
        "token",
        "claimed_at",
        "released_at",
        "terminal_state",
    )
    list_select_related = ("attempt__task__step", "executor")
    search_fields = ("executor__name",)


@admin.register(Migration, site=site)
class MigrationAdmin(ReadOnly):
    list_display = ("workstream", "from_version", "to_version", "applied_by", "applied_at", "rolls_back")
    list_select_related = (
        "workstream",
        "from_version__workflow",
        "to_version__workflow",
        "rolls_back__workstream",
    )
    search_fields = ("workstream__slug", "applied_by")


@admin.register(MappedStep, site=site)
class MappedStepAdmin(ReadOnly):
    list_display = ("migration", "kind", "outcome", "old_step", "new_step", "old_status", "reason")
    list_filter = ("kind", "outcome")
    list_select_related = ("migration__workstream", "old_step", "new_step")


@admin.register(SchedulingDecision, site=site)
class SchedulingDecisionAdmin(ReadOnly):
    list_display = ("workstream", "number", "made_at", "snapshot_sha256")
    list_select_related = ("workstream",)
    search_fields = ("workstream__slug",)


@admin.register(PreHandoffReview, site=site)
class PreHandoffReviewAdmin(ReadOnly):
    list_display = ("workstream", "signed_as", "signed_at")
    list_select_related = ("workstream", "reviewer")


@admin.register(GateReview, site=site)
class GateReviewAdmin(ReadOnly):
    list_display = ("attempt", "decision", "signed_as", "return_step", "signed_at")
    list_filter = ("decision",)
    list_select_related = ("attempt__task__step", "reviewer", "return_step")


@admin.register(BaselineIntegration, site=site)
class BaselineIntegrationAdmin(ReadOnly):
    list_display = (
        "workstream",
        "source",
        "commit",
        "integrated_by",
        "integrated_at",
        "reverted_as",
        "reverted_at",
    )
    list_filter = ("source",)
    list_select_related = ("workstream", "reverted_by")


@admin.register(Intervention, site=site)
class InterventionAdmin(ReadOnly):
    list_display = ("task", "kind", "raised_by", "raised_at", "cleared_as", "cleared_at")
    list_select_related = ("task__step", "task__workstream", "cleared_by")


@admin.register(OwnershipTransfer, site=site)
class OwnershipTransferAdmin(ReadOnly):
    list_display = (
        "workstream",
        "task",
        "blocker",
        "from_user",
        "to_user",
        "transferred_as",
        "transferred_at",
    )
    list_select_related = (
        "workstream",
        "task__step",
        "blocker__task__step",
        "from_user",
        "to_user",
        "transferred_by",
    )


@admin.register(ThreadAssignment, site=site)
class ThreadAssignmentAdmin(ReadOnly):
    list_display = ("workstream", "thread", "executor", "mode", "assigned_by", "assigned_at", "ended_at")
    list_filter = ("mode",)
    list_select_related = ("workstream", "thread", "executor")


@admin.register(Blocker, site=site)
class BlockerAdmin(ReadOnly):
    list_display = ("task", "kind", "owner", "declared_as", "declared_at", "resolved_as", "resolved_at")
    list_filter = ("kind",)
    list_select_related = ("task__step", "task__workstream", "owner")


@admin.register(Learning, site=site)
class LearningAdmin(ReadOnly):
    list_display = ("workstream", "after", "recorded_as", "recorded_at")
    list_select_related = ("workstream", "author")
