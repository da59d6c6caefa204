"""Completions: an attempt ends with evidence for its criteria and hands its outputs over (AS-7, BX-9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.engine.conditions import chosen_outcome
from orchestrator.core.engine.proof import (
    CriterionAsked,
    ProofWord,
    kinds_to_prove,
    refuse_unknown,
    refuse_unproved,
)
from orchestrator.core.engine.usage import NOTHING, Usage
from orchestrator.core.errors import Refusal, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import AttemptStatus, CriterionKind, Scope, TaskStatus
from orchestrator.models import Attempt, Criterion, CriterionCheck, Executor, Task
from orchestrator.queries.base.used import asks_about_budget
from orchestrator.queries.handoff.situation import Situation
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.bounds import check_evidence, check_outputs, check_text
from orchestrator.services.base.history import speaks_of
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.progress import settle
from orchestrator.services.base.rows import InsertRows
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.artifacts import hand_over
from orchestrator.services.work.attempts import (
    end,
    locked_attempt,
    record_attempt,
    require_doer,
    staleness,
    why_held,
)
from orchestrator.services.work.evidence import keep_late_result
from orchestrator.services.work.handed_commits import HandedIn, hand_in, keep
from orchestrator.services.work.kept_completions import (
    GivenCompletion,
    keep_for_verification,
    measured_by_tool,
    pending,
    wants_verification,
)
from orchestrator.services.work.places import place_told
from orchestrator.services.work.silence import heard
from orchestrator.services.work.spending import judge_budgets, overtake_budget
from orchestrator.services.work.usage import told, used_by


@act(
    roles=PARTICIPANTS,
    scope=Scope.WORK,
    only="who holds the attempt, with the role that the step asks for",
    locks=(Lock.WORKSTREAM,),
    records=(
        Action.ATTEMPT_COMPLETED,
        Action.COMPLETION_HANDED_IN,
        Action.COMPLETION_REFUSED,
        Action.STALE_RESULT_QUARANTINED,
        Action.FLAGGED_FOR_HUMAN,
        Action.INTERVENTION_DONE,
    ),
)
def complete(
    *,
    attempt_id: int,
    token: int,
    executor: Executor,
    outcome: str,
    evidence: Mapping[int, str],
    now: datetime,
    outputs: Mapping[str, bytes] | None = None,
    commit: str = "",
    result: str = "",
    actor: Actor | None = None,
    usage: Usage = NOTHING,
) -> Attempt:
    """Finish an attempt: every criterion it has to prove with evidence, its outputs, and the artifact that
    hands it over (AS-7).

    `evidence` maps criterion ids to texts; a step without exit criteria is proved by `outcome`, a sentence.
    `outputs` maps relative file names to contents. `result` is one of the outcomes that the step declares;
    InvalidInput for none or another word (AD-8), and for a commit that the plan's repository does not have or
    that does not build on its base. Without a `commit` what stands in the attempt's worktree is committed for
    it. Raises CriteriaUnmet with what is missing, MergeConflict while the work before the step does not fit
    together, StaleToken when the claim is not the caller's or no longer; of who held the attempt what was
    sent is then kept as evidence. `actor` says who acts where it is not the executor on a machine interface:
    its person in the browser. `usage` as in `claims.report`.

    Where a command proves the step, what was handed in is kept, the attempt goes on and its `verification` is
    pending: it counts when the command is green on the commit (`verifying.settle`). BeingVerified while
    another completion waits so; ProofDemanded where the workflow's rules want proof and there is none.
    """
    actor = actor or Actor.member(executor)
    check_text(outcome, "outcome")
    check_evidence(evidence)
    check_outputs(outputs or {})
    given = GivenCompletion(token, executor, actor, outcome, evidence, outputs or {}, result, now, usage)
    handed = hand_in(attempt_id, token, executor, commit) if commit.strip() else None
    attempt = _complete(attempt_id, given, handed)
    if attempt is None:  # it has a place, which is looked into before the transaction
        attempt = _complete(attempt_id, given, hand_in(attempt_id, token, executor, ""))
    if attempt is None:
        raise RuntimeError("A completion was looked at twice and not decided.")
    return attempt


def _complete(attempt_id: int, given: GivenCompletion, handed: HandedIn | Refusal | None) -> Attempt | None:
    """None, with nothing done, when the attempt has a place and nobody has looked what stands there."""
    with unit_of_work():
        situation = locked_attempt(attempt_id)
        attempt = situation.attempt
        require_doer(attempt, given.actor)
        stale = staleness(situation, given.token, given.executor)
        if stale:
            late = keep_late_result(
                situation, given.token, given.executor, given.outcome, given.outputs, given.now
            )
            stale.kept, stale.way_out = late.kept, f"{stale.way_out} {late.said}"
        elif handed is None and attempt.base:
            return None
        else:
            _take(situation, given, handed or HandedIn())
    if stale:
        raise stale
    return attempt


def _take(situation: Situation, given: GivenCompletion, handed: HandedIn | Refusal) -> None:
    """Let it count, or keep it until its command has run: everything but that is asked now (BX-9)."""
    if isinstance(handed, Refusal):
        raise handed
    attempt = situation.attempt
    if pending(attempt, given, handed):
        return
    heard(situation.task, given.actor, given.now)
    command = wants_verification(attempt, given, handed)
    if command is None:
        accept(situation, given, handed)
        return
    _refuse_held_up(situation)
    attempt.outcome = given.outcome
    _checks(attempt, given.evidence, given.actor, given.now)
    chosen_outcome(attempt.task.step.key, attempt.task.step.outcome_words, given.result)
    attempt.outcome = ""
    keep_for_verification(attempt, given, handed, command)
    judge_budgets(situation.task, given.usage, given.now)
    settle(situation.task, given.now)


def accept(
    situation: Situation,
    given: GivenCompletion,
    handed: HandedIn,
    receipt: Mapping[str, object] | None = None,
) -> None:
    """Let a completion count, behind its workstream's lock; the caller has seen that its claim is in force.
    `receipt` is what its verification showed."""
    _refuse_held_up(situation)
    attempt = situation.attempt
    attempt.outcome, attempt.commit = given.outcome, handed.commit
    checks = _checks(attempt, given.evidence, given.actor, given.now)
    attempt.proof = _proof_of(attempt, given, receipt)
    words = attempt.task.step.outcome_words
    attempt.result = chosen_outcome(attempt.task.step.key, words, given.result)
    _hand_over(situation, checks, given, receipt)
    if attempt.base:
        keep(handed, attempt)


def _proof_of(attempt: Attempt, given: GivenCompletion, receipt: Mapping[str, object] | None) -> ProofWord:
    return ProofWord.PROVED if receipt or measured_by_tool(attempt, given) else ProofWord.ASSERTED


def _hand_over(
    situation: Situation,
    checks: Sequence[CriterionCheck],
    given: GivenCompletion,
    receipt: Mapping[str, object] | None,
) -> None:
    attempt, task = situation.attempt, situation.task
    actor, now = given.actor, given.now
    earlier = hand_over(situation=situation, actor=actor, outputs=given.outputs, now=now)
    end(
        attempt,
        AttemptStatus.COMPLETED,
        now,
        outcome=attempt.outcome,
        commit=attempt.commit,
        result=attempt.result,
        proof=attempt.proof,
        same_as=earlier,
        **used_by(attempt, given.usage, now),
    )
    _INSERT_CHECKS(checks)
    speaks_of(*checks)
    task.status, task.proof = TaskStatus.COMPLETE, attempt.proof
    data: dict[str, object] = {"commit": attempt.commit, "result": attempt.result, "proof": attempt.proof}
    data |= {**told(given.usage), **place_told(attempt)}
    if receipt:
        data["receipt"] = dict(receipt)
    outcome = attempt.outcome
    if earlier:
        data["same_as"] = earlier.number
        outcome = (
            f"{outcome} (Same inputs and result as attempt {earlier.number}, whose handover stands.)".strip()
        )
    record_attempt(attempt, actor, Action.ATTEMPT_COMPLETED, now, reason=outcome, data=data)
    overtake_budget(task, "Overtaken: the step is complete.", actor, now)
    judge_budgets(task, given.usage, now)
    settle(task, now)
    wake(task.workstream_id)


_INSERT_CHECKS = InsertRows(CriterionCheck)


def _refuse_held_up(situation: Situation) -> None:
    if refusal := why_not_complete(situation.task, blocked=situation.blocked, lost=situation.lost):
        raise refusal


def why_not_complete(task: Task, *, blocked: bool, lost: bool) -> Refusal | None:
    """Why whoever holds the task cannot complete it: that would leave a blocker or a question open behind it,
    or stand on a handover that was `lost`."""
    if blocked:
        return WrongState(
            "The task has an open blocker.", recovery="Resolve the blocker, then complete the attempt."
        )
    if task.needs_human and not asks_about_budget(task):
        return WrongState(
            f"The task waits for a person: {task.intervention_note}",
            recovery="Have the intervention answered, then complete the attempt.",
        )
    return why_held(task, lost=lost)


def _checks(
    attempt: Attempt, evidence: Mapping[int, str], actor: Actor, now: datetime
) -> list[CriterionCheck]:
    """A row for each criterion that is asked for with its evidence, not saved yet.

    `attempt` carries its outcome already. Raises CriteriaUnmet.
    """
    criteria = criteria_to_prove(attempt.task)
    asked = [CriterionAsked(c.pk, CriterionKind(c.kind), c.text) for c in criteria]
    refuse_unknown(attempt.task.step.key, asked, _unknown(attempt, asked, evidence))
    evidence = _for_step_in_effect(attempt, criteria, evidence)
    refuse_unproved(attempt.task.step.key, asked, evidence, attempt.outcome)
    return [
        CriterionCheck(
            attempt=attempt,
            criterion=c,
            evidence=evidence[c.pk],
            checked_by=actor.account,
            checked_as=actor.label,
            checked_at=now,
        )
        for c in criteria
    ]


def _unknown(attempt: Attempt, asked: Sequence[CriterionAsked], evidence: Mapping[int, str]) -> list[int]:
    """The ids that no criterion of the step has, in any version of its plan."""
    others = evidence.keys() - {one.id for one in asked}
    if not others:
        return []
    step = attempt.task.step
    own = Criterion.objects.filter(
        pk__in=others, step__key=step.key, step__version__workflow=step.version.workflow_id
    )
    return sorted(others - set(own.values_list("pk", flat=True)))


def _for_step_in_effect(
    attempt: Attempt, criteria: Sequence[Criterion], evidence: Mapping[int, str]
) -> Mapping[int, str]:
    """Evidence by the ids in effect.

    A version that came after the claim has the same criteria in rows of its own.
    """
    step, others = attempt.task.step, evidence.keys() - {criterion.pk for criterion in criteria}
    moved: dict[str, str] = {}
    if others:
        earlier = Criterion.objects.filter(
            pk__in=others,
            kind__in=kinds_to_prove(attempt.task.rework),
            step__key=step.key,
            step__version__workflow=step.version.workflow_id,
        )
        moved = {criterion.text: evidence[criterion.pk] for criterion in earlier}
    return {
        criterion.pk: evidence.get(criterion.pk) or moved.get(criterion.text, "") for criterion in criteria
    }
