"""Lifecycle, signals and time windows are pure functions of a workstream's facts (LC-1, LC-2, LC-4)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine import explain
from orchestrator.core.engine.attention import (
    WorkstreamCounts,
    in_window,
    is_finished,
    lifecycle,
    signals,
    window_start,
)
from orchestrator.core.terms import Lifecycle, Signal, TimeWindow, WorkstreamStatus

NOW = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
WEEK = timedelta(days=7)

moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
counts = st.integers(0, 3)
standings = st.builds(
    WorkstreamCounts,
    status=st.sampled_from(WorkstreamStatus),
    open_tasks=counts,
    done_tasks=counts,
    blocked_tasks=counts,
    created_at=moments,
    updated_at=moments,
)


def counts(**facts: object) -> WorkstreamCounts:
    usual = {
        "status": WorkstreamStatus.ACTIVE,
        "open_tasks": 1,
        "done_tasks": 1,
        "blocked_tasks": 0,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return WorkstreamCounts(**usual | facts)  # type: ignore[arg-type]


def test_a_workstream_without_tasks_is_not_finished() -> None:
    assert lifecycle(counts(open_tasks=0, done_tasks=0)) == Lifecycle.ACTIVE
    assert lifecycle(counts(open_tasks=0, done_tasks=2)) == Lifecycle.FINISHED
    assert not is_finished(0, 0)


@given(standings)
def test_only_a_completed_status_is_accepted(facts: WorkstreamCounts) -> None:
    assert (lifecycle(facts) == Lifecycle.ACCEPTED) == (facts.status == WorkstreamStatus.COMPLETED)


@pytest.mark.parametrize(("age", "expected"), [(WEEK, False), (WEEK + timedelta(microseconds=1), True)])
def test_stalled_and_oldies_are_strictly_more_than_seven_days(age: timedelta, expected: bool) -> None:
    assert (Signal.STALLED in signals(counts(updated_at=NOW - age), NOW)) == expected
    assert (Signal.OLDIES in signals(counts(done_tasks=0, created_at=NOW - age), NOW)) == expected


def test_seven_days_are_elapsed_time_across_a_clock_change() -> None:
    """The week of 29 March 2026 has 167 hours in Berlin: the same wall time a week later is not
    seven days.
    """
    before, after = datetime(2026, 3, 27, 9, tzinfo=BERLIN), datetime(2026, 4, 3, 9, 30, tzinfo=BERLIN)
    assert signals(counts(updated_at=before), after) == frozenset()
    assert signals(counts(updated_at=before), after + timedelta(hours=1)) == {Signal.STALLED}


@given(standings, moments)
def test_signals_follow_their_definitions(facts: WorkstreamCounts, now: datetime) -> None:
    found = signals(facts, now)
    assert (Signal.BLOCKED in found) == (facts.blocked_tasks >= 1)
    assert not {Signal.STALLED, Signal.OLDIES} <= found
    if Signal.STALLED in found:
        assert facts.open_tasks
        assert facts.done_tasks
        assert now - facts.updated_at > WEEK


@given(standings, moments)
def test_there_is_always_one_sentence(facts: WorkstreamCounts, now: datetime) -> None:
    assert explain.workstream(facts, now).endswith(".")


@pytest.mark.parametrize(
    ("window", "start"),
    [
        (TimeWindow.LAST_HOUR, "2026-03-31T09:00:00+00:00"),
        (TimeWindow.LAST_DAY, "2026-03-30T10:00:00+00:00"),
        (TimeWindow.LAST_WEEK, "2026-03-24T10:00:00+00:00"),
        (TimeWindow.LAST_MONTH, "2026-03-01T10:00:00+00:00"),
        (TimeWindow.TODAY, "2026-03-30T22:00:00+00:00"),
        (TimeWindow.THIS_WEEK, "2026-03-29T22:00:00+00:00"),
        (TimeWindow.THIS_MONTH, "2026-02-28T23:00:00+00:00"),
    ],
)
def test_windows_begin_in_the_project_zone(window: TimeWindow, start: str) -> None:
    assert window_start(window, NOW, BERLIN).isoformat() == start


def test_the_day_depends_on_the_zone() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    assert window_start(TimeWindow.TODAY, late, UTC).day == 31
    assert window_start(TimeWindow.TODAY, late, BERLIN) == datetime(2026, 3, 31, 22, 0, tzinfo=UTC)


@given(
    moments,
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"]),
)
def test_calendar_windows_begin_at_local_midnight(now: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    for window in (TimeWindow.TODAY, TimeWindow.THIS_WEEK, TimeWindow.THIS_MONTH):
        start = window_start(window, now, zone)
        assert start <= now
        assert (start.astimezone(zone).hour, start.astimezone(zone).minute) == (0, 0)
    assert window_start(TimeWindow.THIS_WEEK, now, zone).astimezone(zone).weekday() == 0
    assert window_start(TimeWindow.THIS_MONTH, now, zone).astimezone(zone).day == 1


@given(standings, moments, st.sampled_from(TimeWindow))
def test_a_window_shows_what_was_created_or_updated_in_it(
    facts: WorkstreamCounts, now: datetime, window: TimeWindow
) -> None:
    start = window_start(window, now, BERLIN)
    assert in_window(facts, window, now, BERLIN) == (max(facts.created_at, facts.updated_at) >= start)
