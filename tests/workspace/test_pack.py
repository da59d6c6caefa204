"""Packing leaves everything readable, takes nothing of the producers away, and stops at a damaged object
(F21).
"""

from datetime import UTC, datetime

import pytest

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace import Workspace
from tests.workspace.conftest import Git

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def loose(git: Git) -> int:
    return int(git("count-objects").split()[0])


@pytest.fixture
def written(space: Workspace) -> Workspace:
    with space.locked():
        for number in range(5):
            space.write({f"handoffs/{number}.json": b"%d" % number}, "handoffs\n", AT)
    return space


def test_packing_keeps_every_file_and_every_producers_object(written: Workspace, git: Git) -> None:
    (written.root / "extra").write_bytes(b"not named by any ref")
    unnamed = git("hash-object", "-w", "extra")
    (written.root / "extra").unlink()
    before, names = loose(git), git("ls-tree", "-r", "main")
    with written.locked():
        written.pack()
        written.pack()
    assert before > 10
    assert loose(git) == 1
    assert git("cat-file", "-t", unnamed) == "blob"
    assert git("ls-tree", "-r", "main") == names
    assert git("fsck", "--strict", "--no-dangling") == ""
    with written.locked():
        written.write({"handoffs/5.json": b"5"}, "handoffs\n", AT)
    assert git("show", "main:handoffs/0.json") == "0"


def test_f21_a_damaged_object_stops_the_packing_and_nothing_is_lost(written: Workspace, git: Git) -> None:
    name = git("rev-parse", "main:handoffs/0.json")
    path = written.root / ".git" / "objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(b"flipped")
    before = loose(git)
    assert written.damaged_object(b"0") == name
    with written.locked():
        with pytest.raises(WorkspaceUnavailable, match="pack-objects failed"):
            written.pack()
        assert loose(git) == before
        written.mend([b"0"])
        written.pack()
    assert written.damaged_object(b"0") == ""
    assert git("fsck", "--strict", "--no-dangling") == ""


def test_objects_are_counted_without_git(space: Workspace, written: Workspace) -> None:
    assert space.loose_objects() % 256 == 0
    folder = space.root / ".git" / "objects" / "17"
    folder.mkdir(exist_ok=True)
    before = space.loose_objects()
    (folder / ("a" * 38)).write_bytes(b"")
    assert space.loose_objects() == before + 256
