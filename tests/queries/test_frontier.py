"""FR-005: a round over the open frontier decides, launches and records what the whole workstream
would give.
"""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.engine.schedule import Decision, decide
from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus
from orchestrator.models import HandoffArtifact, Task, Workstream
from orchestrator.queries.engine.explanations import explain, explain_one
from orchestrator.queries.engine.frontier import Round, load_round
from orchestrator.queries.engine.ground import ground_and_version
from orchestrator.queries.engine.held import lost_before
from orchestrator.queries.engine.snapshot import load_snapshot
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.progress import DONE, OPEN
from orchestrator.services.handoff.damage import judge_launched_again
from orchestrator.services.people.blockers import declare_blocker, resolve_blocker
from orchestrator.services.people.interventions import clear_human_flag, flag_for_human
from orchestrator.services.work import rework
from orchestrator.services.work.failures import requeue
from orchestrator.services.work.scheduling import _is_new, run_round
from tests.cast import Cast, Driver

SMALL = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def plans(draw: st.DrawFn) -> bytes:
    """Two batches of up to three threads.

    Steps may be parallel, need one another, and want a resource or files.
    """
    lines, keys = ["# Plan: Any", "## Stages", "### Stage 1: all"], []
    for batch in range(draw(st.integers(1, 2))):
        lines.append(f"##### Batch {batch:02}: b{batch}")
        for thread in range(draw(st.integers(1, 3))):
            lines.append(f"###### Thread {thread + 1:02}: t{thread}")
            if draw(st.booleans()):
                lines.append("- Files: `src/**`")
            for _ in range(draw(st.integers(1, 4))):
                key = f"S{len(keys)}"
                lines.append(f"- {key}: step")
                if draw(st.booleans()):
                    lines.append("  - Parallel: yes")
                if keys and draw(st.integers(0, 3)) == 0:
                    lines.append(f"  - Depends on: {draw(st.sampled_from(keys))}")
                if draw(st.integers(0, 3)) == 0:
                    lines.append("  - Resources: db")
                keys.append(key)
    return "\n".join(lines).encode()


class Play:
    """Acts on one workstream without a git workspace: what is announced counts as committed unless left
    pending.
    """

    def __init__(self, driver: Driver, plan: bytes) -> None:
        self.driver = driver
        driver.advance = self.round  # type: ignore[method-assign]
        driver.start(plan)

    def round(self) -> None:
        """Compare both decisions, run the round, and compare again until nothing changes. Behind a round that
        skipped nothing an advance makes no other one: there nothing may be left to say."""
        HandoffArtifact.objects.exclude(problem="kept").update(state=ArtifactState.COMMITTED)
        settled = False
        for _ in range(20):
            self.compare()
            made = run_round(workstream_id=self.driver.workstream.pk, now=self.driver.tick())
            if made is None:
                return
            assert not settled
            settled = not made.skipped
        raise AssertionError("rounds never end")

    def compare(self) -> None:
        workstream = self.driver.reload()
        whole = load_snapshot(workstream, self.driver.now)
        full, part = decide(whole.snapshot), decide(seen_by_a_round(workstream, self.driver.now).snapshot)
        by_key = {verdict.key: verdict for verdict in full.verdicts}
        assert [by_key[v.key] for v in part.verdicts] == list(part.verdicts)
        assert part.launches == full.launches
        assert news(part, whole.tasks) == news(full, whole.tasks)
        assert counted(workstream) == (workstream.open_tasks, workstream.done_tasks, workstream.blocked_tasks)
        self.compare_one_by_one(workstream)

    def compare_one_by_one(self, workstream: Workstream) -> None:
        """What is said of one task alone is what is said of it among all of them (FR-015)."""
        every = explain(workstream)
        tasks = Task.objects.filter(workstream=workstream)
        for task in tasks.select_related("step__thread__batch__stage", "workstream"):
            assert explain_one(task) == every[task.pk]

    def act(self, draw: st.DataObject) -> None:
        """One random act that applies."""
        kind = draw.draw(
            st.sampled_from(["do", "do", "do", "fail", "requeue", "block", "flag", "back", "lose"])
        )
        key = draw.draw(st.sampled_from(sorted(self.keys())))
        getattr(self, kind)(key)
        self.round()

    def keys(self) -> set[str]:
        return set(Task.objects.filter(workstream=self.driver.workstream).values_list("step__key", flat=True))

    def do(self, _key: str) -> None:
        for key in self.claimable():
            self.driver.do(key)
            return

    def fail(self, _key: str) -> None:
        for key in reversed(self.claimable()):
            self.driver.claim(key)
            self.round()
            self.driver.fail(key)
            return

    def claimable(self) -> list[str]:
        ready = [
            k
            for k in self.driver.ready()
            if not self.task(k).needs_human and self.task(k).status != "blocked"
        ]
        return [key for key in ready if lost_before(self.task(key)) is None]

    def requeue(self, _key: str) -> None:
        failed = Task.objects.filter(attempts__status=AttemptStatus.FAILED, attempts__followed_up_at=None)
        for task in failed.filter(workstream=self.driver.workstream):
            requeue(task_id=task.pk, reason="Again.", actor=self.actor(), now=self.driver.tick())

    def block(self, key: str) -> None:
        task = self.task(key)
        if blocker := task.blockers.filter(resolved_at=None).first():
            resolve_blocker(
                blocker_id=blocker.pk, resolution="Gone.", actor=self.actor(), now=self.driver.tick()
            )
        elif task.status in OPEN:
            declare_blocker(
                task_id=task.pk, kind="other", note="No.", actor=self.actor(), now=self.driver.tick()
            )

    def flag(self, key: str) -> None:
        task = self.task(key)
        if task.needs_human:
            clear_human_flag(task_id=task.pk, answer="Yes.", actor=self.actor(), now=self.driver.tick())
        elif task.status in OPEN:
            flag_for_human(task_id=task.pk, note="Which?", actor=self.actor(), now=self.driver.tick())

    def back(self, key: str) -> None:
        if self.task(key).status == TaskStatus.COMPLETE:
            rework.send_back(
                task_id=self.task(key).pk, reason="Wrong.", actor=self.actor(), now=self.driver.tick()
            )

    def lose(self, key: str) -> None:
        """The file of a handover is gone, or back."""
        rows = HandoffArtifact.objects.filter(attempt__task=self.task(key), event="attempt-completed")
        if rows.filter(state=ArtifactState.DAMAGED).exists():
            rows.update(state=ArtifactState.COMMITTED, problem="")
        else:
            rows.update(state=ArtifactState.DAMAGED, problem="kept")
        judge_launched_again(self.driver.reload().pk)

    def task(self, key: str) -> Task:
        return self.driver.task(key)

    def actor(self) -> Actor:
        return self.driver.cast.actor("contributor")


def seen_by_a_round(workstream: Workstream, now: datetime) -> Round:
    return load_round(workstream, ground_and_version(workstream, now))


def news(decision: Decision, tasks: dict[str, Task]) -> set[tuple[str, str, str, str]]:
    """What a round would record."""
    return {
        (v.key, v.reason, v.holder, v.sentence)
        for v in decision.verdicts
        if v.frontier and _is_new(tasks[v.key], v)
    }


def counted(workstream: Workstream) -> tuple[int, int, int]:
    statuses = list(Task.objects.filter(workstream=workstream).values_list("status", flat=True))
    return (
        sum(status in OPEN for status in statuses),
        sum(status in DONE for status in statuses),
        statuses.count(TaskStatus.BLOCKED),
    )


@pytest.mark.django_db
@SMALL
@given(plan=plans(), data=st.data())
def test_fr005_the_frontier_gives_the_verdicts_of_the_whole(
    cast: Cast, plan: bytes, data: st.DataObject
) -> None:
    play = Play(Driver(cast), plan)
    for _ in range(8):
        play.act(data)


def wide(threads: int) -> bytes:
    lanes = "\n".join(f"###### Thread {n:03}: t{n}\n- S{n:03}: step" for n in range(threads))
    return f"# Plan: Wide\n## Stages\n### Stage 1: all\n##### Batch 01: b\n{lanes}\n".encode()


def chain(length: int) -> bytes:
    steps = "\n".join(f"- S{n:03}: step" for n in range(length))
    return (
        f"# Plan: Chain\n## Stages\n### Stage 1: all\n##### Batch 01: b\n###### Thread 01: t\n{steps}\n"
    ).encode()


@pytest.mark.parametrize("plan", [wide(40), chain(40)], ids=["wide", "chain"])
def test_fr005_a_round_does_not_grow_with_what_is_complete(cast: Cast, plan: bytes) -> None:
    driver = Driver(cast)
    play = Play(driver, plan)
    costs = []
    for _ in range(3):
        for _ in range(4):
            play.do("")
        finish_one(driver)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            seen = seen_by_a_round(driver.reload(), driver.now)
        costs.append((len(queries), len(seen.snapshot.tasks), len(seen.snapshot.context)))
        play.round()
    assert len(set(costs)) == 1, costs
    assert costs[0][1] <= 2, "only what the completion freed, of forty tasks"


def finish_one(driver: Driver) -> None:
    """Complete a step without a round behind it."""
    rounds, driver.advance = driver.advance, lambda: None  # type: ignore[method-assign]
    driver.do(driver.ready()[0])
    driver.advance = rounds  # type: ignore[method-assign]
    HandoffArtifact.objects.update(state=ArtifactState.COMMITTED)
