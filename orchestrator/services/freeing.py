"""Who can free what work waits for: the chain asks the acts themselves whom they ask (FR-011, FR-015)."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from orchestrator.contract.why import WhyFacts
from orchestrator.core.terms import Role, RootKind
from orchestrator.models import Workstream
from orchestrator.queries.engine.explanations import Explained
from orchestrator.queries.work.why import Waiting
from orchestrator.services.base.acts import Act
from orchestrator.services.handoff.divergence import settle_divergence
from orchestrator.services.people.blockers import resolve_blocker
from orchestrator.services.people.interventions import clear_human_flag
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review.decisions import approve_version
from orchestrator.services.review.gates import approve_gate
from orchestrator.services.work.failures import requeue
from orchestrator.services.work.recoveries import restore_artifact
from orchestrator.services.workstreams.budgets import set_budget
from orchestrator.services.workstreams.workstreams import accept_workstream, sign_prehandoff

#: The act that frees each kind of root. Who claims or runs a task is told by the task itself.
FREED_BY: Final[Mapping[RootKind, Act[..., Any]]] = {
    RootKind.QUESTION: clear_human_flag,
    RootKind.FAILURE: requeue,
    RootKind.BLOCKER: resolve_blocker,
    RootKind.ARTIFACT: restore_artifact,
    RootKind.GATE: approve_gate,
    RootKind.PLAN: approve_version,
    RootKind.PREHANDOFF: sign_prehandoff,
    RootKind.BUDGET: set_budget,
    RootKind.DIVERGENCE: settle_divergence,
    RootKind.ACCEPTANCE: accept_workstream,
    RootKind.ARCHIVED: submit_plan,
    RootKind.CONDITION: submit_plan,
    RootKind.CIRCLE: submit_plan,
}


@cache
def freers() -> Mapping[RootKind, frozenset[Role]]:
    """The roles of which each act is expected."""
    return {kind: frozenset(act.declaration.asked or act.declaration.roles) for kind, act in FREED_BY.items()}


def why_task(workstream: Workstream, key: str, now: datetime, *known: Explained) -> WhyFacts:
    """The whole chain behind a task; `known` workstreams are not read again."""
    return Waiting(freers(), now, *known).of_task(workstream, key)


def why_workstream(workstream: Workstream, now: datetime, *known: Explained) -> WhyFacts:
    """The whole chain behind the most urgent front task of a workstream, or what holds all of it."""
    return Waiting(freers(), now, *known).of_workstream(workstream)
