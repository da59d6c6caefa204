"""How a workstream stands to others: what it needs, what was merged or linked, what needs it.

Requirements: AD-3, FR-003.
"""

from dataclasses import dataclass

from orchestrator.contract.briefs import TakenOver
from orchestrator.core.files.handoff import workstream_folder
from orchestrator.core.terms import DuplicateOutcome
from orchestrator.models import Workstream
from orchestrator.queries.engine.needs import needing, needs_of
from orchestrator.queries.engine.present import WorkstreamParts
from orchestrator.queries.work.duplicates import linked


@dataclass(frozen=True, slots=True)
class Relations:
    """`tied` are linked workstreams, and those that this one or the other was closed as a duplicate of."""

    workstream: Workstream
    needs: list[Workstream]
    needed_by: list[Workstream]
    took_over: list[Workstream]
    linked: list[Workstream]
    duplicate_of: list[Workstream]
    duplicates: list[Workstream]

    @property
    def waits_for(self) -> list[Workstream]:
        """What it needs that is not completed."""
        return [need for need in self.needs if need.accepted_at is None]

    @property
    def any(self) -> bool:
        others = (self.needs, self.needed_by, self.took_over, self.linked, self.duplicate_of, self.duplicates)
        return any(others) or bool(self.workstream.bundle_id or self.workstream.merged_into_id)


def relations_of(workstream: Workstream, has: WorkstreamParts, *, needed: bool) -> Relations:
    """Reads what there is: `needed` is whether others wait for it."""
    tied = linked(workstream) if has.ties else []
    mine = [relation for relation in tied if relation.workstream_id == workstream.pk]
    theirs = [relation for relation in tied if relation.other_id == workstream.pk]
    links = [*(relation.other for relation in mine if relation.outcome == DuplicateOutcome.LINK)]
    links += [their.workstream for their in theirs if their.outcome == DuplicateOutcome.LINK]
    return Relations(
        workstream=workstream,
        needs=needs_of([workstream.pk])[workstream.pk] if has.needs else [],
        needed_by=needing(workstream) if needed else [],
        took_over=merged_into(workstream) if has.taken_over else [],
        linked=list(dict.fromkeys(links)),
        duplicate_of=[relation.other for relation in mine if relation.outcome == DuplicateOutcome.CLOSE],
        duplicates=[their.workstream for their in theirs if their.outcome == DuplicateOutcome.CLOSE],
    )


def merged_into(workstream: Workstream) -> list[Workstream]:
    """What goes on in this workstream, in the order it was registered."""
    return list(Workstream.objects.filter(merged_into=workstream).order_by("created_at", "pk"))


def taken_over(workstream: Workstream) -> tuple[TakenOver, ...]:
    """What an executor reads of the workstreams that were merged into this one."""
    rows = merged_into(workstream)
    return tuple(TakenOver(row.slug, row.title, f"{workstream_folder(row.slug)}/PLAN.md") for row in rows)
