"""FR-012: blockers are declared, owned, passed on and resolved, and say what they cost."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine

from orchestrator.core.terms import TaskStatus
from orchestrator.models import Blocker, HistoryEntry
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.services.statements import statements
from tests.web.pages import signed_in, words

TIMED = PLAN.replace(
    b"  - Exit: report shows refunds", b"  - Exit: report shows refunds\n  - Estimate: 90m"
).replace(b"  - Exit: end-to-end test passes", b"  - Exit: end-to-end test passes\n  - Estimate: 30m")


@pytest.fixture
def machine(driver: Driver) -> Machine:
    driver.start(TIMED)
    return Machine.of(driver.cast.builder())


def declare(machine: Machine, driver: Driver, key: str = "A1", **more: str) -> tuple[int, dict]:
    body = {"kind": "external", "note": "The vendor key is missing."} | more
    return machine.post(f"/api/tasks/{driver.task(key).pk}/blockers", body)


def test_fr012_a_launched_step_is_explained_by_its_blocker(driver: Driver, machine: Machine) -> None:
    declare(machine, driver)
    explanation = machine.get(f"/api/tasks/{driver.task('A1').pk}/")[1]["task"]["explanation"]
    assert explanation["reason"] == "blocker"
    assert explanation["sentence"].startswith("blocked")


def test_fr012_the_critical_path_is_that_of_what_is_left(driver: Driver) -> None:
    """B1 is on no long way before, and on the only one that is left once A1 and A2 are done."""
    driver.start(TIMED)
    machine = Machine.of(driver.cast.builder())
    status, blocker = declare(machine, driver, "B1")
    assert (status, blocker["impact"]["on_critical_path"]) == (200, False)
    driver.do("A1")
    driver.do("A2")
    page = words(signed_in(driver.cast.contributor).get("/blockers/"))
    assert "open tasks: MP1, C1, D1; about 30 minutes of estimated work; on the critical path" in page


def test_fr012_a_blocker_names_what_waits_behind_it(driver: Driver, machine: Machine) -> None:
    status, blocker = declare(machine, driver)
    assert status == 200
    assert (blocker["kind"], blocker["owner"], blocker["declared_by"]) == (
        "external",
        "carl",
        "builder-1 (agent of carl)",
    )
    assert blocker["impact"]["delayed"] == ["A2", "MP1", "C1", "D1"]
    assert blocker["impact"]["estimated_minutes"] == 120
    assert blocker["impact"]["on_critical_path"] is True
    assert driver.task("A1").status == TaskStatus.BLOCKED
    assert declare(machine, driver, "B1")[1]["impact"] == {
        "delayed": ["MP1", "C1", "D1"],
        "estimated_minutes": 30,
        "on_critical_path": False,
    }
    person, uuid = signed_in(driver.cast.contributor), driver.reload().uuid
    said = "4 open tasks: A2, MP1, C1, D1; about 2 hours of estimated work; on the critical path"
    for address in ("/blockers/", f"/workstreams/{uuid}/", f"/workstreams/{uuid}/tasks/A1/"):
        assert said in words(person.get(address)), address


def test_fr012_somebody_else_may_own_it_and_pass_it_on(driver: Driver, machine: Machine) -> None:
    assert declare(machine, driver, owner="nobody")[1]["details"]["field"] == "owner"
    assert declare(machine, driver, kind="bad luck")[0] == 422
    assert declare(machine, driver, note=" ")[0] == 422
    assert not Blocker.objects.exists()
    blocker = declare(machine, driver, owner="rita")[1]
    assert blocker["owner"] == "rita"
    place = f"/api/blockers/{blocker['id']}"
    assert machine.post(f"{place}/owner", {"to": "anna", "reason": ""})[0] == 422
    assert machine.post(f"{place}/owner", {"to": "rita", "reason": "Hers."})[0] == 409
    assert machine.post(f"{place}/owner", {"to": "anna", "reason": "Rita is away."})[1]["owner"] == "anna"
    entry = HistoryEntry.objects.get(action="ownership transferred")
    assert (entry.subject, entry.reason) == ("A1", "Rita is away.")
    person, uuid = signed_in(driver.cast.contributor), driver.reload().uuid
    act = f"/workstreams/{uuid}/tasks/A1/pass-blocker"
    done = person.post(act, {"blocker": blocker["id"], "to": "carl", "reason": "I call them."}, follow=True)
    assert "carl sees to it" in words(done)


def test_fr012_resolving_it_says_how_and_lets_work_go_on(driver: Driver, machine: Machine) -> None:
    blocker = declare(machine, driver)[1]
    assert machine.post(f"/api/blockers/{blocker['id']}/resolve", {"resolution": " "})[0] == 422
    status, resolved = machine.post(f"/api/blockers/{blocker['id']}/resolve", {"resolution": "The key came."})
    assert (status, resolved["resolution"], resolved["impact"]) == (200, "The key came.", None)
    assert machine.post(f"/api/blockers/{blocker['id']}/resolve", {"resolution": "Twice."})[0] == 409
    assert machine.post("/api/blockers/999999/resolve", {"resolution": "What?"})[0] == 404
    assert machine.get("/api/blockers/")[1]["count"] == 0
    assert (
        machine.get("/api/blockers/?state=resolved")[1]["items"][0]["resolved_by"]
        == "builder-1 (agent of carl)"
    )
    driver.do("A1")
    assert driver.task("A1").status == TaskStatus.COMPLETE


def test_fr012_the_list_is_filtered_and_exported(driver: Driver, machine: Machine) -> None:
    declare(machine, driver, note="=cmd|' /C calc'!A0")
    other = declare(machine, driver, "B1", kind="decision", owner="rita")[1]
    machine.post(f"/api/blockers/{other['id']}/resolve", {"resolution": "Decided."})
    person = signed_in(driver.cast.observer)

    def rows(query: str) -> list[str]:
        file = b"".join(person.get(f"/blockers/?format=csv&{query}").streaming_content).decode("utf-8-sig")
        return [row["task"] for row in csv.DictReader(io.StringIO(file))]

    assert rows("") == ["A1"]
    assert rows("state=resolved") == ["B1"]
    assert rows("state=all") == ["A1", "B1"]
    assert rows("state=all&owner=rita") == ["B1"]
    assert rows("state=all&kind=external") == ["A1"]
    assert person.get("/blockers/?format=csv&state=nonsense&kind=nonsense").status_code == 422
    assert machine.get("/api/blockers/?state=all&kind=decision")[1]["count"] == 1
    assert machine.get("/api/blockers/?state=broken")[0] == 422
    file = b"".join(person.get("/blockers/?format=csv").streaming_content).decode("utf-8-sig")
    assert "'=cmd" in file
    assert "No blocker matches" in words(person.get("/blockers/?owner=otto"))


def test_fr012_blocked_time_counts_overlaps_once(driver: Driver, machine: Machine) -> None:
    """Two hours on A1; on B1 one of the same hours and one more: three in all."""
    now = driver.now
    ids = {}
    for hour, act, key in (
        (0, "declare", "A1"),
        (1, "declare", "B1"),
        (2, "resolve", "A1"),
        (3, "resolve", "B1"),
    ):
        with time_machine.travel(now + timedelta(hours=hour), tick=False):
            if act == "declare":
                ids[key] = declare(machine, driver, key)[1]["id"]
            else:
                assert machine.post(f"/api/blockers/{ids[key]}/resolve", {"resolution": "Gone."})[0] == 200
    person, uuid = signed_in(driver.cast.observer), driver.reload().uuid
    listed = machine.get(f"/api/blockers/?state=all&workstream={uuid}")[1]
    assert (listed["count"], listed["blocked_seconds"]) == (2, 3 * 3600)
    assert "Work here was blocked for 3 hours in all." in words(person.get(f"/workstreams/{uuid}/"))
    for key in ("A1", "B1"):
        assert "Blocked for 2 hours in all." in words(person.get(f"/workstreams/{uuid}/tasks/{key}/"))


def test_fr012_the_list_asks_a_fixed_number_of_statements(driver: Driver, machine: Machine) -> None:
    """Blockers in many workstreams were once a snapshot each: 258 statements for a page of fifty."""
    declare(machine, driver)
    page = signed_in(driver.cast.contributor)

    def asked() -> int:
        page.get("/blockers/")
        with statements() as seen:
            page.get("/blockers/")
        return len(seen)

    one = asked()
    for _ in range(2):
        driver.start(TIMED)
        declare(machine, driver)
        declare(machine, driver, "B1")
    assert asked() == one
