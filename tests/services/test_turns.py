"""FR-028: threads of one process write in the order of their coming."""

import threading
from contextlib import ExitStack

import pytest
from django.db import connection

from orchestrator.models import Wake
from orchestrator.services.base.turns import Turns, transaction_of_writer
from orchestrator.services.base.unit_of_work import unit_of_work


def come(turns: Turns, name: str, came: list[str], most: float | None = None) -> threading.Thread:
    """Somebody who notes having the turn; started, and so behind whoever was started before."""
    asked = threading.Event()

    def take() -> None:
        asked.set()
        with turns.turn(most):
            came.append(name)

    thread = threading.Thread(target=take)
    thread.start()
    asked.wait()
    thread.join(0.05)
    return thread


def test_fr028_who_came_first_is_first() -> None:
    turns, came = Turns(), list[str]()
    with turns.turn():
        others = [come(turns, name, came) for name in "abcde"]
        assert came == []
    for one in others:
        one.join(10)
    assert came == list("abcde")


def test_fr028_who_waited_long_enough_goes_on_and_takes_no_turn_from_others() -> None:
    turns, came = Turns(), list[str]()
    with ExitStack() as first:
        first.enter_context(turns.turn())
        patient = come(turns, "patient", came)
        come(turns, "in a hurry", came, most=0.01).join(10)
        assert came == ["in a hurry"]
    patient.join(10)
    assert came == ["in a hurry", "patient"]
    come(turns, "late", came).join(10)
    assert came[-1] == "late"


def test_fr028_a_refused_one_gives_its_turn_on() -> None:
    turns, came = Turns(), list[str]()
    with pytest.raises(ZeroDivisionError), turns.turn():
        _ = 1 / 0
    come(turns, "next", came).join(10)
    assert came == ["next"]


@pytest.mark.django_db(transaction=True)
def test_fr028_a_part_of_an_act_waits_for_no_turn_of_its_own() -> None:
    with unit_of_work(), unit_of_work(), transaction_of_writer():
        assert connection.in_atomic_block
        assert not Wake.objects.exists()
    assert not connection.in_atomic_block
