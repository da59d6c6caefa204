"""The registry of all workstreams as `workstreams/index.json` shows it (WF-7): what each is, who decided
about its plan, who works on it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from orchestrator.core.files import dashboard
from orchestrator.core.files.dashboard import PlanApproval, StreamAssignment, StreamEntry, ThreadEntry
from orchestrator.core.files.handoff import timestamp, workstream_folder
from orchestrator.models import Workstream
from orchestrator.queries.base.sql import Found, Joined, Table, aware

INDEX: Final = "workstreams/index.json"


def index_text() -> str:
    """Every workstream, in the order in which they were registered."""
    claims, threads, needs = _claims(), _kept_threads(), _needs()
    entries = [
        _entry(row, order, claims[row["stream"].pk], threads[row["stream"].pk], needs[row["stream"].pk])
        for order, row in enumerate(_STREAMS.rows())
    ]
    return dashboard.render_index(entries)


def _entry(
    row: Found,
    order: int,
    claims: Sequence[StreamAssignment],
    threads: Sequence[ThreadEntry],
    needs: Sequence[str],
) -> StreamEntry:
    stream: Workstream = row["stream"]
    # A version that was sent back has a decision too, but none that approves it, and no time of effect.
    approved = row["effective_at"] is not None
    return StreamEntry(
        id=stream.slug,
        uuid=str(stream.uuid),
        name=stream.title,
        order=order,
        path=workstream_folder(stream.slug),
        status=stream.status,
        domain=stream.domain,
        owner=row["owner"],
        priority=stream.priority,
        created_at=timestamp(stream.created_at),
        updated_at=timestamp(stream.updated_at),
        approval=PlanApproval(
            status=row["version_status"],
            plan_hash=row["plan_hash"],
            approved_by=row["decided_as"] if approved else "",
            approved_at=_moment(row["decided_at"]) if approved else "",
        ),
        assignments=tuple(claims),
        thread_assignments=tuple(threads),
        needs=tuple(needs),
        merged_into=row["merged_into"] or "",
        bundle=row["bundle_name"] or "",
    )


def _claims() -> dict[int, list[StreamAssignment]]:
    """The claims that run, by workstream, in the order of their steps' keys."""
    claims: dict[int, list[StreamAssignment]] = defaultdict(list)
    for row in sorted(_CLAIMS.rows(), key=_step_key):
        claim = StreamAssignment(
            row["step"], row["agent"], row["account"], row["kind"], _moment(row["since"])
        )
        claims[row["stream"]].append(claim)
    return claims


def _kept_threads() -> dict[int, list[ThreadEntry]]:
    """The thread assignments in force, by workstream, in plan order (WF-4)."""
    threads: dict[int, list[ThreadEntry]] = defaultdict(list)
    for row in _KEPT.rows():
        entry = ThreadEntry(
            stage=row["stage_number"],
            batch=row["batch_prefix"],
            thread=row["lane"],
            agent=row["agent"],
            account=row["account"],
            kind=row["kind"],
            mode=row["mode"],
            assigned_at=_moment(row["since"]),
        )
        threads[row["stream"]].append(entry)
    return threads


def _needs() -> dict[int, list[str]]:
    """The slugs that each workstream needs, in order."""
    needs: dict[int, list[str]] = defaultdict(list)
    for slug, stream in sorted((row["slug"], row["stream"]) for row in _NEEDS.rows()):
        needs[stream].append(slug)
    return needs


def _step_key(row: Found) -> Any:
    return row["step"]


def _moment(at: datetime | None) -> str:
    return timestamp(aware(at)) if at else ""


_STREAMS = Joined(
    {"stream": Table(Workstream)},
    """orchestrator_workstream stream
JOIN orchestrator_workflowversion version ON version.id = stream.version_id
JOIN auth_user owner ON owner.id = stream.owner_id
LEFT JOIN orchestrator_workstream merged ON merged.id = stream.merged_into_id
LEFT JOIN orchestrator_bundle bundle ON bundle.id = stream.bundle_id
ORDER BY stream.created_at, stream.id""",
    {
        "owner": "owner.username",
        "version_status": "version.status",
        "plan_hash": "version.source_sha256",
        "decided_as": "version.decided_as",
        "decided_at": "version.decided_at",
        "effective_at": "version.effective_at",
        "merged_into": "merged.slug",
        "bundle_name": "bundle.name",
    },
)
_CLAIMS = Joined(
    {},
    """orchestrator_assignment claim
JOIN orchestrator_executor executor ON executor.id = claim.executor_id
JOIN auth_user account ON account.id = executor.user_id
JOIN orchestrator_attempt attempt ON attempt.id = claim.attempt_id
JOIN orchestrator_task task ON task.id = attempt.task_id
JOIN orchestrator_step step ON step.id = task.step_id
WHERE claim.released_at IS NULL""",
    {
        "stream": "task.workstream_id",
        "step": "step.key",
        "agent": "executor.name",
        "account": "account.username",
        "kind": "executor.kind",
        "since": "claim.claimed_at",
    },
)
_KEPT = Joined(
    {},
    """orchestrator_threadassignment kept
JOIN orchestrator_executor executor ON executor.id = kept.executor_id
JOIN auth_user account ON account.id = executor.user_id
JOIN orchestrator_thread thread ON thread.id = kept.thread_id
JOIN orchestrator_batch batch ON batch.id = thread.batch_id
JOIN orchestrator_stage stage ON stage.id = batch.stage_id
WHERE kept.ended_at IS NULL
ORDER BY stage.position, batch.position, thread.position""",
    {
        "stream": "kept.workstream_id",
        "stage_number": "stage.number",
        "batch_prefix": "batch.prefix",
        "lane": "thread.lane",
        "agent": "executor.name",
        "account": "account.username",
        "kind": "executor.kind",
        "mode": "kept.mode",
        "since": "kept.assigned_at",
    },
)
_NEEDS = Joined(
    {},
    """orchestrator_workstreamneed need
JOIN orchestrator_workstream needed ON needed.id = need.needed_id""",
    {"stream": "need.workstream_id", "slug": "needed.slug"},
)
