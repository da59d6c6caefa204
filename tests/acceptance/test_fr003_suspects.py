"""FR-003: who is suspected and why; suggested only, over pages and REST."""

import pytest

from orchestrator.core.terms import ExecutorKind
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db


def plan(title: str, repository: str = "", files: str = "ledger/**") -> bytes:
    front = f"domain: payments\nrepository: {repository}\n" if repository else "domain: payments\n"
    text = PLAN.decode().replace("domain: payments\n", front).replace("Card refunds", title)
    return text.replace("`ledger/**`", f"`{files}`").replace("`gateway/**`", f"`{title}/**`").encode()


@pytest.fixture
def steward(driver: Driver) -> Machine:
    executor = register_executor(
        name="steward", kind=ExecutorKind.PERSON, user=driver.cast.approver, now=NOON
    )
    return Machine.of(executor)


def reasons(driver: Driver, steward: Machine) -> dict[str, list[str]]:
    status, answer = steward.get(f"/api/workstreams/{driver.reload().uuid}/suspects")
    assert status == 200
    return {suspect["title"]: suspect["reasons"] for suspect in answer["suspects"]}


def test_fr003_titles_alike_and_shared_files_are_the_reasons(driver: Driver, steward: Machine) -> None:
    driver.submit(plan("Warehouse robots", "shop", "services/auth/**"))
    driver.submit(plan("Loyalty points", "shop", "elsewhere/**"))
    driver.submit(plan("Gift vouchers", "other", "services/auth/**"))
    driver.submit(plan("Sign-in for staff, again"))
    driver.submit(plan("Again: sign-in for staff", "shop", "services/auth/api/*.py"))
    assert reasons(driver, steward) == {
        "Sign-in for staff, again": ["title 100 % alike"],
        "Warehouse robots": ["both own `services/auth/api/*.py` and `services/auth/**`"],
    }


def test_fr003_documentation_folders_and_plans_without_a_repository_raise_no_suspicion(
    driver: Driver, steward: Machine
) -> None:
    manual = b"###### Thread 01: docs\n- Role: contributor\n- Files: `docs/**`\n"
    for title, files in (("Warehouse robots", "a/**"), ("Loyalty points", "b/**")):
        driver.submit(
            plan(title, "shop", files).replace(b"###### Thread 01: docs\n- Role: contributor\n", manual)
        )
    assert reasons(driver, steward) == {}
    driver.submit(plan("Gift vouchers"))
    driver.submit(plan("Parking permits"))
    assert reasons(driver, steward) == {}


def test_fr003_an_archived_workstream_is_not_suspected(driver: Driver, steward: Machine) -> None:
    first = driver.submit().workstream
    steward.patch(f"/workstreams/{first.uuid}/", {"status": "archived"})
    driver.submit()
    assert reasons(driver, steward) == {}


def test_fr003_a_suspect_after_the_signature_does_not_take_it_back(driver: Driver, steward: Machine) -> None:
    first = driver.start()
    driver.submit()
    address = f"/api/workstreams/{first.uuid}"
    _, answer = steward.get(f"{address}/suspects")
    assert (answer["signed_by"], len(answer["suspects"]), answer["decidable"]) == ("anna", 1, True)
    driver.workstream = first
    driver.do("A1")
    assert driver.task("A1").status == "complete"


def test_fr003_decided_and_signed_over_rest(driver: Driver, steward: Machine) -> None:
    other = driver.submit().workstream
    mine = driver.submit().workstream
    address = f"/api/workstreams/{mine.uuid}"
    status, answer = steward.post(f"{address}/prehandoff", {"rationale": "Looked."})
    assert (status, answer["code"], answer["details"]["suspects"]) == (409, "suspects-open", other.slug)
    body = {"other": str(other.uuid), "outcome": "override", "rationale": "Another currency."}
    status, answer = steward.post(f"{address}/suspects", body, key="decide-1")
    assert (status, answer["suspects"][0]["decision"]["outcome"]) == (200, "override")
    assert steward.post(f"{address}/suspects", body, key="decide-1") == (status, answer)
    status, answer = steward.post(f"{address}/prehandoff", {"rationale": "Looked."})
    assert (status, answer["signed_by"]) == (200, "anna with a token")
    status, answer = steward.post(f"{address}/suspects", body | {"rationale": ""})
    assert (status, answer["code"]) == (422, "reason-missing")
    worker = Machine.of(driver.cast.builder())
    assert worker.post(f"{address}/suspects", body)[0] == 403


def test_fr003_a_person_names_a_suspect_that_nothing_suggested(driver: Driver, steward: Machine) -> None:
    other = driver.submit(plan("Warehouse robots")).workstream
    mine = driver.submit().workstream
    body = {"other": str(other.uuid), "outcome": "link", "rationale": "Both need the new ledger."}
    status, answer = steward.post(f"/api/workstreams/{mine.uuid}/suspects", body)
    assert status == 200
    assert [(s["title"], s["reasons"], s["decision"]["outcome"]) for s in answer["suspects"]] == [
        ("Warehouse robots", [], "link")
    ]
