"""FR-028: one written order of locks, so acts never wait for one another in a ring. Every test of the suite
fails when an act takes a lock out of order (`STRICT_LOCKS`); these try that it would, and the acts that take
most locks."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction

from orchestrator.core.errors import WrongState
from orchestrator.services.base import history, locks
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.locks import Lock, OutOfOrder, locked_workstream, take
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.changes.roll_back import roll_back
from orchestrator.services.handoff.publishing import publish
from orchestrator.services.plans import bundles, comments, starting
from orchestrator.services.plans.bundles import PlanFile
from orchestrator.services.review import decisions
from orchestrator.services.work.collector import collect
from tests.acceptance.versions import GROWN, ONE, next_version
from tests.cast import NOON, Driver
from tests.verified import first_breach

NEEDING = b"---\nneeds: card-refunds\n---\n" + ONE.replace(b"Card refunds", b"Other")
SERVICES = Path(locks.__file__).parents[1]


def say(driver: Driver) -> None:
    history.record(workstream=driver.workstream, actor=ORCHESTRATOR, action="x", subject="y", now=NOON)


@pytest.mark.django_db
def test_fr028_no_act_takes_a_lock_out_of_order(driver: Driver) -> None:
    """Approval with drafts of comments, roll-back, a start and a bundle: each takes many locks."""
    driver.start(ONE)
    version = next_version(driver, GROWN)
    approver = driver.cast.actor("approver")
    comments.open_discussion(version_id=version.pk, body="Why?", actor=approver, now=driver.tick())
    decisions.approve_version(
        version_id=version.pk, seen_sha256=version.source_sha256, actor=approver, now=driver.tick()
    )
    undone = driver.reload().migrations.get()
    roll_back(migration_id=undone.pk, reason="Too early.", actor=approver, now=driver.tick())
    starting.start_workstream(
        workflow="card-refunds", title="Spain", actor=driver.cast.actor("initiator"), now=driver.tick()
    )
    bundles.submit_bundle(
        name="both",
        files=[PlanFile("a.md", NEEDING), PlanFile("b.md", ONE.replace(b"Card refunds", b"Third"))],
        actor=driver.cast.actor("initiator"),
        now=driver.tick(),
    )
    assert first_breach() is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ((Lock.WORKSTREAM, 2), (Lock.WORKSTREAM, 1)),
        ((Lock.WORKSTREAM, 1), (Lock.KEY, 9)),
        ((Lock.SEQUENCE, 0), (Lock.NEEDS, 0)),
        ((Lock.NEEDS, 0), (Lock.NAMES, 0)),
    ],
)
def test_fr028_a_lock_out_of_order_fails_the_suite(held: locks.Held, wanted: locks.Held) -> None:
    with unit_of_work():
        take(*held)
        take(*held)
        with pytest.raises(OutOfOrder, match=held[0].name):
            take(*wanted)


@pytest.mark.django_db
def test_fr028_a_second_act_in_the_transaction_of_a_first_one_fails_the_suite(driver: Driver) -> None:
    """The sequence is held until the commit: whoever goes on behind it would stop everybody."""
    driver.start(ONE)
    with transaction.atomic():
        with unit_of_work():
            say(driver)
        with pytest.raises(OutOfOrder, match="behind SEQUENCE"):
            locked_workstream(driver.workstream.pk)


@pytest.mark.django_db
def test_fr028_another_transaction_begins_with_nothing(driver: Driver) -> None:
    driver.start(ONE)
    for _ in range(2):
        with unit_of_work():
            locked_workstream(driver.workstream.pk)
            say(driver)


@pytest.mark.django_db
def test_fr028_a_part_that_was_rolled_back_has_let_go_of_its_locks() -> None:
    def refused() -> None:
        with unit_of_work():
            take(Lock.NEEDS)
            raise WrongState("Not now.")

    with unit_of_work():
        take(Lock.WORKSTREAM, 1)
        with pytest.raises(WrongState):
            refused()
        take(Lock.NAMES)
        assert locks.held_locks() == ((Lock.WORKSTREAM, 1), (Lock.NAMES, 0))


@pytest.mark.django_db
@pytest.mark.parametrize("act", [publish, collect])
def test_fr028_acts_of_several_transactions_refuse_to_be_one(act: Callable[..., int]) -> None:
    with transaction.atomic(), pytest.raises(OutOfOrder, match="several transactions"):
        act(now=NOON)


@pytest.mark.django_db
def test_fr028_in_operation_a_lock_out_of_order_is_logged_and_the_act_goes_on(
    settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STRICT_LOCKS = False
    with unit_of_work():
        take(Lock.NEEDS)
        take(Lock.NAMES)
    assert "NAMES is taken behind NEEDS." in caplog.text


def test_fr028_every_transaction_and_lock_of_an_act_goes_through_one_door() -> None:
    doors = {
        # A whole database that is copied or put back is no act, and nobody else is there meanwhile.
        "atomic": {"turns.py", "databases.py"},
        "select_for_update": {"locks.py"},
        "pg_advisory_xact_lock": {"locks.py"},
    }
    found: dict[str, set[str]] = {name: set() for name in doors}
    for path in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in doors:
                found[node.attr].add(path.name)
            if isinstance(node, ast.Constant) and "pg_advisory" in str(node.value):
                found["pg_advisory_xact_lock"].add(path.name)
    assert {name: found[name] - doors[name] for name in doors} == {name: set() for name in doors}
