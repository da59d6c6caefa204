"""EC-3, FR-025: a handed-over file that is spoilt in any way stops what builds on it, with four ways out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.urls import reverse

from orchestrator.core.terms import ArtifactState, EventType, TaskStatus
from orchestrator.models import HandoffArtifact, HistoryEntry
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
##### Batch 02: service
###### Thread B: api
- B1: Service
"""


def other_version(file: Path) -> None:
    file.write_text(file.read_text().replace('"schemaVersion":"1.0"', '"schemaVersion":"9.0"'))


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "is missing"),
    "unreadable": (lambda file: file.chmod(0), "its permissions forbid it"),
    "altered": (
        lambda file: file.write_text(file.read_text().replace("Done.", "Fine.")),
        "is not what was handed over",
    ),
    "truncated": (lambda file: file.write_text(file.read_text()[:-5]), "no longer JSON"),
    "wrong schema": (other_version, "has the schema version 9.0, and this release reads 1.0"),
}


def handover(driver: Driver) -> HandoffArtifact:
    found = HandoffArtifact.objects.filter(attempt__task=driver.task("A1"), event=EventType.ATTEMPT_COMPLETED)
    return found.latest("sequence")


@pytest.fixture
def done(driver: Driver, files: Files) -> Driver:
    """A1 is handed over, and B1, which builds on it, is ready."""
    driver.start(PLAN)
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    return driver


def recover(driver: Driver, way: str, **typed: str) -> HttpResponse:
    address = reverse("workstream-act", args=[driver.reload().uuid, "recover"])
    body = {"artifact": str(handover(driver).pk), "way": way} | typed
    answer = signed_in(driver.cast.contributor).post(address, body)
    driver.advance()
    return answer


@pytest.mark.parametrize("how", SPOILED)
def test_ec3_every_damage_has_the_four_ways_out(done: Driver, files: Files, how: str) -> None:
    spoil, said = SPOILED[how]
    artifact = handover(done)
    file = files.root / artifact.path

    def spoilt() -> None:
        spoil(file)
        done.advance()
        assert handover(done).state == ArtifactState.DAMAGED
        assert handover(done).problem.startswith(f"{artifact.path} ")
        assert said in handover(done).problem

    spoilt()
    address = reverse("workstream", args=[done.reload().uuid])
    page, watched = (words(signed_in(one).get(address)) for one in (done.cast.reviewer, done.cast.observer))
    assert artifact.path in watched
    assert said in watched
    for label in ("Check again", "Republish from the record", "Restore from git", "Declare failure"):
        assert label in page
        assert label not in watched

    refused = recover(done, "retry")
    assert (refused.status_code, said in words(refused)) == (409, True), "nothing has changed yet"
    for way in ("republish", "restore"):
        assert recover(done, way).status_code == 302
        assert (handover(done).state, file.read_text()) == (ArtifactState.COMMITTED, artifact.body)
        spoilt()
    file.unlink(missing_ok=True)
    file.write_text(artifact.body)
    assert recover(done, "retry").status_code == 302
    spoilt()
    assert recover(done, "declare").status_code == 422, "a result is given up with a reason"
    assert recover(done, "declare", reason="The file is lost.").status_code == 302
    assert done.task("A1").status == TaskStatus.PENDING
    assert done.ready() == ["A1"]
    assert HistoryEntry.objects.filter(action="artifact withdrawn", reason="The file is lost.").exists()


def test_ec3_nothing_is_launched_behind_a_spoilt_file(driver: Driver, files: Files) -> None:
    """The file goes between the commit and the round.

    A worker is told over REST why B1 waits, and recovers it.
    """
    driver.start(PLAN)
    held = driver.claim("A1")
    machine = Machine.of(held.executor)
    machine.post(f"/api/attempts/{held.attempt_id}/complete", {"token": held.token, "outcome": "Done."})
    from orchestrator.services.handoff.publishing import publish

    publish(now=driver.tick())
    (files.root / handover(driver).path).unlink()
    driver.advance()
    assert driver.ready() == []
    _, told = machine.get(f"/api/tasks/{driver.task('B1').pk}/")
    assert (told["task"]["explanation"]["reason"], told["task"]["explanation"]["holder"]) == (
        "artifact",
        "A1",
    )
    assert f"{handover(driver).path} is missing" in told["task"]["explanation"]["sentence"]
    assert machine.post(f"/api/artifacts/{handover(driver).pk}/recover", {"way": "retry"})[0] == 409
    assert machine.post(f"/api/artifacts/{handover(driver).pk}/recover", {"way": "withdraw"})[0] == 422
    assert machine.post(f"/api/artifacts/{handover(driver).pk}/recover", {"way": "magic"})[0] == 422
    assert machine.post(f"/api/artifacts/{handover(driver).pk}/recover", {"way": "republish"})[0] == 200
    driver.advance()
    assert driver.ready() == ["B1"]


@pytest.mark.parametrize("what", ["artifact", "output"])
def test_f21_a_flipped_object_is_found_and_mended(done: Driver, files: Files, what: str) -> None:
    artifact = handover(done)
    path = artifact.path if what == "artifact" else artifact.outputs.get().path
    name = files.git("rev-parse", f"main:{path}")
    loose = files.root / ".git/objects" / name[:2] / name[2:]
    loose.chmod(0o644)
    loose.write_bytes(bytes([*loose.read_bytes()[:-6], 1, 2, 3, 4, 5, 6]))
    done.advance()
    assert f"{path} is damaged in git: object {name[:12]}" in handover(done).problem
    assert recover(done, "restore").status_code == 409, "git cannot give back what it lost"
    assert recover(done, "republish").status_code == 302
    assert handover(done).state == ArtifactState.COMMITTED
    assert files.git("cat-file", "-p", name) == files.text(path).strip()
    files.git("fsck", "--strict", "--no-dangling")
