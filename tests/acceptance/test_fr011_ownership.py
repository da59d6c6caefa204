"""FR-011: every step and item has a responsible role and an owner.

Ownership passes on with reason and time.
"""

import pytest

from orchestrator.models import HistoryEntry, OwnershipTransfer
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words


@pytest.fixture
def machine(driver: Driver) -> Machine:
    driver.start()
    return Machine.of(driver.cast.builder())


def test_fr011_a_task_has_a_role_and_an_owner_with_a_log(driver: Driver, machine: Machine) -> None:
    address = f"/api/tasks/{driver.task('A1').pk}/owner"
    assert machine.get(address) == (200, {"role": "contributor", "owner": "", "transfers": []})
    machine.post(address, {"to": "rita", "reason": "She knows the ledger."})
    status, answer = machine.post(address, {"to": "anna", "reason": "Rita is away."})
    assert (status, answer["owner"]) == (200, "anna")
    assert [(t["from_owner"], t["to_owner"], t["reason"]) for t in answer["transfers"]] == [
        ("rita", "anna", "Rita is away."),
        ("", "rita", "She knows the ledger."),
    ]
    said = words(signed_in(driver.cast.observer).get(f"/workstreams/{driver.reload().uuid}/tasks/A1/"))
    for part in (
        "Responsible role contributor",
        "Owner anna",
        "from rita to anna: Rita is away. by builder-1 (agent of carl)",
    ):
        assert part in said
    entries = HistoryEntry.objects.filter(action="ownership transferred").order_by("sequence")
    assert [(e.subject, e.reason) for e in entries] == [
        ("A1", "She knows the ledger."),
        ("A1", "Rita is away."),
    ]


def test_fr011_a_workstream_passes_on_from_its_page(driver: Driver, machine: Machine) -> None:
    workstream = driver.reload()
    person = signed_in(driver.cast.reviewer)
    act = f"/workstreams/{workstream.uuid}/acts/own"
    assert person.post(act, {"to": "rita", "reason": ""}).status_code == 422
    done = person.post(act, {"to": "rita", "reason": "Ines has left."}, follow=True)
    assert "from ines to rita: Ines has left. by rita" in words(done)
    assert driver.reload().owner == driver.cast.reviewer
    status, answer = machine.get(f"/api/workstreams/{workstream.uuid}/owner")
    assert (status, answer["owner"], len(answer["transfers"])) == (200, "rita", 1)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"to": "nobody", "reason": "Why not."}, 422, "invalid-input"),
        ({"to": "", "reason": "Why not."}, 422, "invalid-input"),
        ({"to": "rita"}, 422, "reason-missing"),
        ({"to": "ines", "reason": "Hers."}, 409, "wrong-state"),
        ({"to": "ri\x00ta", "reason": "Hers."}, 422, "invalid-input"),
    ],
)
def test_fr011_a_transfer_that_does_not_apply_changes_nothing(
    driver: Driver, machine: Machine, body: dict[str, str], status: int, code: str
) -> None:
    refused = machine.post(f"/api/workstreams/{driver.reload().uuid}/owner", body)
    assert (refused[0], refused[1]["code"]) == (status, code)
    assert not OwnershipTransfer.objects.exists()
    assert driver.reload().owner == driver.cast.initiator


def test_fr011_an_observer_passes_nothing_on(driver: Driver, machine: Machine) -> None:
    page = signed_in(driver.cast.observer).post(
        f"/workstreams/{driver.reload().uuid}/tasks/A1/own", {"to": "rita", "reason": "So."}
    )
    assert page.status_code == 403
    assert not OwnershipTransfer.objects.exists()


def test_fr011_a_person_who_claims_an_unowned_task_owns_it(driver: Driver, machine: Machine) -> None:
    person, uuid = signed_in(driver.cast.contributor), driver.reload().uuid
    machine.post(f"/api/tasks/{driver.task('B1').pk}/owner", {"to": "rita", "reason": "She knows it."})
    person.post(f"/workstreams/{uuid}/tasks/A1/claim", {"attempt": driver.attempt("A1").pk})
    assert driver.task("A1").owner == driver.cast.contributor
    assert OwnershipTransfer.objects.get(task=driver.task("A1")).reason == "Claimed it while nobody owned it."
    machine.post(f"/api/attempts/{driver.attempt('B1').pk}/claim")
    assert driver.task("B1").owner == driver.cast.reviewer


def test_fr011_an_agents_claim_makes_no_owner(driver: Driver, machine: Machine) -> None:
    assert machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")[0] == 200
    assert driver.task("A1").owner is None
    assert not OwnershipTransfer.objects.exists()
