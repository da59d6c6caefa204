"""A unit of work writes a shared row once, at its end, and takes back what a refused part of it changed."""

import pytest

from orchestrator.core.errors import WrongState
from orchestrator.core.terms import TaskStatus
from orchestrator.services.base.locks import locked_task, locked_workstream
from orchestrator.services.base.progress import settle
from orchestrator.services.base.unit_of_work import unit_of_work
from tests.cast import Driver
from tests.services.statements import statements


def block(driver: Driver, key: str) -> None:
    task = locked_task(driver.task(key).pk)
    task.status = TaskStatus.BLOCKED
    settle(task, driver.tick())


def test_a_row_that_many_parts_change_is_written_once(driver: Driver) -> None:
    workstream = driver.start()
    with statements() as seen, unit_of_work():
        block(driver, "A1")
        block(driver, "B1")
    written = [statement for statement in seen if statement.startswith('UPDATE "orchestrator_workstream"')]
    assert len(written) == 1, str(seen)
    assert driver.reload().blocked_tasks == workstream.blocked_tasks + 2


def test_every_part_holds_the_same_object(driver: Driver) -> None:
    pk = driver.start().pk
    with unit_of_work():
        assert locked_workstream(pk) is locked_workstream(pk) is locked_task(driver.task("A1").pk).workstream


def test_what_a_refused_part_changed_is_taken_back(driver: Driver) -> None:
    workstream = driver.start()

    def refused() -> None:
        with unit_of_work():
            block(driver, "B1")
            raise WrongState("Not this one.")

    with unit_of_work():
        block(driver, "A1")
        with pytest.raises(WrongState):
            refused()
    assert driver.reload().blocked_tasks == workstream.blocked_tasks + 1
    assert driver.task("B1").status == TaskStatus.PENDING


def test_a_refused_part_that_took_the_lock_leaves_nothing_behind(driver: Driver) -> None:
    workstream = driver.start()

    def refused() -> None:
        with unit_of_work():
            block(driver, "B1")
            raise WrongState("Not this one.")

    with unit_of_work():
        with pytest.raises(WrongState):
            refused()
        block(driver, "A1")
    assert driver.reload().blocked_tasks == workstream.blocked_tasks + 1
