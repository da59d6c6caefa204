"""What a blocker costs (FR-012)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.core.engine.impact import blocked_time, impact_of
from orchestrator.core.engine.order import Place
from orchestrator.core.engine.values import TaskView
from orchestrator.core.terms import TaskStatus

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def hours(start: float, end: float) -> tuple[datetime, datetime]:
    return NOON + timedelta(hours=start), NOON + timedelta(hours=end)


def task(
    key: str, *place: int, needs: tuple[str, ...] = (), parallel: bool = False, done: bool = False
) -> TaskView:
    status = TaskStatus.COMPLETE if done else TaskStatus.PENDING
    return TaskView(key, Place(*place), status=status, needs=needs, parallel=parallel)


PLAN = (
    task("A1", 0, 0, 0, 0),
    task("A2", 0, 0, 0, 1),
    task("B1", 0, 0, 1, 0),
    task("B2", 0, 0, 1, 1, needs=("A2",)),
    task("C1", 0, 1, 0, 0),
    task("D1", 1, 0, 0, 0),
)


def test_what_comes_after_it_by_thread_by_need_and_by_batch_is_delayed() -> None:
    assert impact_of("A1", PLAN, {}, set()).delayed == ("A2", "B2", "C1", "D1")
    assert impact_of("B1", PLAN, {}, set()).delayed == ("B2", "C1", "D1")
    assert impact_of("D1", PLAN, {}, set()).delayed == ()


def test_what_is_done_or_runs_beside_it_is_not_delayed() -> None:
    tasks = (
        task("A1", 0, 0, 0, 0, parallel=True),
        task("A2", 0, 0, 0, 1, parallel=True),
        task("A3", 0, 0, 0, 2),
        task("A4", 0, 0, 0, 3, done=True),
    )
    assert impact_of("A1", tasks, {}, set()).delayed == ("A3",)


def test_the_estimates_of_what_waits_are_added_up() -> None:
    impact = impact_of("B1", PLAN, {"B1": 500, "B2": 30, "C1": 60, "A1": 7}, {"B1", "C1"})
    assert (impact.minutes, impact.critical) == (90, True)
    assert not impact_of("A1", PLAN, {}, {"B1"}).critical


def test_time_in_which_several_blockers_were_open_counts_once() -> None:
    assert blocked_time([]) == timedelta(0)
    assert blocked_time([hours(0, 2), hours(1, 3), hours(1.5, 1.8), hours(5, 6)]) == timedelta(hours=4)
    assert blocked_time([hours(5, 6), hours(0, 2)]) == timedelta(hours=3)


def test_a_clock_change_neither_adds_nor_takes_an_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = (datetime(2026, 3, 29, 1, tzinfo=berlin), datetime(2026, 3, 29, 4, tzinfo=berlin))
    assert blocked_time([night]) == timedelta(hours=2)
