"""What has to hold after every step, whatever happened: asked of the tables, not of the services."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

from django.contrib.auth.models import User

from orchestrator.core.engine.schedule import decide
from orchestrator.core.replay import State, replay
from orchestrator.core.state_differences import differences
from orchestrator.models import HandoffArtifact, Workstream
from orchestrator.queries.base.state import facts, stored_state
from orchestrator.queries.engine.snapshot import load_snapshot
from orchestrator.queries.flow.rebuilt import flow_problems
from tests.model.engine import Engine
from tests.verified import first_breach

TERMINAL = {"completed", "failed", "rejected", "cancelled"}
LIVE = {"queued", "running"}
#: The cast's names of those who sign.
PEOPLE = {"reviewer": "rita", "approver": "anna"}
#: How statements begin that change no row.
HARMLESS = ("SELECT", "SAVEPOINT", "RELEASE", "BEGIN", "PRAGMA")


class Writes:
    """Counts statements that may have changed a row.

    A wrapper around every statement, whatever the database.
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += not sql.startswith(HARMLESS)
        return execute(sql, params, many, context)


class Watch:
    """Remembers the state before, so that it can say what may never happen between two states.

    Tables are read again only when something was written since the last look; the model is compared at every
    look.
    """

    def __init__(self, workstream: Workstream, writes: Writes) -> None:
        self.workstream, self.writes, self.written = workstream, writes, -1
        #: State rebuilt from the first `read` entries; of these, launches that nobody has looked at yet.
        self.rebuilt, self.read = State(), 0
        self.launches: list[list[str]] = []
        self.before: dict[str, tuple[int, dict[int, str]]] = {}
        self.stored = State()

    def launched(self, wanted: list[str], model: Engine) -> None:
        """The rounds since the last look launched exactly these, in this order, each with all before it
        complete.
        """
        if self.writes.count != self.written:
            self._read_history()
        launches, self.launches = self.launches, []
        assert [key for keys in launches for key in keys] == wanted
        for keys in launches:
            assert keys == sorted(keys, key=lambda key: model.steps[key].order), (
                "launches ascend within a round"
            )
            for key in keys:
                place = model.steps[key].place
                waiting = [
                    s.key for s in model.plan.steps if s.place[:2] < place[:2] and not model.tasks[s.key].over
                ]
                assert waiting == [], f"{key} was launched before batches or gates before it were complete"
                assert all(model.tasks[need].over for need in model.before(model.steps[key])), (
                    "joins wait for all"
                )

    def check(self, model: Engine) -> None:
        if self.writes.count != self.written:
            self._read_tables()
        self._as_the_model(self.stored, model)
        self._exclusive(self.stored, model)

    def end(self) -> None:
        """What costs more and stays wrong once it is: the whole chain, at the end of an example."""
        assert first_breach() is None
        assert flow_problems(self._workstream()) == [], "the kept flow is what the history says"
        assert differences(replay(facts(self._workstream())), stored_state(self._workstream())) == []
        snapshot = load_snapshot(self._workstream()).snapshot
        turned = replace(snapshot, tasks=snapshot.tasks[::-1])
        assert decide(snapshot) == decide(turned), "the same snapshot gives the same decision"

    def _read_history(self) -> None:
        for fact in facts(self.workstream, self.read):
            replay([fact], self.rebuilt)
            self.read += 1
            if "launched" in fact.data:
                self.launches.append(fact.data["launched"])

    def _read_tables(self) -> None:
        workstream = self._workstream()
        self.stored = stored_state(workstream)
        self._read_history()
        self.written = self.writes.count
        assert differences(self.rebuilt, self.stored) == []
        self._monotonic(self.stored)
        self._counters(workstream, self.stored)
        self._artifacts(workstream)

    def _workstream(self) -> Workstream:
        return Workstream.objects.select_related("version").get(pk=self.workstream.pk)

    @staticmethod
    def _as_the_model(stored: State, model: Engine) -> None:
        there = (model.status, model.version, model.integrated)
        assert (stored.status, stored.version, stored.integrated) == there
        wanted = {
            key: (
                model.state_of(key),
                dict(enumerate(task.attempts, 1)),
                task.undecided,
                task.holder,
                task.token,
                task.blockers,
                task.flagged,
                task.rework,
                {PEOPLE[role] for role in task.signers},
            )
            for key, task in model.tasks.items()
        }
        names = dict(User.objects.values_list("pk", "username"))
        here = {
            key: (
                task.status,
                task.attempts,
                task.undecided,
                task.holder,
                task.token,
                task.blockers,
                bool(task.note),
                task.rework,
                {names[account] for account in task.signatures},
            )
            for key, task in stored.tasks.items()
        }
        wrong = {
            key: (here.get(key), wanted.get(key)) for key in here | wanted if here.get(key) != wanted.get(key)
        }
        assert wrong == {}, f"the tables and the model say otherwise: {wrong}"

    @staticmethod
    def _exclusive(stored: State, model: Engine) -> None:
        every = [*stored.tasks.values(), *stored.dropped.values()]
        for task in every:
            assert sum(status in LIVE for status in task.attempts.values()) <= 1, "one live attempt per task"
        busy = Counter(task.holder for task in every if task.holder)
        assert not [name for name, count in busy.items() if count > 1], "one running attempt per executor"
        live = [model.steps[key] for key, task in stored.tasks.items() if LIVE & set(task.attempts.values())]
        clashes = [(one.key, other.key) for one, other in combinations(live, 2) if model.contend(one, other)]
        assert clashes == [], "overlapping holders never live together"

    def _monotonic(self, stored: State) -> None:
        now = {key: (task.token, dict(task.attempts)) for key, task in stored.tasks.items()}
        for key, (token, attempts) in self.before.items():
            if key in now:
                assert now[key][0] >= token, "tokens only grow"
                ended = {number: status for number, status in attempts.items() if status in TERMINAL}
                assert ended.items() <= now[key][1].items(), "terminal attempts never change"
                assert len(now[key][1]) >= len(attempts), "no attempt is lost"
        self.before = now

    @staticmethod
    def _counters(workstream: Workstream, stored: State) -> None:
        statuses = [task.status for task in (*stored.tasks.values(), *stored.dropped.values())]
        done = sum(status in ("complete", "skipped") for status in statuses)
        still_open = sum(status in ("pending", "active", "blocked", "review") for status in statuses)
        assert (workstream.done_tasks, workstream.open_tasks) == (done, still_open)
        assert workstream.blocked_tasks == statuses.count("blocked")
        assert (workstream.finished_at is not None) == (done > 0 and not still_open)

    @staticmethod
    def _artifacts(workstream: Workstream) -> None:
        numbers = list(
            HandoffArtifact.objects.filter(workstream=workstream)
            .order_by("sequence")
            .values_list("sequence", flat=True)
        )
        assert numbers == list(range(1, workstream.last_artifact + 1)), "artifacts are numbered without gaps"
