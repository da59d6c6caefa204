"""Plan files on the command line: read within the limit, findings as lines of text."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management.base import CommandError

from orchestrator.core.findings import Finding
from orchestrator.core.plans.reading.naming import name_of_file

#: Files of one folder that are looked at.
MOST_FILES: Final = 5_000


def read_file(name: str) -> bytes:
    """The file's bytes, one more than the limit at most: the reader then says that it is too large."""
    try:
        with Path(name).open("rb") as file:
            return file.read(settings.PLAN_LIMIT + 1)
    except OSError as problem:
        raise CommandError(f"Cannot read {name}: {problem.strerror}", returncode=2) from problem


def files_in(folder: str) -> dict[str, bytes]:
    """The files below a folder by their relative path.

    Hidden ones and links that lead out of it are not looked at.
    """
    root = Path(folder).resolve()
    found: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        hidden = any(part.startswith(".") or part == "node_modules" for part in name.parts)
        if hidden or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        if len(found) == MOST_FILES:
            raise CommandError(f"{folder} has more than {MOST_FILES:,} files.", returncode=2)
        found[name.as_posix()] = read_file(str(path))
    return found


def files_of(paths: Sequence[Path]) -> dict[str, bytes]:
    """Every file that is named or stands below a named folder, by its name among all of them."""
    files: dict[str, bytes] = {}
    for path in paths:
        inside = files_in(str(path)) if path.is_dir() else {path.name: read_file(str(path))}
        below = f"{path.resolve().name}/" if path.is_dir() and len(paths) > 1 else ""
        for name, data in inside.items():
            if f"{below}{name}" in files:
                raise CommandError(f"Two files are called {below}{name}.", returncode=2)
            files[f"{below}{name}"] = data
    return files


def told_name(path: str) -> str:
    """The file's name; of another tool's file that is called as all of them are, with the folder that tells
    whose it is.
    """
    file = Path(path).resolve()
    if file.suffix not in (".json", ".jsonl") or name_of_file(file.name):
        return file.name
    telling = next((folder for folder in list(file.parents)[:4] if name_of_file(folder.name)), None)
    return file.relative_to(telling.parent).as_posix() if telling else file.name


def lines_of(findings: Iterable[Finding]) -> list[str]:
    return [f"{f.severity.value:>6}  {_place(f)}: {f.message} {f.fix} [{f.code}]" for f in findings]


def _place(finding: Finding) -> str:
    return f"line {finding.line}" if finding.line else "the whole plan"
