"""Agents who work in the worktrees of a plan's lanes, over REST and with git as it is on their machine."""

from pathlib import Path
from typing import Any

from orchestrator.core.terms import CriterionKind
from orchestrator.models import Attempt
from tests.acceptance.agents_git import command
from tests.cast import Driver
from tests.machines import Machine

#: Three lanes side by side, then one that joins them.
LANES = b"""---
repository: sample
---
# Plan: Shop front

## Stages

### Stage 1: Build

##### Batch 01: parts

###### Thread 01: prices
- Worktree: `.worktrees/WS-A`
- Files: `prices/**`
- A1: Price model
  - Exit: prices are right
- A2: Discounts
  - Exit: discounts are right

###### Thread 02: pages
- Worktree: `.worktrees/WS-B`
- Files: `pages/**`
- B1: Page with prices
  - Exit: prices are shown

###### Thread 03: words
- Files: `words/**`
- C1: Words on the page
  - Exit: words are there

##### Batch 02: together

###### Thread 01: all
- D1: Bring it together (needs A2, B1, C1)
  - Exit: it works
"""


def make_repository(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    command(path, "init", "--quiet", "--initial-branch", "main")
    for name, text in {"README": "A shop.\n", **files}.items():
        write(path, name, text)
    command(path, "add", "--all")
    command(path, "commit", "--quiet", "--message", "As it stands")
    return path


def write(folder: str | Path, name: str, content: str | bytes) -> None:
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


class Agent:
    """Holds one step; `place` is what it was told last."""

    def __init__(self, driver: Driver, key: str, name: str = "") -> None:
        self.driver, self.key = driver, key
        self.executor = driver.cast.builder(name or f"agent-{key}-{driver.attempt(key).number}")
        self.machine = Machine.of(self.executor)
        self.token, self.place = 0, dict[str, Any]()

    @property
    def attempt(self) -> Attempt:
        return self.driver.attempt(self.key)

    @property
    def folder(self) -> Path:
        return Path(self.place["path"])

    def call(self, what: str, key: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
        held = {} if what == "claim" else {"token": self.token}
        return self.machine.post(f"/api/attempts/{self.attempt.pk}/{what}", {**held, **body}, key)

    def claim(self, key: str = "") -> "Agent":
        status, told = self.call("claim", key)
        assert status == 200, told
        self.token, self.place = told["token"], told["brief"]["place"]
        return self

    def take_place(self) -> "Agent":
        status, self.place = self.call("place")
        assert status == 200, self.place
        return self

    def write(self, name: str, content: str | bytes) -> "Agent":
        write(self.folder, name, content)
        return self

    def git(self, *words: str) -> str:
        return command(self.folder, *words)

    def commit(self, message: str = "work") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def complete(self, commit: str = "") -> tuple[int, dict[str, Any]]:
        exits = self.attempt.task.step.criteria.filter(kind=CriterionKind.EXIT)
        answer = self.call(
            "complete", commit=commit, outcome="Done.", evidence={str(c.pk): "seen" for c in exits}
        )
        self.driver.advance()
        return answer

    def done(self, commit: str = "") -> str:
        """Completed, or the test ends; the commit that stands."""
        status, told = self.complete(commit)
        assert status == 200, told
        return str(told["commit"])


def working(driver: Driver, key: str) -> Agent:
    return Agent(driver, key).claim()
