"""The tools an agent works with: find a task, read its brief, claim it, report, complete or fail (FR-027)."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from orchestrator.core.terms import Scope
from orchestrator.queries.attempt_facts import AttemptFacts, ClaimFacts, attempt_facts, claim_facts
from orchestrator.queries.briefs import Brief, brief
from orchestrator.queries.task_facts import TaskFilter, TaskList, list_tasks
from orchestrator.services import claims, completions, failures
from orchestrator.services.callers import Caller


@dataclass(frozen=True)
class WorkTools:
    sign_in: Callable[[], Caller]

    def list_claimable_tasks(self) -> TaskList:
        """The tasks whose attempt can be claimed now, in launch order; `attempt.id` is what claim_task takes."""
        caller = self.sign_in()
        caller.require(Scope.READ)
        return list_tasks(TaskFilter(claimable=True, claimer=caller.claimer), limit=500)

    def get_brief(self, task_id: int) -> Brief:
        """What a task needs: definition, criteria with ids, earlier attempts, upstream artifacts, answers."""
        self.sign_in().require(Scope.READ)
        return brief(task_id)

    def claim_task(self, attempt_id: int) -> ClaimFacts:
        """Claim an attempt exclusively. Keep the token: report, complete and fail need it."""
        caller = self._worker()
        assignment = claims.claim(
            attempt_id=attempt_id, executor=caller.executor, actor=caller.actor, now=timezone.now()
        )
        return claim_facts(assignment)

    def report_progress(self, attempt_id: int, token: int, breadcrumb: str) -> AttemptFacts:
        """Leave a breadcrumb: what was done last, so that another agent could continue."""
        claims.report(
            attempt_id=attempt_id,
            token=token,
            executor=self._worker().executor,
            breadcrumb=breadcrumb,
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def complete_task(
        self,
        attempt_id: int,
        token: int,
        evidence: dict[int, str],
        outcome: str = "",
        outputs: dict[str, str] | None = None,
        commit: str = "",
        result: str = "",
    ) -> AttemptFacts:
        """Complete an attempt with evidence for every exit criterion, by criterion id.

        `outputs` maps relative file names to texts; they are committed to the workspace with the handoff artifact.
        `result` is one of the `outcomes` in the brief, such as `failed`; empty means the first of them.
        """
        completions.complete(
            attempt_id=attempt_id,
            token=token,
            executor=self._worker().executor,
            outcome=outcome,
            evidence=evidence,
            outputs={name: text.encode() for name, text in (outputs or {}).items()},
            commit=commit,
            result=result,
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def fail_task(self, attempt_id: int, token: int, error: str) -> AttemptFacts:
        """Declare the attempt failed and say why; the task waits until somebody re-queues it."""
        failures.fail(
            attempt_id=attempt_id,
            token=token,
            executor=self._worker().executor,
            error=error,
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def _worker(self) -> Caller:
        caller = self.sign_in()
        caller.require(Scope.WORK)
        return caller
