"""The table of findings in orchestrator/CONSISTENCY.md, made from the codes themselves (LC-12)."""

from typing import Final

from orchestrator.core.files.consistency import MEANINGS, Code

HEAD: Final = "| code | finding | severity | means | fixing |\n|---|---|---|---|---|\n"


def consistency_table() -> str:
    """A row for each code, in their order."""
    return HEAD + "".join(map(_row, Code))


def _row(code: Code) -> str:
    meaning = MEANINGS[code]
    severity = "warning" if meaning.is_warning else "error"
    return f"| {code.value} | {meaning.title} | {severity} | {meaning.means} | {meaning.fix} |\n"
