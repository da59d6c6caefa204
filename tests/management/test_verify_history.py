"""FR-009, F23: `manage.py verify_history` names what the tables say otherwise than history."""

import io

import pytest
from django.core.management import call_command

from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt, Task
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.work.rework import send_back
from orchestrator.services.workstreams.workstreams import archive_workstream


def verified(*options: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("verify_history", *options, stdout=out)
    except SystemExit as left:
        return int(str(left.code)), out.getvalue()
    return 0, out.getvalue()


def test_fr009_the_tables_of_a_finished_workstream_are_what_history_says(driver):
    driver.start()
    driver.claim("A1")
    driver.fail("A1", "It broke.")
    assert verified() == (0, verified()[1])
    assert "1 workstreams: the tables say what history says." in verified()[1]


def test_f23_tables_of_an_older_backup_are_named_task_by_task(driver):
    driver.start()
    driver.do("A1")
    task = driver.task("A1")
    Attempt.objects.filter(task=task).update(status=AttemptStatus.CANCELLED)
    Task.objects.filter(pk=task.pk).update(status=TaskStatus.PENDING, last_token=0)
    code, said = verified()
    assert code == 1
    assert "card-refunds: A1: status is 'pending' in the tables, 'complete' by history." in said
    assert "A1: token is 0 in the tables, 1 by history." in said
    assert "A1: attempts is {1: 'cancelled'} in the tables, {1: 'completed'} by history." in said
    assert "older backup" in said
    assert "entries, all in order and unchanged" in said, "the chain itself is whole"


def test_fr009_an_action_that_replay_does_not_know_is_named(driver):
    workstream = driver.start()
    with unit_of_work():
        record(
            workstream=workstream,
            actor=Actor("somebody"),
            action="moon landed",
            subject="eagle",
            now=driver.tick(),
        )
    code, said = verified()
    assert code == 1
    assert "(moon landed: eagle): this release does not know the action" in said


@pytest.mark.parametrize("act", ["archive", "send back"])
def test_fr009_cancelled_attempts_are_rebuilt(driver, act):

    driver.start()
    driver.do("A1")
    if act == "archive":
        archive_workstream(
            workstream_id=driver.workstream.pk,
            reason="Dropped.",
            actor=driver.cast.actor("approver"),
            now=driver.tick(),
        )
    else:
        send_back(
            task_id=driver.task("A1").pk,
            reason="Wrong.",
            actor=driver.cast.actor("reviewer"),
            now=driver.tick(),
        )
    assert Attempt.objects.filter(status=AttemptStatus.CANCELLED).exists()
    assert verified()[0] == 0
