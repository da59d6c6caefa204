"""Handoff by artifact: what an artifact says and where it and its outputs stand in the workspace (FR-014,
WF-7).

Paths are relative to the workspace, with `/`, in Unicode NFC. What comes from executors (output names) is
checked here and nowhere else; what comes from us (slugs, keys) is made safe for file names here.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from orchestrator.core.errors import InvalidInput
from orchestrator.core.invisible import holds_any
from orchestrator.core.terms import EventType, StageKind

SCHEMA_VERSION: Final = "1.0"
#: Longest path the register can hold, in characters; longest name of one folder or file, in bytes (ext4,
#: APFS, NTFS).
PATH_LENGTH: Final = 300
NAME_BYTES: Final = 255
OUTPUT_FIELD: Final = "outputs"
DOCUMENTATION_PREFIX: Final = "99-document"
#: Events that say a step is over and what came of it: what a successor reads.
#: Artifacts of a workstream that stand in one folder.
HANDOFFS_A_FOLDER: Final = 100
RESULT_EVENTS: Final = frozenset({EventType.ATTEMPT_COMPLETED, EventType.GATE_APPROVED})

# Beside what `core/invisible.py` lists: everything that has no letter of its own in any font.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file of the workspace and the SHA-256 (hex) of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Handoff:
    """What an artifact announces. `order`: 1-based stage, batch, step (FR-005); `integrated`: the flag of
    FR-010.

    `actor` says who did it in words, `executor`, `account` and `kind` apart; all three are empty for the
    orchestrator. `proof` says what a completion rests on: `proved`, `asserted`, or nothing (BX-9).
    """

    work_item: str
    workflow: str
    version: int
    step_key: str
    order: tuple[int, int, int]
    event: EventType
    attempt: str
    at: datetime
    actor: str
    executor: str
    account: str
    kind: str
    outcome: str
    proof: str
    next_action: str
    integrated: bool
    links: tuple[FileLink, ...] = ()
    outputs: tuple[FileLink, ...] = ()


#: What every artifact says, whatever its schema version (FR-014).
_MEMBERS: Final = frozenset({"schemaVersion", "workItemId", "step", "eventType", "attemptId", "timestamp"})
ALTERED: Final = "has been altered: its content is not what was handed over"


def artifact_value(handoff: Handoff) -> dict[str, Any]:
    """The artifact as JSON values, every field of FR-014.

    The schema is `schema/handoff-artifact.schema.json`.
    """
    return {
        "schemaVersion": SCHEMA_VERSION,
        "workItemId": handoff.work_item,
        "workflow": {"name": handoff.workflow, "version": handoff.version},
        "step": {"key": handoff.step_key, "order": list(handoff.order)},
        "eventType": handoff.event.value,
        "attemptId": handoff.attempt,
        "timestamp": timestamp(handoff.at),
        "actor": handoff.actor,
        "executor": handoff.executor,
        "account": handoff.account,
        "actorKind": handoff.kind,
        "outcome": handoff.outcome,
        "proof": handoff.proof,
        "nextAction": handoff.next_action,
        "baselineIntegration": "post" if handoff.integrated else "pre",
        "links": [_link(link) for link in handoff.links],
        "outputs": [_link(link) for link in handoff.outputs],
    }


def reading_problem(content: bytes) -> str:
    """Why this release cannot read an artifact's file, as a sentence without its path.

    "" when it can (EC-3).
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return "has been altered and is no longer JSON"
    if not isinstance(value, dict) or not value.keys() >= _MEMBERS:
        return ALTERED
    if (version := value["schemaVersion"]) != SCHEMA_VERSION:
        return f"has the schema version {str(version)[:20]}, and this release reads {SCHEMA_VERSION}"
    return ""


def _link(link: FileLink) -> dict[str, object]:
    return {"path": link.path, "sha256": link.sha256}


def timestamp(moment: datetime) -> str:
    """UTC with microseconds and `Z`, always the same width."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def workstream_folder(slug: str) -> str:
    return f"workstreams/{slug}"


def artifact_path(slug: str, sequence: int, step_key: str, event: EventType) -> str:
    """`workstreams/<slug>/handoffs/<hundreds>/<sequence>-<step key>-<event>.json`.

    The sequence alone makes it unique. Folders of a hundred keep a commit as cheap at the end of a long
    workstream as at its start: git writes the list of a whole folder anew with each file in it. Who reads an
    artifact takes the path from its row or from a link, so those that stand in one folder are found too.
    """
    folder = f"{workstream_folder(slug)}/handoffs/{sequence // HANDOFFS_A_FOLDER:04d}"
    return f"{folder}/{sequence:06d}-{_file_word(step_key)}-{event.value}.json"


def _file_word(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", key).strip("-") or "step"


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where a step's outputs stand.

    Documentation in a directory of its own (WF-6), everything else in `files/`.
    """

    slug: str
    stage: str
    batch: str
    thread: str
    stage_kind: StageKind = StageKind.NORMAL

    @property
    def folder(self) -> str:
        if self.stage_kind is StageKind.DOCUMENTATION or self.batch.startswith(DOCUMENTATION_PREFIX):
            return f"docs/{self.slug}"
        return f"{workstream_folder(self.slug)}/files/{self.stage}/{self.batch}/{self.thread}"


def output_paths(place: OutputPlace, names: Iterable[str]) -> Mapping[str, str]:
    """Given name -> workspace path.

    Raises InvalidInput for a name that is not allowed or clashes with another one.
    """
    paths: dict[str, str] = {}
    for name in names:
        path = f"{place.folder}/{check_output_name(name)}"
        if len(path) > PATH_LENGTH:
            raise _refused(name, f"makes a path of {len(path)} characters, and {PATH_LENGTH} is the most")
        if path in paths.values():
            raise _refused(name, "is the same file as another output of this attempt")
        paths[name] = path
    taken = set(paths.values())
    for name, path in paths.items():
        if folder := next((parent for parent in parents(path) if parent in taken), None):
            raise _refused(name, f"needs a folder where another output is a file ({folder})")
    return paths


def parents(path: str) -> tuple[str, ...]:
    """The folders above a path: `a/b/c` gives `a` and `a/b`."""
    parts = path.split("/")
    return tuple("/".join(parts[:count]) for count in range(1, len(parts)))


def check_output_name(name: str) -> str:
    """The name in NFC, or InvalidInput that says what is wrong with it (bad inputs B1 to B10)."""
    if holds_any(name) or any(unicodedata.category(letter) in _INVISIBLE for letter in name):
        raise _refused(name, "contains a character that cannot be seen or changes the reading order")
    normal = unicodedata.normalize("NFC", name)
    if not normal or "\\" in normal or ":" in normal:
        raise _refused(name, r"is empty or contains \ or :")
    for part in normal.split("/"):
        if problem := _part_problem(part):
            raise _refused(name, problem)
    return normal


def _part_problem(part: str) -> str:
    if part in {"", ".", ".."}:
        return "must be a relative path without empty, . or .. parts"
    if part.casefold().startswith((".git", "git~")):
        return "contains a name that belongs to git"
    if part != part.strip() or part.endswith("."):
        return "has a part that begins or ends with a space, or ends with a full stop"
    if len(part.encode()) > NAME_BYTES:
        return f"has a part of more than {NAME_BYTES} bytes"
    return ""


def _refused(name: str, problem: str) -> InvalidInput:
    shown = name.encode("ascii", "backslashreplace").decode()[:80]
    return InvalidInput(f'{OUTPUT_FIELD}: the name "{shown}" {problem}.', field=OUTPUT_FIELD)


@dataclass(frozen=True, slots=True)
class Recovery:
    """A way out of a damaged artifact (EC-3): the act's name, the button's words, what it does."""

    act: str
    label: str
    meaning: str


RECOVERIES: Final = (
    Recovery("retry", "Retry", "Look at the file again; choose this after putting it back by hand."),
    Recovery(
        "republish",
        "Republish",
        "Write the file again from the record, and commit it again where git lost it.",
    ),
    Recovery("restore", "Restore", "Take the file out of the git commit that holds it."),
    Recovery(
        "withdraw", "Declare failure", "Give this result up: the step and everything after it is done again."
    ),
)
