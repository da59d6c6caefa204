"""At most one message waits for a workstream, so workstreams take turns (DC-6)."""

import pytest
from django.db import transaction
from django_q.models import OrmQ

from orchestrator.models import Wake, Workstream
from orchestrator.processes import tasks
from orchestrator.services.base import wake
from tests.machines import Machine

pytestmark = pytest.mark.django_db(transaction=True)


def waiting() -> list[tuple[int, ...]]:
    return [message.task["args"] for message in OrmQ.objects.order_by("pk") if "advance" in message.func()]


def empty_the_queue() -> None:
    OrmQ.objects.all().delete()
    Wake.objects.update(waits=False)


def test_dc6_many_acts_before_the_queue_comes_to_it_leave_one_message(driver, cast):
    """Over REST, as agents do it: 388 messages once made an unrelated plan wait for a minute and a half."""
    workstream = driver.start()
    empty_the_queue()
    machine, task = Machine.of(cast.builder()), driver.task("A1").pk
    for number in range(10):
        flag = {"needs_human": True, "intervention_note": f"Question {number}?"}
        assert machine.patch(f"/tasks/{task}/", flag)[0] == 200
        assert machine.patch(f"/tasks/{task}/", {"needs_human": False, "answer": "Yes."})[0] == 200
    assert waiting() == [(workstream.pk,)]


def test_an_unrelated_plan_waits_behind_one_message_a_workstream(driver):
    busy, other = driver.start(), driver.start()
    empty_the_queue()
    for _ in range(50):
        wake.send(busy.pk)
    wake.send(other.pk)
    assert waiting() == [(busy.pk,), (other.pk,)]


def test_an_act_after_the_queue_began_has_a_message_of_its_own(driver, monkeypatch):
    """What the act changed may have been read already."""
    workstream = driver.start()
    empty_the_queue()
    wake.send(workstream.pk)
    monkeypatch.setattr(tasks.service, "advance", lambda **_: wake.send(workstream.pk))
    tasks.advance(workstream.pk)
    assert waiting() == [(workstream.pk,), (workstream.pk,)]


def test_an_act_that_is_rolled_back_sends_nothing(driver):
    workstream = driver.start()
    empty_the_queue()
    with transaction.atomic():
        wake.wake(workstream.pk)
        transaction.set_rollback(True)
    assert waiting() == []


def test_f12_the_sweep_wakes_what_an_emptied_queue_left_marked(driver):
    workstream = driver.start()
    wake.send(workstream.pk)
    OrmQ.objects.all().delete()
    tasks.sweep()
    wake.send(workstream.pk)
    assert waiting() == [(workstream.pk,)]


def test_a_long_sweep_goes_on_behind_the_messages_that_came_meanwhile(driver, monkeypatch):
    started = [driver.start().pk for _ in range(3)]
    OrmQ.objects.all().delete()
    seen: list[int] = []
    monkeypatch.setattr(tasks, "SLICE", 0.0)
    monkeypatch.setattr(tasks.service, "advance", lambda *, workstream_id, **_: seen.append(workstream_id))
    assert tasks.sweep("word") == 1
    while message := OrmQ.objects.order_by("pk").first():
        message.delete()
        tasks.sweep(*message.args())
    assert seen == sorted(started) == sorted(Workstream.objects.values_list("pk", flat=True))
