"""FR-013: figures of random histories, reckoned again in the plainest way: second by second."""

import math
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.flow.buckets import Span, buckets, counts, key_at
from orchestrator.core.flow.cumulative import cumulative, first_entries
from orchestrator.core.flow.figures import figures
from orchestrator.core.flow.forecast import FEWEST_DAYS, RUNS, how_many, refusal, when
from orchestrator.core.flow.intervals import ZERO, Interval, length_of_union, merged
from orchestrator.core.flow.items import FlowItem
from orchestrator.core.flow.keeping import Tally, keep
from orchestrator.core.flow.percentiles import percentiles
from orchestrator.core.terms import FlowState

SEEDED = settings(max_examples=150, derandomize=True, deadline=None, database=None)
START = datetime(2026, 3, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


#: What may be so of a workstream at one moment: state, running attempts, open blockers, tasks in rework.
moments = st.tuples(
    st.sampled_from(["planned", "started", "started", "started", "finished", "archived"]),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 2),
)
histories = st.lists(st.tuples(st.integers(0, 5), moments), min_size=1, max_size=30)


@SEEDED
@given(histories)
def test_fr013_kept_sums_are_what_a_look_at_every_second_finds(history: list) -> None:
    tally = Tally(flow_since=at(0))
    seen: list[tuple] = []
    over: list[Interval] = []
    second = 0
    now = ("planned", 0, 0, 0)
    for passes, then in history:
        seen += [now] * passes
        second += passes
        now = then
        tally.running, tally.open_blockers, tally.reworking = then[1:]
        over += keep(tally, FlowState(then[0]), at(second))
    seen += [now] * 3
    over += keep(tally, FlowState.ARCHIVED, at(second + 3))

    def spent(column: int) -> timedelta:
        return timedelta(seconds=sum(one[0] == "started" and one[column] > 0 for one in seen))

    assert (tally.active_time, tally.blocked_time, tally.rework_time) == (spent(1), spent(2), spent(3))
    for state in ("planned", "started", "finished", "blocked", "rework"):
        column = {"blocked": 2, "rework": 3}.get(state)
        lasted = sum(
            one[0] == state if column is None else one[0] == "started" and one[column] > 0 for one in seen
        )
        rows = [one for one in merged(over) if one.state == state]
        found = sum((one.ended - one.began for one in rows if one.ended), ZERO)
        assert found == timedelta(seconds=lasted), state


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=8)


@SEEDED
@given(spans, st.integers(0, 60), st.integers(0, 60))
def test_fr012_the_union_of_blockers_counts_each_second_once(found: list, one: int, other: int) -> None:
    since, until = min(one, other), max(one, other)
    intervals = [Interval("blocked", at(began), at(began + length)) for began, length in found]
    plain = sum(any(b <= second < b + length for b, length in found) for second in range(since, until))
    assert length_of_union(intervals, at(since), at(until)) == timedelta(seconds=plain)
    union = length_of_union(merged(intervals), at(since), at(until))
    assert union == timedelta(seconds=plain)


@st.composite
def items(draw: st.DrawFn) -> FlowItem:
    registered = draw(st.integers(0, 200_000))
    started = registered + draw(st.integers(0, 200_000))
    finished = started + draw(st.integers(0, 400_000))
    state = draw(st.sampled_from(["planned", "started", "finished", "accepted"]))
    done = state in ("finished", "accepted")
    cycle = finished - started
    return FlowItem(
        key=draw(st.integers(1, 9_999)),
        state=state,
        registered=at(registered),
        started=None if state == "planned" else at(started),
        finished=at(finished) if done else None,
        first_finished=at(finished - draw(st.integers(0, cycle))) if done else None,
        accepted=at(finished) if state == "accepted" else None,
        active=timedelta(seconds=draw(st.integers(0, cycle))),
        blocked=timedelta(seconds=draw(st.integers(0, cycle))),
        rework=timedelta(seconds=draw(st.integers(0, cycle))),
        back_moves=draw(st.integers(0, 3)),
    )


@SEEDED
@given(st.lists(items(), max_size=30))
def test_fr013_figures_agree_with_a_plain_reckoning(found: list[FlowItem]) -> None:
    done = [item for item in found if item.state in ("finished", "accepted")]
    under_way = [item for item in found if item.state == "started"]
    as_of = at(900_000)
    said = figures(done, under_way, as_of)
    cycles = sorted((i.finished - i.started).total_seconds() for i in done if i.finished and i.started)
    leads = sorted((i.finished - i.registered).total_seconds() for i in done if i.finished)
    for durations, plain in ((said.cycle, cycles), (said.lead, leads)):
        assert [one.total_seconds() for one in durations.values] == plain
        if len(plain) < 10:
            assert durations.percentiles == {}
        else:
            for percent, value in durations.percentiles.items():
                least = next(v for v in plain if sum(x <= v for x in plain) * 100 >= percent * len(plain))
                assert value.total_seconds() == least
    assert said.rework_rate == (sum(i.back_moves > 0 for i in done) / len(done) if done else None)
    whole = sum(cycles)
    share = sum(i.blocked.total_seconds() for i in done) / whole if whole else None
    assert said.blocked_share == (share if share is None else pytest.approx(share))
    assert [age.total_seconds() for age in said.age.values] == sorted(
        (as_of - i.started).total_seconds() for i in under_way if i.started
    )


@SEEDED
@given(st.lists(items(), max_size=30), st.integers(1, 12))
def test_fr013_cumulative_flow_never_falls_and_lines_never_cross(found: list[FlowItem], days: int) -> None:
    ends = [START + timedelta(days=day) for day in range(days + 1)]
    lines = {state: cumulative(moments, ends) for state, moments in first_entries(found).items()}
    for values in lines.values():
        assert values == sorted(values)
    planned, started, finished, accepted = lines.values()
    for place, end in enumerate(ends):
        assert planned[place] == sum(item.registered < end for item in found)
        assert planned[place] >= started[place] >= finished[place] >= accepted[place]


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"])


@SEEDED
@given(st.lists(st.integers(0, 86_400 * 400), max_size=40), zones, st.sampled_from(list(Span)))
def test_fr013_every_finish_lies_in_one_bucket(seconds: list[int], zone: str, span: Span) -> None:
    there = ZoneInfo(zone)
    finishes = [at(second) for second in seconds]
    found = buckets(START, START + timedelta(days=401), span, there)
    assert all(before.ends == after.begins for before, after in pairwise(found))
    plain = Counter(_plain_key(moment.astimezone(there).date(), span) for moment in finishes)
    assert dict(zip([b.key for b in found], counts(finishes, found), strict=True)) == {
        bucket.key: plain[bucket.key] for bucket in found
    }
    assert sum(plain.values()) == len(finishes)
    assert all(key_at(moment, span, there) in plain for moment in finishes)


def _plain_key(day: date, span: Span) -> str:
    return {Span.DAY: day.isoformat(), Span.WEEK: f"{day:%G-W%V}", Span.MONTH: f"{day:%Y-%m}"}[span]


@pytest.mark.parametrize(("week", "hours"), [("2026-W13", 167), ("2026-W43", 169), ("2026-W20", 168)])
def test_fr013_a_week_with_a_clock_change_is_longer_or_shorter(week: str, hours: int) -> None:
    found = buckets(START, START + timedelta(days=365), Span.WEEK, ZoneInfo("Europe/Berlin"))
    bucket = next(one for one in found if one.key == week)
    assert bucket.first.weekday() == 0
    assert (bucket.ends - bucket.begins) == timedelta(hours=hours)


# -- forecasts

HISTORY = [0, 2, 0, 0, 1, 3, 0, 1, 0, 0, 0, 4, 1, 0, 0, 2]


def test_fr013_the_same_seed_gives_the_same_forecast_and_another_seed_a_like_one() -> None:
    first, again, other = when(HISTORY, 20, 1), when(HISTORY, 20, 1), when(HISTORY, 20, 2)
    assert first == again
    assert first.outcomes != other.outcomes
    assert sum(first.outcomes.values()) == RUNS
    for percent in (50, 85, 95):
        assert abs(first.within(percent) - other.within(percent)) <= 1


@pytest.mark.parametrize(("items", "days"), [(1, 5), (20, 30), (60, 90)])
def test_fr013_a_forecast_agrees_with_plain_runs(items: int, days: int) -> None:
    chance = random.Random(5)
    lengths, totals = [], []
    for _ in range(4_000):
        left, day = items, 0
        while left > 0:
            day += 1
            left -= chance.choice(HISTORY)
        lengths.append(day)
        totals.append(sum(chance.choice(HISTORY) for _ in range(days)))
    lengths.sort()
    totals.sort(reverse=True)
    long, many = when(HISTORY, items, 3), how_many(HISTORY, days, 3)
    for percent in (50, 85, 95):
        rank = math.ceil(percent / 100 * 4_000) - 1
        assert abs(long.within(percent) - lengths[rank]) <= max(2 * long.step, 0.05 * lengths[rank])
        assert abs(many.at_least(percent) - totals[rank]) <= max(2, 0.05 * totals[rank])


def test_fr013_a_forecast_is_refused_without_history() -> None:
    assert "9 days of history" in refusal([1] * (FEWEST_DAYS - 1))
    assert refusal([1] * FEWEST_DAYS) == ""
    assert "Nothing was finished" in refusal([0] * 30)


def test_fr013_forecasts_of_any_length_are_bounded() -> None:
    slow = when([0] * 364 + [1], 10_000, 1)
    assert slow.within(50) >= 3_650
    assert when([50] * 10, 100_000, 1).within(95) in range(1_990, 2_080)
    assert how_many(HISTORY, 3_650, 1).at_least(85) > 0


def test_fr013_nine_values_have_no_percentile_and_ten_have() -> None:
    assert percentiles(list(range(9))) == {}
    assert percentiles(list(range(10))) == {50: 4, 85: 8, 95: 9}
