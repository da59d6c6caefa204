"""What was announced is committed to the workspace, with the state files of its workstream (FR-014, WF-7).

The rows are the outbox: whoever publishes next picks up what a killed process left, and commits nothing
twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from orchestrator.core.errors import WorkspaceDiverged, WorkspaceUnavailable
from orchestrator.core.terms import OPEN_WORKSTREAM, ArtifactState
from orchestrator.models import HandoffArtifact, OutputFile, Workstream
from orchestrator.queries.engine.snapshot import workstream_row
from orchestrator.queries.handoff.pending import first_pending
from orchestrator.queries.work.projection import projected_files
from orchestrator.services.base.locks import outside_transactions
from orchestrator.services.base.rows import UpdateWhere
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.damage import note_problem, workspace
from orchestrator.services.handoff.known_branch import note_head, refuse_diverged_writer
from orchestrator.services.handoff.state_files import begin_writing
from orchestrator.workspace import Workspace

#: Most artifacts, and most bytes of outputs, in one git commit; a larger single artifact has a commit of
#: its own.
COMMIT_SIZE = 200
COMMIT_BYTES = 32 * 1024 * 1024
#: A sweep looks at closed workstreams only this long after their last change.
CLOSED_FOR = timedelta(days=1)


def publish(*, now: datetime, workstream_id: int | None = None, state_files: bool = True) -> int:
    """Commit what is pending, and the state files, to the workspace; answer with the number of artifacts.

    One workstream, or every one (the sweep). Without `state_files` what was announced only: they follow when
    whoever calls this has done what else changes them. Safe to repeat and to run in several processes. A
    workstream whose files cannot be written keeps its artifacts pending with the problem noted, the others go
    on; then WorkspaceUnavailable. WorkspaceDiverged, with nothing written, while branch and database do not
    belong together (F22 to F24). Call it outside a transaction: the workspace's lock comes before any row
    lock.
    """
    outside_transactions()
    committed, trouble = 0, None
    for pk in [workstream_id] if workstream_id is not None else _to_sweep(now):
        try:
            committed += _publish_workstream(workspace(), pk, now, state_files)
        except WorkspaceDiverged:
            raise
        except WorkspaceUnavailable as refusal:
            _pending(pk).update(problem=refusal.message)
            trouble = trouble or refusal
    if trouble:
        raise trouble
    return committed


def _to_sweep(now: datetime) -> Sequence[int]:
    """Open workstreams, those closed lately, and those with something pending."""
    still_open = Q(status__in=OPEN_WORKSTREAM)
    lately = Q(updated_at__gte=now - CLOSED_FOR)
    rows = Workstream.objects.filter(still_open | lately | Q(artifacts__state=ArtifactState.PENDING))
    return list(rows.order_by("pk").values_list("pk", flat=True).distinct())


def _publish_workstream(space: Workspace, workstream_id: int, now: datetime, state_files: bool) -> int:
    """Rows are read under the workspace's lock, so a second publisher finds them marked (F31)."""
    committed, more = 0, True
    with space.locked():
        known = refuse_diverged_writer(space, now).head
        while more:
            rows, more = _next_rows(workstream_id)
            files, slug = contents_of(rows), rows[0].workstream.slug if rows else ""
            if state_files and not more:
                begin_writing(workstream_id, now)
                workstream = workstream_row(workstream_id)
                files, slug = {**files, **projected_files(workstream)}, workstream.slug
            standing = space.standing(files)
            if _set_usurped_aside(rows, standing, now):
                more = True
                continue
            listed = state_files and not more
            head = space.write(files, _message(rows, slug), now, listed=listed) if files else known
            commits = {row.pk: space.commit_of(row.path) for row in rows if row.path in standing}
            if rows or head != known:
                _mark(rows, commits, head, moved=head != known, now=now)
            known = head
            committed += len(rows)
    return committed


def _pending(workstream_id: int) -> QuerySet[HandoffArtifact]:
    return HandoffArtifact.objects.filter(workstream=workstream_id, state=ArtifactState.PENDING)


def _next_rows(workstream_id: int) -> tuple[list[HandoffArtifact], bool]:
    """The next pending rows in order, and whether there are more for a commit of their own: one that writes
    over an earlier one's output waits."""
    pending = first_pending(workstream_id, COMMIT_SIZE)
    sizes: dict[int, dict[str, int]] = defaultdict(dict)
    for artifact, path, size in _sizes([row.pk for row in pending if _has_outputs(row)]):
        sizes[artifact][path] = size
    rows: list[HandoffArtifact] = []
    paths: set[str] = set()
    total = 0
    for row in pending:
        own = sizes[row.pk]
        total += sum(own.values())
        if rows and (own.keys() & paths or total > COMMIT_BYTES):
            return rows, True
        paths |= own.keys()
        rows.append(row)
    return rows, len(rows) == COMMIT_SIZE


def _has_outputs(row: HandoffArtifact) -> bool:
    """What the query told; a row that comes from elsewhere is asked."""
    return bool(getattr(row, "has_outputs", True))


def _sizes(artifacts: list[int]) -> list[tuple[int, str, int]]:
    if not artifacts:
        return []
    rows = OutputFile.objects.filter(artifact__in=artifacts).annotate(size=Length("content")).order_by()
    return list(rows.values_list("artifact_id", "path", "size"))


def _set_usurped_aside(rows: Iterable[HandoffArtifact], standing: Mapping[str, bool], now: datetime) -> bool:
    """Mark rows whose path the branch holds with other bytes, if any: evidence is never written
    over (F23).
    """
    usurped = [row for row in rows if not standing.get(row.path, True)]
    for row in usurped:
        problem = (
            f"{row.path} is already in the workspace with other content; was an older database restored?"
        )
        note_problem(row, problem, now)
    return bool(usurped)


def _mark(
    rows: Iterable[HandoffArtifact], commits: Mapping[int, str], head: str, *, moved: bool, now: datetime
) -> None:
    """Note the commit of each row. Only of those that are still pending: one that was withdrawn meanwhile
    stays so. The branch is known to stand there from the same moment."""
    by_commit: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_commit[commits.get(row.pk, head)].append(row.pk)
    with unit_of_work():
        if moved:
            note_head(head)
        for commit, pks in by_commit.items():
            _update_artifacts(
                {"id": pks, "state": ArtifactState.PENDING.value},
                state=ArtifactState.COMMITTED.value,
                problem="",
                commit=commit,
                committed_at=now,
            )


_update_artifacts = UpdateWhere(HandoffArtifact)


def contents_of(rows: Sequence[HandoffArtifact]) -> dict[str, bytes]:
    """Path -> bytes of the artifacts and their outputs."""
    contents = {row.path: row.body.encode() for row in rows}
    outputs = _outputs([row.pk for row in rows if _has_outputs(row)])
    contents.update({path: bytes(content) for path, content in outputs})
    return contents


def _outputs(artifacts: list[int]) -> list[tuple[str, bytes | memoryview]]:
    if not artifacts:
        return []
    rows = OutputFile.objects.filter(artifact__in=artifacts)
    return list(rows.order_by("artifact__sequence", "path").values_list("path", "content"))


def _message(rows: Sequence[HandoffArtifact], slug: str) -> str:
    if not rows:
        return f"{slug}: state files\n"
    return f"{slug}: {len(rows)} handoff artifacts\n\n" + "".join(f"{row.path}\n" for row in rows)
