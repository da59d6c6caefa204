"""The table of findings in orchestrator/CONSISTENCY.md, made from the kinds themselves (LC-12)."""

from typing import Final

from orchestrator.core.files.consistency import MEANINGS, Kind

HEAD: Final = "| code | finding | severity | means | fixing |\n|---|---|---|---|---|\n"


def consistency_table() -> str:
    """A row for each kind, in the order of the codes."""
    return HEAD + "".join(map(_row, Kind))


def _row(kind: Kind) -> str:
    meaning = MEANINGS[kind]
    severity = "warning" if meaning.is_warning else "error"
    return f"| {kind.value} | {meaning.title} | {severity} | {meaning.means} | {meaning.fix} |\n"
