"""A reviewer drops a dependency that can never hold, instead of sending the text back (AD-1, FR-016)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.core.people.roles import SIGNERS
from orchestrator.core.plans.impossible import impossible_needs
from orchestrator.core.terms import Format, Scope, WorkstreamStatus
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.plans.judged import judged
from orchestrator.queries.plans.readings import read_without, reading_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.plans.versions import Note, VersionText, next_version, why_plan_is_closed
from orchestrator.services.review.decisions import under_review, why_settled
from orchestrator.services.workstreams.needs import relate_needs


@act(
    roles=SIGNERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why nobody has to wait for it."),
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW, Lock.NEEDS),
    records=(Action.DEPENDENCY_DROPPED,),
)
def drop_dependency(
    *, version_id: int, seen_sha256: str, step: str, need: str, reason: str, actor: Actor, now: datetime
) -> WorkflowVersion:
    """Drop that a step waits for what is unknown, waits for it too or stands later: the next version has the
    same text and author and is read without it.

    InvalidInput for a dependency that can hold: that is for its author to change.
    """
    with unit_of_work():
        version, workstream = under_review(version_id, seen_sha256)
        if refusal := why_not_drop(version, workstream, actor):
            raise refusal
        before = reading_of(version).plan
        if before is None or not any((n.step, n.need) == (step, need) for n in impossible_needs(before)):
            raise InvalidInput(
                f"{step[:80]} has no dependency on “{need[:80]}” that cannot hold.",
                recovery="Choose one of those that the review names, or send the plan back.",
                field="need",
            )
        dropped = (*((one[0], one[1]) for one in version.dropped_needs), (step, need))
        reading = judged(read_without(version, dropped), version=version, workstream=workstream)
        assert reading.plan is not None
        text = VersionText(
            version.source, version.source_name, Format(version.format), version.adopts, dropped
        )
        said = f"{reason.strip()} ({actor.label} dropped that {step} waits for “{need}”.)"
        note = Note(
            wanted_effective_at=version.wanted_effective_at,
            started_from=version.started_from,
            started_from_number=version.started_from_number,
        )
        made = next_version(
            workstream, reading.plan, text, Actor(version.submitted_as, version.author), now, said, note
        )
        if version.signs_gate:
            made.signs_gate = version.signs_gate
            made.save(update_fields=["signs_gate"])
        if workstream.status == WorkstreamStatus.PLANNING and workstream.version_id == made.pk:
            relate_needs(workstream=workstream, plan=reading.plan, actor=actor, now=now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.DEPENDENCY_DROPPED,
            subject=f"version {made.number}",
            reason=reason,
            now=now,
            data={"sha256": made.source_sha256, "from": version.number, "step": step, "need": need},
        )
        wake(workstream.pk)
    return made


def why_not_drop(version: WorkflowVersion, workstream: Workstream, actor: Actor) -> Refusal | None:
    """Why this actor may not drop a dependency of a version in review: the work is closed, or their role."""
    return why_settled(version) or why_plan_is_closed(workstream) or drop_dependency.why_not(actor)
