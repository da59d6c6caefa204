"""What has to hold after every step, whatever happened: asked of the tables, not of the services."""

from collections import Counter
from itertools import combinations

from django.db.models import Max

from orchestrator.core.replay import State, differences, replay
from orchestrator.core.schedule import decide
from orchestrator.models import HandoffArtifact, HistoryEntry, Workstream
from orchestrator.queries.snapshot import load_snapshot
from orchestrator.queries.state import facts, stored_state
from orchestrator.services.history import verify
from tests.model.engine import Engine

TERMINAL = {"completed", "failed", "rejected", "cancelled"}
LIVE = {"queued", "running"}


class Watch:
    """Remembers the state before, so that it can say what may never happen between two states."""

    def __init__(self, workstream: Workstream) -> None:
        self.pk = workstream.pk
        #: State rebuilt up to entry `read`; launches were looked at up to entry `seen`.
        self.rebuilt, self.read, self.seen = State(), 0, 0
        self.before: dict[str, tuple[int, dict[int, str]]] = {}

    def launched(self, wanted: list[str], model: Engine) -> None:
        """The rounds since the last look launched exactly these, in this order, each with all before it complete."""
        launches = [fact.data["launched"] for fact in facts(self._workstream(), self.seen) if "launched" in fact.data]
        self.seen = self._last_number()
        assert [key for keys in launches for key in keys] == wanted
        for keys in launches:
            assert keys == sorted(keys, key=lambda key: model.steps[key].order), "launches ascend within a round"
            for key in keys:
                place = model.steps[key].place
                waiting = [s.key for s in model.plan.steps if s.place[:2] < place[:2] and not model.tasks[s.key].done]
                assert waiting == [], f"{key} was launched before batches or gates before it were complete"
                assert all(model.tasks[need].done for need in model.before(model.steps[key])), "joins wait for all"
        snapshot = load_snapshot(self._workstream()).snapshot
        assert decide(snapshot) == decide(snapshot), "the same snapshot gives the same decision"

    def check(self, model: Engine) -> None:
        workstream = self._workstream()
        stored = stored_state(workstream)
        self._as_the_model(stored, model)
        self._exclusive(stored, model)
        self._monotonic(stored)
        self._history(workstream, stored)
        self._counters(workstream, stored)
        self._artifacts(workstream)

    def end(self) -> None:
        """What costs more and stays wrong once it is: the whole chain, at the end of an example."""
        assert verify() is None

    def _workstream(self) -> Workstream:
        return Workstream.objects.select_related("version").get(pk=self.pk)

    def _last_number(self) -> int:
        return HistoryEntry.objects.filter(workstream=self.pk).aggregate(last=Max("number"))["last"] or 0

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
            )
            for key, task in model.tasks.items()
        }
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
            )
            for key, task in stored.tasks.items()
        }
        assert here == wanted

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

    def _history(self, workstream: Workstream, stored: State) -> None:
        replay(facts(workstream, self.read), self.rebuilt)
        self.read = self._last_number()
        assert differences(self.rebuilt, stored) == []

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
