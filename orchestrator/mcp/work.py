"""The tools an agent works with: find a task, read its brief, claim it, report, complete or fail (FR-027)."""

from dataclasses import dataclass
from typing import Final

from django.utils import timezone
from pydantic import StrictInt

from orchestrator.contract.attempts import AdditionFacts, AttemptFacts, ClaimFacts, HeldTasks, NextFacts
from orchestrator.contract.briefs import Brief, Orientation
from orchestrator.contract.tasks import TaskList
from orchestrator.contract.why import WhyFacts
from orchestrator.core.engine.usage import read_usage
from orchestrator.core.errors import InvalidInput, NotFound
from orchestrator.core.limits import ROWS
from orchestrator.core.strict_json import LARGEST
from orchestrator.mcp.tools import Tools
from orchestrator.queries.work.additions import addition_facts
from orchestrator.queries.work.attempt_facts import attempt_facts, claim_facts
from orchestrator.queries.work.briefs import brief
from orchestrator.queries.work.continuing import to_continue
from orchestrator.queries.work.continuing_text import orientation
from orchestrator.queries.work.held_tasks import held_tasks
from orchestrator.queries.work.task_facts import TaskFilter, list_tasks
from orchestrator.queries.work.tasks import find_task, find_workstream_by_slug
from orchestrator.services.freeing import why_task, why_workstream
from orchestrator.services.next_facts import next_told, wanted_work
from orchestrator.services.next_step import claim_next
from orchestrator.services.review import additions
from orchestrator.services.work import claims, completions, failures, releases

#: What a word says of usage, by the names of `core/engine/usage.py`.
Used = dict[str, StrictInt | str] | None
#: A person may hold several; what an answer shows of them.
MOST_HELD: Final = 20


@dataclass(frozen=True)
class WorkTools(Tools):
    def next_task(self, wait: int = 30, workstream: str = "", repository: str = "") -> NextFacts:
        """Claim the first task you may do, or wait up to `wait` seconds (0 to 60) for one. If you hold one
        already you get that, with its token. `claim.brief` says what to do; without a claim, `waiting` says
        what is in the way."""
        caller, wanted = self.doer(claim_next), wanted_work(workstream, repository)
        return next_told(
            executor=caller.executor,
            actor=caller.actor,
            wanted=wanted,
            seconds=wait,
            clock=timezone.now,
        )

    def my_tasks(self) -> HeldTasks:
        """What you hold, with attempt ids and tokens: call it when you have forgotten them."""
        return held_tasks(self.reader().executor, limit=MOST_HELD, offset=0)

    def list_claimable_tasks(
        self, workstream: str = "", repository: str = "", limit: int = 10, offset: int = 0
    ) -> TaskList:
        """Tasks you could claim now, in launch order; claim_task takes `attempt.id`. next_task is simpler."""
        caller, asked = self.reader(), wanted_work(workstream, repository)
        if not (1 <= limit <= ROWS and 0 <= offset <= LARGEST):
            raise InvalidInput(f"A page has 1 to {ROWS} tasks, from the offset 0 on.", field="limit")
        wanted = TaskFilter(
            workstream=asked.workstream.uuid if asked.workstream else None,
            repository=asked.repository,
            claimable=True,
            claimer=caller.claimer,
            roles=caller.actor.roles(),
        )
        return list_tasks(wanted, limit=limit, offset=offset)

    def get_brief(self, task_id: int, offset: int = 0) -> Brief:
        """What a task needs: definition, criteria with ids, earlier attempts, upstream files, answers. With
        an offset its lists begin later: `left_out` says how much there is."""
        self.reader()
        if not 0 <= offset <= LARGEST:
            raise InvalidInput("An offset is 0 or more.", field="offset")
        return brief(task_id, offset)

    def continue_task(self, task_id: int | None = None) -> Orientation:
        """All you need to go on with interrupted work. Without a task: what you hold, else what others
        left."""
        caller = self.reader()
        if task_id is None:
            waiting = to_continue(caller.executor)
            if not waiting:
                raise NotFound(
                    "You hold nothing, and nobody has left anything that can be claimed.",
                    recovery="next_task claims what is ready, or looks out for it.",
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
        """Claim this attempt exclusively. Keep the token: every later call needs it. Lost it? Claim
        again."""
        caller = self.doer(claims.claim)
        assignment = claims.claim(
            attempt_id=attempt_id, executor=caller.executor, actor=caller.actor, now=timezone.now()
        )
        return claim_facts(assignment)

    def report_progress(
        self, attempt_id: int, token: int, breadcrumb: str, usage: Used = None
    ) -> AttemptFacts:
        """Leave a breadcrumb: what you did last, so that another agent could go on. `usage` since the
        last word: tokens_in, tokens_out, cost, currency, model, seconds."""
        caller = self.doer(claims.report)
        claims.report(
            attempt_id=attempt_id,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            breadcrumb=breadcrumb,
            usage=read_usage(usage),
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def release_task(self, attempt_id: int, token: int, breadcrumb: str, usage: Used = None) -> AttemptFacts:
        """Give a task back without a failure; the breadcrumb says how far it is."""
        caller = self.doer(releases.release)
        releases.release(
            attempt_id=attempt_id,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            breadcrumb=breadcrumb,
            usage=read_usage(usage),
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
        usage: Used = None,
    ) -> AttemptFacts:
        """Complete an attempt: `evidence` by criterion id for every criterion that is `asked`, or a sentence
        as `outcome` where none is. `outputs` maps relative file names to texts that are handed over; `commit`
        is your commit. `result` is one of the brief's `outcomes`, where it has any. While `verification` is
        pending it does not count yet: my_tasks says what became of it."""
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
            usage=read_usage(usage),
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)

    def add_steps(self, attempt_id: int, token: int, tasks: str, reason: str) -> AdditionFacts:
        """Add steps behind the one you hold, as many as the brief's `may_add` allows. `tasks` has one a line:
        `title | exit criterion`, with `KEY:` in front to choose the key."""
        added = additions.add_steps(
            attempt_id=attempt_id,
            token=token,
            executor=self.doer(additions.add_steps).executor,
            tasks=tasks,
            reason=reason,
            now=timezone.now(),
        )
        return addition_facts(added.version, added.keys, added.left)

    def fail_task(self, attempt_id: int, token: int, error: str, usage: Used = None) -> AttemptFacts:
        """Declare the attempt failed and say why; a person decides whether it is tried again."""
        caller = self.doer(failures.fail)
        failures.fail(
            attempt_id=attempt_id,
            token=token,
            executor=caller.executor,
            actor=caller.actor,
            error=error,
            usage=read_usage(usage),
            now=timezone.now(),
        )
        return attempt_facts(attempt_id)
