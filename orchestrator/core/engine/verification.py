"""Which command proves that a step is done, and what its run showed (BX-9).

What somebody says of their own work is asserted. What the orchestrator ran itself, on the commit that was
handed in, is proved.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from orchestrator.core.engine.ancestry import ancestors
from orchestrator.core.engine.values import TaskView
from orchestrator.core.errors import Refusal

#: What a `Verify` line says that wants no verification, whatever gate, plan and repository say.
NONE: Final = "none"
#: Characters of a run's log that are kept with its receipt.
LOG_END: Final = 4_000


class BeingVerified(Refusal):
    """A completion of the attempt is being verified, and this is another one."""

    code, status = "being-verified", 409
    recovery = "Wait for the result, which stands with the attempt; if it is red, complete it once more."


class VerificationFailed(Refusal):
    """The command that proves the step was red on the commit that was handed in; the attempt goes on."""

    code, status = "verification-failed", 409
    recovery = "Mend it, commit, and complete the attempt with the new commit."


#: The way out where it was not the work that was red.
NEVER_RUNS: Final = (
    "The command came to no end of its own, so nothing shows whether the work is good. Where it cannot run "
    "at all, ask a person: a new version of the plan names another command, or none (`Verify: none`)."
)


class ProofDemanded(Refusal):
    """The rules of the workflow take nobody's word: a command has to show that the step is done."""

    code, status = "proof-demanded", 422
    recovery = (
        "Name the commit with the work. Where no command proves the step, ask for a version of the plan with "
        "`Verify:` at it, or an approver to change the rules of the workflow."
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What was said about verifying a step, from the nearest place to the farthest; empty where nothing was.

    `tool` and `run` are the step's own, `by_tool` says that the tool itself does the step. The others are
    lines of a tool and what it runs: of the step, of its gate, of the plan, of the repository.
    """

    tool: str = ""
    run: str = ""
    by_tool: bool = False
    step: str = ""
    gate: str = ""
    plan: str = ""
    repository: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """What proves a step: `source` says in words who asked for it."""

    tool: str
    run: str
    source: str

    @property
    def line(self) -> str:
        return f"{self.tool} {self.run}".strip()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a run showed. `tree` is git's name of the files it ran on, `log` the digest of the whole output.

    `exit_code` is None where the command came to no end; `problem` then says why.
    """

    command: str
    exit_code: int | None
    commit: str
    tree: str
    milliseconds: int
    log: str
    log_end: str
    problem: str = ""

    @property
    def passed(self) -> bool:
        return self.exit_code == 0 and not self.problem

    def as_data(self) -> dict[str, Any]:
        """For the history: all but the end of the log, which stands with the row."""
        return {name: value for name, value in asdict(self).items() if name != "log_end"}


def verification_of(named: Named, registered: Collection[str]) -> Command | None:
    """The command that proves the step: the nearest that was named. None where nothing was named, where it is
    `none`, and where no tool of this installation runs it: what is then said is asserted. A tool that has
    done the step itself measured it already.
    """
    own = f"{named.tool} {named.run}".strip()
    said = [
        ("its own tool", "" if named.by_tool else own),
        ("the step", named.step),
        ("its gate", named.gate),
        ("the plan", named.plan),
        ("the repository", named.repository),
    ]
    source, line = next(((source, line.strip()) for source, line in said if line.strip()), ("", ""))
    if not line or line.lower() == NONE or (named.by_tool and line == own):
        return None
    tool, _, run = line.partition(" ")
    return Command(tool, run.strip(), source) if tool in registered else None


def gates_verify(tasks: Sequence[TaskView], lines: Mapping[str, str]) -> dict[str, str]:
    """The lines that gates ask of the steps that they review, by the steps' keys: of each step the first gate
    behind it counts. `lines` are those of every gate, empty ones too."""
    if not any(lines.values()):
        return {}
    found: dict[str, str] = {}
    for gate in sorted((task for task in tasks if task.key in lines), key=lambda task: task.order):
        for key in ancestors(tasks, gate.key):
            found.setdefault(key, lines[gate.key])
    return {key: line for key, line in found.items() if line and key not in lines}
