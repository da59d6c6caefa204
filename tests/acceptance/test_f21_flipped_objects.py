"""F21: a flipped byte of a file, folder, commit or pack in git is found by the sweep and mended from the
record, and nobody's work stops for it."""

import os
from pathlib import Path

import pytest
from django.urls import reverse

from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import HandoffArtifact, HistoryEntry
from orchestrator.processes import tasks
from orchestrator.services.handoff import soundness
from orchestrator.services.handoff.damage import workspace
from orchestrator.workspace.scrub import Scrub
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
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


@pytest.fixture
def done(driver: Driver, files: Files) -> Driver:
    """A1 is handed over, and B1, which builds on it, is ready."""
    driver.start(PLAN)
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    return driver


@pytest.fixture
def other(done: Driver) -> Driver:
    """A second workstream in the same workspace."""
    beside = type(done)(done.cast, done.now)
    beside.start(PLAN.replace(b"Login", b"Search"))
    return beside


def flip(file: Path, place: int = -8) -> None:
    """One bit, as a disk would."""
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)


def loose(files: Files, name: str) -> Path:
    return files.root / ".git/objects" / name[:2] / name[2:]


def artifact(driver: Driver) -> HandoffArtifact:
    found = HandoffArtifact.objects.filter(attempt__task=driver.task("A1"), event=EventType.ATTEMPT_COMPLETED)
    return found.latest("sequence")


def assert_sound(files: Files) -> None:
    assert files.git("fsck", "--strict", "--no-dangling", "--no-reflogs") == ""
    assert files.git("status", "--porcelain") == ""
    for one in HandoffArtifact.objects.all():
        assert one.state == ArtifactState.COMMITTED
        assert files.git("show", f"{one.commit}:{one.path}") == files.text(one.path) == one.body
        files.git("merge-base", "--is-ancestor", one.commit, "main")


def assert_work_goes_on(*drivers: Driver) -> None:
    for driver in drivers:
        driver.finish()
        assert driver.reload().open_tasks == 0


WHOLE = {
    "the file of an artifact": lambda files, done: f"main:{artifact(done).path}",
    "an output": lambda files, done: f"main:{artifact(done).outputs.get().path}",
    "the plan": lambda files, done: "main:workstreams/login/PLAN.md",
    "the topmost folder": lambda files, done: "main^{tree}",
    "a folder of artifacts": lambda files, done: "main:workstreams/login/handoffs",
}
LOST = {
    "the newest commit": lambda files, done: "main",
    "an older commit": lambda files, done: "main~1",
    "a folder of an older commit": lambda files, done: "main~1^{tree}",
}


@pytest.mark.parametrize("what", WHOLE)
def test_f21_a_flipped_object_is_mended_byte_for_byte(
    done: Driver, other: Driver, files: Files, what: str
) -> None:
    head, name = files.git("rev-parse", "main"), files.git("rev-parse", WHOLE[what](files, done))
    flip(loose(files, name))
    tasks.sweep()
    entry = HistoryEntry.objects.get(action="workspace mended")
    assert name in entry.leaf
    assert files.git("merge-base", head, "main") == head, "the branch goes on from where it was"
    assert (files.root / ".git/orchestrator-damaged" / name).exists(), "kept as evidence"
    assert_sound(files)
    assert_work_goes_on(done, other)
    tasks.sweep()
    assert_sound(files)
    assert HistoryEntry.objects.filter(action="workspace mended").count() == 1
    assert name[:12] not in words(signed_in(done.cast.approver).get(reverse("workspace")))


@pytest.mark.parametrize("what", LOST)
def test_f21_lost_history_is_left_behind_and_the_record_stands(
    done: Driver, other: Driver, files: Files, what: str
) -> None:
    head, name = files.git("rev-parse", "main"), files.git("rev-parse", LOST[what](files, done))
    flip(loose(files, name))
    tasks.sweep()
    entry = HistoryEntry.objects.get(action="branch written again")
    assert (name in entry.leaf, head in entry.leaf) == (True, True)
    assert_sound(files)
    assert files.git("rev-list", "--count", "main") in {"1", "2", "3"}
    assert_work_goes_on(done, other)
    tasks.sweep()
    assert_sound(files)


@pytest.mark.parametrize("part", [".pack", ".idx"])
@pytest.mark.parametrize("place", [40, -30])
def test_f21_a_flipped_byte_of_a_pack(
    done: Driver, other: Driver, files: Files, part: str, place: int
) -> None:
    files.git("gc", "--quiet", "--prune=now")
    (pack,) = (files.root / ".git/objects/pack").glob("*.pack")
    flip(pack.with_suffix(part), place)
    tasks.sweep()
    assert HistoryEntry.objects.filter(action__in=["workspace mended", "branch written again"]).count() == 1
    assert not pack.exists()
    assert_sound(files)
    assert_work_goes_on(done, other)
    tasks.sweep()
    assert_sound(files)


def test_f21_a_kill_between_setting_aside_and_mending_is_made_up_for(
    done: Driver, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(_: object) -> None:
        raise Killed

    name = files.git("rev-parse", f"main:{artifact(done).path}")
    flip(loose(files, name))
    with monkeypatch.context() as patch:
        patch.setattr(soundness, "_give_back_files", die)
        with pytest.raises(Killed):
            tasks.sweep()
    assert not loose(files, name).exists()
    tasks.sweep()
    assert_sound(files)
    assert_work_goes_on(done)


def test_f21_a_sweep_reads_a_portion_and_goes_on_there(done: Driver, files: Files) -> None:
    names = {path.parent.name for path in (files.root / ".git/objects").glob("??/*")}
    flip(loose(files, files.git("rev-parse", "main")))
    scrub = Scrub(workspace(), portion=1)
    turns = [scrub.some() for _ in names]
    assert sum(map(len, turns)) == 1, "every folder once in a turn"
    assert sum(map(len, [scrub.some() for _ in names])) == 1, "and again in the next"
    (files.root / ".git/orchestrator-scrubbed").write_bytes(os.urandom(8))
    assert sum(map(len, [Scrub(workspace(), portion=1).some() for _ in names])) >= 1, (
        "a lost mark costs nothing else"
    )


def test_f21_a_stumble_has_everything_read_at_once(
    done: Driver, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A portion that does not come to it, and a folder that the next commit needs."""
    monkeypatch.setattr(Scrub, "some", lambda _: [])
    flip(loose(files, files.git("rev-parse", "main")))
    held = done.claim("B1")
    assert held.attempt.status == "running"
    with pytest.raises(Exception, match="git"):
        tasks.sweep()
    tasks.sweep()
    assert_sound(files)
    done.complete("B1")
    assert_work_goes_on(done)
