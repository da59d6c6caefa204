"""A lane in an installation with secrets, and scripts that attack it from inside a real tool step."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.adapters.script import Script
from orchestrator.adapters.tool import Job, Result
from orchestrator.sandbox import layers
from orchestrator.sandbox.policy import Layers

SECRET = "the key that signs everything"


@dataclass(frozen=True)
class Lane:
    """`data` is a whole DATA_DIR; `job` is what the local executor gives a tool."""

    data: Path
    job: Job

    def attack(self, code: str, **changes: object) -> Result:
        """Run a script of the worktree as a step does; `changes` go to the job."""
        script = self.job.directory / "scripts" / "attack.py"
        script.parent.mkdir(exist_ok=True)
        script.write_text(code)
        return Script().run(replace(self.job, run="attack.py", **changes))

    def answers(self, code: str, **changes: object) -> list[str]:
        """The lines that a script printed, which has to end well."""
        result = self.attack(code, **changes)
        assert result.ok, result.output
        return result.output.splitlines()


@pytest.fixture
def lane(settings, tmp_path: Path) -> Lane:
    data = tmp_path / "data"
    settings.DATA_DIR = data
    settings.WORKSPACE_DIR, settings.WORKTREES_DIR = data / "workspace", data / "worktrees"
    settings.REPOSITORIES_DIR = data / "repositories"
    for name in (
        "secret-key",
        "workspace/PLAN.md",
        "repositories/sample/.git/config",
        "worktrees/work/theirs/note.txt",
    ):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(SECRET)
    with sqlite3.connect(data / "orchestrator.sqlite3") as database:
        database.execute("CREATE TABLE accounts (name)")
    database.close()
    tree, state = data / "worktrees" / "work" / "mine", data / "worktrees" / "work" / ".state" / "a1"
    (tree / "scripts").mkdir(parents=True)
    state.mkdir(parents=True)
    (state.parent / "b1").mkdir()
    (state.parent / "b1" / "note.txt").write_text(SECRET)
    (tree / ".git").write_text(f"gitdir: {data}/repositories/sample/.git/worktrees/mine\n")
    return Lane(data, Job(directory=tree, state=state, run="", timeout=60))


PROTECTIONS: dict[str, Callable[[Layers], Layers]] = {
    "everything": lambda found: found,
    "namespaces": lambda found: found._replace(landlock=0, filter=False),
    "older-landlock": lambda found: found._replace(landlock=min(found.landlock, 3), namespaces=False, user=0),
    "landlock": lambda found: found._replace(namespaces=False, user=0),
}


@pytest.fixture(params=PROTECTIONS)
def protection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Layers:
    """All that this machine has, and each of the two sets that suffice alone."""
    found = layers.found()
    chosen = PROTECTIONS[request.param](found)
    if missing := layers.missing(chosen):
        pytest.skip(
            f"this kernel has {layers.described(found)}, so {request.param} alone leaves open: {missing}"
        )
    monkeypatch.setattr(layers, "found", lambda: chosen)
    return chosen


@pytest.fixture
def victim() -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the server's user, with a secret in its environment and its memory."""
    code = f"import time; kept = {SECRET!r} * 2; print('ready', flush=True); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={"SECRET_KEY": SECRET},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def running(marker: str) -> list[int]:
    """Processes of this machine with this word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def gone(marker: str, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while running(marker):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
