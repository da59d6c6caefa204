"""WF-3: an agent that writes plans reads why one came back, and answers."""

import pytest

from orchestrator.core.terms import ExecutorKind
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db
LINE = PLAN.decode().splitlines().index("- B1: Gateway call") + 1


def machine(driver: Driver, who: str) -> Machine:
    user = getattr(driver.cast, who)
    return Machine.of(register_executor(name=f"{who}-agent", kind=ExecutorKind.PERSON, user=user, now=NOON))


def test_wf3_a_plan_that_came_back_says_why_on_its_lines(driver: Driver) -> None:
    version = driver.submit().version
    here = f"/api/workflows/{version.workflow.slug}/versions/1"
    rita, ines = machine(driver, "reviewer"), machine(driver, "initiator")
    status, drafted = rita.post(f"{here}/discussions", {"line": LINE, "body": "Which gateway?"})
    assert (status, drafted[0]["comments"][0]["draft"]) == (201, True)
    assert ines.get(f"{here}/discussions") == (200, [])
    assert rita.post(f"{here}/send-back", {"sha256": version.source_sha256, "reason": "See line."})[0] == 200
    status, (discussion,) = ines.get(f"{here}/discussions")
    assert (discussion["line"], discussion["text"], discussion["place"]) == (
        LINE,
        "- B1: Gateway call",
        f"line {LINE}",
    )
    answer = {"body": "The new one.", "send": True}
    assert ines.post(f"/api/discussions/{discussion['id']}/reply", answer)[0] == 200
    status, (discussion,) = rita.post(f"/api/discussions/{discussion['id']}/resolve")
    assert (status, discussion["resolved_by"], len(discussion["comments"])) == (200, "rita with a token", 2)
    assert rita.post(f"/api/discussions/{discussion['id']}/resolve")[0] == 409
    status, (discussion,) = rita.post(f"/api/discussions/{discussion['id']}/reopen")
    assert (status, discussion["resolved_by"]) == (200, "")


def test_wf3_a_draft_of_somebody_else_is_not_there(driver: Driver) -> None:
    here = f"/api/workflows/{driver.submit().version.workflow.slug}/versions/1/discussions"
    rita, ines = machine(driver, "reviewer"), machine(driver, "initiator")
    drafted = rita.post(here, {"step": "A1", "body": "Hm"})[1][0]["id"]
    assert ines.post(f"/api/discussions/{drafted}/reply", {"body": "What?"})[0] == 404
    assert ines.post(f"{here}/send")[0] == 409
    assert rita.post(here, {"line": 99_999, "body": "Hm"})[0] == 422
