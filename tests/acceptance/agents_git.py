"""Git as an agent runs it on its machine; without Django, for agents that are processes of their own."""

import os
import subprocess
from pathlib import Path


def command(folder: str | Path, *words: str) -> str:
    """Git as an agent runs it; CalledProcessError where git says no."""
    who = {
        f"GIT_{role}_{what}": "agent@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_EDITOR": "true"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
