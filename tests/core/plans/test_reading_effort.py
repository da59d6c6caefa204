"""What reading costs, counted in calls of functions: the load of a machine changes nothing about it."""

from cProfile import Profile
from typing import Final

import pytest

from orchestrator.core.plans.checks.read import read
from tests.benchmarks.reading import FORMATS

FEW: Final = 100
#: Our own forms are made of whole stages of a thousand steps.
FEWEST: Final = {"plan": 1000, "plan-file": 1000}
#: Calls that one more task may cost. A reader that gets cheaper lowers its number; one that gets dearer has a
#: reason, or goes over its lines once too often.
MOST_CALLS: Final = {
    "plan": 320,
    "plan-file": 490,
    "spec-kit": 400,
    "task-master": 420,
    "beads": 450,
    "backlog": 430,
    "bundle-ws": 230,
    "tasks": 490,
    "tasks-md": 280,
    "folder": 710,
    "superpowers": 900,
    "openspec": 410,
    "kiro": 470,
    "conductor": 660,
    "plan-mode": 600,
    "get-shit-done": 510,
    "spec-kitty": 440,
    "to-do": 380,
    "yaml": 680,
    "list: boxes": 320,
    "list: numbered": 520,
    "list: a table": 400,
    "list: a heading a task": 700,
}
#: Twice as many tasks may take so many times the calls.
MOST_GROWTH: Final = 2.3


def calls_of(text: str) -> int:
    profile = Profile()
    profile.enable()
    reading = read(text, frozenset({"pytest"}))
    profile.disable()
    assert reading.plan is not None
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("name", FORMATS)
def test_one_more_task_costs_no_more_than_it_did_and_no_reader_grows_faster_than_its_text(name: str) -> None:
    count = FEWEST.get(name, FEW)
    few, many = FORMATS[name](count), FORMATS[name](2 * count)
    read(few, frozenset())  # What stays known between two readings, such as the words of a label.
    small, large = calls_of(few), calls_of(many)
    assert (large - small) / count <= MOST_CALLS[name]
    assert large / small <= MOST_GROWTH
