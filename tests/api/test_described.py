"""Whatever the description allows is answered as it says: no server error, no other status or shape."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import Phase, given, settings

from orchestrator.api.root import api
from tests.api.described import Known, check, operations, requests_of, world
from tests.cast import Driver
from tests.machines import Machine

#: The same areas as `operations()` has, without making the whole description when tests are collected.
AREAS = sorted({router.tags[0] for _, router in api._routers if router.tags})
#: Examples of an operation in `make test`, where they are the same ones every day, and in `make nightly`.
SHORT, LONG = 4, 100


@pytest.mark.django_db
@pytest.mark.parametrize("area", AREAS)
def test_fr025_every_answer_is_described(driver: Driver, area: str) -> None:
    assert succeeded(area, driver, SHORT) > 0, "and some requests of each area do something"


@pytest.mark.nightly
@pytest.mark.django_db
@pytest.mark.parametrize("area", AREAS)
def test_fr025_every_answer_is_described_at_length(driver: Driver, area: str) -> None:
    succeeded(area, driver, LONG)


def succeeded(area: str, driver: Driver, examples: int) -> int:
    """How many of the requests were not refused; fails with the first answer that is not described."""
    assert sorted(operations()) == AREAS
    machine, known = world(driver)
    statuses: Counter[int] = Counter()
    for operation in operations()[area]:
        trial(operation, machine, known, examples, statuses)()
    return sum(times for status, times in statuses.items() if status < 300)


def trial(
    operation: object, machine: Machine, known: Known, examples: int, statuses: Counter[int]
) -> Callable[[], None]:
    @settings(max_examples=examples, database=None, phases=[Phase.generate])
    @given(requests_of(operation, known))
    def answered_as_described(case: object) -> None:
        statuses[check(case, machine)] += 1

    return answered_as_described
