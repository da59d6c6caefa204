"""Ruff as a tool: the linter and formatter (AD-6)."""

import os
import stat
import sys
import tomllib
from pathlib import Path
from typing import Final

from orchestrator.adapters import process
from orchestrator.adapters.arguments import Options, allowed, words
from orchestrator.adapters.results import result_of
from orchestrator.adapters.tool import Job, Result
from orchestrator.core.errors import InvalidInput

#: Options that choose rules or shape the report; those that name other configuration or write elsewhere are
#: missing.
OPTIONS = Options(
    flags=frozenset({"--fix", "--check", "--diff", "--quiet", "-q", "--statistics", "--preview"}),
    valued=frozenset({"--select", "--ignore", "--extend-select", "--line-length"}),
)
ACTIONS = ("check", "format")
#: Bytes of a configuration that are read to see whether it is ruff's.
CONFIGURATION_LIMIT: Final = 1_000_000


class Ruff:
    """`check` or `format` below the worktree, with the repository's own configuration and none above it."""

    name = "ruff"

    def arguments(self, run: str) -> list[str]:
        action, *given = words(run, self.name) or ["check"]
        if action not in ACTIONS:
            raise InvalidInput(f"ruff can {' or '.join(ACTIONS)}, not “{action}”.", field="Run")
        return [action, *allowed(given, self.name, OPTIONS)]

    def run(self, job: Job) -> Result:
        action, *given = self.arguments(job.run)
        own = [] if _configured(job.directory) else ["--isolated"]
        argv = [sys.executable, "-m", "ruff", action, "--no-cache", *own, *given]
        return result_of(["ruff", action, *given], process.run(argv, job), job)


def _configured(directory: Path) -> bool:
    """Whether the repository configures ruff itself.

    Else ruff would look in the folders above the worktree.
    """
    if any((directory / name).is_file() for name in ("ruff.toml", ".ruff.toml")):
        return True
    try:
        return "ruff" in tomllib.loads(_text(directory / "pyproject.toml")).get("tool", {})
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return False


def _text(path: Path) -> str:
    """The beginning of a file that somebody handed in.

    Never through a link, which could lead to any file of ours.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path.name} is no plain file")
        return file.read(CONFIGURATION_LIMIT).decode("utf-8")
