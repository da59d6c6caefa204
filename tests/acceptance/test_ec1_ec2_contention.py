"""EC-1, EC-2, AS-2, AS-3, BX-5, AD-3: what contends is done one after the other, in an order that is
recorded.
"""

from datetime import timedelta

import pytest
from django.urls import reverse

from orchestrator.core.terms import Reason
from orchestrator.models import Attempt, HistoryEntry, RecordedVerdict
from orchestrator.queries.engine.explanations import explain
from orchestrator.services.workstreams.workstreams import accept_workstream
from tests.acceptance.public import PublicDriver
from tests.cast import Cast, Driver
from tests.web.pages import signed_in, words


def plan(name: str, steps: str, *, repository: str = "", priority: int = 0) -> bytes:
    """Threads written as `A1 db`: each a step and the resource it wants."""
    lanes = "\n".join(
        f"###### Thread {n:02}: {key}\n- {key}: step\n" + (f"  - Resources: {wants}\n" if wants else "")
        for n, (key, _, wants) in enumerate((step.partition(" ") for step in steps.split(", ")), start=1)
    )
    front = f"---\nrepository: {repository}\npriority: {priority}\n---\n" if repository else ""
    return f"{front}# Plan: {name}\n## Stages\n### Stage 1: all\n##### Batch 01: b\n{lanes}".encode()


def held(driver: Driver, key: str) -> tuple[str, str]:
    verdict = explain(driver.reload())[driver.task(key).pk]
    return verdict.reason, verdict.holder


def launched(driver: Driver) -> list[str]:
    rows = RecordedVerdict.objects.filter(decision__workstream=driver.workstream, launch_order__isnull=False)
    return list(rows.order_by("decision__number", "launch_order").values_list("task__step__key", flat=True))


def test_ec1_steps_on_one_resource_are_serialised_by_order_and_later_ones_pass(driver: Driver) -> None:
    driver.start(plan("One", "A1 db, B1 db, C1"))
    assert driver.ready() == ["A1", "C1"], "C1 passes B1"
    assert held(driver, "B1") == (Reason.RESOURCE, "A1")
    entry = HistoryEntry.objects.get(action="steps serialised")
    assert "B1 waits for db, held by A1" in entry.reason
    page = words(signed_in(driver.cast.observer).get(reverse("workstream", args=[driver.reload().uuid])))
    assert "B1: waits for db, held by A1" in page
    driver.do("A1")
    assert driver.ready() == ["B1", "C1"]


def test_ec1_steps_that_own_overlapping_files_are_serialised(driver: Driver) -> None:
    source = plan("Files", "A1, B1, C1").decode()
    for key, files in (("A1", "src/**"), ("B1", "src/api/*"), ("C1", "docs/**")):
        source = source.replace(f": {key}\n- ", f": {key}\n- Files: `{files}`\n- ")
    driver.start(source.encode())
    assert driver.ready() == ["A1", "C1"]
    driver.do("A1")
    assert driver.ready() == ["B1", "C1"]


def test_ec2_equal_order_is_broken_by_key_and_said_in_the_record(driver: Driver) -> None:
    driver.start(plan("Ties", "C1, B1, A1"))
    assert launched(driver) == ["A1", "B1", "C1"], "lexical by key, not as written"
    entry = HistoryEntry.objects.get(action="steps launched")
    assert "equal order, by key: A1, B1, C1" in entry.reason


def test_as3_of_several_sequential_steps_the_lowest_goes_and_the_hold_is_recorded(driver: Driver) -> None:
    lane = "###### Thread 01: A1\n- A1: step\n- A2: step\n- A3: step\n"
    driver.start(plan("Row", "A1").replace(b"###### Thread 01: A1\n- A1: step\n", lane.encode()))
    assert driver.ready() == ["A1"]
    stored = RecordedVerdict.objects.filter(task=driver.task("A2"), reason=Reason.THREAD)
    assert [verdict.holder for verdict in stored][:1] == ["A1"]
    driver.claim("A1")
    driver.advance()
    assert launched(driver) == ["A1"], "a running step is not pre-empted and nothing joins it"


def test_as2_parallel_steps_run_on_different_executors_at_once(driver: Driver) -> None:
    driver.start(plan("Side", "A1, B1, C1"))
    holders = {driver.claim(key).executor.name for key in ("A1", "B1", "C1")}
    assert len(holders) == 3
    assert set(Attempt.objects.values_list("status", flat=True)) == {"running"}


@pytest.fixture
def crew(cast: Cast) -> list[Driver]:
    return [PublicDriver(cast) for _ in range(3)]


def test_ec1_workstreams_on_one_repository_never_hold_the_same(crew: list[Driver]) -> None:
    first, second, other = crew
    first.start(plan("First", "A1 db, B1", repository="shop"))
    second.start(plan("Second", "A1 db, B1", repository="shop"))
    other.start(plan("Other", "A1 db", repository="elsewhere"))
    assert (first.ready(), second.ready(), other.ready()) == (["A1", "B1"], ["B1"], ["A1"])
    assert held(second, "A1") == (Reason.RESOURCE, "first/A1")
    assert RecordedVerdict.objects.filter(task=second.task("A1"), holder="first/A1").exists()
    first.do("A1")
    assert second.ready() == ["A1", "B1"], "what was released wakes who waits for it"


def test_ad3_across_workstreams_priority_goes_before_registration(crew: list[Driver]) -> None:
    first, early, urgent = crew
    first.start(plan("First", "A1 db, B1 db", repository="shop"))
    early.start(plan("Early", "A1 db", repository="shop"))
    urgent.start(plan("Urgent", "A1 db", repository="shop", priority=5))
    first.do("A1")
    assert (first.ready(), early.ready(), urgent.ready()) == ([], [], ["A1"]), (
        "not even its own next step goes first"
    )
    assert held(first, "B1") == (Reason.RESOURCE, "urgent/A1")
    urgent.do("A1")
    assert (first.ready(), early.ready()) == (["B1"], [])
    first.do("B1")
    assert early.ready() == ["A1"]


def test_ad3_lanes_of_one_name_in_two_workstreams_are_two_lanes(crew: list[Driver]) -> None:
    lane = b"###### Thread 01: A1\n- Files: `src/**`\n- A1: step\n"
    for driver, name in zip(crew[:2], ("First", "Second"), strict=True):
        source = plan(name, "A1", repository="shop")
        driver.start(source.replace(b"###### Thread 01: A1\n- A1: step\n", lane))
    lanes = {driver.task("A1").step.thread.lane for driver in crew[:2]}
    assert len(lanes) == 1
    assert (crew[0].ready(), crew[1].ready()) == (["A1"], [])


def test_ad3_a_workstream_waits_until_those_it_needs_are_completed(crew: list[Driver]) -> None:
    needed, waiting, _ = crew
    needed.start(plan("Needed", "A1"))
    waiting.start(b"---\nneeds: needed\n---\n" + plan("Waiting", "A1"))
    assert waiting.ready() == []
    sentence = explain(waiting.reload())[waiting.task("A1").pk].sentence
    assert sentence == "waits for the workstream needed to be completed: it is active"
    needed.do("A1")
    accept_workstream(
        workstream_id=needed.workstream.pk,
        actor=needed.cast.actor("approver"),
        now=needed.tick() + timedelta(days=1),
    )
    waiting.advance()
    assert waiting.ready() == ["A1"]
