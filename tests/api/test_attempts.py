"""FR-027 over REST: from the claim to the artifact, with the fencing token; failure and re-queue."""

import base64

import pytest

from orchestrator.models import HistoryEntry
from tests.cast import Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db


def claim(driver: Driver, machine: Machine, key: str) -> tuple[str, int, dict[str, str]]:
    """The attempt's address, its token, and evidence for every exit criterion."""
    address = f"/api/attempts/{driver.attempt(key).pk}"
    status, claimed = machine.post(f"{address}/claim")
    assert status == 200
    evidence = {str(c["id"]): "seen it pass" for c in claimed["criteria"] if c["kind"] == "exit"}
    return address, claimed["token"], evidence


def test_a_step_is_done_over_rest(driver: Driver, machine: Machine) -> None:
    address, token, evidence = claim(driver, machine, "A1")
    assert driver.task("A1").status == "active"
    status, reported = machine.post(f"{address}/report", {"token": token, "breadcrumb": "Wrote the table."})
    assert (status, reported["breadcrumb"], driver.task("A1").breadcrumb) == (200,) + (
        "Wrote the table.",
    ) * 2
    picture = base64.b64encode(b"\x89PNG\x00").decode()
    body = {
        "token": token,
        "outcome": "Ledger entries exist.",
        "evidence": evidence,
        "outputs": {"notes.md": "# Notes\n", "shot.png": {"base64": picture}},
        "commit": "a" * 40,
    }
    status, done = machine.post(f"{address}/complete", body)
    assert (status, done["status"], done["outcome"]) == (200, "completed", "Ledger entries exist.")
    assert driver.task("A1").status == "complete"
    assert HistoryEntry.objects.get(action="attempt completed").reason == "Ledger entries exist."

    driver.advance()
    brief = machine.get(f"/api/tasks/{driver.task('A2').pk}/")[1]
    [upstream] = brief["upstream"]
    assert (upstream["step"], upstream["event"], upstream["state"]) == (
        "A1",
        "attempt-completed",
        "committed",
    )
    assert [output["path"].rsplit("/", 1)[1] for output in upstream["outputs"]] == ["notes.md", "shot.png"]
    assert all(output["path"].startswith(brief["place"]["outputs_folder"]) for output in upstream["outputs"])
    headers = {"authorization": f"Bearer {machine.secret}"}
    shot = machine.client.get(f"/api/outputs/{upstream['outputs'][1]['id']}/body", headers=headers)
    assert (shot.content, shot["Content-Disposition"]) == (b"\x89PNG\x00", "attachment")
    handed = machine.get(f"/api/artifacts/{upstream['id']}/body")[1]
    assert handed["outcome"] == "Ledger entries exist."


def test_completion_without_evidence_names_the_criterion(driver: Driver, machine: Machine) -> None:
    address, token, evidence = claim(driver, machine, "A1")
    status, answer = machine.post(f"{address}/complete", {"token": token, "evidence": {}})
    assert (status, answer["code"], answer["details"]["criteria"]) == (
        422,
        "criteria-unmet",
        next(iter(evidence)),
    )
    assert "unit tests pass" in answer["message"]
    assert driver.task("A1").status == "active"


def test_a_wrong_token_changes_nothing(driver: Driver, machine: Machine) -> None:
    address, token, evidence = claim(driver, machine, "A1")
    status, answer = machine.post(f"{address}/complete", {"token": token + 1, "evidence": evidence})
    assert (status, answer["code"]) == (409, "stale-token")
    assert driver.attempt("A1").status == "running"


@pytest.mark.parametrize("act", ["report", "complete", "fail"])
def test_every_act_after_the_claim_needs_the_token(driver: Driver, machine: Machine, act: str) -> None:
    address, _, _ = claim(driver, machine, "A1")
    status, answer = machine.post(f"{address}/{act}", {"breadcrumb": "x", "error": "x"})
    assert (status, answer["details"]) == (422, {"field": "token"})
    assert driver.attempt("A1").status == "running"


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", ".git/config", "a\\u0000b", "x" * 300, ""])
def test_b1_to_b7_an_output_stays_in_its_folder(driver: Driver, machine: Machine, name: str) -> None:
    address, token, evidence = claim(driver, machine, "A1")
    body = {"token": token, "evidence": evidence, "outputs": {name.replace("\\u0000", "\x00"): "x"}}
    status, answer = machine.post(f"{address}/complete", body)
    assert (status, driver.attempt("A1").status) == (422, "running"), answer


def test_an_output_that_is_no_base64_is_refused(driver: Driver, machine: Machine) -> None:
    address, token, evidence = claim(driver, machine, "A1")
    body = {"token": token, "evidence": evidence, "outputs": {"a.png": {"base64": "***"}}}
    status, answer = machine.post(f"{address}/complete", body)
    assert (status, answer["details"]) == (422, {"field": "outputs"})
    assert driver.attempt("A1").status == "running"


def test_a_failure_is_kept_and_the_next_brief_shows_it(driver: Driver, machine: Machine) -> None:
    address, token, _ = claim(driver, machine, "A1")
    status, failed = machine.post(f"{address}/fail", {"token": token, "error": "Table is locked."})
    assert (status, failed["status"], driver.task("A1").status) == (200, "failed", "blocked")
    task = f"/api/tasks/{driver.task('A1').pk}"
    assert machine.get(f"{task}/")[1]["task"]["explanation"]["reason"] == "failed"
    assert machine.post(f"{task}/requeue", {"reason": " "})[1]["code"] == "reason-missing"
    assert machine.post(f"{task}/requeue", {"reason": "The lock is gone."})[0] == 200
    driver.advance()
    brief = machine.get(f"{task}/")[1]
    [earlier] = brief["earlier_attempts"]
    assert (earlier["number"], earlier["status"], earlier["error"]) == (1, "failed", "Table is locked.")
    assert brief["task"]["attempt"]["number"] == 2


def test_a_gate_is_not_claimed(driver: Driver, machine: Machine) -> None:
    driver.do("A1", "B1")
    driver.do("A2")
    assert [t["key"] for t in machine.get("/api/tasks/?claimable=true")[1]["items"]] == []
    status, answer = machine.post(f"/api/attempts/{driver.attempt('MP1').pk}/claim")
    assert (status, answer["code"]) == (409, "wrong-state")
    assert "person" in answer["message"]


@pytest.mark.parametrize("blank", ["", " \n\u200b"])
def test_fr027_a_failure_says_why(driver: Driver, machine: Machine, blank: str) -> None:
    """A blank error passed over REST, and was kept as if somebody had said it."""
    address, token, _ = claim(driver, machine, "A1")
    status, refused = machine.post(f"{address}/fail", {"token": token, "error": blank})
    assert (status, refused["code"], refused["message"]) == (422, "reason-missing", "Say what went wrong.")
    assert driver.attempt("A1").status == "running"


def test_fr027_a_person_declares_the_failure_of_an_attempt_that_somebody_else_holds(
    driver: Driver, machine: Machine
) -> None:
    address, token, evidence = claim(driver, machine, "A1")
    person = Machine.of(driver.cast.builder("watcher"))
    assert person.post(f"{address}/declare-failure", {"reason": " "})[1]["code"] == "reason-missing"
    status, ended = person.post(f"{address}/declare-failure", {"reason": "Its machine is gone."})
    assert (status, ended["status"], ended["error"]) == (200, "failed", "Its machine is gone.")
    assert (
        machine.post(f"{address}/complete", {"token": token, "evidence": evidence})[1]["code"]
        == "stale-token"
    )
    assert person.post(f"{address}/declare-failure", {"reason": "Again."})[1]["code"] == "already-decided"
