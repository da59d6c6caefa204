"""git as a child process: no user configuration, no hooks, one fixed identity, every failure a named refusal."""

import os
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from orchestrator.core.errors import WorkspaceUnavailable

IDENTITY = ("Orchestrator", "orchestrator@localhost")
SETTINGS = (
    ("core.fsync", "committed,loose-object,reference"),
    ("core.hooksPath", "/dev/null"),
    ("core.autocrlf", "false"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("gc.auto", "0"),
)


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
        settings = [word for key, value in SETTINGS for word in ("-c", f"{key}={value}")]
        try:
            done = subprocess.run(
                ["git", *settings, *words], input=send, capture_output=True, env=self._environment(at), check=False
            )
        except OSError as error:
            raise WorkspaceUnavailable(f"git could not be started: {error.strerror}.", command=words[0]) from error
        if done.returncode < 0:
            raise WorkspaceUnavailable(f"git {words[0]} was killed by signal {-done.returncode}.", command=words[0])
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise GitFailed(words[0], lines[0] if lines else f"exit code {done.returncode}")
        return done.stdout

    def line(self, *words: str, send: bytes = b"", at: datetime | None = None) -> str:
        return self.run(*words, send=send, at=at).decode().strip()

    def _environment(self, at: datetime | None) -> Mapping[str, str]:
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
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
            **({"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date} if date else {}),
        }
