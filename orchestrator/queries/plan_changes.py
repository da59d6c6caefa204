"""What changed between two versions of a plan, line by line (FR-022)."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from orchestrator.models import WorkflowVersion

#: Lines of both texts together; comparing takes time that grows with the square.
COMPARABLE_LINES = 8_000
CONTEXT = 2


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """`kind` is `ins`, `dele` or empty for an unchanged line beside a change; `number` counts in its own text."""

    kind: str
    number: int
    text: str

    @property
    def mark(self) -> str:
        return {"ins": "+", "dele": "−"}.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class Changes:
    since: WorkflowVersion
    lines: tuple[ChangedLine, ...]
    too_long: bool = False


def changes(since: WorkflowVersion, until: WorkflowVersion) -> Changes:
    old, new = since.source.splitlines(), until.source.splitlines()
    if len(old) + len(new) > COMPARABLE_LINES:
        return Changes(since, (), too_long=True)
    return Changes(since, tuple(_compare(old, new)))


def since_last_decision(version: WorkflowVersion, user_id: int) -> Changes | None:
    """Changes since the version this person decided last, else since the version before; None for a first version."""
    before = WorkflowVersion.objects.filter(workflow=version.workflow_id, number__lt=version.number)
    since = before.filter(decided_by=user_id).order_by("-number").first() or before.order_by("-number").first()
    return changes(since, version) if since else None


def _compare(old: list[str], new: list[str]) -> Iterator[ChangedLine]:
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT):
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from (ChangedLine("", n + 1, new[n]) for n in range(new_from, new_to))
                continue
            yield from (ChangedLine("dele", n + 1, old[n]) for n in range(old_from, old_to))
            yield from (ChangedLine("ins", n + 1, new[n]) for n in range(new_from, new_to))
