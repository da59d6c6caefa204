"""F28 to F30: acts that meet have one linear outcome, on a database that lets them meet.

On SQLite every writing transaction holds the one write lock from its start, so acts cannot overlap: these
tests need PostgreSQL (`DATABASE_URL=postgres://… make test-postgres`). `make nightly` runs 200 rounds of
each.
"""

import uuid

import pytest
from django.db import connection

from orchestrator.core.errors import StaleToken, WrongState
from orchestrator.core.terms import AttemptStatus, ResultFileState, TaskStatus, VersionStatus
from orchestrator.models import Assignment, Attempt, ResultFile, SchedulingDecision, Task, Workstream
from orchestrator.services.base.actor import Actor
from orchestrator.services.handoff import damage
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review.decisions import approve_version
from orchestrator.services.review.gates import approve_gate, reject_gate
from orchestrator.services.work.claims import claim
from orchestrator.services.work.collector import collect
from orchestrator.services.work.completions import complete
from orchestrator.services.work.failures import declare_failure, requeue
from orchestrator.services.work.rework import send_back
from orchestrator.services.work.scheduling import run_round
from tests.acceptance.producer import Producer, told
from tests.cast import Cast, Driver
from tests.races.contest import contest, refused
from tests.verified import first_breach, state_problems

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
many = pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.nightly)])


@pytest.fixture(autouse=True)
def _overlapping() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("acts overlap on PostgreSQL only: name a server in DATABASE_URL")


class Ring(Driver):
    """A workstream of its own for each round, without git: nothing here builds on a committed file."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast)
        self.executor = cast.builder("racer")
        self.person = cast.actor("reviewer")

    def advance(self) -> None:
        assert self.workstream is not None
        while run_round(workstream_id=self.workstream.pk, now=self.tick()):
            pass

    def fresh(self, *steps: str) -> None:
        """Nothing in common with the rounds before: no title, no file."""
        name = uuid.uuid4().hex
        self.start(
            f"# Plan: {name}\n\n### Batch 1\n\n".encode() + "".join(f"{line}\n" for line in steps).encode()
        )

    def held(self, key: str) -> tuple[int, int]:
        claimed = claim(
            attempt_id=self.attempt(key).pk,
            executor=self.executor,
            actor=Actor.member(self.executor),
            now=self.tick(),
        )
        return claimed.attempt_id, claimed.token

    def completing(self, attempt: int, token: int):
        at = self.tick()
        return lambda: complete(
            attempt_id=attempt, token=token, executor=self.executor, outcome="Done.", evidence={}, now=at
        )

    def holds(self) -> None:
        """The invariants, and that history says what the tables say."""
        workstream = Workstream.objects.select_related("version").get(pk=self.workstream.pk)
        assert state_problems(workstream) == []
        for task in Task.objects.filter(workstream=workstream):
            assert task.attempts.filter(status__in=["queued", "running"]).count() <= 1
        assert not self.executor.assignments.filter(
            released_at=None, attempt__ended_at__isnull=False
        ).exists()
        # The next round needs the executor again.
        for attempt in Attempt.objects.filter(status=AttemptStatus.RUNNING, task__workstream=workstream):
            declare_failure(
                attempt_id=attempt.pk, reason="The round is over.", actor=self.person, now=self.tick()
            )


@pytest.fixture
def ring(cast: Cast) -> Ring:
    return Ring(cast)


@many
def test_f28_complete_against_declared_failure_and_requeue(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        ring.fresh("- A1: one")
        attempt, token = ring.held("A1")
        task = ring.task("A1").pk

        def give_up(attempt: int = attempt, task: int = task) -> None:
            declare_failure(attempt_id=attempt, reason="It hangs.", actor=ring.person, now=ring.now)
            requeue(task_id=task, reason="Again.", actor=ring.person, now=ring.now)

        done, gave_up = contest(ring.completing(attempt, token), give_up)
        ended = Attempt.objects.get(pk=attempt)
        if refused(done):
            assert isinstance(done, StaleToken)
            assert (ended.status, ring.task("A1").status) == (AttemptStatus.FAILED, TaskStatus.PENDING)
            assert not refused(gave_up)
        else:
            assert isinstance(gave_up, WrongState)
            assert (ended.status, ring.task("A1").status) == (AttemptStatus.COMPLETED, TaskStatus.COMPLETE)
        ring.holds()
    assert first_breach() is None


@many
def test_f29_gate_rejection_against_approval_and_a_late_result(ring: Ring, rounds: int) -> None:
    """The collector hands a producer's file to `complete`, so a late file and a late call are the
    same act.
    """
    for _ in range(rounds):
        ring.fresh("- A1: one", "", "### Merge Point G1", "- Trigger: A1 complete", "- Reviewers: reviewer")
        attempt, token = ring.held("A1")
        ring.completing(attempt, token)()
        Task.objects.get(pk=ring.task("A1").pk).attempts.get().artifacts.update(state="committed")
        ring.advance()
        gate = ring.task("G1").pk
        rejected, approved, late, _ = contest(
            lambda gate=gate: reject_gate(
                task_id=gate, return_key="A1", reason="Wrong.", actor=ring.person, now=ring.now
            ),
            lambda gate=gate: approve_gate(task_id=gate, actor=ring.cast.actor("reviewer"), now=ring.now),
            ring.completing(attempt, token),
            lambda: run_round(workstream_id=ring.workstream.pk, now=ring.now),
        )
        assert isinstance(late, StaleToken)
        assert refused(rejected) != refused(approved)
        if refused(approved):
            assert ring.task("A1").rework == 1
            assert ring.task("G1").status == TaskStatus.PENDING
            assert not Attempt.objects.filter(task=gate, status=AttemptStatus.COMPLETED).exists()
        else:
            assert (ring.task("A1").status, ring.task("G1").status) == (
                TaskStatus.COMPLETE,
                TaskStatus.COMPLETE,
            )
        ring.holds()
    assert first_breach() is None


@many
def test_f29_work_sent_back_against_the_collector(ring: Ring, rounds: int) -> None:
    """A result in a producer's branch is taken in before the work goes back, or bars it while its attempt
    runs.
    """
    with damage.workspace().locked():
        pass
    producer = Producer(damage.workspace().root, ring.executor.name)
    for _ in range(rounds):
        ring.fresh("- A1: one", "- A2: two (needs A1)")
        attempt, token = ring.held("A1")
        ring.completing(attempt, token)()
        Attempt.objects.get(pk=attempt).artifacts.update(state="committed")
        ring.advance()
        first, running = ring.task("A1").pk, ring.held("A2")[0]
        held = Assignment.objects.select_related("attempt__task__step").get(attempt=running)
        producer.push({"result.json": told(held, outcome="Done.", evidence={})})
        back, taken = contest(
            lambda first=first: send_back(task_id=first, reason="Wrong.", actor=ring.person, now=ring.now),
            lambda: collect(now=ring.now),
        )
        assert taken == 1
        assert ResultFile.objects.latest("pk").state == ResultFileState.INGESTED
        assert Attempt.objects.get(pk=running).status == AttemptStatus.COMPLETED
        expected = TaskStatus.COMPLETE if refused(back) else TaskStatus.PENDING
        assert (ring.task("A1").status, ring.task("A2").status) == (expected, expected)
        ring.holds()
    assert first_breach() is None


@many
def test_f30_approval_of_a_version_against_a_claim(ring: Ring, rounds: int) -> None:
    """A version that keeps the step: both take effect, in either order, and the claim is on the new version's
    step.
    """
    for _ in range(rounds):
        ring.fresh("- A1: one")
        approve = approval(ring, "- A2: two")
        attempt = ring.attempt("A1").pk
        claimed, approved = contest(
            lambda attempt=attempt: claim(
                attempt_id=attempt, executor=ring.executor, actor=Actor.member(ring.executor), now=ring.now
            ),
            approve,
        )
        assert not refused(claimed)
        assert not refused(approved)
        assert ring.reload().version.number == 2
        assert ring.task("A1").step.version_id == ring.workstream.version_id
        assert ring.task("A1").status == TaskStatus.ACTIVE
        ring.holds()
    assert first_breach() is None


@many
def test_f30_a_version_that_drops_a_step_against_the_round_that_launches_it(ring: Ring, rounds: int) -> None:
    """Either it was launched first and its attempt is cancelled, or it was dropped first and is never
    launched.
    """
    for _ in range(rounds):
        ring.fresh("- A1: one", "- A2: two (needs A1)")
        attempt, token = ring.held("A1")
        ring.completing(attempt, token)()
        Attempt.objects.get(pk=attempt).artifacts.update(state="committed")
        dropped = ring.task("A2").pk
        approve = approval(ring, "- A3: three", without="- A2: two (needs A1)")
        _, approved = contest(lambda: run_round(workstream_id=ring.workstream.pk, now=ring.now), approve)
        task = Task.objects.get(pk=dropped)
        assert not refused(approved)
        assert task.status == TaskStatus.CANCELLED
        assert set(task.attempts.values_list("status", flat=True)) <= {AttemptStatus.CANCELLED}
        ring.holds()
    assert first_breach() is None


@many
def test_fr028_two_rounds_of_one_workstream_launch_once(ring: Ring, rounds: int) -> None:
    for _ in range(rounds):
        ring.fresh("- A1: one", "- A2: two (needs A1)", "- A3: three (needs A1)")
        attempt, token = ring.held("A1")
        ring.completing(attempt, token)()
        Attempt.objects.get(pk=attempt).artifacts.update(state="committed")
        before = SchedulingDecision.objects.filter(workstream=ring.workstream).count()
        first, second = contest(*[lambda: run_round(workstream_id=ring.workstream.pk, now=ring.now)] * 2)
        assert [first is None, second is None].count(True) == 1
        assert SchedulingDecision.objects.filter(workstream=ring.workstream).count() == before + 1
        ring.holds()
    assert first_breach() is None


@many
def test_fr021_send_back_against_the_claim_behind_it(ring: Ring, rounds: int) -> None:
    """Who builds on a result is not pre-empted: either the claim came first, or there is nothing left to
    claim.
    """
    for _ in range(rounds):
        ring.fresh("- A1: one", "- A2: two (needs A1)")
        attempt, token = ring.held("A1")
        ring.completing(attempt, token)()
        Attempt.objects.get(pk=attempt).artifacts.update(state="committed")
        ring.advance()
        first, queued = ring.task("A1").pk, ring.attempt("A2").pk
        claimed, back = contest(
            lambda queued=queued: claim(
                attempt_id=queued, executor=ring.executor, actor=Actor.member(ring.executor), now=ring.now
            ),
            lambda first=first: send_back(task_id=first, reason="Wrong.", actor=ring.person, now=ring.now),
        )
        assert refused(claimed) != refused(back)
        assert isinstance(claimed if refused(claimed) else back, WrongState)
        ring.holds()
    assert first_breach() is None


def approval(ring: Ring, line: str, without: str = ""):
    """A new version, submitted; calling the answer approves it."""
    text = ring.reload().version.source.rstrip("\n")
    source = (text.replace(without, "") + f"\n{line}\n").encode()
    version = submit_plan(
        source=source,
        source_name="PLAN.md",
        actor=ring.cast.actor("initiator"),
        now=ring.tick(),
        workstream=ring.workstream,
        change_reason="More.",
    ).version
    assert version.status == VersionStatus.IN_REVIEW
    at = ring.tick()
    return lambda: approve_version(
        version_id=version.pk, seen_sha256=version.source_sha256, actor=ring.cast.actor("approver"), now=at
    )
