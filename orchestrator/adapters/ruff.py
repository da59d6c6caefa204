"""Ruff as a tool: the linter and formatter (AD-6)."""

import sys
import tomllib
from pathlib import Path

from orchestrator.adapters import process
from orchestrator.adapters.arguments import Options, allowed, words
from orchestrator.adapters.results import result_of
from orchestrator.adapters.tool import Job, Result
from orchestrator.core.errors import InvalidInput

#: Options that choose rules or shape the report; those that name other configuration or write elsewhere are missing.
OPTIONS = Options(
    flags=frozenset({"--fix", "--check", "--diff", "--quiet", "-q", "--statistics", "--preview"}),
    valued=frozenset({"--select", "--ignore", "--extend-select", "--line-length"}),
)
ACTIONS = ("check", "format")


class Ruff:
    """`check` or `format` below the worktree, with the repository's own configuration and none above it."""

    name = "ruff"

    def run(self, job: Job) -> Result:
        action, *given = words(job.run, self.name) or ["check"]
        if action not in ACTIONS:
            raise InvalidInput(f"ruff can {' or '.join(ACTIONS)}, not “{action}”.", field="Run")
        given = allowed(given, self.name, OPTIONS)
        own = [] if _configured(job.directory) else ["--isolated"]
        argv = [sys.executable, "-m", "ruff", action, "--no-cache", *own, *given]
        return result_of(["ruff", action, *given], process.run(argv, job), job)


def _configured(directory: Path) -> bool:
    """Whether the repository configures ruff itself; else ruff would look in the folders above the worktree."""
    if any((directory / name).is_file() for name in ("ruff.toml", ".ruff.toml")):
        return True
    try:
        return "ruff" in tomllib.loads((directory / "pyproject.toml").read_text("utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False
