"""What stands in a backup, and what would be lost by putting it back (FR-009, F23, F24). Pure.

A backup is a folder with a manifest, the database, and a pack and the refs of each repository. The manifest
is written last: a folder without one is no backup.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FORMAT: Final = "orchestrator-backup/1"
MANIFEST: Final = "manifest.json"
#: How many names a sentence lists.
SHOWN: Final = 5
#: What a file in a backup may be called.
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)?[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class HistoryEnd:
    """How far a history goes: its entries with the hash of the last one, and its newest checkpoint ("" and 0
    before there is one)."""

    entries: int
    last: str
    sealed: int
    root: str
    note: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file of the backup, as it was written."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    `database` is the kind, `migrations` what its tables were made by, `tables` the columns of each table's
    file (PostgreSQL alone). `keys` are public keys that signed the history, the present one first; `secret`
    tells whether a secret key is the one of then, and nothing else of it. `workspace` is the commit of its
    branch, `heads` the ref that HEAD names in each repository that plans work on.
    """

    format: str
    made_at: str
    version: str
    database: str
    migrations: tuple[str, ...]
    tables: Mapping[str, tuple[str, ...]]
    history: HistoryEnd
    keys: tuple[str, ...]
    secret: str
    workspace: str
    heads: Mapping[str, str]
    files: Mapping[str, FileFacts]


@dataclass(frozen=True, slots=True)
class Present:
    """What is there before a backup is put back. `common` says that one of both histories goes on from the
    other one; `later` names the workstreams of the entries that came after the backup.

    `commits` are those of the workspace's branch that the backup does not have, `pushed` the branches of
    producers that it does not have.
    """

    entries: int
    common: bool
    since: str
    until: str
    later: tuple[str, ...]
    commits: int
    pushed: tuple[str, ...]


def is_file_name(name: str) -> bool:
    """Whether a manifest may name such a file: in the backup's folder, or in one folder of it."""
    return _FILE.fullmatch(name) is not None


def losses(manifest: Manifest, present: Present) -> list[str]:
    """A sentence for each thing that would be lost; none when the backup has all that is there."""
    said = []
    if present.entries and not present.common:
        said.append(
            f"The database has another history: its {present.entries} entries do not go on from those of "
            "the backup, nor the other way round."
        )
    elif present.entries > manifest.history.entries:
        later = present.entries - manifest.history.entries
        said.append(
            f"{_counted(later, 'entry', 'entries')} of the history came after the backup, from "
            f"{present.since} to {present.until}, with all that they recorded{_listed(present.later)}."
        )
    if present.commits:
        said.append(
            f"The workspace's branch has {_counted(present.commits, 'commit', 'commits')} that the backup "
            "does not have."
        )
    if present.pushed:
        said.append(f"Results were pushed that the backup does not have{_listed(present.pushed)}.")
    return said


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _listed(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})"
