"""Baseline integration on the workstream's page: record it, look for it, decide its revert (FR-010)."""

from collections.abc import Callable

from django.http import HttpRequest

from orchestrator.core.terms import IntegrationSource
from orchestrator.models import Workstream
from orchestrator.services.handoff import baseline
from orchestrator.web.acting import Viewer, does, now, off, typed


@does(baseline.integrate)
def _integrate(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    baseline.integrate(
        workstream_id=found.pk,
        source=IntegrationSource.PERSON,
        commit=typed(request, "commit"),
        note=typed(request, "note"),
        actor=who.actor,
        now=now(),
    )
    return "The integration is recorded: from now on rework needs a revert decision first."


@does(baseline.look)
def _look(_request: HttpRequest, found: Workstream, who: Viewer) -> str:
    row = baseline.look(workstream_id=found.pk, actor=who.actor, now=now())
    return f"The base branch holds the work at {row.commit[:12]}: the integration is recorded."


@does(baseline.revert)
def _revert(request: HttpRequest, found: Workstream, who: Viewer) -> str:
    baseline.revert(
        workstream_id=found.pk,
        reason=typed(request, "reason"),
        commit=typed(request, "commit"),
        actor=who.actor,
        now=now(),
    )
    return "The revert decision is recorded: work may be sent back again."


ACTS: dict[str, Callable[[HttpRequest, Workstream, Viewer], str]] = {
    "integrate": _integrate,
    "look": _look,
    "revert": _revert,
}


def why_not(who: Viewer, found: Workstream) -> dict[str, str]:
    """Why each control is off; empty text when it is on."""
    return {
        "integrate": off(baseline.why_not_integrate(found, who.actor)),
        "look": off(baseline.why_not_look(found, who.actor)),
        "revert": who.lacks(baseline.revert),
    }
