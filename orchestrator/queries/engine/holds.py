"""What holds a whole workstream, whatever its tasks do (design section 3)."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from orchestrator.core.engine import budgets, explain
from orchestrator.core.engine.values import Hold
from orchestrator.core.terms import Reason, WorkstreamStatus
from orchestrator.models import WorkspaceBranch, Workstream, WorkstreamNeed


class Needed(NamedTuple):
    """The first workstream that has to be completed before, and is not."""

    slug: str
    status: str


class Holding(NamedTuple):
    """Whether all work is stopped, whether the pre-handoff review is signed, and whether a workstream that
    has to be completed first is not."""

    stopped: bool
    reviewed: bool
    unmet: bool


def hold_on(
    workstream: Workstream,
    now: datetime | None,
    facts: Holding,
    first_needed: Callable[[Workstream], Needed | None] | None = None,
) -> Hold | None:
    """The first reason that holds all of it; without `now` an approved version is in effect.

    A version that a newer one superseded stays good for the work that runs under it. `first_needed` spares
    the look into the database to whoever knows what is needed.
    """
    if not workstream.is_open:
        return Hold(Reason.CLOSED, explain.closed(workstream.status))
    if facts.stopped:
        return Hold(Reason.DIVERGED, explain.diverged())
    effective_at, decided_at = workstream.version.effective_at, workstream.version.decided_at
    if effective_at is None:
        return Hold(Reason.PLAN_NOT_APPROVED, explain.waits_for_approval())
    # A version that took effect with its approval stays in effect, even when the clock is set back.
    later = decided_at is None or effective_at > decided_at
    if later and now is not None and now < effective_at:
        return Hold(Reason.NOT_EFFECTIVE, explain.waits_until(effective_at))
    if not facts.reviewed:
        return Hold(Reason.PREHANDOFF, explain.waits_for_prehandoff())
    if workstream.over_budget:
        return Hold(Reason.BUDGET, budgets.holds(workstream.over_budget))
    return _needed_workstream((first_needed or _first_needed)(workstream)) if facts.unmet else None


def _needed_workstream(needed: Needed | None) -> Hold | None:
    """The first workstream that has to be completed before (AD-3)."""
    if needed is None:
        return None
    sentence = explain.waits_for_workstream(needed.slug, needed.status)
    return Hold(Reason.WORKSTREAM_DEPENDENCY, sentence, needed.slug)


def work_is_stopped() -> bool:
    """Whether database and workspace were found not to belong together, and nobody has decided yet (F22 to
    F24).
    """
    return bool(_diverged())


def _diverged() -> list[int]:
    return list(
        WorkspaceBranch.objects.filter(diverged_at__isnull=False).order_by().values_list("pk", flat=True)
    )


def _first_needed(workstream: Workstream) -> Needed | None:
    needs = WorkstreamNeed.objects.filter(workstream=workstream, dropped_at=None)
    unmet = needs.exclude(needed__status=WorkstreamStatus.COMPLETED).order_by(
        "needed__created_at", "needed_id"
    )
    first = unmet.values_list("needed__slug", "needed__status").first()
    return Needed(*first) if first else None
