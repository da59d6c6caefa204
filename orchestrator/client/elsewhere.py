"""Elsewhere: a step's place on a machine that is not the orchestrator's, with git alone (BX-1).

A clone for each repository stands below one folder, and in it a branch for each attempt. Nothing that stands
there uncommitted is thrown away: it is committed to the branch it was left on.
"""

import fcntl
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

#: Seconds for one command of git; a large repository may take its time.
LONGEST: Final = 900
WHO: Final = ("-c", "user.name=orchestrator", "-c", "user.email=orchestrator@localhost")


class NotCheckedOut(Exception):
    """Why, in a sentence."""


@dataclass(frozen=True)
class Elsewhere:
    """The folder to work in, where it came from (`address`, `start`), and the ref that takes the work."""

    folder: Path
    address: str
    start: str
    push_to: str

    def push(self, message: str) -> str:
        """Commit what is left uncommitted and push all of it; the commit, empty where nothing was done."""
        _commit_all(self.folder, message)
        made = _git(self.folder, "rev-parse", "HEAD")
        if made == self.start:
            return ""
        _git(self.folder, "push", "--quiet", "--force", "--", self.address, f"HEAD:{self.push_to}")
        return made


def check_out(place: Mapping[str, Any], root: Path) -> Elsewhere:
    """The branch of the attempt in the clone below `root`, made or gone on with. NotCheckedOut."""
    fetch, switch = (shlex.split(line) for line in place["checkout"])
    address, lane, branch = fetch[2], fetch[3], switch[3]
    folder = root / str(place["repository"])
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _git(folder, "init", "--quiet")
    _commit_all(folder, "Left uncommitted")
    if _has(folder, branch):
        _git(folder, "switch", "--quiet", branch)
    else:
        _git(folder, "fetch", "--quiet", "--", address, lane)
        _git(folder, "switch", "--quiet", "--create", branch, str(place["start"]))
    return Elsewhere(folder, address, str(place["start"]), str(place["push_to"]))


def hold(root: Path, repository: str) -> IO[str]:
    """Keep other workers out of the clone for as long as the answer is open: two in one folder would commit
    each other's half-done work. BlockingIOError where another one is in there."""
    root.mkdir(parents=True, exist_ok=True)
    lock = (root / f"{repository}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock


def _has(folder: Path, branch: str) -> bool:
    return bool(_git(folder, "for-each-ref", "--format=%(refname)", f"refs/heads/{branch}"))


def _commit_all(folder: Path, message: str) -> None:
    if _git(folder, "status", "--porcelain"):
        _git(folder, "add", "--all")
        _git(folder, *WHO, "commit", "--quiet", "--message", message)


def _git(folder: Path, *words: str) -> str:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotCheckedOut(f"git could not be run: {problem}") from problem
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1000:]
        raise NotCheckedOut(
            f"git {next(word for word in words if word[0] != '-' and '=' not in word)}: {said}"
        )
    return done.stdout.strip()
