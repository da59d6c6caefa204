"""What a write leaves in the branch and in the work tree (WF-7)."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace import FileDamage, Workspace
from tests.workspace.conftest import Git

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def write(space: Workspace, **contents: bytes) -> str:
    with space.locked():
        return space.write(
            {name.replace("__", "/"): content for name, content in contents.items()}, "a message\n", AT
        )


def test_first_write_makes_a_repository_that_people_can_read(space: Workspace, git: Git) -> None:
    commit = write(space, a__one=b"1\n", two=b"\0\r\n")

    assert git("rev-parse", "HEAD") == commit
    assert git("branch", "--show-current") == "main"
    assert git("log", "-1", "--format=%an <%ae> %cn %at %s") == (
        f"Orchestrator <orchestrator@localhost> Orchestrator {int(AT.timestamp())} a message"
    )
    assert git("status", "--porcelain") == ""
    assert (space.root / "a/one").read_bytes() == b"1\n"
    assert (space.root / "two").read_bytes() == space.content_at(commit, "two") == b"\0\r\n"


def test_nothing_of_the_user_gets_into_a_commit(
    space: Workspace, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[user]\nname=Someone\n[core]\nautocrlf=true\nhooksPath={hook.parent}\n[commit]\ngpgsign=true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    commit = write(space, text=b"a\r\nb\n")

    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert git("log", "-1", "--format=%an") == "Orchestrator"
    assert space.content_at(commit, "text") == b"a\r\nb\n"


def test_the_same_bytes_are_committed_once(space: Workspace, git: Git) -> None:
    first = write(space, a=b"1", b=b"2")
    assert write(space, a=b"1", b=b"2") == first
    second = write(space, a=b"1", b=b"3")
    assert git("diff", "--name-only", first, second) == "b"
    assert git("rev-list", "--count", "HEAD") == "2"


@pytest.mark.parametrize("touch", [("add", "own"), ("rm", "--cached", "-q", "a"), ("read-tree", "--empty")])
def test_what_a_person_did_to_the_index_gets_into_no_commit(
    space: Workspace, git: Git, touch: tuple[str, ...]
) -> None:
    write(space, a=b"1", b=b"2")
    (space.root / "own").write_bytes(b"mine")
    git(*touch)
    write(space, b=b"3")
    assert git("ls-tree", "-r", "--name-only", "HEAD").split() == ["a", "b"]
    assert git("status", "--porcelain") == "?? own"


def test_a_branch_that_was_moved_is_what_the_next_commit_builds_on(space: Workspace, git: Git) -> None:
    first = write(space, a=b"1")
    write(space, b=b"2")
    git("update-ref", "refs/heads/main", first)
    write(space, c=b"3")
    assert git("ls-tree", "-r", "--name-only", "HEAD").split() == ["a", "c"]
    git("pack-refs", "--all")
    assert write(space, c=b"3") == git("rev-parse", "HEAD")


def test_a_deleted_file_stays_deleted_when_others_are_written(space: Workspace, git: Git) -> None:
    write(space, kept=b"1", lost=b"2")
    (space.root / "lost").unlink()
    write(space, kept=b"3")
    assert not (space.root / "lost").exists()
    assert git("status", "--porcelain") == "D lost"


@pytest.mark.parametrize(
    "obstacle", ["link-to-folder", "link-to-file", "dangling-link", "folder", "file-as-folder"]
)
def test_nothing_is_written_through_or_over_an_obstacle(
    space: Workspace, tmp_path: Path, obstacle: str
) -> None:
    head = write(space, first=b"1")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"mine")
    target = space.root / "a" / "file"
    match obstacle:
        case "link-to-folder":
            (space.root / "a").symlink_to(outside)
        case "file-as-folder":
            (space.root / "a").write_bytes(b"")
        case _:
            target.parent.mkdir()
            if obstacle == "folder":
                target.mkdir()
            else:
                target.symlink_to(outside / ("file" if obstacle == "link-to-file" else "nothing"))

    with pytest.raises(WorkspaceUnavailable) as refusal:
        write(space, a__file=b"theirs")

    assert refusal.value.details["path"] == "a/file"
    assert [p.name for p in outside.iterdir()] == ["file"]
    assert (outside / "file").read_bytes() == b"mine"
    assert space.head() == head


def test_the_workspace_itself_may_be_a_link_to_another_disk(space: Workspace, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    space.root.parent.mkdir()
    space.root.symlink_to(disk)
    write(space, a__file=b"1")
    assert (disk / "a" / "file").read_bytes() == space.read("a/file") == b"1"


def test_what_cannot_be_read_is_said(space: Workspace, tmp_path: Path) -> None:
    write(space, plain=b"1", secret=b"2", folder__file=b"3")
    (space.root / "secret").chmod(0)
    (space.root / "link").symlink_to(space.root / "plain")
    (space.root / "linked").symlink_to(space.root / "folder")
    os.mkfifo(space.root / "pipe")

    assert space.read("plain") == b"1"
    for path, said in {
        "missing": "is missing",
        "no/folder": "is missing",
        "secret": "cannot be read",
        "link": "is a symbolic link",
        "linked/file": "cannot be read",
        "folder": "is not a plain file",
        "pipe": "is not a plain file",
        "nul\0byte": "is not a plain file",
        "half\ud800": "is not a plain file",
        "x" * 300: "cannot be read",
    }.items():
        with pytest.raises(FileDamage, match=said):
            space.read(path)


def test_a_commit_that_lost_the_file_answers_none(space: Workspace) -> None:
    commit = write(space, a=b"1")
    assert space.content_at(commit, "b") is None
    assert space.content_at("0" * 40, "a") is None
    assert space.content_at("", "a") is None
