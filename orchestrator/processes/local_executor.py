"""A local executor: claims attempts whose tool is registered here and does them with it (AD-6, FR-027).

It coordinates through services and the database only (FR-028). What it holds when it dies it takes up again
when it is started next: the assignment row has the token, the worktree is reset, the tool runs again.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q

from orchestrator.adapters.live_log import LiveLog
from orchestrator.adapters.registry import that_run
from orchestrator.adapters.repository import locked, shown
from orchestrator.adapters.tool import Job, Result, Tool
from orchestrator.adapters.worktree import Worktree
from orchestrator.core import limits
from orchestrator.core.engine.conditions import tool_outcome
from orchestrator.core.errors import (
    AlreadyClaimed,
    AssignedElsewhere,
    ExecutorBusy,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refusal,
    StaleToken,
    ToolUnknown,
    WorkspaceDiverged,
    WorkspaceUnavailable,
    WrongState,
)
from orchestrator.core.files.handoff import check_output_name
from orchestrator.core.git_names import is_commit_word
from orchestrator.core.terms import PlaceState, StageKind, VerificationState
from orchestrator.models import Assignment, Attempt, Executor, HandoffArtifact, StepResource, Task, WorkPlace
from orchestrator.processes.verifier import Verifier
from orchestrator.queries.engine.inputs import handover_of_same_inputs, outputs_by_name
from orchestrator.queries.handoff.worktrees import state_folder, worktree_of
from orchestrator.queries.work.places import CONFLICT, conflict_question
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.queries.work.work import queued_attempts
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.masking import masked_text
from orchestrator.services.people import interventions
from orchestrator.services.work import claims, completions, failures, places
from orchestrator.workspace import files

logger = logging.getLogger(__name__)

#: Seconds between looks at the database while waiting or while a tool runs.
PAUSE: Final = 0.3
#: Changed files handed over with an attempt: at most so many, each at most so many bytes.
OUTPUT_FILES: Final = 20
OUTPUT_SIZE: Final = 200_000
#: The error of what failed and said nothing.
WITHOUT_A_WORD: Final = "It failed without saying why."


class Stopped(Exception):
    """The process was asked to stop; what it holds stays claimed and is taken up again at the next start."""


class LocalExecutor:
    """Does one attempt at a time. `clock` gives the time of acts, `stopping` says when to leave, `only` which
    of the registered tools it runs."""

    def __init__(
        self,
        executor: Executor,
        clock: Callable[[], datetime],
        stopping: Callable[[], bool],
        only: Collection[str] | None = None,
    ) -> None:
        self.executor, self.clock, self.stopping, self.only = executor, clock, stopping, only
        self.verifier = Verifier(clock, stopping)

    @property
    def actor(self) -> Actor:
        """Who acts, with the roles that the account has by now."""
        return Actor.member(self.executor)

    def tools(self) -> Mapping[str, Tool]:
        """Those of the registered tools that it runs."""
        return {name: one for name, one in that_run().items() if self.only is None or name in self.only}

    def turn(self) -> bool:
        """Verify what was handed in, take up what is held, or claim the next attempt and do it; false when
        there was nothing to do."""
        if self.verifier.turn():
            return True
        assignment = self._held() or self._claimed()
        if assignment is None:
            return False
        try:
            if refused := assignment.attempt.verification:
                # The tool would hand the same in once more.
                self._fail(assignment, f"{refused.command}: {refused.problem}\n\n{refused.log_end}".strip())
            else:
                self._do(assignment)
        except StaleToken:
            logger.warning(
                "%s: %s is no longer held; its work is dropped.", self.executor, assignment.attempt
            )
        except Stopped:
            logger.warning("%s: stopped while it holds %s.", self.executor, assignment.attempt)
        return True

    def _held(self) -> Assignment | None:
        held = Assignment.objects.filter(executor=self.executor, released_at=None)
        held = held.exclude(attempt__verification__state=VerificationState.PENDING)
        return held.select_related(*_ATTEMPT_ROWS).first()

    def _claimed(self) -> Assignment | None:
        for pk in queued_attempts(self.tools(), self.executor).values_list("pk", flat=True)[:20]:
            try:
                assignment = claims.claim(
                    attempt_id=pk,
                    executor=self.executor,
                    actor=self.actor,
                    now=self.clock(),
                    runs=self.tools(),
                )
            except ExecutorBusy:
                return None
            except (AlreadyClaimed, AssignedElsewhere, NotAllowed, WrongState, NotFound):
                continue
            return Assignment.objects.select_related(*_ATTEMPT_ROWS).get(pk=assignment.pk)
        return None

    def _do(self, assignment: Assignment) -> None:
        """Run the tool until it is done, has failed, or the attempt is no longer held."""
        try:
            tree = worktree_of(assignment.attempt)
            with locked(tree.lock, lambda: self._pause(assignment)) as descriptor:
                self._run_until_answered(assignment, tree, descriptor)
        except (StaleToken, Stopped, WorkspaceUnavailable, OperationalError, InterfaceError):
            raise
        except Refusal as refusal:
            self._fail(assignment, f"{refusal.message} {refusal.way_out}")
        except Exception as error:
            # It would end the executor, which would take the same attempt up again, for ever.
            logger.exception("%s: %s could not be done.", self.executor, assignment.attempt)
            self._fail(assignment, f"The executor could not do it: {type(error).__name__}: {error}")

    def _run_until_answered(self, assignment: Assignment, tree: Worktree, held: int) -> None:
        while True:
            self._wait_for_person(assignment)
            start, result = self._run(assignment, tree, held)
            if result.cancelled:
                self._check(assignment)
                raise Stopped
            if not result.question:
                break
            self._ask(assignment, result.question)
        word = _outcome_word(assignment.attempt, result)
        if word is not None:
            self._hand_over(assignment, tree, start, result, word)
        else:
            self._fail(assignment, f"{result.error}\n\n{result.output[-4000:]}".strip())

    def _run(self, assignment: Assignment, tree: Worktree, held: int) -> tuple[str, Result]:
        attempt, step = assignment.attempt, assignment.attempt.task.step
        tool = self._tool(step.tool)
        start = self._start(assignment, tree)
        self._report(assignment, f"Running {step.run or step.tool} on {tree.branch} from {start[:12]}.")
        job = Job(
            directory=tree.folder,
            state=state_folder(attempt),
            run=step.run,
            answer=self._answer(attempt),
            environment={
                "STEP_KEY": step.key,
                "STEP_ATTEMPT": str(attempt.number),
                "STEP_COMMIT": start,
            },
            cancelled=_Watch(self, assignment),
            inherited=(held,),
            network=step.tool in settings.TOOLS_NETWORK,
            printed=LiveLog(settings.RUN_LOGS_DIR, attempt.pk, masked_text).add,
        )
        return start, tool.run(job)

    def _start(self, assignment: Assignment, tree: Worktree) -> str:
        """Have the worktree on the commit that the attempt starts from. A conflict is a question to a person,
        who resolves it in the worktree or names the commit that does."""
        attempt = assignment.attempt
        while True:
            place = places.prepare(attempt, self.clock(), tool_lock=True)
            if place.state != PlaceState.CONFLICT:
                tree.restart(place.start)
                return place.start
            if not self._resolved_elsewhere(attempt, place):
                self._ask(assignment, conflict_question(place))
                self._wait_for_person(assignment)

    def _resolved_elsewhere(self, attempt: Attempt, place: WorkPlace) -> bool:
        """Whether the last answer names a commit that resolves the open merge."""
        word = self._answer(attempt, of_conflict=True).strip().lower()
        if not is_commit_word(word):
            return False
        try:
            places.resolve_with(place, word)
        except InvalidInput:
            return False
        return True

    def _tool(self, name: str) -> Tool:
        tools = that_run()
        if name not in tools:
            raise ToolUnknown(
                f"The tool “{name}” is no longer registered here.",
                recovery="Ask the operator to register it, then queue the step again.",
            )
        return tools[name]

    def _hand_over(
        self, assignment: Assignment, tree: Worktree, start: str, result: Result, word: str
    ) -> None:
        attempt, step = assignment.attempt, assignment.attempt.task.step
        commit = tree.commit(f"{step.key}: {step.title}\n\nattempt {attempt.number}, {self.executor.name}")
        outputs = _outputs(attempt, tree, start, result)
        if same := _unchanged(attempt, tree, word):
            commit, outputs = same.attempt.commit, outputs_by_name(same)
        criteria = [criterion.pk for criterion in criteria_to_prove(attempt.task)]
        told = result.summary[: limits.TEXT_CHARACTERS - 100]
        while True:
            self._wait_for_person(assignment)
            try:
                completions.complete(
                    attempt_id=attempt.pk,
                    token=assignment.token,
                    executor=self.executor,
                    outcome=told,
                    evidence=dict.fromkeys(criteria, f"{told} (commit {commit[:12]})"),
                    outputs=outputs,
                    commit=commit,
                    result=word,
                    now=self.clock(),
                )
            except (WrongState, WorkspaceDiverged) as refusal:
                # A blocker, a handover that was lost or a branch that came apart while the tool ran: the
                # result stands and waits with it.
                logger.warning("%s: %s waits: %s", self.executor, attempt, refusal.message)
                self._pause(assignment)
            else:
                return

    def _ask(self, assignment: Assignment, question: str) -> None:
        task = assignment.attempt.task
        interventions.flag_for_human(task_id=task.pk, note=question, actor=self.actor, now=self.clock())

    def _answer(self, attempt: Attempt, *, of_conflict: bool = False) -> str:
        """What a person answered to this executor's last question of this attempt: the tool's, or the one
        about a conflict."""
        ours = Q(note__startswith=CONFLICT)
        mine = attempt.task.interventions.filter(
            ours if of_conflict else ~ours, raised_by=self.actor.label, raised_at__gte=attempt.started_at
        )
        last = mine.order_by("-raised_at").first()
        return last.answer if last and last.cleared_at else ""

    def _wait_for_person(self, assignment: Assignment) -> None:
        """Hold the attempt while its task waits for a person."""
        while Task.objects.filter(pk=assignment.attempt.task_id, needs_human=True).exists():
            self._pause(assignment)

    def _report(self, assignment: Assignment, breadcrumb: str) -> None:
        claims.report(
            attempt_id=assignment.attempt_id,
            token=assignment.token,
            executor=self.executor,
            breadcrumb=breadcrumb[: limits.TEXT_CHARACTERS],
            now=self.clock(),
        )

    def _fail(self, assignment: Assignment, error: str) -> None:
        failures.fail(
            attempt_id=assignment.attempt_id,
            token=assignment.token,
            executor=self.executor,
            error=(error or WITHOUT_A_WORD)[: limits.TEXT_CHARACTERS],
            now=self.clock(),
        )

    def _pause(self, assignment: Assignment) -> None:
        time.sleep(PAUSE)
        if self.stopping():
            raise Stopped
        self._check(assignment)

    def _check(self, assignment: Assignment) -> None:
        if not self.holds(assignment):
            raise StaleToken(f"{assignment.attempt} has ended.")

    def holds(self, assignment: Assignment) -> bool:
        return Assignment.objects.filter(pk=assignment.pk, released_at=None).exists()


_ATTEMPT_ROWS: Final = (
    "attempt__verification",
    "attempt__task__workstream",
    "attempt__task__step__version",
    "attempt__task__step__thread__batch__stage",
)


def _outcome_word(attempt: Attempt, result: Result) -> str | None:
    """The outcome to complete with; None when the attempt fails: the tool did not come to an end, or the step
    does not say what follows when it fails (AD-8).
    """
    if not result.ok and not result.summary:
        return None
    return tool_outcome(attempt.task.step.outcome_words, result.ok)


def _unchanged(attempt: Attempt, tree: Worktree, word: str) -> HandoffArtifact | None:
    """The handover that stands because the tool, run again on the same inputs, left the same files and came
    to the same end; the worktree then stands on its commit. A log and a commit's date differ with every run,
    and are no result (AD-7).
    """
    earlier = handover_of_same_inputs(attempt)
    if earlier is None or not earlier.attempt.commit:
        return None
    if earlier.attempt.result != word:
        return None
    return earlier if tree.settle_on(earlier.attempt.commit) else None


class _Watch:
    """Says whether a running tool has to stop.

    The process leaves, or somebody declared the attempt failed.
    """

    def __init__(self, owner: LocalExecutor, assignment: Assignment) -> None:
        self.owner, self.assignment, self.looked = owner, assignment, time.monotonic()

    def __call__(self) -> bool:
        if self.owner.stopping():
            return True
        if time.monotonic() - self.looked < 1:
            return False
        self.looked = time.monotonic()
        return not self.owner.holds(self.assignment)


def _outputs(attempt: Attempt, tree: Worktree, start: str, result: Result) -> Mapping[str, bytes]:
    """The log, and the declared files that the attempt changed; what is left out is said in the log."""
    step = attempt.task.step
    patterns = StepResource.objects.filter(step=step, is_files=True).values_list("name", flat=True)
    declared = []
    for name in tree.changed(start):
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            declared.append(name)
    taken = {
        name: content
        for name in declared[:OUTPUT_FILES]
        if (content := _content(tree.folder, name)) is not None
    }
    left_out = [
        f"Not handed over (too large, too many, no plain file, or a name that none may have): {shown(name)}\n"
        for name in declared
        if name not in taken
    ]
    log = f"$ {result.command}\n{result.output}\n{result.summary}\n{''.join(left_out)}"
    if step.thread.batch.stage.kind == StageKind.DOCUMENTATION:
        # They go to docs/<slug>/ in the workspace, which is that folder already (WF-6).
        taken = {name.removeprefix("docs/"): content for name, content in taken.items()}
    return {f"{step.key}-attempt-{attempt.number}.log": log.encode(), **taken}


def _content(folder: Path, name: str) -> bytes | None:
    """The file's bytes; None for a file that is too large, for a name that is no text, and for what is no
    plain file of the worktree itself: a tool could leave links to files that it may not read, and we may."""
    if shown(name) != name:
        return None
    try:
        check_output_name(name)
        return files.read(folder, name, OUTPUT_SIZE)
    except (InvalidInput, files.FileDamage):
        return None
