"""AD-4, AD-7 over REST: a failed step leaves the rest alone and is tried again explicitly.

Repeating a call is safe.
"""

from orchestrator.core.terms import AttemptStatus, CriterionKind
from orchestrator.models import HandoffArtifact, HistoryEntry, Workstream
from tests.cast import Driver
from tests.machines import Machine
from tests.verified import state_problems


def evidence(driver: Driver, key: str) -> dict[str, str]:
    exits = driver.task(key).step.criteria.filter(kind=CriterionKind.EXIT)
    return {str(criterion.pk): "seen" for criterion in exits}


def test_ad4_a_failed_step_is_tried_again_and_the_others_go_on(driver: Driver) -> None:
    driver.start()
    broken, other = Machine.of(driver.cast.builder("one")), Machine.of(driver.cast.builder("two"))
    first, beside = driver.attempt("A1"), driver.attempt("B1")
    token = broken.post(f"/api/attempts/{first.pk}/claim")[1]["token"]
    broken.post(f"/api/attempts/{first.pk}/report", {"token": token, "breadcrumb": "Wrote half of it."})
    assert broken.post(f"/api/attempts/{first.pk}/fail", {"token": token, "error": "No space."})[0] == 200
    held = other.post(f"/api/attempts/{beside.pk}/claim")[1]["token"]
    body = {"token": held, "outcome": "Done.", "evidence": evidence(driver, "B1")}
    assert other.post(f"/api/attempts/{beside.pk}/complete", body)[0] == 200
    assert (driver.task("A1").status, driver.task("B1").status) == ("blocked", "complete")

    status, _ = broken.post(f"/api/tasks/{driver.task('A1').pk}/requeue", {"reason": "There is space again."})
    driver.advance()
    assert status == 200
    again = driver.attempt("A1")
    assert (again.number, again.status) == (2, AttemptStatus.QUEUED)
    assert driver.task("A1").breadcrumb == "Wrote half of it.", "the next executor finds the checkpoint"
    assert broken.post(f"/api/attempts/{again.pk}/claim")[1]["token"] == token + 1
    first.refresh_from_db()
    assert (first.status, first.error) == (AttemptStatus.FAILED, "No space.")
    assert state_problems(Workstream.objects.select_related("version").get()) == []


def test_ad7_the_same_completion_twice_has_one_effect(driver: Driver) -> None:
    driver.start()
    machine, attempt = Machine.of(driver.cast.builder("one")), driver.attempt("A1")
    token = machine.post(f"/api/attempts/{attempt.pk}/claim", key="claim")[1]["token"]
    body = {
        "token": token,
        "outcome": "Done.",
        "evidence": evidence(driver, "A1"),
        "outputs": {"a.txt": "text"},
    }
    address = f"/api/attempts/{attempt.pk}/complete"
    first = machine.post(address, body, key="done")
    entries, artifacts = HistoryEntry.objects.count(), HandoffArtifact.objects.count()
    assert machine.post(address, body, key="done") == first
    assert (HistoryEntry.objects.count(), HandoffArtifact.objects.count()) == (entries, artifacts)
    status, refused = machine.post(address, body)
    assert (status, refused["code"]) == (409, "stale-token"), "without a key a second completion is refused"
    assert driver.task("A1").status == "complete"
