"""A full, broken or read-only disk is a refusal with the path, and work goes on when it is repaired (F14 to
F16).
"""

import errno
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace import Workspace
from tests.workspace.conftest import Git

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

ON_A_SMALL_DISK = """
import os, subprocess, sys
from datetime import UTC, datetime
from pathlib import Path
from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.workspace import Workspace

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
space = Workspace(disk / "workspace")

def attempt(name, content):
    try:
        with space.locked():
            space.write({name: content}, name, datetime(2026, 11, 20, tzinfo=UTC))
        print("written")
    except WorkspaceUnavailable as refusal:
        print("refused:", refusal.message)

attempt("first", b"1")
before = space.head()
attempt("big", os.urandom(2_000_000))
assert space.head() == before
attempt("small", b"2")
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
attempt("third", b"3")
subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
attempt("third", b"3")
print(sorted(path.name for path in space.root.iterdir()))
"""


def test_f14_f16_a_full_and_a_read_only_disk(tmp_path: Path) -> None:
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("needs root: mounts a small disk of its own")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", ON_A_SMALL_DISK, disk],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    first, full, small, read_only, repaired, files = done.stdout.splitlines()
    assert (first, small, repaired) == ("written", "written", "written")
    assert full.startswith("refused:")
    assert full.endswith("No space left on device.")
    assert read_only.startswith("refused:")
    assert read_only.endswith("Read-only file system.")
    assert files == "['.git', 'first', 'small', 'third']"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_f15_an_input_output_error_names_the_path(
    space: Workspace, git: Git, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with space.locked(), monkeypatch.context() as patch:
        patch.setattr(os, call, broken)
        with pytest.raises(WorkspaceUnavailable, match="Input/output error") as refusal:
            space.write({"a/file": b"1"}, "a message\n", AT)
    assert refusal.value.details["path"]
    with space.locked():
        space.write({"a/file": b"1"}, "a message\n", AT)
    assert git("rev-list", "--count", "HEAD") == "1"
    assert space.read("a/file") == b"1"


def test_without_git_the_refusal_says_so(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkspaceUnavailable, match="git could not be started"), space.locked():
        pass
