"""Whatever the description allows or forbids is answered as it says: no server error, no other status or
shape (FR-025).

Every operation is asked in the three ways of `Requests`: a few times each in `make test`, the same ones every
day, and at length in `make nightly`.
"""

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from schemathesis.core.failures import FailureGroup

from orchestrator.api import policies
from orchestrator.api.root import api
from tests.api.described import Known, Requests, document, operations, operations_in, trial, world
from tests.cast import Driver
from tests.machines import Machine

#: The same areas as `operations()` has, without making the whole description when tests are collected.
AREAS = sorted({router.tags[0] for _, router in api._routers if router.tags})
#: About how many requests of each kind an operation gets; examples are as many as there are.
SHORT: Mapping[Requests, int] = {Requests.EXAMPLES: 1, Requests.COVERAGE: 4, Requests.FUZZING: 3}
LONG: Mapping[Requests, int] = {Requests.EXAMPLES: 1, Requests.COVERAGE: 1000, Requests.FUZZING: 100}


@pytest.mark.django_db
@pytest.mark.parametrize("area", AREAS)
def test_fr025_every_answer_is_described(driver: Driver, area: str) -> None:
    answered = answers(area, driver, SHORT)
    assert any(status < 300 for status in answered), "some requests of each area do something"


@pytest.mark.nightly
@pytest.mark.django_db
@pytest.mark.parametrize("area", AREAS)
def test_fr025_every_answer_is_described_at_length(driver: Driver, area: str) -> None:
    answers(area, driver, LONG)


def answers(area: str, driver: Driver, most: Mapping[Requests, int]) -> Counter[int]:
    """How often each status was answered; fails with the first answer that is not described."""
    assert sorted(operations()) == AREAS
    machine, known = world(driver)
    statuses: Counter[int] = Counter()
    for operation in operations()[area]:
        for made, count in most.items():
            given = trial(made, operation, machine, known, count)
            assert given, f"no request was made of {made} for {operation.label}"
            statuses.update(given)
    return statuses


@pytest.fixture
def called(driver: Driver) -> tuple[Machine, Known]:
    return world(driver)


def tried(description: dict[str, Any], made: Requests, called: tuple[Machine, Known]) -> None:
    machine, known = called
    for operation in operations_in(description)["policies"]:
        trial(made, operation, machine, known, SHORT[made])


@pytest.mark.django_db
@pytest.mark.parametrize("made", Requests)
def test_fr025_an_answer_without_a_member_that_is_described_is_found(
    called: tuple[Machine, Known], made: Requests
) -> None:
    described = deepcopy(document())
    answered = described["components"]["schemas"]["PolicyFacts"]
    answered["required"].append("never_there")
    with pytest.raises(FailureGroup, match="never_there"):
        tried(described, made, called)


@pytest.mark.django_db
@pytest.mark.parametrize("made", Requests)
def test_fr025_a_status_that_is_not_described_is_found(called: tuple[Machine, Known], made: Requests) -> None:
    described = deepcopy(document())
    for methods in described["paths"].values():
        for operation in methods.values():
            operation["responses"] = {"418": {"description": "A teapot."}}
    with pytest.raises(FailureGroup, match="418"):
        tried(described, made, called)


@pytest.mark.django_db
@pytest.mark.parametrize("made", Requests)
def test_fr025_a_server_error_is_found(
    called: tuple[Machine, Known], made: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("This is broken.")

    monkeypatch.setattr(policies, "checks", broken)
    with pytest.raises(FailureGroup, match="Server error"):
        tried(document(), made, called)
