"""What has to hold after every event of a simulation, and what clients were told."""

from collections import Counter
from typing import Any

from django.db.models import Count, Q

from orchestrator.core.replay import replay
from orchestrator.core.state_differences import differences
from orchestrator.core.terms import AttemptStatus, TaskStatus, WorkstreamStatus
from orchestrator.models import Assignment, Attempt, HandoffArtifact, Task, Workstream
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
        self._exclusive()
        self._monotonic()
        completed = Workstream.objects.filter(status=WorkstreamStatus.COMPLETED)
        self.settled = set(completed.values_list("pk", flat=True))
        return True

    def end(self) -> None:
        """The chain, state and flow against history, and that nothing that was told is missing."""
        self.settled.clear()
        self._exclusive()
        self._monotonic()
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

    def _exclusive(self) -> None:
        tasks = Task.objects.exclude(workstream__in=self.settled)
        live = Count("attempts", filter=Q(attempts__status__in=LIVE))
        assert not tasks.alias(live=live).filter(live__gt=1).exists(), "one live attempt per task"
        running = Assignment.objects.filter(attempt__status=AttemptStatus.RUNNING)
        busy = Counter(running.values_list("executor", flat=True))
        assert not [one for one, times in busy.items() if times > 1], "one running attempt per executor"
        proved = Count("attempts", filter=Q(attempts__status=AttemptStatus.COMPLETED))
        done = tasks.filter(status=TaskStatus.COMPLETE).alias(proved=proved)
        assert not done.filter(proved=0).exists(), "nothing is complete without a completion"

    def _monotonic(self) -> None:
        """What is not settled, against what it was."""
        attempts = Attempt.objects.exclude(task__workstream__in=self.settled)
        there = dict(attempts.values_list("pk", "status"))
        changed = [one for one, status in there.items() if self.ended.get(one, status) != status]
        assert changed == [], "what ended stays ended"
        self.ended |= {one: status for one, status in there.items() if status in TERMINAL}
        assert self.settled or self.ended.keys() <= there.keys(), "no attempt is lost"
        tasks = Task.objects.exclude(workstream__in=self.settled)
        tokens = dict(tasks.values_list("pk", "last_token"))
        assert all(self.tokens.get(one, 0) <= token for one, token in tokens.items()), "tokens only grow"
        self.tokens |= tokens
