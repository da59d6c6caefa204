"""Whether there is an installation for a command to speak of: one that only asks makes none."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orchestrator.data_dir import DATABASE_FILE

#: Our commands that make an installation, or need none.
_GO_ON: Final = frozenset(
    (
        "serve",
        "setup_demo",
        "restore",
        "convert_plan",
        "preview_plan",
        "list_acts",
        "list_refusals",
        "witness",
    )
)
#: What is answered without a database by commands that need one otherwise.
_TOLD: Final = frozenset(("-h", "--help", "--codes"))


def not_begun(words: Sequence[str]) -> str:
    """Why the command with these words (its name first) cannot go on; empty when it can. Nothing is made."""
    if not words or words[0] not in _ours() - _GO_ON or _TOLD & set(words):
        return ""
    if os.environ.get("DATABASE_URL") or DATABASE_FILE.exists():
        return ""
    return (
        f"There is no database {DATABASE_FILE}, and nothing was made. Set DATA_DIR or DATABASE_URL as the "
        "server has them, or start a new one with `manage.py serve`."
    )


def _ours() -> set[str]:
    return {path.stem for path in Path(__file__).with_name("commands").glob("[a-z]*.py")}
