"""WF-3: decisions on a plan that meet have one linear outcome; its tasks are created exactly once.

As in `test_acts_that_meet`, acts overlap on PostgreSQL only. `make nightly` runs 200 rounds of each.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from orchestrator.core.errors import AlreadyDecided, VersionMoved, WrongState
from orchestrator.core.terms import Role, VersionStatus
from orchestrator.models import Approval, HistoryEntry, Task, WorkflowVersion
from orchestrator.services.base.actor import Actor
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review.decisions import approve_version, send_back_version
from orchestrator.services.review.effect import take_effect
from orchestrator.services.review.withdrawals import withdraw_approval
from tests.cast import Cast, Driver, UserFactory
from tests.races.contest import contest, refused
from tests.verified import first_breach, state_problems

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
many = pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.nightly)])
KEYS = ["A1", "A2"]


@pytest.fixture(autouse=True)
def _overlapping() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("acts overlap on PostgreSQL only: name a server in DATABASE_URL")


class Review(Driver):
    """A plan of its own in review for each round, and acts on it that are called later."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast)
        self.anna: User = cast.approver
        self.omar: User = UserFactory(username="omar", roles=[Role.APPROVER])
        self.version: WorkflowVersion | None = None

    def fresh(self, *matter: str) -> None:
        head = "".join(f"{line}\n" for line in matter)
        text = f"---\n{head}---\n# Plan: {uuid.uuid4().hex}\n\n### Batch 1\n\n- A1: one\n- A2: two\n"
        self.version = self.submit(text.encode()).version

    def approving(self, person: User, undo: int = 0) -> Callable[[], Any]:
        version, at = self.shown, self.tick()
        return lambda: approve_version(
            version_id=version.pk,
            seen_sha256=version.source_sha256,
            actor=Actor.person(person),
            now=at,
            withdraw_seconds=undo,
        )

    def sending_back(self) -> Callable[[], Any]:
        version, at = self.shown, self.tick()
        who = self.cast.actor("reviewer")
        return lambda: send_back_version(
            version_id=version.pk, seen_sha256=version.source_sha256, reason="Not yet.", actor=who, now=at
        )

    def submitting(self) -> Callable[[], Any]:
        text, at, workstream = f"{self.shown.source}- A3: three\n".encode(), self.tick(), self.reload()
        return lambda: submit_plan(
            source=text,
            source_name="PLAN.md",
            actor=self.cast.actor("initiator"),
            now=at,
            workstream=workstream,
            change_reason="One more.",
        )

    def undoing(self, person: User) -> Callable[[], Any]:
        version, at = self.shown, self.tick()
        return lambda: withdraw_approval(version_id=version.pk, actor=Actor.person(person), now=at)

    def coming_into_effect(self) -> Callable[[], Any]:
        at, workstream = self.tick() + timedelta(days=1), self.reload().pk
        return lambda: take_effect(workstream_id=workstream, now=at)

    @property
    def shown(self) -> WorkflowVersion:
        assert self.version is not None
        return self.version

    def status(self) -> str:
        self.shown.refresh_from_db()
        return self.shown.status

    def keys(self) -> list[str]:
        return list(
            Task.objects.filter(workstream=self.workstream).order_by("pk").values_list("step__key", flat=True)
        )

    def told(self, action: str) -> int:
        return HistoryEntry.objects.filter(workstream=self.workstream, action=action).count()

    def holds(self) -> None:
        assert state_problems(self.reload()) == []
        assert self.told("plan approved") + self.told("plan took effect") <= 2
        assert len(self.keys()) == len(set(self.keys())), "tasks are created once"


@pytest.fixture
def review(cast: Cast) -> Review:
    return Review(cast)


@many
def test_wf3_the_last_two_of_two_approvals_create_the_tasks_once(review: Review, rounds: int) -> None:
    for _ in range(rounds):
        review.fresh("approvals: 2")
        answers = contest(review.approving(review.anna), review.approving(review.omar))
        assert not any(map(refused, answers))
        assert (review.status(), review.keys()) == (VersionStatus.APPROVED, KEYS)
        assert Approval.objects.filter(version=review.shown).count() == 2
        assert (review.told("plan signed"), review.told("plan approved")) == (1, 1)
        review.holds()
    assert first_breach() is None


@many
def test_wf3_two_approvals_of_which_one_is_enough_create_the_tasks_once(review: Review, rounds: int) -> None:
    for _ in range(rounds):
        review.fresh()
        answers = contest(review.approving(review.anna), review.approving(review.omar))
        lost = [answer for answer in answers if refused(answer)]
        assert [type(answer) for answer in lost] == [AlreadyDecided]
        assert (review.status(), review.keys()) == (VersionStatus.APPROVED, KEYS)
        assert Approval.objects.filter(version=review.shown).count() == 1
        review.holds()
    assert first_breach() is None


@many
def test_wf3_approve_against_send_back(review: Review, rounds: int) -> None:
    for _ in range(rounds):
        review.fresh()
        approved, back = contest(review.approving(review.anna), review.sending_back())
        assert refused(approved) != refused(back)
        assert isinstance(approved if refused(approved) else back, WrongState)
        if refused(approved):
            assert (review.status(), review.keys()) == (VersionStatus.SENT_BACK, [])
            assert not Approval.objects.filter(version=review.shown).exists()
        else:
            assert (review.status(), review.keys()) == (VersionStatus.APPROVED, KEYS)
        review.holds()
    assert first_breach() is None


@many
def test_wf3_approve_against_a_newer_version(review: Review, rounds: int) -> None:
    """Whoever approves what is no longer the newest gets 409.

    A version that comes after the approval waits.
    """
    for _ in range(rounds):
        review.fresh()
        approved, submitted = contest(review.approving(review.anna), review.submitting())
        assert not refused(submitted)
        assert submitted.version.status == VersionStatus.IN_REVIEW
        if refused(approved):
            assert isinstance(approved, VersionMoved)
            assert approved.status == 409
            assert (review.status(), review.keys()) == (VersionStatus.SUPERSEDED, [])
            assert review.reload().version_id == submitted.version.pk
        else:
            assert (review.status(), review.keys()) == (VersionStatus.APPROVED, KEYS)
            assert review.reload().version_id == review.shown.pk
        review.holds()
    assert first_breach() is None


@many
def test_wf3_undo_against_taking_effect(review: Review, rounds: int) -> None:
    for _ in range(rounds):
        review.fresh()
        review.approving(review.anna, undo=60)()
        assert review.keys() == []
        undone, effect, again = contest(
            review.undoing(review.anna), review.coming_into_effect(), review.coming_into_effect()
        )
        if refused(undone):
            assert isinstance(undone, WrongState)
            assert [effect, again].count(None) == 1, "it takes effect once"
            assert (review.status(), review.keys()) == (VersionStatus.APPROVED, KEYS)
            assert review.told("approval withdrawn") == 0
        else:
            assert (effect, again) == (None, None)
            assert (review.status(), review.keys()) == (VersionStatus.IN_REVIEW, [])
            assert review.told("approval withdrawn") == 1
        review.holds()
    assert first_breach() is None


@many
def test_wf3_undo_against_a_newer_version(review: Review, rounds: int) -> None:
    for _ in range(rounds):
        review.fresh()
        review.approving(review.anna, undo=60)()
        undone, submitted = contest(review.undoing(review.anna), review.submitting())
        assert not refused(undone)
        assert not refused(submitted)
        assert review.status() == VersionStatus.SUPERSEDED
        assert review.reload().version_id == submitted.version.pk
        review.version = submitted.version
        review.approving(review.omar)()
        assert review.keys() == [*KEYS, "A3"]
        review.holds()
    assert first_breach() is None
