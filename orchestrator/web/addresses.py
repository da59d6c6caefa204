"""Addresses of pages that other entry points name, too."""

from django.urls import reverse

from orchestrator.models import WorkflowVersion


def review_page(version: WorkflowVersion) -> str:
    """The page on which people decide about a version."""
    return reverse("plan-review", args=[version.workflow.slug, version.number])
