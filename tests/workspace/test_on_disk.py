"""What a branch is about to name is on the disk first, so no power cut leaves it naming nothing (F4, F5)."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.workspace import Workspace, store
from tests.workspace.conftest import Git

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The files and folders that were waited for."""
    seen: set[str] = set()
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.add(os.readlink(f"/proc/self/fd/{descriptor}")))
    store.wait_for_the_disk(True)
    yield seen
    store.wait_for_the_disk(False)


def parts_of(space: Workspace, names: set[str]) -> set[str]:
    """The file of each object, and the folder that names it."""
    objects = space.root / ".git" / "objects"
    places = {objects / name[:2] / name[2:] for name in names}
    return {str(objects), *(str(part) for place in places for part in (place, place.parent))}


def objects_of(git: Git) -> set[str]:
    return {line.split()[0] for line in git("rev-list", "--objects", "--all").split("\n") if line}


def test_f4_f5_a_commit_is_on_the_disk_before_the_branch_moves(
    space: Workspace, git: Git, synced: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[set[str]] = []
    move = store.Store.move

    def watched(self: store.Store, *words: str) -> None:
        moved.append(set(synced))
        move(self, *words)

    monkeypatch.setattr(store.Store, "move", watched)
    with space.locked():
        space.write({"a/b/first": b"1", "a/c/second": b"2"}, "two files\n", AT, listed=False)
    assert parts_of(space, objects_of(git)) <= moved[0]
    staged = {str(space.root / ".git" / "orchestrator-staging" / str(number)) for number in (0, 1)}
    assert staged <= moved[0], "what is about to move into the work tree"


def test_fr009_seals_and_answers_are_on_the_disk_before_their_branch_moves(
    space: Workspace, git: Git, synced: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[set[str]] = []
    moving = store.branch_on_disk

    def watched() -> AbstractContextManager[None]:
        before.append(set(synced))
        return moving()

    monkeypatch.setattr(store, "branch_on_disk", watched)
    with space.locked():
        space.seal({"tile/0": b"hashes"}, [], "a seal\n", AT)
    sealed = parts_of(space, objects_of(git))
    space.write_answer("agent", {"held.json": b"{}"}, AT)
    assert sealed <= before[0]
    assert parts_of(space, objects_of(git)) <= before[1]


def test_wf7_a_commit_waits_for_the_disk_in_few_turns(
    space: Workspace, synced: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All objects at once; then the branch, which libgit2 waits for, and the folder of the work tree."""
    turns: list[int] = []
    asked = store.to_disk
    monkeypatch.setattr(store, "to_disk", lambda paths: (turns.append(len(paths)), asked(paths)))
    with space.locked():
        space.write({"a/b/c/d/file": b"1"}, "a file\n", AT, listed=False)
    assert len(turns) == 1
    assert turns[0] > 10
    assert not (Path(space.root) / ".git" / "logs" / "refs" / "heads" / "main").exists()
