"""Which workstreams may be the same work, why, and what was decided about them (FR-003, AS-5, EC-5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db.models import Q

from orchestrator.core.changes.similarity import ALIKE, likeness, reasons, shared_patterns
from orchestrator.core.plans.reading.naming import has_automatic_name
from orchestrator.core.terms import DuplicateOutcome, WorkstreamStatus
from orchestrator.models import Assignment, DuplicateDecision, PreHandoffReview, WorkflowVersion, Workstream
from orchestrator.queries.plans.readings import reading_of

#: The newest workstreams whose titles are compared; older ones are history.
TITLES_COMPARED = 500
#: The newest workstreams on the same repository whose owned files are compared.
PLANS_COMPARED = 100


@dataclass(frozen=True, slots=True)
class Suspect:
    """Another workstream, why it is suspected, and the decision about the pair, whichever side it was made
    on.

    A suspect without reasons was named by a person.
    """

    workstream: Workstream
    reasons: tuple[str, ...]
    decision: DuplicateDecision | None

    @property
    def why(self) -> str:
        return "; ".join(self.reasons) or "named by a person"

    @property
    def open(self) -> bool:
        return self.decision is None


def suspects(workstream: Workstream) -> list[Suspect]:
    """What the pre-handoff reviewer has to look at.

    Undecided ones first, then the most similar title, then the id.
    """
    decided = decisions(workstream)
    others = {
        candidate.pk: candidate
        for candidate in _candidates(workstream)
        if not started_alike(workstream.version, candidate.version)
    }
    named = Workstream.objects.select_related("version").in_bulk(set(decided) - set(others))
    alike = _alike(workstream, others)
    files = _shared_files(workstream, others.values())
    suspected = {pk for pk, value in alike.items() if value >= ALIKE} | set(decided) | set(files)
    found = [
        Suspect(one, reasons(alike.get(pk, 0.0), files.get(pk, ())), decided.get(pk))
        for pk, one in (others | named).items()
        if pk in suspected
    ]
    return sorted(found, key=lambda s: (not s.open, -alike.get(s.workstream.pk, 0.0), s.workstream.pk))


def _alike(workstream: Workstream, others: Mapping[int, Workstream]) -> dict[int, float]:
    """How alike the titles are.

    A title that nobody gave says nothing, unless the whole text is the same.
    """
    alike = {pk: likeness(workstream.title, one.title) for pk, one in others.items()}
    digest = workstream.version.source_sha256
    suspected = [pk for pk, value in alike.items() if value >= ALIKE]
    if suspected and _has_automatic_name(digest):
        alike |= {pk: 0.0 for pk in suspected if others[pk].version.source_sha256 != digest}
    return alike


def started_alike(version: WorkflowVersion, other: WorkflowVersion) -> bool:
    """Whether both were started from one workflow of the library with other values: they are alike by
    intention."""
    same = version.started_from and version.started_from == other.started_from
    return bool(same) and version.source_sha256 != other.source_sha256


def undecided(workstream: Workstream) -> list[Suspect]:
    return [suspect for suspect in suspects(workstream) if suspect.open]


def named_by_ids(ids: str) -> list[int]:
    """The workstreams that a page named by their numbers, with spaces between; what is none is left out."""
    numbers = [int(one) for one in ids.split()[: TITLES_COMPARED + PLANS_COMPARED] if _is_number(one)]
    known = set(Workstream.objects.filter(pk__in=numbers).values_list("pk", flat=True))
    return [number for number in numbers if number in known]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def signature_of(workstream: Workstream) -> PreHandoffReview | None:
    return PreHandoffReview.objects.filter(workstream=workstream).select_related("reviewer").first()


def was_claimed(workstream: Workstream) -> bool:
    """Whether any attempt was ever claimed: from then on duplicates are no longer decided (AS-5)."""
    return Assignment.objects.filter(attempt__task__workstream=workstream).exists()


def linked(workstream: Workstream) -> list[DuplicateDecision]:
    """The decisions, made on either side, that tie this workstream to another one; overrides tie nothing."""
    tied = DuplicateDecision.objects.filter(Q(workstream=workstream) | Q(other=workstream))
    rows = tied.exclude(outcome=DuplicateOutcome.OVERRIDE).select_related("workstream", "other", "decided_by")
    return list(rows.order_by("decided_at", "pk"))


def _candidates(workstream: Workstream) -> list[Workstream]:
    """The newest others, but for archived ones and for what was accepted longer ago than is looked at."""
    others = Workstream.objects.exclude(pk=workstream.pk).exclude(status=WorkstreamStatus.ARCHIVED)
    if settings.DUPLICATE_DAYS:
        since = workstream.created_at - timedelta(days=settings.DUPLICATE_DAYS)
        others = others.exclude(status=WorkstreamStatus.COMPLETED, accepted_at__lt=since)
    newest = others.select_related("version").defer("version__source").order_by("-created_at", "-pk")
    return list(newest[:TITLES_COMPARED])


def decisions(workstream: Workstream) -> dict[int, DuplicateDecision]:
    """What was decided about this one and others, by the other workstream; the decision made here counts
    before one made on the other side."""
    rows = DuplicateDecision.objects.filter(Q(workstream=workstream) | Q(other=workstream))
    rows = rows.select_related("workstream", "other", "decided_by")
    there = {row.workstream_id: row for row in rows if row.other_id == workstream.pk}
    return there | {row.other_id: row for row in rows if row.workstream_id == workstream.pk}


def _shared_files(workstream: Workstream, others: Iterable[Workstream]) -> dict[int, tuple[str, ...]]:
    """The owned files that meet, by workstream; only work on the same repository can meet."""
    repository = workstream.version.repository
    mine = _owned(workstream.version.source_sha256) if repository else ()
    if not mine:
        return {}
    same = [one for one in others if one.version.repository == repository][:PLANS_COMPARED]
    shared = {one.pk: shared_patterns(mine, _owned(one.version.source_sha256)) for one in same}
    return {pk: patterns for pk, patterns in shared.items() if patterns}


@lru_cache(maxsize=TITLES_COMPARED)
def _has_automatic_name(source_sha256: str) -> bool:
    version = WorkflowVersion.objects.filter(source_sha256=source_sha256).order_by("pk").first()
    return version is not None and has_automatic_name(reading_of(version))


@lru_cache(maxsize=4 * PLANS_COMPARED)
def _owned(source_sha256: str) -> tuple[str, ...]:
    """The patterns that a plan owns; a text with this digest never changes, so it is read once."""
    version = WorkflowVersion.objects.filter(source_sha256=source_sha256).order_by("pk").first()
    plan = reading_of(version).plan if version else None
    return plan.owned_files if plan else ()
