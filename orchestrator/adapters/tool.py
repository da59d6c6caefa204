"""What every tool adapter is: a name, and one way to do a step's work (AD-6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


def _never() -> bool:
    return False


def _nobody(_: bytes) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a tool for one attempt.

    `directory` is the thread's worktree, `state` a folder that outlives the attempts of this step, `run` the
    step's `Run` text as the plan gives it, `answer` what a person answered to the tool's question, `timeout`
    seconds. `environment` is added to the small clean one every tool gets. The tool stops soon after
    `cancelled` says so. `inherited` are file descriptors that stay open until the tool has ended (the
    worktree's lock). `network` is what the operator allows the tool (`TOOLS_NETWORK`). `printed` is told what
    the tool prints, as it comes.
    """

    directory: Path
    state: Path
    run: str
    answer: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 300.0
    cancelled: Callable[[], bool] = _never
    inherited: tuple[int, ...] = ()
    network: bool = False
    printed: Callable[[bytes], None] = _nobody


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended: `ok`, or a `question` for a person, or an `error`.

    `summary` is the honest one-line evidence. `exit_code` is None where it came to no end by itself.
    """

    ok: bool
    command: str
    output: str
    summary: str = ""
    question: str = ""
    error: str = ""
    cancelled: bool = False
    exit_code: int | None = None


class Tool(Protocol):
    """A step routes to a tool by `name`. `arguments` are the words that a step's `Run` gives it; it raises
    `InvalidInput` for what no plan may pass. The plan check asks it ahead, `run` before it starts anything.
    """

    name: str

    def arguments(self, run: str) -> list[str]: ...

    def run(self, job: Job) -> Result: ...
