"""git as a child process: no user configuration, no hooks, one fixed identity, every failure a named refusal.

What git prints is bytes: names of branches and files are whatever somebody pushed. They are read as UTF-8
with `surrogateescape`, and given back to git the same way, so every name comes through whole.
"""

import os
import resource
import subprocess
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Timer

from orchestrator.core.errors import WorkspaceUnavailable

IDENTITY = ("Orchestrator", "orchestrator@localhost")
SETTINGS = (
    ("core.fsync", "committed,loose-object,reference"),
    # The database says where the branch stood, and what leaves it is kept under refs/diverged/.
    ("core.logAllRefUpdates", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.autocrlf", "false"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("gc.auto", "0"),
)

#: Bytes of memory that git may take for what somebody else made.
MEMORY = 1024 * 1024 * 1024


class GitFailed(WorkspaceUnavailable):
    """git said no; `said` is its first line."""

    def __init__(self, command: str, said: str) -> None:
        super().__init__(f"git {command} failed in the workspace: {said}", command=command)
        self.said = said


class Git:
    """Runs git on one repository. `folder` is its work tree; the repository is `folder/.git`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, send: bytes = b"", at: datetime | None = None) -> bytes:
        """Standard output of a git command. `at` is the time a commit carries.

        Raises GitFailed when git says no, WorkspaceUnavailable when it could not speak.
        """
        try:
            done = subprocess.run(
                self.command(*words), input=send, capture_output=True, env=self.environment(at), check=False
            )
        except OSError as error:
            raise _not_started(words, error) from error
        _refuse_failure(words[0], done.returncode, done.stderr)
        return done.stdout

    def part(
        self, *words: str, send: bytes = b"", most: int, seconds: float, strict: bool = True
    ) -> tuple[bytes, bool]:
        """What a command printed, and whether that is all: it is stopped after `most` bytes or `seconds`.

        For what somebody else made: a tree of a few objects can list for ever. `send` is short, for it is
        sent first. Raises GitFailed, unless `strict` is false: then what it printed before stands.
        """
        with TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    self.command(*words),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=self.environment(),
                )
            except OSError as error:
                raise _not_started(words, error) from error
            _limit_memory(process)
            printed, whole = _exchange(process, send, most, seconds)
            if whole and strict:
                errors.seek(0)
                _refuse_failure(words[0], process.returncode, errors.read())
        return printed, whole

    def line(self, *words: str, send: bytes = b"", at: datetime | None = None) -> str:
        return text(self.run(*words, send=send, at=at)).strip()

    def command(self, *words: str) -> list[bytes]:
        """A command line with the settings that every command has."""
        settings = [word for key, value in SETTINGS for word in ("-c", f"{key}={value}")]
        return [given(word) for word in ("git", *settings, *words)]

    def environment(self, at: datetime | None = None) -> dict[str, str]:
        """All that git is told: nothing of the user's. `at` is the time that a commit carries."""
        name, mail = IDENTITY
        date = f"{int(at.timestamp())} +0000" if at else ""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "GIT_DIR": str(self.folder / ".git"),
            "GIT_WORK_TREE": str(self.folder),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            # What a pushed ref says is another object is not believed, and nothing is fetched from anywhere.
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            # A path is a path, whatever it looks like.
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
            **({"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date} if date else {}),
        }


def text(printed: bytes) -> str:
    """What git printed, to be given back to it. Parts are cut at NUL or at a line feed, nowhere else."""
    return printed.decode(errors="surrogateescape")


def given(word: str) -> bytes:
    """The bytes that git gets for what it printed."""
    return word.encode(errors="surrogateescape")


def shown(name: str) -> str:
    """A name of git's as people and databases can have it: bytes that are no text are written out."""
    return given(name).decode(errors="backslashreplace").replace("\0", "\\x00")


def _limit_memory(process: "subprocess.Popen[bytes]") -> None:
    """Where the system can: git gathers what it lists before it prints."""
    if hasattr(resource, "prlimit"):
        with suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))


def _exchange(
    process: "subprocess.Popen[bytes]", send: bytes, most: int, seconds: float
) -> tuple[bytes, bool]:
    """Send, read at most so many bytes for so long, and see the process end."""
    late = Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = Timer(seconds, stop)
    timer.start()
    try:
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            # It may end before it has read all; its exit code says why.
            with suppress(BrokenPipeError):
                process.stdin.write(send)
                process.stdin.close()
            printed = process.stdout.read(most + 1)
            if len(printed) > most:
                process.kill()
    finally:
        timer.cancel()
    return printed[:most], len(printed) <= most and not late.is_set()


def _not_started(words: tuple[str, ...], error: OSError) -> WorkspaceUnavailable:
    return WorkspaceUnavailable(f"git could not be started: {error.strerror}.", command=words[0])


def _refuse_failure(command: str, code: int, errors: bytes) -> None:
    if code < 0:
        raise WorkspaceUnavailable(f"git {command} was killed by signal {-code}.", command=command)
    if code:
        first = errors.strip().split(b"\n")[0].decode(errors="backslashreplace")
        raise GitFailed(command, first or f"exit code {code}")
