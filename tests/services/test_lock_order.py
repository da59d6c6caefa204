"""FR-028: whoever holds the history's sequence asks for no other lock, so acts never wait for one another in a ring."""

import pytest
from django.db import connection, transaction

from orchestrator.services import (
    additions,
    bundles,
    decisions,
    duplicates,
    history,
    locks,
    migration,
    needs,
    plans,
    starting,
)
from orchestrator.services.bundles import PlanFile
from orchestrator.services.roll_back import roll_back
from tests.acceptance.versions import GROWN, ONE, next_version
from tests.cast import Driver

NEEDING = b"---\nneeds: card-refunds\n---\n" + ONE.replace(b"Card refunds", b"Other")


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which lock was asked for while the sequence was held in the same transaction, and not held before."""
    wrong: list[str] = []
    mine: list[str] = []

    def noted(name: str, take) -> object:
        def taken(*args: object) -> object:
            if "sequence" in mine and name not in mine:
                wrong.append(name)
            mine.append(name)
            return take(*args)

        return taken

    monkeypatch.setattr(history, "_lock_sequence", noted("sequence", history._lock_sequence))
    for name in ("lock_needs", "lock_names"):
        lock = noted(name, getattr(locks, name))
        for module in (additions, bundles, duplicates, migration, needs, plans, starting):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, lock)
    begin = transaction.Atomic.__enter__

    def entered(atomic: transaction.Atomic) -> None:
        if not connection.savepoint_ids:
            mine.clear()
        begin(atomic)

    monkeypatch.setattr(transaction.Atomic, "__enter__", entered)
    return wrong


@pytest.mark.django_db
def test_fr028_no_act_takes_a_lock_behind_the_sequence(driver: Driver, order: list[str]) -> None:
    driver.start(ONE)
    version = next_version(driver, GROWN)
    approver = driver.cast.actor("approver")
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
    assert order == []
