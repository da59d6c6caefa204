"""A Python script of the repository's own `scripts/` folder as a tool (AD-6).

How a script talks to the orchestrator:
- exit code 0: done; the last line it printed is the evidence;
- exit code 75 and a line `ASK: question`: a person has to answer; the script is then run again from a clean
  tree with the answer in the environment variable `ANSWER`;
- any other exit code: the attempt failed;
- `STEP_STATE` names a folder that outlives the attempts of the step; `STEP_KEY` and `STEP_ATTEMPT` say which
  it is.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from orchestrator.adapters import process
from orchestrator.adapters.arguments import inside, words
from orchestrator.adapters.results import result_of
from orchestrator.adapters.tool import Job, Result
from orchestrator.core.errors import InvalidInput

FOLDER: Final = "scripts"
ASKS: Final = 75
MARK: Final = "ASK:"


class Script:
    """Only a file that stands in `scripts/` itself can run.

    No sub-folder, no symbolic link out of the worktree.
    """

    name = "script"

    def arguments(self, run: str) -> list[str]:
        name, *given = words(run, self.name) or [""]
        if not inside(name).endswith(".py"):
            raise InvalidInput(
                f"There is no script “{name}”: Run names a Python file of the {FOLDER}/ folder.", field="Run"
            )
        return [name, *(_harmless(word) for word in given)]

    def run(self, job: Job) -> Result:
        name, *given = self.arguments(job.run)
        script = _script(job.directory, name)
        # -I would hide the repository's own package; -s -P keep the rest of the machine out instead.
        argv = [sys.executable, "-s", "-P", f"{FOLDER}/{script.name}", *given]
        environment = {**job.environment, "PYTHONPATH": str(job.directory)}
        finished = process.run(argv, replace(job, environment=environment))
        result = result_of([f"{FOLDER}/{script.name}", *given], finished, job)
        if finished.exit_code == ASKS and not finished.stopped and (question := _question(finished.output)):
            return replace(result, question=question, error="")
        return result


def _script(directory: Path, name: str) -> Path:
    path = directory / FOLDER / name.removeprefix(f"{FOLDER}/")
    if not _is_file(path):
        raise InvalidInput(f"There is no script “{name}” in the repository's {FOLDER}/ folder.", field="Run")
    folder = (directory / FOLDER).resolve()
    if path.is_symlink() or path.resolve().parent != folder or not folder.is_relative_to(directory.resolve()):
        raise InvalidInput(
            f"“{name}” does not stand in the repository's {FOLDER}/ folder itself.", field="Run"
        )
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _harmless(word: str) -> str:
    """Options are the script's own; their values stay below the worktree like every other word."""
    for value in (word.partition("=")[2], word[2:]) if word.startswith("-") else (word,):
        inside(value)
    return word


def _question(output: str) -> str:
    asked = [line.removeprefix(MARK).strip() for line in output.splitlines() if line.startswith(MARK)]
    return asked[-1][:1000] if asked else ""
