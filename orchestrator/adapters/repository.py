"""Git commands on a repository that plans work on (never the artifact workspace)."""

import fcntl
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
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
#: A repository's own hooks, signing, prompts and transports never run: they are code and waits that nobody
#: registered. What a step left in a worktree may look like a repository or a submodule; no git of ours goes
#: into it.
SETTINGS: Final = (
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.sshCommand", "false"),
    ("commit.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("merge.verifySignatures", "false"),
    ("gpg.program", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.allow", "never"),
    ("submodule.recurse", "false"),
    ("diff.ignoreSubmodules", "all"),
    ("worktree.useRelativePaths", "false"),
)
QUIET: Final = tuple(word for key, value in SETTINGS for word in ("-c", f"{key}={value}"))


class RepositoryFailed(Refusal):
    """Git said no in the plan's repository."""

    code, status = "git-failed", 409
    recovery = "Read what git said, put the repository right, then queue the step again."


def git(
    directory: Path,
    *arguments: str,
    send: str = "",
    settings: Sequence[str] = (),
    git_dir: Path | None = None,
    at: int | None = None,
) -> str:
    """What git printed, with `send` on its standard input. Raises `RepositoryFailed` with its message.

    What somebody gave a name to is handed over as `adapters/commits.py` found it, or behind `--`. Bytes that
    are no UTF-8 come back as surrogates, and go to git as the bytes they were. `git_dir` is where the
    repository's own files stand; without it git asks the `.git` of the directory, which is right only where
    no tool can write. `settings` are further `-c` words. `at` is when a commit is made, in seconds since
    1970; now, where it is left out.
    """
    command = [word.encode(errors="surrogateescape") for word in ("git", *QUIET, *settings, *arguments)]
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=_environment(directory, git_dir) | _dated(at),
            input=send.encode(errors="surrogateescape"),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RepositoryFailed(f"git {arguments[0]} did not run: {problem}") from problem
    if done.returncode:
        said = (
            (done.stderr.strip() or done.stdout.strip())
            .decode(errors="backslashreplace")
            .replace(str(directory), "the worktree")
        )
        raise RepositoryFailed(f"git {arguments[0]} failed: {said[:1500]}", exit_code=done.returncode)
    return done.stdout.decode(errors="surrogateescape")


def shown(name: str) -> str:
    """A name of git's as people and databases can have it: bytes that are no text are written out."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _environment(directory: Path, git_dir: Path | None) -> dict[str, str]:
    explicit = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(directory)} if git_dir else {}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        # A damaged repository is an error; one that stands above it is never taken for it.
        "GIT_CEILING_DIRECTORIES": str(directory.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        # An object is what it was, whatever refs/replace says.
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_EDITOR": "false",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        # A path is a path, whatever it looks like.
        "GIT_LITERAL_PATHSPECS": "1",
        **IDENTITY,
        **explicit,
    }


def _dated(at: int | None) -> dict[str, str]:
    return {} if at is None else dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"@{at} +0000")


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[int]:
    """Hold an exclusive lock on `path`; yields its descriptor, which a child may inherit to prolong the hold.

    `waiting` is called again and again while somebody else holds it: it pauses, and may raise to give up.
    Whoever holds it may remove the file: who waited for it then locks the one that stands there afterwards.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _locked_file(path, waiting)
    while not _stands_at(path, descriptor):
        os.close(descriptor)
        descriptor = _locked_file(path, waiting)
    try:
        yield descriptor
    finally:
        # Closing lets go only of our hold: a tool that inherited the descriptor and still runs keeps the
        # lock.
        os.close(descriptor)


def _locked_file(path: Path, waiting: Callable[[], None] | None) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _lock(descriptor, block=waiting is None):
            if waiting is not None:
                waiting()
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _stands_at(path: Path, descriptor: int) -> bool:
    """Whether the locked file is the one that others will find: its last holder may have removed it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int, *, block: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if block else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
