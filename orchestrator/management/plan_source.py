"""Plan files on the command line: read within the limit, findings as lines of text."""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from orchestrator.core.plan import Finding


def read_file(name: str) -> bytes:
    """The file's bytes, one more than the limit at most: the reader then says that it is too large."""
    try:
        with Path(name).open("rb") as file:
            return file.read(settings.PLAN_LIMIT + 1)
    except OSError as problem:
        raise CommandError(f"Cannot read {name}: {problem.strerror}", returncode=2) from problem


def lines_of(findings: Iterable[Finding]) -> list[str]:
    return [f"{f.severity.value:>6}  {_place(f)}: {f.message} {f.fix}" for f in findings]


def _place(finding: Finding) -> str:
    return f"line {finding.line}" if finding.line else "the whole plan"
