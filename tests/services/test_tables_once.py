"""An act writes each table once: what several of its parts change waits for its end."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from orchestrator.core.terms import BlockerKind
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import Act
from orchestrator.services.people import blockers, interventions, ownership, threads
from orchestrator.services.plans import plans
from orchestrator.services.review import decisions, gates
from orchestrator.services.work import claims, failures, rework
from orchestrator.services.workstreams import priorities, workstreams
from tests.cast import PLAN, Driver
from tests.services.statements import statements

_WRITTEN: Final = re.compile(r'(?:INSERT (?:OR IGNORE )?INTO|UPDATE) "?orchestrator_(\w+)"?', re.IGNORECASE)
#: An act and a table that it writes more than once: how often, and why.
MORE_THAN_ONCE: Final[dict[tuple[str, str], tuple[int, str]]] = {
    ("plans.submit_plan", "wake"): (2, "looks for the mark of a message, and makes a new workstream's"),
    ("plans.submit_plan", "workflowversion"): (2, "a first version and its workstream name one another"),
    ("decisions.approve_version", "task"): (2, "new tasks, and those that stand elsewhere by now"),
    ("decisions.approve_version", "workflowversion"): (2, "the approved one, and those that it supersedes"),
    ("threads.assign_thread", "threadassignment"): (2, "the assignment before ends; one row keeps a thread"),
    ("gates.reject_gate", "attempt"): (4, "the gate's own; queued ones are cancelled, failures followed up"),
    ("gates.reject_gate", "handoffartifact"): (2, "the rejection, and the request for rework"),
    ("gates.reject_gate", "task"): (2, "what is done again, and the frontier that is judged afresh"),
    ("rework.send_back", "attempt"): (3, "queued ones are cancelled, failures followed up, places renewed"),
    ("rework.send_back", "task"): (2, "what is done again, and the frontier that is judged afresh"),
}


class Tables:
    """By act, the most statements that wrote a table in one of its calls."""

    def __init__(self) -> None:
        self.written: dict[tuple[str, str], int] = {}
        self.acts: set[str] = set()
        self._inside = False

    @contextmanager
    def of(self, act: str) -> Iterator[None]:
        """Collects what the outermost act writes; an act within it is a part of it."""
        if self._inside:
            yield
            return
        self._inside = True
        try:
            with statements() as seen:
                yield
        finally:
            self._inside = False
        self.acts.add(act)
        found = (match.group(1) for sql in seen if (match := _WRITTEN.match(sql)))
        for table, times in Counter(found).items():
            self.written[act, table] = max(times, self.written.get((act, table), 0))

    @property
    def more_than_once(self) -> dict[tuple[str, str], int]:
        return {key: times for key, times in self.written.items() if times > 1}


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    seen, call = Tables(), Act.__call__

    def watched(act: Act[..., Any], *arguments: Any, **given: Any) -> object:
        with seen.of(act.name):
            return call(act, *arguments, **given)

    monkeypatch.setattr(Act, "__call__", watched)
    return seen


def through_a_life(driver: Driver) -> None:
    """One workstream from its plan to the archive, with what comes between."""
    driver.start_afresh(PLAN)
    pass_it_on(driver)
    keep_a_thread(driver)
    driver.claim("A1")
    say_how_far(driver)
    hold_up(driver)
    driver.complete("A1", {"notes.md": b"# Notes\n", "more.md": b"# More\n"})
    go_back_and_forth(driver)
    driver.finish()
    change_the_plan(driver)
    put_away(driver)


def pass_it_on(driver: Driver) -> None:
    workstream, anna = driver.reload().pk, driver.cast.actor("approver")
    priorities.set_priority(
        workstream_id=workstream, priority=3, reason="It is urgent.", actor=anna, now=driver.tick()
    )
    ownership.transfer_workstream(
        workstream_id=workstream, to="carl", reason="On leave.", actor=anna, now=driver.tick()
    )
    task = driver.task("A1").pk
    ownership.transfer_task(task_id=task, to="rita", reason="On leave.", actor=anna, now=driver.tick())


def keep_a_thread(driver: Driver) -> None:
    executor, anna = driver.cast.builder("builder-C1"), driver.cast.actor("approver")
    place = {"workstream_id": driver.reload().pk, "thread_id": driver.task("C1").step.thread_id}
    for mode in ("preferred", "assigned"):
        threads.assign_thread(
            **place, executor=executor.name, mode=mode, reason="Knows it.", actor=anna, now=driver.tick()
        )
    threads.unassign_thread(**place, reason="Has left.", actor=anna, now=driver.tick())


def say_how_far(driver: Driver) -> None:
    held = driver.attempt("A1").assignment
    actor = Actor.member(held.executor)
    claims.report(
        attempt_id=held.attempt_id,
        token=held.token,
        executor=held.executor,
        actor=actor,
        breadcrumb="Half done.",
        now=driver.tick(),
    )


def hold_up(driver: Driver) -> None:
    task, carl = driver.task("A1").pk, driver.cast.actor("contributor")
    blocker = blockers.declare_blocker(
        task_id=task, kind=BlockerKind.EXTERNAL, note="No key.", actor=carl, now=driver.tick()
    )
    ownership.transfer_blocker(
        blocker_id=blocker.pk, to="rita", reason="Has it.", actor=carl, now=driver.tick()
    )
    blockers.resolve_blocker(blocker_id=blocker.pk, resolution="Key is there.", actor=carl, now=driver.tick())
    interventions.flag_for_human(task_id=task, note="Which key?", actor=carl, now=driver.tick())
    interventions.clear_human_flag(task_id=task, answer="The new one.", actor=carl, now=driver.tick())


def go_back_and_forth(driver: Driver) -> None:
    carl, rita = driver.cast.actor("contributor"), driver.cast.actor("reviewer")
    driver.claim("B1")
    driver.fail("B1")
    failures.requeue(task_id=driver.task("B1").pk, reason="Once more.", actor=carl, now=driver.tick())
    driver.advance()
    driver.do("B1", "A2")
    gates.reject_gate(
        task_id=driver.task("MP1").pk,
        reason="It fails.",
        return_key="A2",
        actor=rita,
        now=driver.tick(),
    )
    driver.advance()
    driver.do("A2")
    rework.send_back(task_id=driver.task("B1").pk, reason="It fails.", actor=rita, now=driver.tick())
    driver.advance()


def change_the_plan(driver: Driver) -> None:
    anna, text = driver.cast.actor("approver"), PLAN.replace(b"money back", b"own money back")
    workstream = driver.reload()
    for change in (b"own", b"whole"):
        submission = plans.submit_plan(
            source=text.replace(b"own", change),
            source_name="PLAN.md",
            workstream=workstream,
            change_reason="Other words.",
            actor=driver.cast.actor("initiator"),
            now=driver.tick(),
        )
    version = submission.version
    decisions.approve_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        actor=anna,
        now=driver.tick(),
    )
    driver.advance()
    driver.finish()


def put_away(driver: Driver) -> None:
    workstream, anna = driver.reload().pk, driver.cast.actor("approver")
    workstreams.accept_workstream(workstream_id=workstream, actor=anna, now=driver.tick())
    workstreams.reopen_workstream(workstream_id=workstream, reason="A gap.", actor=anna, now=driver.tick())
    workstreams.archive_workstream(
        workstream_id=workstream, reason="No longer wanted.", actor=anna, now=driver.tick()
    )


def test_no_act_writes_a_table_twice(driver: Driver, tables: Tables) -> None:
    through_a_life(driver)
    assert tables.more_than_once == {key: times for key, (times, _) in MORE_THAN_ONCE.items()}


def test_what_approval_writes_does_not_grow_with_the_plan(driver: Driver, tables: Tables) -> None:
    thread = b"""##### Batch 10: more

###### Thread 01: more
- Role: contributor
- Files: `more/**`
- E1: More
  - Exit: it is there

"""
    larger = PLAN.replace(b"##### Batch 99", thread + b"##### Batch 99")
    assert thread in larger
    driver.start_afresh(larger)
    written = [times for (act, _), times in tables.written.items() if act == "decisions.approve_version"]
    assert len(written) > 10
    assert tables.more_than_once == {key: MORE_THAN_ONCE[key][0] for key in tables.more_than_once}
