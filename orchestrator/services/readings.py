"""Readings of stored versions, kept: a version's text never changes, so it is read once in a process (WF-3)."""

from functools import lru_cache

from django.conf import settings

from orchestrator.core.plan import Plan, Reading
from orchestrator.core.plan_check import review_source
from orchestrator.core.preview import Preview, preview
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.services.needs import with_needs

#: Texts that a process keeps read; the two of a comparison, and those of a few reviewers beside.
KEPT = 6


def reading_of(version: WorkflowVersion, workstream: Workstream) -> Reading:
    """The same as `plans.read_source` of the version's text; what other workstreams have to say is looked up anew."""
    return with_needs(_read(version.source, _tools()), workstream, None, ())


def preview_of(version: WorkflowVersion, plan: Plan | None) -> Preview | None:
    """What approving the version does; `plan` is its reading's."""
    return _previewed(version.source, _tools()) if plan else None


def _tools() -> frozenset[str]:
    return frozenset(settings.TOOLS)


@lru_cache(KEPT)
def _read(source: str, tools: frozenset[str]) -> Reading:
    return review_source(source, tools)


@lru_cache(KEPT)
def _previewed(source: str, tools: frozenset[str]) -> Preview | None:
    plan = _read(source, tools).plan
    return preview(plan) if plan else None
