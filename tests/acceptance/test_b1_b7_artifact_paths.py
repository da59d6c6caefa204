"""B1 to B7: where an output would stand outside its folder, or in git's own, it is refused over every way in,
with the field, and nothing of it is stored."""

import base64
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.terms import AttemptStatus, ResultFileState
from orchestrator.models import Assignment, OutputFile, ResultFile
from tests.acceptance.producer import Producer, told
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in

PATHS = {
    "B1 leads out": "../escape",
    "B1 leads out further in": "a/../../escape",
    "B2 absolute": "/etc/passwd",
    "B3 NUL": "nul\0byte",
    "B4 git's configuration": ".git/config",
    "B4 git's configuration further in": "a/.git/config",
    "B5 git in capitals": ".GIT/hooks/post-commit",
    "B5 git's short name": "GIT~1/config",
    "B6 300 bytes": "x" * 300,
    "B6 300 bytes in three-byte letters": "測" * 100,
}


@pytest.fixture
def held(driver: Driver) -> Assignment:
    driver.start()
    return driver.claim("A1")


def proof(held: Assignment) -> dict[str, str]:
    return {str(criterion.pk): "seen" for criterion in held.attempt.task.step.criteria.all()}


def over_rest(held: Assignment, name: str) -> tuple[int, dict[str, object]]:
    outputs = {"fine.md": "fine", name: {"base64": base64.b64encode(b"x").decode()}}
    body = {"token": held.token, "evidence": proof(held), "outputs": outputs}
    return Machine.of(held.executor).post(f"/api/attempts/{held.attempt_id}/complete", body)


def assert_nothing_stored(driver: Driver, settings: Settings) -> None:
    assert driver.attempt("A1").status == AttemptStatus.RUNNING
    assert not OutputFile.objects.exists()
    assert not (settings.WORKSPACE_DIR.parent / "escape").exists()


@pytest.mark.parametrize("how", PATHS)
def test_b1_to_b6_a_path_that_leads_elsewhere_is_422(
    driver: Driver, held: Assignment, settings: Settings, how: str
) -> None:
    status, answer = over_rest(held, PATHS[how])
    assert status == 422, answer
    assert_nothing_stored(driver, settings)


@pytest.mark.parametrize("how", PATHS)
def test_b1_to_b6_in_a_result_file_it_is_quarantined(
    driver: Driver, held: Assignment, settings: Settings, how: str
) -> None:
    result = told(held, evidence={"unit tests pass": "yes"}, outputs=[PATHS[how]])
    Producer(settings.WORKSPACE_DIR, held.executor.name).push({"result.json": result})
    driver.advance()
    row = ResultFile.objects.get()
    assert row.state == ResultFileState.QUARANTINED
    assert row.problem
    assert_nothing_stored(driver, settings)


@pytest.mark.parametrize("way", ["link", "linked/file"])
def test_b7_a_symbolic_link_in_the_way_is_422(
    driver: Driver, held: Assignment, settings: Settings, tmp_path: Path, way: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    _, brief = Machine.of(held.executor).get(f"/api/tasks/{held.attempt.task_id}/")
    folder = settings.WORKSPACE_DIR / brief["place"]["outputs_folder"]
    folder.mkdir(parents=True)
    (folder / way.split("/")[0]).symlink_to(outside)
    status, answer = over_rest(held, way)
    assert (status, answer["details"]) == (422, {"field": "outputs"}), answer
    assert_nothing_stored(driver, settings)
    assert list(outside.iterdir()) == []


def test_b7_a_link_that_a_result_file_hands_in_is_not_followed(
    driver: Driver, held: Assignment, settings: Settings
) -> None:
    producer = Producer(settings.WORKSPACE_DIR, held.executor.name)
    result = told(held, evidence={"unit tests pass": "yes"}, outputs=["key"])
    entries = {
        "result.json": ("100644", producer.blob(result)),
        "key": ("120000", producer.blob(b"../../secret-key")),
    }
    producer.commit(producer.tree(entries))
    driver.advance()
    assert "is a symbolic link" in ResultFile.objects.get().problem
    assert_nothing_stored(driver, settings)


def test_b1_an_uploaded_file_is_named_by_its_last_part(driver: Driver, settings: Settings) -> None:
    """A browser sends a name, never a path: what stands before it is dropped before anybody reads it."""
    driver.start()
    held = driver.claim("A1", driver.cast.builder())
    address = reverse("task-act", args=[held.attempt.task.workstream.uuid, "A1", "complete"])
    fields = {
        "attempt": held.attempt_id,
        "token": held.token,
        "outputs": SimpleUploadedFile("../../escape", b"x"),
    }
    fields |= {f"evidence-{pk}": text for pk, text in proof(held).items()}
    answer = signed_in(driver.cast.contributor).post(address, fields)
    assert answer.status_code < 500
    assert not (settings.WORKSPACE_DIR.parent / "escape").exists()
    assert not OutputFile.objects.filter(path__contains="..").exists()
