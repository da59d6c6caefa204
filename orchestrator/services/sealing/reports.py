"""The signed report of a workstream: what was planned, who decided what and when, what was tried, and the
evidence (FR-009). It is one file that proves itself: its bytes are signed, and every decision in it is
proved to stand in the history."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, QuerySet

from orchestrator.core.actions import Action
from orchestrator.core.errors import NotFound
from orchestrator.core.sealing.notes import SignedNote
from orchestrator.models import (
    Approval,
    Attempt,
    CriterionCheck,
    GateReview,
    HandoffArtifact,
    HistoryEntry,
    OutputFile,
    WorkflowVersion,
    Workstream,
)
from orchestrator.queries.base.covered import BY_MODEL
from orchestrator.services.sealing.keys import key_ring, signed
from orchestrator.services.sealing.proofs import proof_of
from orchestrator.services.sealing.report_rows import ReportRows, compare_shown
from orchestrator.services.sealing.seals import Sealed, sealed_tree

#: How the seal is told from the report; `proofs/verify.py` and `verify.html` look for it.
SEAL, SEAL_END = "<!-- sealed by the orchestrator\n", "-->\n"
FORMAT = "orchestrator-report/1"
#: What a report cites of the history: what people decided, and what was handed over.
CITED = (
    *(Action.PLAN_SUBMITTED, Action.PLAN_SIGNED, Action.PLAN_APPROVED, Action.PLAN_TOOK_EFFECT),
    *(Action.PLAN_SENT_BACK, Action.APPROVAL_WITHDRAWN, Action.PREHANDOFF_SIGNED, Action.WORKSTREAM_MIGRATED),
    *(
        Action.GATE_SIGNED,
        Action.GATE_APPROVED,
        Action.REJECTION_SIGNED,
        Action.GATE_REJECTED,
        Action.SIGNATURE_WITHDRAWN,
    ),
    *(Action.ATTEMPT_COMPLETED, Action.ATTEMPT_FAILED, Action.WORK_SENT_BACK, Action.BASELINE_INTEGRATED),
    *(
        Action.BASELINE_REVERTED,
        Action.WORKSTREAM_ACCEPTED,
        Action.WORKSTREAM_REOPENED,
        Action.WORKSTREAM_ARCHIVED,
    ),
    Action.ENTRY_CORRECTED,
)
#: Rows of each kind in one report.
MOST = 5_000
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Report:
    """What a report shows, read when the newest checkpoint was `tree`'s."""

    workstream: Workstream
    versions: Sequence[WorkflowVersion]
    approvals: Sequence[Approval]
    reviews: Sequence[GateReview]
    attempts: Sequence[Attempt]
    checks: Sequence[CriterionCheck]
    artifacts: Sequence[HandoffArtifact]
    outputs: Sequence[OutputFile]
    entries: Sequence[HistoryEntry]
    tree: Sealed
    #: What there is more of than one report shows, by its heading.
    cut: tuple[str, ...]


def report_of(workstream: Workstream) -> Report:
    """A fixed number of statements for each kind of row. NotFound while nothing of the workstream is
    sealed; WrongState when rows that it would show are not those that the history speaks of, and a row that
    no sealed entry speaks of is not shown: nothing false is signed."""
    tree = sealed_tree()
    own = WorkflowVersion.objects.filter(workstream=workstream) | WorkflowVersion.objects.filter(
        pk=workstream.version_id
    )
    sealed = HistoryEntry.objects.filter(sequence__lte=tree.head.size if tree else 0)
    entries = sealed.filter(workstream=workstream, action__in=CITED).order_by("sequence")
    if tree is None or not entries.exists():
        raise NotFound("Nothing of the workstream is sealed yet.", recovery="Wait a second, then ask again.")
    rows = ReportRows(workstream, tree.head.size)
    taken = _TakenRows(rows)
    attempts = Attempt.objects.filter(task__workstream=workstream)
    report = Report(
        workstream=workstream,
        versions=taken.first(own.order_by("number"), "Versions"),
        approvals=taken.first(
            Approval.objects.filter(version__in=own).select_related("version").order_by("signed_at"),
            "Approvals of the plan",
        ),
        reviews=taken.first(
            GateReview.objects.filter(attempt__in=attempts)
            .select_related("attempt__task__step", "return_step")
            .order_by("signed_at"),
            "Signatures at gates",
        ),
        attempts=taken.first(
            attempts.select_related("task__step", "assignment__executor", "verification").order_by(
                "queued_at", "pk"
            ),
            "Every try at a step",
        ),
        checks=taken.first(
            CriterionCheck.objects.filter(attempt__in=attempts)
            .select_related("attempt__task__step", "attempt__verification", "criterion")
            .order_by("checked_at", "pk"),
            "Evidence",
        ),
        artifacts=taken.first(
            HandoffArtifact.objects.filter(workstream=workstream).order_by("sequence"), "Handoff artifacts"
        ),
        outputs=taken.first(
            OutputFile.objects.filter(artifact__workstream=workstream)
            .defer("content")
            .order_by("artifact__sequence", "path"),
            "Files that were handed over",
        ),
        entries=taken.first(entries, "History"),
        tree=tree,
        cut=tuple(taken.cut),
    )
    compare_shown(rows, (*report.versions, *report.approvals, *report.reviews, *report.attempts))
    return report


class _TakenRows:
    """Takes rows into a report: as many as it has room for, and of those that the history speaks of only the
    ones that it spoke of."""

    def __init__(self, rows: ReportRows) -> None:
        self.rows, self.cut = rows, list[str]()

    def first(self, rows: "QuerySet[Row]", heading: str) -> "list[Row]":
        found = list(rows[: MOST + 1])
        if len(found) > MOST:
            self.cut.append(heading)
        covered = rows.model in BY_MODEL
        return [row for row in found[:MOST] if not covered or self.rows.spoke_of(row)]


def sealed_report(report: Report, html: str) -> str:
    """The file: the page, and behind it, as a comment, the signature over its bytes and the proofs of its
    entries. Nobody signs the comment, so it has one spelling, out of which nothing gets."""
    ring = key_ring()
    digest = hashlib.sha256(html.encode()).hexdigest()
    text = f"{FORMAT} {ring.origin}\n{digest}\n{report.tree.head.size}\n"
    note = SignedNote(text, (signed(text, ring.private),))
    seal = {
        "format": FORMAT,
        "keys": [str(key) for key in ring.public],
        "note": str(note),
        "proof": proof_of(report.entries).content,
    }
    written = json.dumps(seal, ensure_ascii=False, separators=(",", ":"))
    written = written.replace("<", "\\u003c").replace(">", "\\u003e")
    return f"{html}{SEAL}{written}\n{SEAL_END}"
