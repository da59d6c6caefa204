"""The change log of a workflow: who changed it, why, and what that did to work in flight (FR-022)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.core.terms import MappedOutcome, VersionStatus
from orchestrator.models import MappedStep, Migration, Workflow, WorkflowVersion
from orchestrator.queries.plans.readings import changes_between, plan_of


@dataclass(frozen=True, slots=True)
class ChangeImpact:
    """Step keys by what became of them."""

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    again: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        said = [
            f"{word}: {', '.join(keys)}"
            for word, keys in (
                ("added", self.added),
                ("dropped", self.dropped),
                ("changed", self.changed),
                ("done again", self.again),
            )
            if keys
        ]
        return "; ".join(said) or "no step changes"


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One entry. `what` is the term of its chip; `workstream` is named for what happened to one.

    `note` is the impact as its submitter put it; `impact` is worked out from the steps. `wanted_at` is when
    the submitter wanted the version in effect, `effective_at` what was decided.
    """

    at: datetime
    what: str
    version: int
    who: str
    reason: str = ""
    impact: ChangeImpact = field(default_factory=ChangeImpact)
    workstream: str = ""
    effective_at: datetime | None = None
    note: str = ""
    wanted_at: datetime | None = None


def change_log(workflow: Workflow) -> list[LoggedChange]:
    """Everything that happened to the workflow's text and to the work that follows it, newest first."""
    versions = list(workflow.versions.select_related("author", "decided_by").order_by("number"))
    migrations = Migration.objects.filter(to_version__workflow=workflow).select_related(
        "from_version", "to_version", "workstream", "rolls_back"
    )
    rows = migrations.prefetch_related("mapped_steps__old_step", "mapped_steps__new_step")
    entries = [*_of_versions(versions), *(_of_migration(row) for row in rows)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _of_versions(versions: Iterable[WorkflowVersion]) -> Iterator[LoggedChange]:
    before: WorkflowVersion | None = None
    for version in versions:
        impact = _between(before, version)
        why = version.change_reason or ("first version" if before is None else "")
        yield LoggedChange(
            version.submitted_at,
            "submitted",
            version.number,
            version.submitted_as,
            why,
            impact,
            note=version.change_impact,
            wanted_at=version.wanted_effective_at,
        )
        if version.decided_at and version.decided_by:
            sent_back = version.status == VersionStatus.SENT_BACK or version.effective_at is None
            yield LoggedChange(
                version.decided_at,
                "sent_back" if sent_back else "approved",
                version.number,
                version.decided_as,
                version.decision_reason,
                impact,
                effective_at=version.effective_at,
            )
        before = version if version.effective_at else before or version


def _between(before: WorkflowVersion | None, version: WorkflowVersion) -> ChangeImpact:
    """What the text changes, against the last version that was approved before it."""
    if before is None:
        return ChangeImpact(added=tuple(step.key for step in plan_of(version).steps()))
    changes = changes_between(before, version)
    by_kind: dict[str, list[str]] = {"added": [], "dropped": [], "changed": []}
    for step in changes.steps if changes else ():
        was = next((field.before for field in step.fields if field.name == "key"), "")
        by_kind[step.kind].append(f"{was} → {step.key}" if was else step.key)
    return ChangeImpact(**{kind: tuple(keys) for kind, keys in by_kind.items()})


def _of_migration(row: Migration) -> LoggedChange:
    steps = list(row.mapped_steps.all())
    impact = ChangeImpact(
        added=_keys(steps, MappedOutcome.ADDED),
        dropped=_keys(steps, MappedOutcome.CANCELLED),
        changed=_keys(steps, MappedOutcome.RENAMED),
        again=_keys(steps, MappedOutcome.AGAIN),
    )
    what = "rolled_back" if row.rolls_back else "migrated"
    return LoggedChange(
        row.applied_at, what, row.to_version.number, row.applied_by, row.reason, impact, row.workstream.title
    )


def _keys(steps: Iterable[MappedStep], outcome: MappedOutcome) -> tuple[str, ...]:
    chosen = (step for step in steps if step.outcome == outcome)
    return tuple(_named(one) for one in chosen)


def _named(one: MappedStep) -> str:
    if one.old_step and one.new_step and one.old_step.key != one.new_step.key:
        return f"{one.old_step.key} → {one.new_step.key}"
    step = one.new_step or one.old_step
    return step.key if step else ""
