"""A completion that waits for its verification: kept as it was handed in, and read again (BX-9)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.usage import NOTHING, Usage
from orchestrator.core.engine.verification import BeingVerified, Command, ProofDemanded
from orchestrator.core.terms import ExecutorKind, VerificationState
from orchestrator.models import Attempt, Executor, Verification, WorkPlace
from orchestrator.queries.work.proof import command_for, proof_demanded
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.history import tells_of
from orchestrator.services.base.rows import UpdateWhere
from orchestrator.services.work.attempts import record_attempt
from orchestrator.services.work.handed_commits import HandedIn
from orchestrator.services.work.places import commits_of
from orchestrator.services.work.usage import told, used_by


@dataclass(frozen=True, slots=True)
class GivenCompletion:
    """What a completion says, as `completions.complete` takes it."""

    token: int
    executor: Executor
    actor: Actor
    outcome: str
    evidence: Mapping[int, str]
    outputs: Mapping[str, bytes]
    result: str
    now: datetime
    usage: Usage = NOTHING


def wants_verification(attempt: Attempt, given: GivenCompletion, handed: HandedIn) -> Command | None:
    """What has to be run before the completion counts; None where nobody's run can show it, which
    ProofDemanded refuses where the rules of the workflow want that. What was red is not passed by with a
    completion that hands nothing in."""
    by_tool = given.executor.kind != ExecutorKind.PERSON
    command = command_for(attempt.task.step, by_tool=by_tool) if handed.standing and attempt.base else None
    if command is None and not measured_by_tool(attempt, given):
        _refuse_assertion(attempt, handed.commit)
    if command is not None and not handed.commit:
        _refuse_without_what_was_red(attempt, handed.standing)
    return command


def _refuse_without_what_was_red(attempt: Attempt, standing: str) -> None:
    row = attempt.verification if attempt.verification_id else None
    if row is None or row.state != VerificationState.REFUSED or row.commit == standing:
        return
    raise ProofDemanded(
        f"{row.command} was not green on {row.commit[:12]}, and this completion hands nothing in.",
        recovery=f"Name the commit that mends it. To leave everything as it was before the step, name "
        f"{standing[:12]}.",
        field="commit",
    )


def measured_by_tool(attempt: Attempt, given: GivenCompletion) -> bool:
    """Whether the step's own tool did it, here: people claim steps with a tool, and who runs it."""
    return given.executor.kind != ExecutorKind.PERSON and bool(attempt.task.step.tool)


def _refuse_assertion(attempt: Attempt, commit: str) -> None:
    """ProofDemanded where a rule of the workflow wants proof of this step."""
    step, workflow = attempt.task.step, attempt.task.step.version.workflow
    if demanded := proof_demanded(step, workflow.proof_rule):
        why = "no commit was handed in" if not commit else "no command proves it"
        raise ProofDemanded(
            f"In {workflow} {demanded}, and of {attempt} {why}.", field="commit" if not commit else "verify"
        )


def keep_for_verification(
    attempt: Attempt, given: GivenCompletion, handed: HandedIn, command: Command
) -> None:
    """The row from which the completion counts when the command is green; the attempt goes on being held."""
    row = Verification.objects.create(
        attempt=attempt,
        tool=command.tool,
        run=command.run,
        source=command.source,
        executor=given.executor,
        in_person=given.actor.executor is None,
        token=given.token,
        outcome=given.outcome,
        evidence={str(pk): text for pk, text in given.evidence.items()},
        outputs={name: base64.b64encode(content).decode() for name, content in given.outputs.items()},
        result=given.result,
        commit=handed.standing,
        committed=handed.committed,
        touched=list(handed.touched),
        asked_at=given.now,
    )
    used = used_by(attempt, given.usage, given.now)
    _UPDATE({"id": attempt.pk}, verification=row, **used)
    attempt.verification = row
    tells_of(Attempt, [attempt.pk], verification_id=row.pk, **used)
    data = {"verification": row.pk, "commit": row.commit, "command": row.command, "source": row.source}
    data |= told(given.usage)
    record_attempt(
        attempt, given.actor, Action.COMPLETION_HANDED_IN, given.now, reason=given.outcome, data=data
    )


_UPDATE = UpdateWhere(Attempt)


def pending(attempt: Attempt, given: GivenCompletion, handed: HandedIn) -> bool:
    """Whether this very completion is being verified already. BeingVerified where it is another one."""
    row = attempt.verification if attempt.verification_id else None
    if row is None or not row.is_pending:
        return False
    said = {str(pk): text for pk, text in given.evidence.items()}
    if (row.commit, row.outcome, row.evidence) == (handed.standing, given.outcome, said):
        return True
    raise BeingVerified(
        f"A completion of {attempt} with the commit {row.commit[:12]} is being verified: {row.command}.",
        commit=row.commit,
    )


def given_again(row: Verification, now: datetime) -> tuple[GivenCompletion, HandedIn]:
    """What was handed in, to be done at `now` as whoever handed it in."""
    actor = Actor.person(row.executor.user) if row.in_person else Actor.member(row.executor)
    outputs = {name: base64.b64decode(content) for name, content in row.outputs.items()}
    evidence = {int(pk): text for pk, text in row.evidence.items()}
    given = GivenCompletion(row.token, row.executor, actor, row.outcome, evidence, outputs, row.result, now)
    return given, HandedIn(_own(row), row.committed, tuple(row.touched), row.commit)


def _own(row: Verification) -> str:
    """The commit of what was done; empty where the command ran on what the step builds on."""
    place: WorkPlace | None = getattr(row.attempt, "place", None)
    before = (row.attempt.base, *((place.base, *commits_of(place)) if place else ()))
    return "" if row.commit in before else row.commit
