"""What has to hold after every event of a simulation, and what clients were told."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.db import connection

from orchestrator.core.replay import replay
from orchestrator.core.state_differences import differences
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt, HandoffArtifact, Workstream
from orchestrator.queries.base.state import facts, stored_state
from orchestrator.queries.flow.rebuilt import flow_problems
from tests.model.invariants import LIVE, TERMINAL, Writes
from tests.verified import first_breach

Told = dict[int, tuple[str, int]]


class Watch:
    """Reads the tables again when something was written since the last look."""

    def __init__(self, writes: Writes) -> None:
        self.writes, self.written = writes, -1
        #: Attempts by id as they were at the last look.
        self.ended: dict[int, str] = {}
        self.tokens: dict[int, int] = {}
        #: Workstreams that were completed at the last look: the end looks at them again.
        self.settled: set[int] = set()
        #: What clients were told with 200: claims by attempt and token, completions by attempt.
        self.claims: dict[tuple[int, int], int] = {}
        self.completed: dict[int, int] = {}

    def heard(self, address: str, answer: tuple[int, Any]) -> None:
        """An answer came to a client: from now on what it says has to be so."""
        status, told = answer
        if status != 200 or not address.endswith(("/claim", "/next", "/complete")):
            return
        if address.endswith("/complete"):
            self.completed[told["id"]] = told["token"]
            return
        claim = told if address.endswith("/claim") else told["claim"]
        if claim:
            attempt, token, executor = claim["attempt"]["id"], claim["token"], claim["attempt"]["executor"]
            first = self.claims.setdefault((attempt, token), executor)
            assert first == executor, f"attempt {attempt} with token {token} was given to two"

    def look(self) -> bool:
        """Whether something was written since the last look."""
        if self.writes.count == self.written:
            return False
        self.written = self.writes.count
        self._compare()
        self.settled = {pk for (pk,) in asked(_SETTLED)}
        return True

    def end(self) -> None:
        """The chain, state and flow against history, and that nothing that was told is missing."""
        self.settled.clear()
        self._compare()
        assert first_breach() is None
        for workstream in Workstream.objects.select_related("version"):
            assert differences(replay(facts(workstream)), stored_state(workstream)) == []
            assert flow_problems(workstream) == []
            numbers = HandoffArtifact.objects.filter(workstream=workstream).order_by("sequence")
            assert list(numbers.values_list("sequence", flat=True)) == list(
                range(1, workstream.last_artifact + 1)
            )
        told = Attempt.objects.in_bulk(list(self.completed))
        lost = [number for number in self.completed if told[number].status != AttemptStatus.COMPLETED]
        assert lost == [], "completions that a client was told of are on record"

    def _compare(self) -> None:
        """What is not settled: nothing twice, and nothing that goes back."""
        tasks, attempts = asked(_TASKS, self.settled), asked(_ATTEMPTS, self.settled)
        live = Counter(task for _, task, status in attempts if status in LIVE)
        assert not [one for one, times in live.items() if times > 1], "one live attempt per task"
        busy = Counter(executor for (executor,) in asked(_BUSY))
        assert not [one for one, times in busy.items() if times > 1], "one running attempt per executor"
        proved = {task for _, task, status in attempts if status == AttemptStatus.COMPLETED}
        done = {task for task, status, _ in tasks if status == TaskStatus.COMPLETE}
        assert done <= proved, "nothing is complete without a completion"
        there = {pk: status for pk, _, status in attempts}
        changed = [one for one, status in there.items() if self.ended.get(one, status) != status]
        assert changed == [], "what ended stays ended"
        self.ended |= {one: status for one, status in there.items() if status in TERMINAL}
        assert self.settled or self.ended.keys() <= there.keys(), "no attempt is lost"
        tokens = {task: token for task, _, token in tasks}
        assert all(self.tokens.get(one, 0) <= token for one, token in tokens.items()), "tokens only grow"
        self.tokens |= tokens


#: The statements of a look, which is taken after every event: making them anew takes most of its time. The
#: workstreams that are settled stand behind each.
_TASKS = "SELECT id, status, last_token FROM orchestrator_task WHERE workstream_id NOT IN"
_ATTEMPTS = (
    "SELECT attempt.id, attempt.task_id, attempt.status FROM orchestrator_attempt attempt "
    "JOIN orchestrator_task task ON task.id = attempt.task_id WHERE task.workstream_id NOT IN"
)
_BUSY = (
    "SELECT held.executor_id FROM orchestrator_assignment held JOIN orchestrator_attempt attempt "
    "ON attempt.id = held.attempt_id WHERE attempt.status = 'running'"
)
_SETTLED = "SELECT id FROM orchestrator_workstream WHERE status = 'completed'"


def asked(sql: str, without: Collection[int] | None = None) -> list[Any]:
    """What the database answers; with `without`, of other ids than these."""
    with connection.cursor() as cursor:
        cursor.execute(sql if without is None else f"{sql} ({', '.join(map(str, without)) or -1})")
        return list(cursor.fetchall())
