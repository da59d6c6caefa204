"""The tools of whoever looks after work: status, gates, approvals, failures, artifacts, learnings (FR-006).

What only a person may decide takes the token of a person's executor.
"""

from dataclasses import dataclass

from django.utils import timezone

from orchestrator.contract.artifacts import ArtifactList
from orchestrator.contract.attempts import AttemptFacts
from orchestrator.contract.briefs import Brief
from orchestrator.contract.gates import GateFacts, GateList
from orchestrator.contract.learnings import LearningList
from orchestrator.contract.tasks import TaskList
from orchestrator.contract.workstreams import WorkstreamFacts
from orchestrator.core.errors import InvalidInput
from orchestrator.core.limits import ROWS
from orchestrator.core.strict_json import LARGEST
from orchestrator.mcp.tools import Tools
from orchestrator.queries.gates.gate_facts import gate_facts, list_waiting
from orchestrator.queries.handoff.artifact_facts import list_artifacts
from orchestrator.queries.plans.plans import find_version, workstream_of
from orchestrator.queries.work.attempt_facts import attempt_facts
from orchestrator.queries.work.briefs import brief
from orchestrator.queries.work.tasks import find_workstream_by_slug
from orchestrator.queries.workstreams.learnings import learnings
from orchestrator.queries.workstreams.workstream_facts import tasks_of, workstream_summary
from orchestrator.services.review import decisions, gates
from orchestrator.services.work import failures


@dataclass(frozen=True)
class SupervisingTools(Tools):
    def workstream_status(self, workstream: str, limit: int = 20, offset: int = 0) -> TaskList:
        """The tasks of a workstream, by its slug, in launch order, each with why it stands where it stands:
        the open ones while there are any, else all of them."""
        self.reader()
        _page(limit, offset)
        return tasks_of(find_workstream_by_slug(workstream), limit=limit, offset=offset)

    def list_gates(self, limit: int = 20, offset: int = 0) -> GateList:
        """The gates that wait for a signature, longest wait first."""
        self.reader()
        _page(limit, offset)
        return list_waiting(limit=limit, offset=offset)

    def approve_gate(
        self, task_id: int, reason: str = "", follow_ups: str = "", attempt_id: int | None = None
    ) -> GateFacts:
        """Sign a gate, with a person's token. `follow_ups` are tasks, one a line: `title | exit
        criterion`. With the `attempt_id` that was read, nothing newer is signed."""
        caller = self.doer(gates.approve_gate)
        gates.approve_gate(
            task_id=task_id,
            reason=reason,
            follow_ups=follow_ups,
            seen=attempt_id,
            actor=caller.actor,
            now=timezone.now(),
        )
        return gate_facts(task_id)

    def reject_gate(
        self, task_id: int, return_to: str, reason: str, attempt_id: int | None = None
    ) -> GateFacts:
        """Send work back to the step with the key `return_to`, with a person's token; it and all after it is
        done again."""
        caller = self.doer(gates.reject_gate)
        gates.reject_gate(
            task_id=task_id,
            return_key=return_to,
            reason=reason,
            seen=attempt_id,
            actor=caller.actor,
            now=timezone.now(),
        )
        return gate_facts(task_id)

    def approve_plan(self, workflow: str, version: int, sha256: str, note: str = "") -> WorkstreamFacts:
        """Approve exactly the text with this SHA-256, with a person's token; work starts with the last
        approval."""
        caller = self.doer(decisions.approve_version)
        workstream = decisions.approve_version(
            version_id=find_version(workflow, version).pk,
            seen_sha256=sha256,
            note=note,
            actor=caller.actor,
            now=timezone.now(),
        )
        return workstream_summary(workstream.uuid)

    def send_back_plan(self, workflow: str, version: int, sha256: str, reason: str) -> WorkstreamFacts:
        """Return a plan to its author, with the reason."""
        caller = self.doer(decisions.send_back_version)
        returned = decisions.send_back_version(
            version_id=find_version(workflow, version).pk,
            seen_sha256=sha256,
            reason=reason,
            actor=caller.actor,
            now=timezone.now(),
        )
        return workstream_summary(workstream_of(returned).uuid)

    def requeue_task(self, task_id: int, reason: str, attempt_id: int | None = None) -> Brief:
        """Ask for another attempt after a failure. With the `attempt_id` that was read, no later failure is
        passed over."""
        caller = self.doer(failures.requeue)
        failures.requeue(
            task_id=task_id, reason=reason, seen=attempt_id, actor=caller.actor, now=timezone.now()
        )
        return brief(task_id)

    def declare_failure(self, attempt_id: int, reason: str) -> AttemptFacts:
        """Say that a running attempt of somebody else will not finish, for example because it died."""
        caller = self.doer(failures.declare_failure)
        failures.declare_failure(attempt_id=attempt_id, reason=reason, actor=caller.actor, now=timezone.now())
        return attempt_facts(attempt_id)

    def list_artifacts(self, workstream: str, limit: int = 20, offset: int = 0) -> ArtifactList:
        """What was handed over in a workstream, by its slug, in the order it happened."""
        self.reader()
        _page(limit, offset)
        return list_artifacts(find_workstream_by_slug(workstream).uuid, limit=limit, offset=offset)

    def list_learnings(self, workstream: str) -> LearningList:
        """What batches and merge points of a workstream taught, and in `due` those that wait for a word."""
        self.reader()
        return learnings(find_workstream_by_slug(workstream))


def _page(limit: int, offset: int) -> None:
    if not (1 <= limit <= ROWS and 0 <= offset <= LARGEST):
        raise InvalidInput(f"A page has 1 to {ROWS} rows, from the offset 0 on.", field="limit")
