"""Git commands on a repository that plans work on (never the artifact workspace)."""

import fcntl
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orchestrator.core.errors import Refusal

TIMEOUT: Final = 60
#: What a repository's folder may be called.
REPOSITORY_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
IDENTITY: Final = {
    "GIT_AUTHOR_NAME": "orchestrator",
    "GIT_AUTHOR_EMAIL": "orchestrator@localhost",
    "GIT_COMMITTER_NAME": "orchestrator",
    "GIT_COMMITTER_EMAIL": "orchestrator@localhost",
}
#: A repository's own hooks, signing and prompts never run: they are code and waits that nobody registered.
QUIET: Final = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "commit.gpgSign=false",
    "-c",
    "gc.auto=0",
    "-c",
    "core.fsmonitor=",
)


class GitFailed(Refusal):
    """Git said no in the plan's repository."""

    code, status = "git-failed", 409
    recovery = "Read what git said, put the repository right, then queue the step again."


def git(directory: Path, *arguments: str, send: str = "") -> str:
    """What git printed, with `send` on its standard input. Raises `GitFailed` with its message.

    What somebody gave a name to is handed over as `adapters/commits.py` found it, or behind `--`. Bytes that are no
    UTF-8 come back as surrogates, and go to git as the bytes they were.
    """
    command = [word.encode(errors="surrogateescape") for word in ("git", *QUIET, *arguments)]
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=_environment(),
            input=send.encode(errors="surrogateescape"),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise GitFailed(f"git {arguments[0]} did not run: {problem}") from problem
    if done.returncode:
        said = (
            (done.stderr.strip() or done.stdout.strip())
            .decode(errors="backslashreplace")
            .replace(str(directory), "the worktree")
        )
        raise GitFailed(f"git {arguments[0]} failed: {said[:1500]}", exit_code=done.returncode)
    return done.stdout.decode(errors="surrogateescape")


def shown(name: str) -> str:
    """A name of git's as people and databases can have it: bytes that are no text are written out."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        # A path is a path, whatever it looks like; and an object is what it was, whatever refs/replace says.
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        **IDENTITY,
    }


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[int]:
    """Hold an exclusive lock on `path`; yields its descriptor, which a child may inherit to prolong the hold.

    `waiting` is called again and again while somebody else holds it: it pauses, and may raise to give up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _lock(descriptor, block=waiting is None):
            if waiting is not None:
                waiting()
        yield descriptor
    finally:
        # Closing lets go only of our hold: a tool that inherited the descriptor and still runs keeps the lock.
        os.close(descriptor)


def _lock(descriptor: int, *, block: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if block else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
