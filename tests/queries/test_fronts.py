"""What the portfolio says a workstream waits for is what its whole chain says (FR-015, LC-4)."""

import random

import pytest

from orchestrator.core.engine.why import front, stop_of
from orchestrator.core.errors import Refusal
from orchestrator.core.terms import ArtifactState, AttemptStatus, RootKind, StepKind, WorkstreamStatus
from orchestrator.models import Attempt, Blocker, HandoffArtifact, Task, Workstream
from orchestrator.queries.engine.explanations import explained
from orchestrator.queries.engine.holds import work_is_stopped
from orchestrator.queries.work.fronts import front_roots
from orchestrator.services.freeing import why_workstream
from orchestrator.services.people import blockers, interventions
from orchestrator.services.review import gates
from orchestrator.services.work import failures, rework
from tests.cast import PLAN, Driver

pytestmark = pytest.mark.django_db

WIDE = PLAN.replace(
    b"  - Exit: contract test passes\n",
    b"""  - Exit: contract test passes
- B2: Gateway retries
  - Needs: A1
- B3: Gateway log

###### Thread 03: shared
- S1: Shared schema
  - Files: `ledger/schema.sql`
- S2: Schema review
""",
)


def agree(driver: Driver) -> RootKind | None:
    """The batch and the whole chain say the same; the kind that both say."""
    workstream = Workstream.objects.select_related("version__workflow").get(pk=driver.workstream.pk)
    found = explained(workstream, driver.now)
    standing = found.standing()
    whole = stop_of(
        standing.hold, front(standing), open_tasks=any(task.open for task in standing.tasks.values())
    )
    [root] = front_roots([workstream], driver.now, stopped=work_is_stopped()).values()
    assert root.stop == whole
    facts = why_workstream(workstream, driver.now, found)
    if root.stop.key and facts.root.key == root.stop.key:
        assert root.since == facts.root.since
        assert facts.root.kind is root.stop.kind
        assert root.sentence.startswith(f"{root.stop.key}: ")
    return root.stop.kind


class Acts:
    """One act after another, chosen by a seed; what is refused changes nothing."""

    def __init__(self, driver: Driver, seed: int, settings) -> None:
        self.driver, self.choice, self.settings = driver, random.Random(seed), settings
        self.actor = driver.cast.actor("reviewer")

    def one(self) -> None:
        act = self.choice.choice(
            [self.claim] * 6
            + [self.complete] * 6
            + [self.fail, self.requeue, self.requeue, self.ask, self.answer, self.answer]
            + [self.block, self.resolve, self.resolve, self.sign, self.sign, self.reject]
            + [self.send_back, self.lose, self.driver.advance, self.driver.advance]
        )
        try:
            act()
        except Refusal:
            self.driver.tick()

    def _pick(self, rows):
        found = list(rows.order_by("pk"))
        return self.choice.choice(found) if found else None

    def _open(self) -> Task | None:
        return self._pick(Task.objects.filter(workstream=self.driver.workstream, open_batch__isnull=False))

    def _attempt(self, status: AttemptStatus, kind: StepKind = StepKind.WORK) -> Attempt | None:
        rows = Attempt.objects.filter(
            task__workstream=self.driver.workstream, status=status, task__step__kind=kind
        )
        return self._pick(rows.select_related("task__step"))

    def claim(self) -> None:
        if attempt := self._attempt(AttemptStatus.QUEUED):
            self.driver.claim(attempt.task.step.key)

    def complete(self) -> None:
        if attempt := self._attempt(AttemptStatus.RUNNING):
            self.driver.complete(attempt.task.step.key)

    def fail(self) -> None:
        if attempt := self._attempt(AttemptStatus.RUNNING):
            held = attempt.assignment
            failures.fail(
                attempt_id=attempt.pk,
                token=held.token,
                executor=held.executor,
                error="It broke.",
                now=self.driver.tick(),
            )

    def requeue(self) -> None:
        if task := self._open():
            failures.requeue(task_id=task.pk, reason="Again.", actor=self.actor, now=self.driver.tick())

    def ask(self) -> None:
        if task := self._open():
            interventions.flag_for_human(
                task_id=task.pk, note="Which?", actor=self.actor, now=self.driver.tick()
            )

    def answer(self) -> None:
        asked = Task.objects.filter(workstream=self.driver.workstream, needs_human=True)
        if task := self._pick(asked):
            interventions.clear_human_flag(
                task_id=task.pk, answer="This.", actor=self.actor, now=self.driver.tick()
            )

    def block(self) -> None:
        if task := self._open():
            blockers.declare_blocker(
                task_id=task.pk,
                kind="external",
                note="No key.",
                owner="rita",
                actor=self.actor,
                now=self.driver.tick(),
            )

    def resolve(self) -> None:
        if blocker := self._pick(Blocker.objects.filter(resolved_at=None)):
            blockers.resolve_blocker(
                blocker_id=blocker.pk, resolution="Done.", actor=self.actor, now=self.driver.tick()
            )

    def sign(self) -> None:
        if attempt := self._attempt(AttemptStatus.QUEUED, StepKind.GATE):
            gates.approve_gate(task_id=attempt.task_id, actor=self.actor, now=self.driver.tick())

    def reject(self) -> None:
        if attempt := self._attempt(AttemptStatus.QUEUED, StepKind.GATE):
            gates.reject_gate(
                task_id=attempt.task_id,
                reason="No.",
                return_step="A1",
                actor=self.actor,
                now=self.driver.tick(),
            )

    def send_back(self) -> None:
        done = Task.objects.filter(workstream=self.driver.workstream, status="complete")
        if (task := self._pick(done)) and self.choice.random() < 0.3:
            rework.send_back(task_id=task.pk, reason="No.", actor=self.actor, now=self.driver.tick())

    def lose(self) -> None:
        """A file goes, or all that went come back."""
        files = HandoffArtifact.objects.filter(
            workstream=self.driver.workstream, state__in=[ArtifactState.COMMITTED, ArtifactState.DAMAGED]
        )
        lost = [one for one in files if not (self.settings.WORKSPACE_DIR / one.path).exists()]
        for one in lost:
            (self.settings.WORKSPACE_DIR / one.path).write_text(one.body)
        if not lost and (one := self._pick(files)) and self.choice.random() < 0.3:
            (self.settings.WORKSPACE_DIR / one.path).unlink()


@pytest.mark.parametrize("seed", range(6))
def test_the_front_and_the_whole_chain_agree_after_every_act(driver: Driver, settings, seed: int) -> None:
    driver.start(WIDE)
    acts, kinds = Acts(driver, seed, settings), set()
    for _ in range(50):
        acts.one()
        if driver.reload().status == WorkstreamStatus.ACTIVE:
            kinds.add(agree(driver))
    assert len(kinds) >= 3, kinds


def test_what_holds_a_workstream_is_said_as_well(driver: Driver) -> None:
    driver.submit()
    assert front_roots([driver.reload()], driver.now, stopped=work_is_stopped()) == {}, (
        "planning is said by the portfolio"
    )


def test_many_workstreams_take_as_many_statements_as_one(
    driver: Driver, django_assert_max_num_queries
) -> None:
    rows = []
    for number in range(4):
        driver.start(PLAN.replace(b"Card refunds", f"Refunds {number}".encode()))
        driver.claim("A1", driver.cast.builder(f"builder-{number}"))
        if number % 2:
            driver.fail("A1")
        rows.append(driver.reload())
    found = Workstream.objects.select_related("version", "prehandoff").prefetch_related("needs__needed")
    listed = list(found.filter(pk__in=[row.pk for row in rows]))
    with django_assert_max_num_queries(10):
        roots = front_roots(listed, driver.now, stopped=False)
    assert [roots[row.pk].stop.kind for row in rows] == [RootKind.UNCLAIMED, RootKind.FAILURE] * 2
