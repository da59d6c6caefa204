"""Moving a base branch to a merge that was made, or handing the merge to the operator's program (FR-010)."""

import os
import subprocess
from pathlib import Path
from typing import Final

from orchestrator.adapters.drivers import disarmed
from orchestrator.adapters.repository import RepositoryFailed, git
from orchestrator.adapters.root_file import is_checked_out

#: Seconds that the operator's program may take, and characters of its answer that are told.
COMMAND_SECONDS: Final = 120
SAID_CHARACTERS: Final = 2_000
#: What the program is given of the server's surroundings.
_KEPT: Final = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK")


def move_base(repository: Path, branch: str, old: str, new: str) -> None:
    """Have the branch, which has to stand at `old` still, stand at `new`, which was built on that. A working
    tree of the repository itself that is on the branch goes along, unless somebody's changes are in the way.
    Raises RepositoryFailed."""
    if not is_checked_out(repository, branch):
        git(repository, "update-ref", "--", f"refs/heads/{branch}", new, old)
        return
    here = git(repository, "symbolic-ref", "--quiet", "HEAD").strip()
    if here != f"refs/heads/{branch}":
        raise RepositoryFailed(f"{branch} is checked out in another worktree, which would be left behind.")
    if git(repository, "rev-parse", "--verify", "HEAD").strip() != old:
        raise RepositoryFailed(f"{branch} was moved meanwhile.")
    settings = disarmed(repository, repository / ".git")
    git(repository, "merge", "--quiet", "--ff-only", "--", new, settings=settings)


def run_program(program: str, repository: Path, facts: dict[str, str]) -> tuple[bool, str]:
    """Whether the operator's program ended well, and what it said. It runs in the repository's folder, and
    gets `facts` as environment."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | facts
    try:
        done = subprocess.run(
            [program],
            cwd=repository,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return False, f"It did not run: {problem}"
    said = (done.stdout + done.stderr).decode(errors="backslashreplace").strip()
    return done.returncode == 0, said[-SAID_CHARACTERS:]
