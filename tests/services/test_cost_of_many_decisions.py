"""FR-003: deciding about hundreds of suspects asks the same few things about each."""

import pytest
from django_q.models import OrmQ

from orchestrator.core.terms import DuplicateOutcome
from orchestrator.models import DuplicateDecision, Wake, Workstream
from orchestrator.services.workstreams.duplicates import decide_duplicate, decide_duplicates
from tests.cast import Driver
from tests.services.statements import Statements, statements
from tests.web.rows import workstream

#: The locks of both, whether work was begun, the decision read and written, the ends of three chains, two
#: entries. What is not counted begins and ends the transaction.
EACH = 7


@pytest.fixture
def driver(driver: Driver) -> Driver:
    driver.submit()
    return driver


def others(driver: Driver, count: int) -> list[int]:
    found = (workstream(driver.cast.initiator, driver.now, title=f"Other {n}") for n in range(count))
    return [one.pk for one in found]


def decided(driver: Driver, suspects: list[int], outcome: str = "override") -> Statements:
    actor = driver.cast.actor("approver")
    with statements() as seen:
        decide_duplicates(
            workstream_id=driver.workstream.pk,
            others=suspects,
            outcome=outcome,
            rationale="Other staff.",
            actor=actor,
            now=driver.tick(),
        )
    return seen


def test_fr003_each_decision_of_many_costs_the_same_few_statements(driver: Driver) -> None:
    few, many = decided(driver, others(driver, 3)), decided(driver, others(driver, 23))
    assert len(many) - len(few) == 20 * EACH, f"\n{many}"
    assert len(few) <= 3 * EACH + 2, f"\n{few}"


@pytest.mark.parametrize("outcome", ["link", "override"])
def test_fr003_what_lets_both_go_on_wakes_nobody(driver: Driver, outcome: str) -> None:
    suspects = others(driver, 3)
    Wake.objects.all().delete()
    OrmQ.objects.all().delete()
    decided(driver, suspects, outcome)
    assert not OrmQ.objects.exists()
    assert DuplicateDecision.objects.filter(outcome=outcome).count() == 3


@pytest.mark.parametrize("outcome", [DuplicateOutcome.MERGE, DuplicateOutcome.CLOSE])
def test_fr003_what_ends_one_of_them_wakes_both(driver: Driver, outcome: DuplicateOutcome) -> None:
    pair: list[Workstream] = [driver.workstream, Workstream.objects.get(pk=others(driver, 1)[0])]
    Wake.objects.all().delete()
    decide_duplicate(
        workstream_id=pair[0].pk,
        other_id=pair[1].pk,
        outcome=outcome,
        rationale="The same.",
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    assert set(Wake.objects.filter(waits=True).values_list("workstream_id", flat=True)) == {
        one.pk for one in pair
    }
