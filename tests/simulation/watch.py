"""What has to hold after every event of a simulation, and what clients were told."""

from collections import Counter
from typing import Any

from django.db.models import Count, Q

from orchestrator.core.replay import replay
from orchestrator.core.state_differences import differences
from orchestrator.core.terms import AttemptStatus, TaskStatus
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

    def look(self) -> None:
        if self.writes.count == self.written:
            return
        self.written = self.writes.count
        self._exclusive()
        self._monotonic()

    def end(self) -> None:
        """The chain, state and flow against history, and that nothing that was told is missing."""
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

    @staticmethod
    def _exclusive() -> None:
        live = Count("attempts", filter=Q(attempts__status__in=LIVE))
        assert not Task.objects.alias(live=live).filter(live__gt=1).exists(), "one live attempt per task"
        running = Assignment.objects.filter(attempt__status=AttemptStatus.RUNNING)
        busy = Counter(running.values_list("executor", flat=True))
        assert not [one for one, times in busy.items() if times > 1], "one running attempt per executor"
        done = Task.objects.filter(status=TaskStatus.COMPLETE)
        proved = Count("attempts", filter=Q(attempts__status=AttemptStatus.COMPLETED))
        assert not done.alias(proved=proved).filter(proved=0).exists(), (
            "nothing is complete without a completion"
        )

    def _monotonic(self) -> None:
        there = dict(Attempt.objects.values_list("pk", "status"))
        assert all(there.get(one) == status for one, status in self.ended.items()), "what ended stays ended"
        self.ended = {one: status for one, status in there.items() if status in TERMINAL}
        tokens = dict(Task.objects.values_list("pk", "last_token"))
        assert all(tokens[one] >= token for one, token in self.tokens.items()), "tokens only grow"
        self.tokens = tokens
