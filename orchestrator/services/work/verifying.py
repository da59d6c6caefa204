"""The end of a verification: its completion counts, or is refused with what the run showed (BX-9)."""

from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.verification import Receipt
from orchestrator.core.errors import Refusal
from orchestrator.core.terms import VerificationState, WorkstreamStatus
from orchestrator.models import Verification
from orchestrator.queries.handoff.situation import Situation, situation_of
from orchestrator.services.base.history import speaks_of
from orchestrator.services.base.locks import locked_workstream_of_attempt
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.work.attempts import MISSING, record_attempt, staleness
from orchestrator.services.work.completions import accept
from orchestrator.services.work.evidence import keep_late_result
from orchestrator.services.work.handed_commits import HandedIn
from orchestrator.services.work.kept_completions import GivenCompletion, given_again

#: Characters of the end of a log that a refusal quotes.
QUOTED = 1_500


def begin(row: Verification, now: datetime) -> bool:
    """Say that the run is begun; false where the verification has ended meanwhile. Called by whoever holds
    its lock on this machine."""
    open_row = Verification.objects.filter(pk=row.pk, state=VerificationState.PENDING)
    return bool(open_row.update(begun_at=now, runs=row.runs + 1))


def settle(*, verification_id: int, receipt: Receipt | None, now: datetime) -> Verification:
    """Let the completion count if the run was green, exactly as it was handed in; refuse it if it was red. Of
    a claim that has ended what was handed in is kept as evidence. Done once, whoever comes twice.

    `receipt` is None where nothing was run because the claim had ended.
    """
    with unit_of_work():
        attempt_id = Verification.objects.values_list("attempt", flat=True).get(pk=verification_id)
        workstream = locked_workstream_of_attempt(attempt_id, MISSING)
        row = Verification.objects.select_related("executor__user").get(pk=verification_id)
        situation = situation_of(workstream, attempt_id)
        if not row.is_pending or situation is None:
            return row
        _write(row, receipt, now)
        given, handed = given_again(row, now)
        active = workstream.status == WorkstreamStatus.ACTIVE
        if not active or staleness(situation, row.token, row.executor):
            row.state = VerificationState.LATE
            late = keep_late_result(situation, row.token, row.executor, row.outcome, given.outputs, now)
            row.problem = f"The claim had ended. {late.said}"
        elif receipt is None:
            return row
        else:
            _decide(situation, row, given, handed, receipt)
        row.save()
    return row


def _decide(
    situation: Situation, row: Verification, given: GivenCompletion, handed: HandedIn, receipt: Receipt
) -> None:
    if not receipt.passed:
        _refuse(situation, row, given, receipt, receipt.problem or f"Exit code {receipt.exit_code}.")
        return
    try:
        with unit_of_work():
            accept(situation, given, handed, {**receipt.as_data(), "verification": row.pk})
    except Refusal as refusal:
        # What was true when it was handed in is so no more, such as a blocker that came meanwhile.
        again = situation_of(situation.task.workstream, row.attempt_id) or situation
        _refuse(again, row, given, receipt, f"Green, but {refusal.message} {refusal.way_out}")
    else:
        row.state = VerificationState.PROVED
        speaks_of(row)


def _refuse(
    situation: Situation, row: Verification, given: GivenCompletion, receipt: Receipt, problem: str
) -> None:
    row.state, row.problem = VerificationState.REFUSED, problem
    speaks_of(row)
    data = {**receipt.as_data(), "verification": row.pk, "problem": problem}
    told = f"{row.command}: {problem}\n\n{receipt.log_end[-QUOTED:]}".strip()
    record_attempt(
        situation.attempt, given.actor, Action.COMPLETION_REFUSED, given.now, reason=told, data=data
    )


def _write(row: Verification, receipt: Receipt | None, now: datetime) -> None:
    row.ended_at = now
    if receipt is None:
        return
    row.exit_code, row.tree, row.milliseconds = receipt.exit_code, receipt.tree, receipt.milliseconds
    row.log, row.log_end, row.problem = receipt.log, receipt.log_end, receipt.problem
