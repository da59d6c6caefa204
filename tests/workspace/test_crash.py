"""Killed writers, stale locks and two writers at once (F4, F5, F20, F31)."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace import Workspace, repository, store
from orchestrator.workspace.index import Index
from tests.workspace.conftest import Git

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FILES = {"handoffs/000001.json": b"{}", "handoffs/000002.json": b"[]"}
processes = multiprocessing.get_context("fork")


def die_at(point: str, root: Path) -> None:
    def crash_point(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    repository.crash_point = crash_point
    write(root)


#: What a write consists of: commands of git, what is done in this process instead, and moves of files.
STEPS = (
    (repository.Git, "run"),
    (store.Store, "commit"),
    (store.Store, "list_since"),
    (store.Store, "move"),
    (Index, "now_at"),
    (os, "fsync"),
    (os, "replace"),
)


def die_at_step(number: int, root: Path) -> None:
    """Killed just before the step of that number: every step in between is a crash point."""
    calls = iter(range(1, 100))
    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name), calls, number))
    write(root)


def counted(step: Callable[..., object], calls: Iterator[int], number: int) -> Callable[..., object]:
    def stepped(*given: object, **named: object) -> object:
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*given, **named)

    return stepped


def write(root: Path) -> None:
    space = Workspace(root)
    with space.locked():
        space.write(FILES, "handoffs\n", AT)


def killed(target, *arguments: object) -> bool:
    child = processes.Process(target=target, args=arguments)
    child.start()
    child.join(60)
    return child.exitcode == -signal.SIGKILL


def assert_written_once(space: Workspace, git: Git) -> None:
    for path, content in FILES.items():
        assert (space.root / path).read_bytes() == content
        assert git("rev-list", "--count", "HEAD", "--", path) == "1"
    assert git("status", "--porcelain") == ""
    assert git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize(
    "point", ["before-blob", "before-index", "before-ref", "before-memory", "before-files"]
)
def test_f4_f5_a_killed_write_is_finished_by_the_next(space: Workspace, git: Git, point: str) -> None:
    assert killed(die_at, point, space.root)
    write(space.root)
    write(space.root)
    assert_written_once(space, git)


def test_f4_f5_a_write_killed_between_any_two_steps_is_finished(space: Workspace, git: Git) -> None:
    """From an empty disk: making the repository is covered too. Each round dies one step later."""
    deaths = 0
    while killed(die_at_step, deaths + 1, space.root.with_name(f"w{deaths + 1}")):
        deaths += 1
        victim = Workspace(space.root.with_name(f"w{deaths}"))
        write(victim.root)
        victim.root.rename(space.root)
        assert_written_once(space, git)
        space.root.rename(space.root.with_name(f"done{deaths}"))
    assert deaths > 15


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock", "config.lock", "refs/heads/main.lock"])
def test_f20_a_stale_git_lock_is_removed(space: Workspace, git: Git, lock: str) -> None:
    with space.locked():
        space.write({"first": b"1"}, "first\n", AT)
    (space.root / ".git" / lock).write_bytes(b"")
    write(space.root)
    assert_written_once(space, git)


def test_f20_a_git_lock_is_left_alone_while_another_writer_runs(space: Workspace) -> None:
    with space.locked():
        space.write({"first": b"1"}, "first\n", AT)
        lock = space.root / ".git" / "index.lock"
        lock.write_bytes(b"")
        with (
            pytest.raises(WorkspaceUnavailable, match="Another process"),
            Workspace(space.root).locked(patience=0.1),
        ):
            pass
        assert lock.exists()


def test_f31_the_second_writer_waits(space: Workspace, git: Git) -> None:
    child = processes.Process(target=write, args=(space.root,))
    with space.locked():
        child.start()
        time.sleep(0.3)
        assert child.is_alive()
        space.write({"first": b"1"}, "first\n", AT)
    child.join(60)
    assert child.exitcode == 0
    assert git("log", "--reverse", "--format=%s").splitlines() == ["first", "handoffs"]
    assert_written_once(space, git)


def test_f31_many_writers_of_the_same_files_commit_once(space: Workspace, git: Git) -> None:
    children = [processes.Process(target=write, args=(space.root,)) for _ in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 6
    assert git("rev-list", "--count", "HEAD") == "1"
    assert_written_once(space, git)


def index_of(space: Workspace) -> bytes:
    return (space.root / ".git" / "index").read_bytes()


def test_gits_index_may_lag_behind_and_catches_up_with_the_next_file_that_is_listed(
    space: Workspace, git: Git
) -> None:
    """Writing it takes as long as the workspace is large, so what executors wait for does without."""
    write(space.root)
    listed = index_of(space)
    with space.locked():
        space.write({"handoffs/000003.json": b"3", "handoffs/000001.json": b"1"}, "more\n", AT, listed=False)
        assert index_of(space) == listed
        space.write({"state.json": b"{}"}, "state files\n", AT)
    assert git("status", "--porcelain") == ""
    assert git("ls-files").split() == [*sorted([*FILES, "handoffs/000003.json"]), "state.json"]


def test_it_catches_up_although_nothing_is_left_to_commit(space: Workspace, git: Git) -> None:
    with space.locked():
        space.write(FILES, "handoffs\n", AT, listed=False)
        space.write(FILES, "handoffs\n", AT)
    assert git("status", "--porcelain") == ""


def test_catching_up_leaves_an_index_that_somebody_else_touched(space: Workspace, git: Git) -> None:
    write(space.root)
    with space.locked():
        space.write({"later": b"1"}, "later\n", AT, listed=False)
    git("rm", "--cached", "--quiet", "handoffs/000001.json")
    touched = index_of(space)
    with space.locked():
        space.catch_up()
    assert index_of(space) == touched
    with space.locked():
        space.write(FILES, "handoffs\n", AT)
    assert git("status", "--porcelain") == ""
