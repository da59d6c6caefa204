"""Who plans a fix stage signs the evaluation that found the problems; it counts when the stage is in the plan
(WF-5).

Signed at once, the gate would let what stands behind it start before the fix stage stands there.
"""

from orchestrator.core.errors import NotFound, Refusal, WrongState
from orchestrator.core.terms import AttemptStatus, StepKind
from orchestrator.models import Task, Workstream
from orchestrator.services.base.actor import Actor
from orchestrator.services.work.signing import why_not_approve, why_not_decide


def refuse_signature(workstream: Workstream, gate_key: str, actor: Actor) -> None:
    """Raise why this actor could not sign the gate as it stands now; they are asked again when it counts."""
    gate = gate_of(workstream, gate_key)
    if gate is None:
        raise NotFound(f"{workstream} has no gate {gate_key[:80]}.", field="gate")
    if refusal := why_not_sign_ahead(gate, actor):
        raise refusal


def why_not_sign_ahead(gate: Task, actor: Actor) -> Refusal | None:
    """Why a planned signature of this gate is off; None when it is on."""
    if not gate.attempts.filter(status=AttemptStatus.QUEUED).exists():
        return WrongState(
            f"{gate.step.key} does not wait for a signature.",
            recovery="Sign it when the work has come back to it.",
        )
    return why_not_decide(gate, actor) or why_not_approve(gate, actor)


def gate_of(workstream: Workstream, key: str) -> Task | None:
    """The gate with this key in the version that the workstream follows."""
    gates = Task.objects.select_related("step", "workstream__version__workflow")
    found = gates.filter(
        workstream=workstream, step__version=workstream.version_id, step__key=key, step__kind=StepKind.GATE
    )
    return found.first()
