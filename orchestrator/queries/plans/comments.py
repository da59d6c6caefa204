"""The comments of a plan as one version shows them: who said what, and whether it still applies (WF-3)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Prefetch, Q

from orchestrator.core.plans.plan import Plan, StepSpec
from orchestrator.core.plans.text.anchors import follow
from orchestrator.core.plans.text.sections import lines_of
from orchestrator.models import Comment, CommentThread, WorkflowVersion
from orchestrator.queries.plans.readings import reading_of


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment. `draft` is for its author only."""

    pk: int
    author: str
    body: str
    at: datetime
    draft: bool


@dataclass(frozen=True, slots=True)
class Discussion:
    """A thread in the version that is shown: `line` is where it stands there, 0 for the whole plan or an
    outdated one.

    `outdated` says that its line was changed or is gone, `changed` that the step it is on was changed since.
    """

    pk: int
    number: int
    place: str
    text: str
    line: int
    step: str
    outdated: bool
    changed: bool
    resolved_by: str
    resolved_at: datetime | None
    remarks: tuple[Remark, ...]

    @property
    def resolved(self) -> bool:
        return self.resolved_at is not None

    @property
    def draft(self) -> bool:
        return all(remark.draft for remark in self.remarks)

    @property
    def open(self) -> bool:
        return not self.resolved and not self.draft


@dataclass(frozen=True, slots=True)
class Conversation:
    """Every thread that a reader may see. `by_line` and `by_step` have those with a place in the version
    shown.
    """

    threads: tuple[Discussion, ...]

    @property
    def by_line(self) -> dict[int, list[Discussion]]:
        found: dict[int, list[Discussion]] = defaultdict(list)
        for thread in self.threads:
            if thread.line and not thread.step:
                found[thread.line].append(thread)
        return found

    @property
    def by_step(self) -> dict[str, list[Discussion]]:
        found: dict[str, list[Discussion]] = defaultdict(list)
        for thread in self.threads:
            if thread.step and not thread.outdated:
                found[thread.step].append(thread)
        return found

    @property
    def general(self) -> list[Discussion]:
        return [
            thread for thread in self.threads if not thread.step and not thread.line and not thread.outdated
        ]

    @property
    def outdated(self) -> list[Discussion]:
        return [thread for thread in self.threads if thread.outdated]

    @property
    def open(self) -> int:
        return sum(thread.open for thread in self.threads)

    @property
    def drafts(self) -> int:
        return sum(remark.draft for thread in self.threads for remark in thread.remarks)


def conversation(version: WorkflowVersion, plan: Plan | None, reader_id: int) -> Conversation:
    """The threads of every version up to this one, placed in its text; the drafts of others are left out."""
    seen = Q(sent_at__isnull=False) | Q(author=reader_id)
    remarks = Prefetch(
        "comments", Comment.objects.filter(seen, discarded_at=None).order_by("pk"), to_attr="seen"
    )
    rows = CommentThread.objects.filter(
        version__workflow=version.workflow_id, version__number__lte=version.number
    )
    rows = rows.select_related("version", "resolved_by").prefetch_related(remarks).order_by("pk")
    threads = [row for row in rows if row.seen]
    return Conversation(tuple(_placed(threads, version, plan)))


class _Origin:
    """The version that threads were opened on, beside the one that is shown."""

    def __init__(self, origin: WorkflowVersion, shown: WorkflowVersion, lines: list[int]) -> None:
        self.same = origin.pk == shown.pk
        self.version = origin
        self.texts = lines_of(origin.source)
        self.moved = {n: n for n in lines} if self.same else follow(lines, self.texts, lines_of(shown.source))

    def text(self, line: int) -> str:
        return self.texts[line - 1] if 0 < line <= len(self.texts) else ""

    def changed(self, key: str, step: StepSpec) -> bool:
        """Whether the step said something else on that version."""
        return not self.same and self._steps.get(key) != step

    @cached_property
    def _steps(self) -> dict[str, StepSpec]:
        plan = reading_of(self.version).plan
        return {step.key: step for step in plan.steps()} if plan else {}


def _placed(
    threads: Sequence[CommentThread], version: WorkflowVersion, plan: Plan | None
) -> Iterator[Discussion]:
    steps = {step.key: step for step in plan.steps()} if plan else {}
    origins: dict[int, _Origin] = {}
    for thread in threads:
        if thread.version_id not in origins:
            lines = [one.line for one in threads if one.version_id == thread.version_id and one.line]
            origins[thread.version_id] = _Origin(thread.version, version, lines)
        yield _thread(thread, origins[thread.version_id], steps.get(thread.step))


def _thread(row: CommentThread, origin: _Origin, step: StepSpec | None) -> Discussion:
    gone = step is None if row.step else bool(row.line) and row.line not in origin.moved
    return Discussion(
        pk=row.pk,
        number=row.version.number,
        place=row.place,
        text=origin.text(row.line),
        line=step.line if step else origin.moved.get(row.line, 0),
        step=row.step,
        outdated=gone,
        changed=step is not None and origin.changed(row.step, step),
        resolved_by=row.resolved_as,
        resolved_at=row.resolved_at,
        remarks=tuple(_remark(comment) for comment in row.seen),  # type: ignore[attr-defined]
    )


def _remark(comment: Comment) -> Remark:
    return Remark(
        comment.pk,
        comment.said_as,
        comment.body,
        comment.sent_at or comment.written_at,
        comment.sent_at is None,
    )
