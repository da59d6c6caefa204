"""Bundles, and how workstreams stand to one another."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from orchestrator.admin.read_only import ReadOnly
from orchestrator.admin.site import site
from orchestrator.models import Bundle, DuplicateDecision, WorkstreamNeed


@admin.register(Bundle, site=site)
class BundleAdmin(ReadOnly):
    list_display = ("name", "submitted_as", "submitted_at")
    list_select_related = ("submitted_by",)
    search_fields = ("name",)


@admin.register(WorkstreamNeed, site=site)
class WorkstreamNeedAdmin(ReadOnly):
    """The dropped ones too."""

    list_display = ("workstream", "needed", "dropped_at")
    list_select_related = ("workstream", "needed")
    search_fields = ("workstream__slug", "needed__slug")

    def get_queryset(self, request: HttpRequest) -> Any:
        return WorkstreamNeed.ever.order_by("workstream_id", "needed_id")


@admin.register(DuplicateDecision, site=site)
class DuplicateDecisionAdmin(ReadOnly):
    list_display = ("workstream", "other", "outcome", "decided_as", "decided_at")
    list_filter = ("outcome",)
    list_select_related = ("workstream", "other", "decided_by")
