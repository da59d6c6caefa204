"""WF-4, BX-1: a lane works in a tree of its own, which starts from completed work and nothing else."""

import os
import threading
import time
from pathlib import Path

import pytest

from orchestrator.adapters.repository import git
from orchestrator.adapters.worktree import RepositoryMissing, Worktree
from tests.adapters.beginning import begin


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repositories" / "sample"
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch", "main")
    (path / "base.txt").write_text("base\n")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "base")
    return path


@pytest.fixture
def lane(repository: Path, tmp_path: Path):
    return lambda name: Worktree(repository, tmp_path / "trees" / name, f"ws/demo/{name}", "main")


def change(tree: Worktree, name: str, text: str) -> str:
    (tree.folder / name).write_text(text)
    return tree.commit(f"{name}")


def test_a_lane_starts_from_its_base_and_the_work_before_it(lane):
    a, b, c = lane("a"), lane("b"), lane("c")
    for tree in (a, b):
        begin(tree)
    commits = [change(a, "a.txt", "a\n"), change(b, "b.txt", "b\n")]
    start = begin(c, commits).commit
    assert sorted(p.name for p in c.folder.iterdir() if p.name != ".git") == ["a.txt", "b.txt", "base.txt"]
    assert c.changed(start) == []
    assert git(c.folder, "branch", "--show-current").strip() == "ws/demo/c"


def test_preparing_again_drops_what_an_attempt_left(lane):
    tree = lane("a")
    start = begin(tree).commit
    change(tree, "committed.txt", "not completed\n")
    (tree.folder / "base.txt").write_text("changed\n")
    (tree.folder / "loose.txt").write_text("loose\n")
    (tree.folder / "nested").mkdir()
    git(tree.folder / "nested", "init", "--quiet")
    assert begin(tree).commit == start
    assert sorted(p.name for p in tree.folder.iterdir()) == [".git", "base.txt"]
    assert (tree.folder / "base.txt").read_text() == "base\n"


def test_pipes_and_sockets_that_an_attempt_left_are_dropped(lane):
    """Git cleans neither, and whoever reads such a pipe waits until the time of the step is over."""
    tree = lane("a")
    begin(tree)
    (tree.folder / "folder").mkdir()
    os.mkfifo(tree.folder / "pipe.txt")
    os.mkfifo(tree.folder / "folder" / "pipe.txt")
    begin(tree)
    assert sorted(p.name for p in tree.folder.iterdir()) == [".git", "base.txt"]


def test_a_commit_of_nothing_is_the_commit_it_started_from(lane):
    tree = lane("a")
    start = begin(tree).commit
    assert tree.commit("nothing") == start


def test_changed_files_are_named(lane):
    tree = lane("a")
    start = begin(tree).commit
    change(tree, "a b ü.txt", "x\n")
    assert tree.changed(start) == ["a b ü.txt"]


def test_work_that_changes_the_same_lines_stands_open_and_leaves_the_lane_usable(lane):
    a, b, c = lane("a"), lane("b"), lane("c")
    for tree in (a, b):
        begin(tree)
    commits = [change(a, "base.txt", "from a\n"), change(b, "base.txt", "from b\n")]
    standing = begin(c, commits)
    assert (standing.merging, [one.path for one in standing.clashes]) == (commits[1], ["base.txt"])
    assert (c.folder / "base.txt").read_text().startswith("<<<<<<< HEAD\nfrom a\n=======\nfrom b\n")
    assert begin(c, commits[:1]).merging == ""
    assert (c.folder / "base.txt").read_text() == "from a\n"


def test_a_half_made_tree_and_stale_locks_are_repaired(lane, repository):
    tree = lane("a")
    begin(tree)
    (tree.folder / ".git").unlink()
    long_ago = time.time() - 60
    for name in ("index.lock", "packed-refs.lock"):
        (repository / ".git" / name).touch()
        os.utime(repository / ".git" / name, (long_ago, long_ago))
    begin(tree)
    assert (tree.folder / "base.txt").read_text() == "base\n"


def test_a_missing_repository_or_branch_says_so(lane, repository, tmp_path):
    with pytest.raises(RepositoryMissing, match="no repository “other”"):
        begin(Worktree(repository.with_name("other"), tmp_path / "t", "ws/x/a", "main"))
    with pytest.raises(RepositoryMissing, match="no branch “release”"):
        begin(Worktree(repository, tmp_path / "t", "ws/x/a", "release"))


def test_lanes_are_prepared_side_by_side(lane):
    trees = [lane(f"lane-{number}") for number in range(6)]
    failures: list[BaseException] = []

    def work(tree: Worktree) -> None:
        try:
            for round_ in range(3):
                begin(tree)
                change(tree, f"{tree.folder.name}-{round_}.txt", "x\n")
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=work, args=[tree]) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(tree.changed(tree.base_head()) == [f"{tree.folder.name}-2.txt"] for tree in trees)


def test_the_hooks_of_a_repository_never_run(lane, repository, tmp_path):
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    hook.chmod(0o755)
    tree = lane("a")
    begin(tree)
    change(tree, "a.txt", "a\n")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "word", ["--strategy=octopus", "--all", "main", "HEAD", "f" * 40, ":/base", "abc..def"]
)
def test_what_is_no_commit_of_the_repository_is_never_merged(lane, repository, word):
    """Rows of earlier releases may hold any word; the lane says what is wrong before it is touched."""
    with pytest.raises(RepositoryMissing, match="A completed step named the commit"):
        begin(lane("a"), [word])
    assert not lane("a").folder.exists()


def test_a_commit_may_be_abbreviated_and_names_of_files_need_not_be_text(lane):
    a, b = lane("a"), lane("b")
    start = begin(a).commit
    name = b"no\xfftext\xe2\x80\xa8.txt".decode(errors="surrogateescape")
    made = change(a, name, "a\n")
    assert a.changed(start) == [name]
    begin(b, [made[:12]])
    assert (b.folder / name).exists()


@pytest.mark.parametrize("base", ["-x", "main^{tree}", "main@{0}", "..", ""])
def test_a_base_that_is_no_branch_is_not_there(repository, tmp_path, base):
    with pytest.raises(RepositoryMissing, match="has no branch"):
        begin(Worktree(repository, tmp_path / "trees" / "x", "ws/demo/x", base))
