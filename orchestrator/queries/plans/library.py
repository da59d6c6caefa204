"""The library: workflows that are shipped and workflows that were saved from plans, to start work from.

Requirements: AD-8.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.db.models import Count, QuerySet

from orchestrator.core.errors import NotFound
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.parameters import Parameter, parameters_of, with_values
from orchestrator.models import SavedWorkflow, SavedWorkflowVersion, WorkflowVersion

FOLDER: Final = settings.BASE_DIR / "fixtures" / "workflows"
SUFFIX: Final = ".PLAN.md"
#: Texts that a process keeps read.
KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """How much a workflow holds; the gates are among the steps."""

    stages: int = 0
    batches: int = 0
    steps: int = 0
    gates: int = 0
    threads: int = 0


@dataclass(frozen=True, slots=True)
class WorkflowOrigin:
    """Who saved a workflow when, and the plan that it was made from.

    `reason` is why there is this version.
    """

    by: str
    at: datetime
    plan: str
    plan_name: str
    plan_version: int
    reason: str


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A workflow of the library in its newest version, or in the one that was asked for.

    `name` stands in addresses; `summary` has the names of the parameters where their values will stand;
    `used` is how many plans were started from it. A shipped one has number 0 and was made by nobody.
    """

    name: str
    title: str
    description: str
    source: str
    summary: str
    parameters: tuple[Parameter, ...]
    shape: Shape
    number: int = 0
    made: WorkflowOrigin | None = None
    used: int = 0
    archived_at: datetime | None = None

    @property
    def shipped(self) -> bool:
        return self.made is None

    def matches(self, words: str) -> bool:
        """Whether every word stands in its name, description, summary, parameters, or its plan's name."""
        said = [
            self.title,
            self.name,
            self.description,
            self.summary,
            self.made.plan_name if self.made else "",
        ]
        said += [f"{parameter.name} {parameter.value} {parameter.hint}" for parameter in self.parameters]
        text = " ".join(said).casefold()
        return all(word in text for word in words.casefold().split())


def library(words: str = "", *, archived: bool = False) -> list[LibraryEntry]:
    """Every workflow with these words, saved ones first; archived ones only when asked for."""
    used = _uses()
    saved = (_saved(row, used) for row in _newest())
    found = [*(entry for entry in saved if archived or entry.archived_at is None), *_shipped(used)]
    return [entry for entry in found if entry.matches(words)]


def find_entry(name: str, number: int | None = None) -> LibraryEntry:
    """A workflow by its name, also an archived one; NotFound names where to look."""
    used = _uses()
    shipped = {one.name: one for one in _shipped(used)}
    if name in shipped and not number:
        return shipped[name]
    versions = _versions().filter(workflow__slug=name)
    row = versions.filter(number=number).first() if number else versions.order_by("-number").first()
    if row is None:
        which = f" with a version {number}" if number else ""
        raise NotFound(
            f"The library has no workflow {name[:60]}{which}.", recovery="Look it up in the library."
        )
    return _saved(row, used)


def versions_saved(name: str) -> list[SavedWorkflowVersion]:
    """Every version of a saved workflow, newest first."""
    return list(_versions().filter(workflow__slug=name).order_by("-number"))


def plans_started(name: str) -> list[WorkflowVersion]:
    """The newest plans that were started from a workflow."""
    found = (
        WorkflowVersion.objects.filter(started_from=name).select_related("workflow", "author").defer("source")
    )
    return list(found.order_by("-submitted_at")[:20])


def is_shipped(name: str) -> bool:
    return (FOLDER / f"{name}{SUFFIX}").is_file()


def open_saved() -> list[SavedWorkflow]:
    """What a plan can become a new version of."""
    return list(SavedWorkflow.objects.filter(archived_at=None).order_by("name", "pk"))


def plan_with_names(source: str) -> Plan | None:
    """A workflow's plan with ‹name› where a value will stand."""
    return _read(source)


def _versions() -> QuerySet[SavedWorkflowVersion]:
    return SavedWorkflowVersion.objects.select_related("workflow", "saved_by", "plan__workflow").defer(
        "plan__source"
    )


def _newest() -> Iterator[SavedWorkflowVersion]:
    """The newest version of each, by name."""
    seen: set[int] = set()
    for row in _versions().order_by("workflow__name", "workflow_id", "-number"):
        if row.workflow_id not in seen:
            seen.add(row.workflow_id)
            yield row


def _uses() -> Mapping[str, int]:
    rows = WorkflowVersion.objects.exclude(started_from="").order_by().values_list("started_from")
    return dict(rows.annotate(times=Count("pk")))


def _shipped(used: Mapping[str, int]) -> Iterator[LibraryEntry]:
    for path in sorted(FOLDER.glob(f"*{SUFFIX}")):
        name = path.name.removesuffix(SUFFIX)
        source = path.read_text(encoding="utf-8")
        title = name.replace("-", " ").capitalize()
        yield _entry(name, title, "", source, used)


def _saved(row: SavedWorkflowVersion, used: Mapping[str, int]) -> LibraryEntry:
    made = WorkflowOrigin(
        by=row.saved_as,
        at=row.saved_at,
        plan=row.plan.workflow.slug,
        plan_name=row.plan.workflow.name,
        plan_version=row.plan.number,
        reason=row.reason,
    )
    saved = row.workflow
    return _entry(
        saved.slug, saved.name, row.description, row.source, used, row.number, made, saved.archived_at
    )


def _entry(
    name: str,
    title: str,
    description: str,
    source: str,
    used: Mapping[str, int],
    number: int = 0,
    made: WorkflowOrigin | None = None,
    archived_at: datetime | None = None,
) -> LibraryEntry:
    plan = _read(source)
    return LibraryEntry(
        name=name,
        title=title,
        description=description,
        source=source,
        summary=plan.summary if plan else "",
        parameters=parameters_of(source),
        shape=_shape(plan) if plan else Shape(),
        number=number,
        made=made,
        used=used.get(name, 0),
        archived_at=archived_at,
    )


@lru_cache(KEPT)
def _read(source: str) -> Plan | None:
    return read_plan(
        with_values(source, {parameter.name: f"‹{parameter.name}›" for parameter in parameters_of(source)})
    ).plan


def _shape(plan: Plan) -> Shape:
    batches = [batch for stage in plan.stages for batch in stage.batches]
    steps = list(plan.steps())
    gates = sum(step.gate is not None for step in steps)
    threads = 0
    for thread in plan.threads():
        threads += any(step.gate is None for step in thread.steps)
    return Shape(len(plan.stages), len(batches), len(steps), gates, threads)
