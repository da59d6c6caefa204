"""The tools an agent works with: find a task, read its brief, claim it, report, complete or fail (FR-027)."""

from dataclasses import dataclass

from django.utils import timezone

from orchestrator.contract.attempts import AdditionFacts, AttemptFacts, ClaimFacts
from orchestrator.contract.briefs import Brief, Orientation
from orchestrator.contract.tasks import TaskList
from orchestrator.contract.why import WhyFacts
from orchestrator.core.errors import NotFound
from orchestrator.mcp.tools import Tools
from orchestrator.queries.work.additions import addition_facts
from orchestrator.queries.work.attempt_facts import attempt_facts, claim_facts
from orchestrator.queries.work.briefs import brief
from orchestrator.queries.work.continuing import to_continue
from orchestrator.queries.work.continuing_text import orientation
from orchestrator.queries.work.task_facts import TaskFilter, list_tasks
from orchestrator.queries.work.tasks import find_task, find_workstream_by_slug
from orchestrator.services.freeing import why_task, why_workstream
from orchestrator.services.review import additions
from orchestrator.services.work import claims, completions, failures, releases


@dataclass(frozen=True)
class WorkTools(Tools):
    def list_claimable_tasks(self) -> TaskList:
        """The tasks whose attempt you can claim now, in launch order.

        `attempt.id` is what claim_task takes.
        """
        caller = self.reader()
        wanted = TaskFilter(claimable=True, claimer=caller.claimer, roles=caller.actor.roles())
        return list_tasks(wanted, limit=500)

    def get_brief(self, task_id: int) -> Brief:
        """What a task needs: definition, criteria with ids, earlier attempts, upstream artifacts, answers."""
        self.reader()
        return brief(task_id)

    def continue_task(self, task_id: int | None = None) -> Orientation:
        """What you need to go on with interrupted work: brief, breadcrumbs, earlier attempts and their
        failures, files, what is to be proved. Without a task: what you hold, or else what others have
        left."""
        caller = self.reader()
        if task_id is None:
            waiting = to_continue(caller.executor)
            if not waiting:
                raise NotFound(
                    "You hold nothing, and nobody has left anything that can be claimed.",
                    recovery="list_claimable_tasks shows what is ready.",
                )
            task_id = waiting[0].pk
        return orientation(task_id)

    def why(self, workstream: str, key: str = "") -> WhyFacts:
        """Why work is not moving: what waits for what to the root, since when, who can free it.

        `workstream` is a slug; with the `key` of a step its task is asked about, else the workstream.
        """
        self.reader()
        found, now = find_workstream_by_slug(workstream), timezone.now()
        if not key:
            return why_workstream(found, now)
        return why_task(found, find_task(found, key).step.key, now)

    def claim_task(self, attempt_id: int) -> ClaimFacts:
        """Claim an attempt exclusively.

        Keep the token: report, complete and fail need it. Lost it? Claim once more.
        """
        caller = self.doer(claims.claim)
        assignment = claims.claim(
            attempt_id=attempt_id, executor=caller.executor, actor=caller.actor, now=timezone.now()
        )
        return claim_facts(assignment)

    def report_progress(self, attempt_id: int, token: int, breadcrumb: str) -> AttemptFacts:
        """Leave a breadcrumb: what was done last, so that another agent could continue."""
        caller = self.doer(claims.report)
        claims.report(
            attempt_id=attempt_id,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            breadcrumb=breadcrumb,
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def release_task(self, attempt_id: int, token: int, breadcrumb: str) -> AttemptFacts:
        """Give a task back without a failure; the breadcrumb says how far it is, for whoever claims it
        next."""
        caller = self.doer(releases.release)
        releases.release(
            attempt_id=attempt_id,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            breadcrumb=breadcrumb,
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def complete_task(
        self,
        attempt_id: int,
        token: int,
        evidence: dict[int, str] | None = None,
        outcome: str = "",
        outputs: dict[str, str] | None = None,
        commit: str = "",
        result: str = "",
    ) -> AttemptFacts:
        """Complete an attempt with evidence for every exit criterion, by criterion id; after rework also for
        every entry criterion. A step without exit criteria takes a sentence as `outcome` instead.

        `outputs` maps relative file names to texts; they are committed to the workspace with the handoff
        artifact. `result` is one of the `outcomes` in the brief, such as `failed`; it is asked for when the
        brief has any.
        """
        caller = self.doer(completions.complete)
        completions.complete(
            attempt_id=attempt_id,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            outcome=outcome,
            evidence=evidence or {},
            outputs={name: text.encode() for name, text in (outputs or {}).items()},
            commit=commit,
            result=result,
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def add_steps(self, attempt_id: int, token: int, tasks: str, reason: str) -> AdditionFacts:
        """Add steps behind the one you hold, as many as the brief's `may_add` still allows; say why.

        `tasks` has one step a line: `title | exit criterion`, with `KEY:` in front to choose the key.
        """
        added = additions.add_steps(
            attempt_id=attempt_id,
            token=token,
            executor=self.doer(additions.add_steps).executor,
            tasks=tasks,
            reason=reason,
            now=timezone.now(),
        )
        return addition_facts(added.version, added.keys, added.left)

    def fail_task(self, attempt_id: int, token: int, error: str) -> AttemptFacts:
        """Declare the attempt failed and say why; the task waits until somebody re-queues it."""
        caller = self.doer(failures.fail)
        failures.fail(
            attempt_id=attempt_id,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            error=error,
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)
