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
from orchestrator.models import Comment, Discussion, WorkflowVersion
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
class PlacedDiscussion:
    """A discussion in the version that is shown: `line` is where it stands there, 0 for the whole plan or an
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
class Discussions:
    """Every discussion that a reader may see.

    `by_line` and `by_step` have those with a place in the version shown.
    """

    discussions: tuple[PlacedDiscussion, ...]

    @property
    def by_line(self) -> dict[int, list[PlacedDiscussion]]:
        found: dict[int, list[PlacedDiscussion]] = defaultdict(list)
        for discussion in self.discussions:
            if discussion.line and not discussion.step:
                found[discussion.line].append(discussion)
        return found

    @property
    def by_step(self) -> dict[str, list[PlacedDiscussion]]:
        found: dict[str, list[PlacedDiscussion]] = defaultdict(list)
        for discussion in self.discussions:
            if discussion.step and not discussion.outdated:
                found[discussion.step].append(discussion)
        return found

    @property
    def general(self) -> list[PlacedDiscussion]:
        return [
            discussion
            for discussion in self.discussions
            if not discussion.step and not discussion.line and not discussion.outdated
        ]

    @property
    def outdated(self) -> list[PlacedDiscussion]:
        return [discussion for discussion in self.discussions if discussion.outdated]

    @property
    def open(self) -> int:
        return sum(discussion.open for discussion in self.discussions)

    @property
    def drafts(self) -> int:
        return sum(remark.draft for discussion in self.discussions for remark in discussion.remarks)


def discussions_on(version: WorkflowVersion, plan: Plan | None, reader_id: int) -> Discussions:
    """The discussions of every version up to this one, placed in its text, without the drafts of others."""
    seen = Q(sent_at__isnull=False) | Q(author=reader_id)
    remarks = Prefetch(
        "comments", Comment.objects.filter(seen, discarded_at=None).order_by("pk"), to_attr="seen"
    )
    rows = Discussion.objects.filter(
        version__workflow=version.workflow_id, version__number__lte=version.number
    )
    rows = rows.select_related("version", "resolved_by").prefetch_related(remarks).order_by("pk")
    discussions = [row for row in rows if row.seen]
    return Discussions(tuple(_placed(discussions, version, plan)))


class _Origin:
    """The version that discussions were opened on, beside the one that is shown."""

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
    discussions: Sequence[Discussion], version: WorkflowVersion, plan: Plan | None
) -> Iterator[PlacedDiscussion]:
    steps = {step.key: step for step in plan.steps()} if plan else {}
    origins: dict[int, _Origin] = {}
    for discussion in discussions:
        if discussion.version_id not in origins:
            lines = [
                other.line
                for other in discussions
                if other.version_id == discussion.version_id and other.line
            ]
            origins[discussion.version_id] = _Origin(discussion.version, version, lines)
        yield _discussion(discussion, origins[discussion.version_id], steps.get(discussion.step))


def _discussion(row: Discussion, origin: _Origin, step: StepSpec | None) -> PlacedDiscussion:
    gone = step is None if row.step else bool(row.line) and row.line not in origin.moved
    return PlacedDiscussion(
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
