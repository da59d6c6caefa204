"""F32, EC-3: a step that was launched before what it builds on was lost is held: neither claimed nor
completed nor signed, told to whoever runs it over every interface, and released or done again by the ways
out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse

from orchestrator.core.terms import AttemptStatus, EventType
from orchestrator.models import HandoffArtifact, RecordedVerdict
from orchestrator.processes import tasks
from orchestrator.queries.work.work import queued_attempts
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

PLAN = b"""# Plan: Login

## Stages
### Stage 1: Build
##### Batch 01: setup
###### Thread A: auth
- A1: Tables
###### Thread Z: beside
- Z1: Beside
##### Batch 02: service
###### Thread B: api
- B1: Service
  - Exit: it answers
### Merge Point MP1
- **Trigger:** B1 complete
- **Reviewers:** reviewer
"""
LOSSES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "chmod 000": lambda file: file.chmod(0),
}
SAID = {"deleted": "is missing", "chmod 000": "cannot be read: its permissions forbid it"}


def handover(driver: Driver, key: str = "A1") -> HandoffArtifact:
    found = HandoffArtifact.objects.filter(attempt__task=driver.task(key), event=EventType.ATTEMPT_COMPLETED)
    return found.latest("sequence")


@pytest.fixture
def launched(driver: Driver) -> Driver:
    """B1 is ready; A1 and Z1 have handed over."""
    driver.start(PLAN)
    driver.do("Z1")
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    assert driver.ready() == ["B1"]
    return driver


def recover(driver: Driver, way: str, reason: str = "", key: str = "A1") -> int:
    machine = Machine.of(driver.cast.builder("fixer"))
    address = f"/api/artifacts/{handover(driver, key).pk}/recover"
    return machine.post(address, {"way": way, "reason": reason})[0]


@pytest.mark.parametrize("how", LOSSES)
def test_f32_a_queued_successor_is_not_claimable_until_it_is_decided(
    launched: Driver, files: Files, how: str
) -> None:
    lost = handover(launched)
    machine, attempt = Machine.of(launched.cast.builder("eager")), launched.attempt("B1")
    assert [one["key"] for one in machine.get("/api/tasks/?claimable=true")[1]["items"]] == ["B1"]
    LOSSES[how](files.root / lost.path)
    tasks.sweep()

    status, told = machine.post(f"/api/attempts/{attempt.pk}/claim")
    assert (status, told["code"]) == (409, "held-back")
    assert f"the handoff artifact of A1 cannot be used: {lost.path} {SAID[how]}"[:90] in told["message"]
    assert (told["details"]["holder"], told["details"]["path"]) == ("A1", lost.path)
    assert machine.get("/api/tasks/?claimable=true")[1]["items"] == []
    assert not queued_attempts([""]).exists(), "nor is it offered to local executors"
    explanation = machine.get(f"/api/tasks/{attempt.task_id}/")[1]["task"]["explanation"]
    assert (explanation["reason"], explanation["holder"]) == ("artifact", "A1")
    assert SAID[how] in explanation["sentence"]
    recorded = RecordedVerdict.objects.filter(task=attempt.task_id).latest("pk")
    assert (recorded.reason, recorded.sentence) == ("artifact", explanation["sentence"]), (
        "a round recorded it"
    )
    page = words(
        signed_in(launched.cast.contributor).get(reverse("task", args=[launched.reload().uuid, "B1"]))
    )
    assert f"B1 is held: the handoff artifact of A1 cannot be used: {lost.path} {SAID[how]}" in page

    assert recover(launched, "republish") == 200
    tasks.sweep()
    assert [one["key"] for one in machine.get("/api/tasks/?claimable=true")[1]["items"]] == ["B1"]
    assert machine.post(f"/api/attempts/{attempt.pk}/claim")[0] == 200


@pytest.mark.parametrize("way", ["retry", "republish", "restore"])
def test_f32_a_running_successor_is_told_and_completes_after_the_recovery(
    launched: Driver, files: Files, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    held, lost = launched.claim("B1"), handover(launched)
    machine, address = Machine.of(held.executor), f"/api/attempts/{held.attempt_id}"
    criterion = launched.task("B1").step.criteria.get()
    done = {"token": held.token, "evidence": {str(criterion.pk): "it answered"}}
    (files.root / lost.path).unlink()
    tasks.sweep()

    status, told = machine.post(f"{address}/report", {"token": held.token, "breadcrumb": "Half way"})
    assert (status, f"{lost.path} is missing" in told["held"]) == (200, True)
    assert (
        machine.get(f"/api/tasks/{held.attempt.task_id}/")[1]["task"]["explanation"]["reason"] == "artifact"
    )
    text = machine.get(f"/api/tasks/{held.attempt.task_id}/continue")[1]["markdown"]
    assert f"held: the handoff artifact of A1 cannot be used: {lost.path} is missing" in text
    call_command("continue", executor=held.executor.name)
    assert f"{lost.path} is missing" in capsys.readouterr().out
    status, told = machine.post(f"{address}/complete", done)
    assert (status, told["code"]) == (409, "held-back")
    assert "stays yours" in told["recovery"]
    assert launched.attempt("B1").status == AttemptStatus.RUNNING

    if way == "retry":
        (files.root / lost.path).write_text(lost.body)
    assert recover(launched, way) == 200
    assert machine.post(f"{address}/report", {"token": held.token, "breadcrumb": "On"})[1]["held"] == ""
    assert machine.post(f"{address}/complete", done)[0] == 200
    launched.advance()
    assert launched.ready() == ["MP1"]


def test_f32_a_withdrawn_result_is_done_again_with_what_was_queued_behind_it(
    launched: Driver, files: Files
) -> None:
    (files.root / handover(launched).path).unlink()
    tasks.sweep()
    assert recover(launched, "withdraw", reason="The file is lost.") == 200
    tasks.sweep()
    assert launched.ready() == ["A1"]
    assert launched.task("B1").attempts.get(number=1).status == AttemptStatus.CANCELLED
    launched.do("A1")
    assert launched.ready() == ["B1"]
    launched.do("B1")


def test_f32_a_withdrawal_names_who_runs_behind_it(launched: Driver, files: Files) -> None:
    held = launched.claim("B1")
    (files.root / handover(launched).path).unlink()
    tasks.sweep()
    assert recover(launched, "withdraw", reason="The file is lost.") == 409
    machine = Machine.of(held.executor)
    failed = machine.post(
        f"/api/attempts/{held.attempt_id}/fail", {"token": held.token, "error": "Nothing to build on."}
    )
    assert failed[0] == 200
    assert recover(launched, "withdraw", reason="The file is lost.") == 200
    tasks.sweep()
    assert launched.ready() == ["A1"]


def test_f32_a_gate_is_not_signed_on_lost_ground(launched: Driver, files: Files) -> None:
    launched.do("B1")
    lost = handover(launched, "B1")
    (files.root / lost.path).unlink()
    tasks.sweep()
    reviewer, gate = signed_in(launched.cast.reviewer), reverse("gate", args=[launched.task("MP1").pk])
    assert f"{lost.path} is missing" in words(reviewer.get(gate))
    signing = f"/api/gates/{launched.task('MP1').pk}/approve"
    person = Machine.of(launched.cast.builder("fixer"))
    assert person.post(signing, {"reason": ""})[0] in {403, 409}
    with pytest.raises(Exception, match="is held: the handoff artifact of B1"):
        launched.sign("MP1")
    assert recover(launched, "republish", key="B1") == 200
    launched.sign("MP1")


def test_f32_what_does_not_build_on_it_goes_on(driver: Driver, files: Files) -> None:
    driver.start(PLAN.replace(b"- Z1: Beside", b"- Z1: Beside\n- Z2: Beside again"))
    driver.do("A1")
    (files.root / handover(driver).path).unlink()
    driver.do("Z1", "Z2")
    assert driver.ready() == []
    assert recover(driver, "republish") == 200
    tasks.sweep()
    assert driver.ready() == ["B1"]
