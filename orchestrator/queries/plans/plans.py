"""What the plan pages show: the list, and one version prepared for review (WF-2, WF-3)."""

from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Lower
from django.http import QueryDict

from orchestrator.core.changes.adoption import adoption_of
from orchestrator.core.engine.likely_usage import LikelyUsage
from orchestrator.core.errors import NotFound
from orchestrator.core.findings import Finding
from orchestrator.core.plans.plan import Reading, StageSpec
from orchestrator.core.plans.rehearsing.preview import DEFAULT_EXECUTORS, Preview
from orchestrator.core.terms import VersionStatus
from orchestrator.models import Workflow, WorkflowVersion, Workstream
from orchestrator.queries.base.asked import Asked, Unknown
from orchestrator.queries.base.sorting import in_order
from orchestrator.queries.plans.excerpts import SourceLine, first_stages, source_lines
from orchestrator.queries.plans.readings import preview_plan


@dataclass(frozen=True, slots=True)
class Review:
    """A reading laid out for people: what blocks, what else was found, the source, what approval will do.

    Of a long one `lines` and `stages` are not all that there is (`excerpts.py`).
    """

    reading: Reading
    lines: tuple[SourceLine, ...]
    effect: Preview | None
    stages: tuple[StageSpec, ...] = ()
    forecast: LikelyUsage | None = None

    @property
    def blockers(self) -> tuple[Finding, ...]:
        return self.reading.blockers

    @property
    def unreachable(self) -> int:
        """Steps that no launch ever reaches, because of what blocks approval."""
        return self.effect.unreachable if self.effect else 0

    @property
    def steps_shown(self) -> int:
        batches = [batch for stage in self.stages for batch in stage.batches]
        return sum(len(thread.steps) for batch in batches for thread in batch.threads)

    @property
    def steps_left_out(self) -> int:
        plan = self.reading.plan
        return sum(1 for _ in plan.steps()) - self.steps_shown if plan else 0

    @property
    def lines_left_out(self) -> bool:
        return any(line.gap for line in self.lines)

    @property
    def remarks(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.reading.findings if not finding.blocks)


#: What a reader may sort the list of plans by.
SORTS: Final = {
    "plan": Lower("workflow__name"),
    "state": "status",
    "submitted": "submitted_at",
    "decided": "decided_at",
}


@dataclass(frozen=True, slots=True)
class PlanFilter:
    """What the list of plans shows; empty means any."""

    text: str = ""
    state: str = ""
    domain: str = ""
    sort: str = ""
    unknown: tuple[Unknown, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> "PlanFilter":
        """Unknown values filter nothing, and are said."""
        asked = Asked(query, {"q": "Title contains"})
        read = cls(
            text=asked.text("q"),
            state=asked.term("state", VersionStatus) or "",
            domain=asked.one_of("domain", plan_domains),
            sort=asked.order(SORTS),
        )
        return replace(read, unknown=tuple(asked.unknown))

    @property
    def given(self) -> bool:
        return bool(self.text or self.state or self.domain)


def plan_domains() -> list[str]:
    """The domains that a workflow is of, by name."""
    found = Workflow.objects.exclude(domain="").order_by().values_list("domain", flat=True).distinct()
    return sorted(found, key=str.casefold)


def latest_versions(wanted: PlanFilter) -> QuerySet[WorkflowVersion]:
    """The newest version of every workflow: waiting ones first, oldest first, then the others; or by a column
    of `SORTS`. Of those that the filter takes."""
    rows = _latest(wanted.sort)
    if wanted.text:
        rows = rows.filter(Q(workflow__name__icontains=wanted.text) | Q(workflow__slug=wanted.text))
    if wanted.state:
        rows = rows.filter(status=wanted.state)
    return rows.filter(workflow__domain=wanted.domain) if wanted.domain else rows


def _latest(sort: str) -> QuerySet[WorkflowVersion]:
    newest = (
        WorkflowVersion.objects.filter(workflow=OuterRef("workflow")).order_by("-number").values("number")[:1]
    )
    waiting = When(status=VersionStatus.IN_REVIEW, then=Value(0))
    return (
        WorkflowVersion.objects.filter(number=Subquery(newest))
        .annotate(
            rank=Case(waiting, default=Value(1), output_field=IntegerField()),
            waiting_since=Case(When(status=VersionStatus.IN_REVIEW, then=F("submitted_at"))),
        )
        .select_related("workflow", "author", "decided_by")
        .defer("source")
        .order_by(*in_order(sort, SORTS, ("rank", "waiting_since", "-submitted_at", "pk")))
    )


def find_version(slug: str, number: int | None = None) -> WorkflowVersion:
    """A version by its address, or the newest one; NotFound when there is none."""
    versions = WorkflowVersion.objects.select_related("workflow", "author", "decided_by").filter(
        workflow__slug=slug
    )
    version = versions.filter(number=number).first() if number else versions.order_by("-number").first()
    if version is None:
        raise NotFound(f"There is no plan {slug}{f' with a version {number}' if number else ''}.")
    return version


def versions_of(version: WorkflowVersion) -> list[WorkflowVersion]:
    """Every version of the same workflow, newest first, without the texts."""
    return list(
        WorkflowVersion.objects.filter(workflow=version.workflow_id)
        .select_related("author", "decided_by")
        .defer("source")
        .order_by("-number")
    )


def earlier_versions(
    version: WorkflowVersion, reader_id: int
) -> tuple[WorkflowVersion | None, WorkflowVersion | None]:
    """The version before this one that the person decided last, and the one just before.

    None where there is none.
    """
    if version.number == 1:
        return None, None
    before = WorkflowVersion.objects.filter(workflow=version.workflow_id, number__lt=version.number)
    before = before.select_related("workflow").order_by("-number")
    own = before.filter(
        Q(decided_by=reader_id) | Q(approvals__person=reader_id, approvals__withdrawn_at=None)
    ).first()
    return own, before.first()


def workstream_of(version: WorkflowVersion) -> Workstream:
    """The workstream that the version was submitted for.

    Of an old record, the first that uses its workflow.
    """
    workstreams = Workstream.objects.select_related("version")
    found = workstreams.filter(pk=version.workstream_id).first() if version.workstream_id else None
    found = found or workstreams.filter(version__workflow=version.workflow_id).order_by("pk").first()
    if found is None:
        raise NotFound(f"No workstream uses {version}.")
    return found


def lay_out(source: str, reading: Reading, *, adopts: bool = False) -> Review:
    """With `adopts`, the effect is that of what is left to do (WF-8)."""
    ended = adoption_of(reading).ended if adopts else {}
    return Review(
        reading=reading,
        lines=tuple(source_lines(source, reading)),
        stages=first_stages(reading.plan),
        effect=preview_plan(reading.plan, DEFAULT_EXECUTORS, ended) if reading.plan else None,
    )
