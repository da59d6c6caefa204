"""What the completion of a task is asked to prove: by criteria now, and by a command that runs on what was
handed in (AS-7, FR-021, BX-9)."""

from collections.abc import Collection

from django.conf import settings

from orchestrator.adapters.registry import that_run
from orchestrator.contract.briefs import VerificationFacts
from orchestrator.core.engine.proof import ProofRule, kinds_to_prove
from orchestrator.core.engine.verification import Command, Named, verification_of
from orchestrator.core.terms import VerificationState
from orchestrator.models import Assignment, Attempt, Criterion, Step, Task, Verification, Workstream
from orchestrator.queries.base.sql import Joined, Table

#: Characters of the end of a log that answers quote, so that a brief stays short.
LOG_TOLD = 1_500
_ROWS = (
    "executor",
    "attempt__task__workstream__version",
    "attempt__task__step__version",
    "attempt__task__step__thread__batch__stage",
)


def pending_verifications() -> list[int]:
    """The ids of those that wait for their run or are in it, the first asked for first."""
    waiting = Verification.objects.filter(state=VerificationState.PENDING)
    return list(waiting.order_by("pk").values_list("pk", flat=True)[:50])


def pending_verification(verification_id: int) -> Verification | None:
    """With all that a run needs; None when it has ended."""
    rows = Verification.objects.select_related(*_ROWS)
    return rows.filter(pk=verification_id, state=VerificationState.PENDING).first()


def is_pending(attempt_id: int) -> bool:
    return Verification.objects.filter(attempt=attempt_id, state=VerificationState.PENDING).exists()


def is_held(row: Verification) -> bool:
    """Whether the claim that handed it in is in force."""
    held = Assignment.objects.filter(attempt=row.attempt_id, token=row.token, executor=row.executor_id)
    return held.filter(released_at=None).exists()


def verification_facts(attempt: Attempt) -> VerificationFacts | None:
    """Of the last completion of the attempt that was handed in with a verification."""
    row = attempt.verification if attempt.verification_id else None
    if row is None:
        return None
    return VerificationFacts(
        state=VerificationState(row.state),
        sentence=sentence_of(row),
        command=row.command,
        source=row.source,
        commit=row.commit,
        tree=row.tree,
        exit_code=row.exit_code,
        milliseconds=row.milliseconds,
        log_sha256=row.log,
        log_end=row.log_end[-LOG_TOLD:] if row.state == VerificationState.REFUSED else "",
        asked_at=row.asked_at,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )


def command_for(step: Step, *, by_tool: bool, tools: Collection[str] | None = None) -> Command | None:
    """The command that proves the step, where its own tool does it (`by_tool`) or somebody else; asks no
    database."""
    version = step.version
    named = Named(
        tool=step.tool,
        run=step.run,
        by_tool=by_tool and bool(step.tool),
        step=step.verify,
        gate=step.gate_verify,
        plan=version.verify,
        repository=settings.VERIFY.get(version.repository, ""),
    )
    return verification_of(named, that_run() if tools is None else tools)


def verified_by(task: Task, workstream: Workstream) -> str:
    """What whoever takes the task reads of the command that proves it; of a step with a tool that is what the
    tool's own run does not show."""
    version = workstream.version
    if not version.repository or task.step.is_gate:
        return ""
    task.step.version = version
    command = command_for(task.step, by_tool=True)
    return f"{command.line} (asked for by {command.source})" if command else ""


def files_of_step(step: Step) -> list[str]:
    """The patterns of files that the step or its thread owns."""
    own = step.resources.filter(is_files=True).values_list("name", flat=True)
    return [*own, *step.thread.owned_files.values_list("pattern", flat=True)]


def proof_demanded(step: Step, rule: ProofRule) -> str:
    """Why the step takes proof only, in words; empty where it does not."""
    files = files_of_step(step) if rule.paths else []
    return rule.demands(step.role or step.thread.owner_role, files)


def verified_by_run(attempt: Attempt) -> str:
    """The command that was green on the commit that the attempt handed in; empty where none was run."""
    row = attempt.verification if attempt.verification_id else None
    return row.command if row is not None and row.proved else ""


def sentence_of(row: Verification) -> str:
    """How far it is, in a sentence."""
    run, commit = row.command, row.commit[:12]
    match VerificationState(row.state):
        case VerificationState.PENDING:
            what = "is running" if row.begun_at else "has not begun"
            return f"Being verified: {run} {what} on {commit}. The completion counts when it is green."
        case VerificationState.PROVED:
            return f"Proved: {run} was green on {commit} in {row.seconds} s."
        case VerificationState.REFUSED:
            return f"The completion was refused: {run} on {commit}. {row.problem}"
        case VerificationState.LATE:
            return f"Too late: {row.problem}"


def criteria_to_prove(task: Task) -> list[Criterion]:
    """Returns the exit criteria of the task's step in their order, after rework behind its entry criteria."""
    kinds = kinds_to_prove(task.rework)
    return [criterion for criterion in criteria_of(task.step_id) if criterion.kind in kinds]


def criteria_of(step: int) -> list[Criterion]:
    """All of them, by kind and in their order."""
    return [row["criterion"] for row in _CRITERIA.rows(step)]


_CRITERIA = Joined(
    {"criterion": Table(Criterion)},
    """orchestrator_criterion criterion WHERE criterion.step_id = %s
ORDER BY criterion.kind, criterion.position""",
)
