"""Public keys of a log as they stand behind `--key` (FR-009)."""

from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import CommandError

from orchestrator.core.sealing.notes import BadNote, PublicKey, read_public


def keys_given(given: Iterable[str]) -> tuple[PublicKey, ...]:
    """Keys, or the lines of files of them, as proofs/verify.py takes them. CommandError for anything else."""
    try:
        lines = [line for one in given for line in ([one] if "+" in one else _lines(Path(one)))]
        return tuple(read_public(line) for line in lines)
    except (BadNote, OSError, UnicodeError) as problem:
        raise CommandError(f"--key: {problem}") from problem


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="ascii").split()
