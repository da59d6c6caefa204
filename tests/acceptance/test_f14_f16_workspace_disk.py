"""F14 to F16, F20: a full, broken or read-only disk under the workspace blocks what needs it, with the
reason; what was acknowledged stays, people and executors go on, and all of it is delivered when the disk is
well again."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.core.terms import ArtifactState, TaskStatus
from orchestrator.models import HandoffArtifact
from orchestrator.processes import tasks
from orchestrator.services import advance
from tests.acceptance.workspace_files import Files
from tests.cast import PLAN, Driver
from tests.web.pages import signed_in, words


@pytest.fixture
def disk(driver: Driver, settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """The workspace of a started plan, moved to a disk of 1 MB of its own."""
    driver.start()
    place, aside = settings.WORKSPACE_DIR, tmp_path / "aside"
    shutil.move(place, aside)
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs root: mounts a small disk of its own")
    try:
        shutil.copytree(aside, place, symlinks=True, dirs_exist_ok=True)
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096):
            pass
    return filler


def sweep() -> None:
    with pytest.raises(WorkspaceUnavailable):
        tasks.sweep()


def assert_held_with_the_reason(driver: Driver, reason: str) -> None:
    """The item says why; its successor waits; everybody else goes on."""
    waiting = HandoffArtifact.objects.filter(state=ArtifactState.PENDING).exclude(problem="")
    assert reason in waiting.first().problem
    page = signed_in(driver.cast.observer).get(reverse("workstream", args=[driver.workstream.uuid]))
    assert reason in words(page)
    assert (driver.task("A1").status, driver.task("A2").status) == (TaskStatus.COMPLETE, TaskStatus.PENDING)
    assert "A2" not in driver.ready()


def assert_delivered(driver: Driver, files: Files) -> None:
    tasks.sweep()
    assert not HandoffArtifact.objects.exclude(state=ArtifactState.COMMITTED).exists()
    assert not HandoffArtifact.objects.exclude(problem="").exists()
    assert "A2" in driver.ready()
    assert driver.reload().trouble == ""
    for artifact in HandoffArtifact.objects.all():
        assert files.text(artifact.path) == artifact.body
    assert files.git("fsck", "--no-dangling") == ""


def test_f14_a_full_disk_blocks_what_needs_it_and_loses_nothing(
    driver: Driver, disk: Path, files: Files
) -> None:
    driver.claim("A1")
    filler = fill(disk)
    with suppress(WorkspaceUnavailable):
        driver.complete("A1", outputs={"ledger.md": b"x" * 20_000})
    sweep()
    assert_held_with_the_reason(driver, "No space left on device")
    with suppress(WorkspaceUnavailable):
        driver.do("B1")
    assert driver.task("B1").status == TaskStatus.COMPLETE, "what does not build on it goes on"
    filler.unlink()
    assert_delivered(driver, files)


def test_f16_a_read_only_workspace_blocks_what_needs_it_and_loses_nothing(
    driver: Driver, disk: Path, files: Files
) -> None:
    driver.claim("A1")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        with suppress(WorkspaceUnavailable):
            driver.complete("A1")
        sweep()
        assert_held_with_the_reason(driver, "Read-only file system")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    assert_delivered(driver, files)


def test_f15_an_input_output_error_blocks_what_needs_it_and_loses_nothing(
    driver: Driver, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    driver.claim("A1")

    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", broken)
        with suppress(WorkspaceUnavailable):
            driver.complete("A1")
        sweep()
        assert_held_with_the_reason(driver, "Input/output error")
    assert_delivered(driver, files)


@pytest.mark.parametrize(
    "lock", ["index.lock", "HEAD.lock", "packed-refs.lock", "config.lock", f"refs/collected/{'a' * 64}.lock"]
)
def test_f20_a_stale_lock_of_gits_is_recovered_from(
    driver: Driver, settings: Settings, files: Files, lock: str
) -> None:
    driver.start()
    stale = settings.WORKSPACE_DIR / ".git" / lock
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.touch()
    driver.do("A1")
    assert "A2" in driver.ready()
    assert not stale.exists()
    assert_delivered(driver, files)


def test_one_workstreams_trouble_stands_on_its_page_and_holds_up_no_other(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong inside an advance, a sweep does the rest of its work, and it is told once all is
    done.
    """
    driver.start()
    other = Driver(driver.cast, driver.tick())
    other.submit(PLAN.replace(b"Card refunds", b"Search"))
    first, second = driver.reload(), other.workstream
    run_round, rounds = advance.run_round, []

    def fails(*, workstream_id: int, **rest: object) -> object:
        rounds.append(workstream_id)
        if workstream_id == first.pk:
            raise LookupError("nobody thought of this")
        return run_round(workstream_id=workstream_id, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(advance, "run_round", fails)
    with pytest.raises(LookupError):
        tasks.sweep()
    assert set(rounds) == {first.pk, second.pk}
    address = reverse("workstream", args=[first.uuid])
    assert "LookupError: nobody thought of this" in words(signed_in(driver.cast.observer).get(address))
    second.refresh_from_db()
    assert second.trouble == ""

    monkeypatch.setattr(advance, "run_round", run_round)
    tasks.sweep()
    assert "could not be brought up to date" not in words(signed_in(driver.cast.observer).get(address))
