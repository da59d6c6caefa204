"""FR-003: deciding about hundreds of suspects asks as much as deciding about a few."""

import io

import pytest
from django.core.management import call_command
from django_q.models import OrmQ

from orchestrator.core.errors import AlreadyDecided
from orchestrator.core.terms import DuplicateOutcome
from orchestrator.models import DuplicateDecision, HistoryEntry, Wake, Workstream
from orchestrator.services.workstreams.duplicates import decide_duplicate, decide_duplicates
from tests.cast import Driver
from tests.services.statements import Statements, statements
from tests.web.rows import workstream

#: The locks of all, whether work was begun, decisions read and written, the ends of the chains, the entries.
#: What is not counted begins and ends the transaction.
A_HUNDRED = 7
#: SQLite takes the two hundred entries in four statements instead of one.
ROWS_APART = 3


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


def test_fr003_a_hundred_decisions_cost_as_many_statements_as_three(driver: Driver) -> None:
    few, many = decided(driver, others(driver, 3)), decided(driver, others(driver, 100))
    assert len(few) <= A_HUNDRED + 1, f"\n{few}"
    assert len(many) <= len(few) + ROWS_APART, f"\n{many}"


def test_fr003_what_is_decided_together_is_in_the_history_of_each_and_proved(driver: Driver) -> None:
    suspects = []
    for _ in range(3):
        suspects.append(driver.workstream.pk)
        driver.submit()
    decided(driver, suspects)
    for pk in suspects:
        entry = HistoryEntry.objects.get(workstream=pk, action="named as duplicate")
        assert (entry.subject, entry.reason) == (driver.workstream.slug, "Other staff.")
    mine = HistoryEntry.objects.filter(workstream=driver.workstream, action="duplicate decided")
    assert mine.count() == 3
    call_command("verify_history", "--no-workspace", stdout=io.StringIO())
    DuplicateDecision.objects.filter(other=suspects[1]).update(rationale="Another one.")
    with pytest.raises(SystemExit):
        call_command("verify_history", "--no-workspace", stdout=(said := io.StringIO()))
    assert "decision about a duplicate" in said.getvalue()


def test_fr003_who_was_decided_about_before_keeps_that_decision(driver: Driver) -> None:
    """From another tab, or by somebody else meanwhile: nothing is decided twice."""
    suspects = others(driver, 5)
    decided(driver, suspects[:2], "link")
    entries = HistoryEntry.objects.count()
    made, kept = decide_duplicates(
        workstream_id=driver.workstream.pk,
        others=suspects,
        outcome="override",
        rationale="Other staff.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    assert [one.other_id for one in made] == suspects[2:]
    assert [(one.other_id, one.outcome) for one in kept] == [(pk, "link") for pk in suspects[:2]]
    assert HistoryEntry.objects.count() == entries + 6
    with pytest.raises(AlreadyDecided, match="All 5 are decided already, last by rita"):
        decided(driver, suspects)
    assert DuplicateDecision.objects.filter(outcome="link").count() == 2


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
