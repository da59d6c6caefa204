"""Which handover artifacts somebody may still read: the ones whose loss has to stop work (EC-3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import OPEN_TASK, ArtifactState, TaskStatus
from orchestrator.models import Batch, HandoffArtifact, OutputFile, Task, Workstream
from orchestrator.queries.base.order import batch_order
from orchestrator.queries.base.sql import Found, Joined, Table

#: States in which the file has to stand in the work tree.
PUBLISHED = [ArtifactState.COMMITTED.value, ArtifactState.DAMAGED.value]


@dataclass(frozen=True, slots=True)
class Handover:
    """An artifact, and what its files have to be: path -> SHA-256; outputs that a later artifact replaced
    are left out."""

    artifact: HandoffArtifact
    files: Mapping[str, str]


def handovers_in_use(workstream: Workstream, *, whole: bool = False) -> list[Handover]:
    """The newest handover of every complete task that the front builds on: it is named by a step that is open
    in the first open batch, stands right before the lowest open one of a thread there, or in the batch
    before while the first run of this one is open.

    `whole` has those that open tasks further back name, and all of the first open batch and the one before,
    which somebody will build on later. One statement, and one for `whole`, whatever is complete.
    """
    rows = [] if whole else _at_the_front(workstream)
    if whole or any(row["skipped"] for row in rows):  # what stands before a skipped step stands for it
        rows = _widely_used(workstream)
    newest: dict[int, HandoffArtifact] = {}
    files: dict[int, dict[str, str]] = {}
    for row in rows:
        artifact = row["artifact"]
        if artifact is None:
            continue
        newest[row["task"]] = artifact
        own = files.setdefault(artifact.pk, {artifact.path: artifact.sha256})
        if row["output"] and not row["replaced"]:
            own[row["output"]] = row["digest"]
    return [Handover(artifact, files[artifact.pk]) for artifact in newest.values()]


def _at_the_front(workstream: Workstream) -> list[Found]:
    pk, version = workstream.pk, workstream.version_id
    return _FRONT.rows(pk, pk, pk, version, pk, pk, pk, pk)


def _widely_used(workstream: Workstream) -> list[Found]:
    found = _first_open(workstream.pk)
    if not found:
        return []
    before = batch_before(found[0])
    return _WIDE.rows(workstream.pk, workstream.pk, found[0].pk, before.pk if before else None)


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


_OPEN = _words(status.value for status in OPEN_TASK)
_RESULTS = _words(event.value for event in RESULT_EVENTS)
#: The first open batch of a workstream.
_HERE = """(SELECT MIN(lowest.open_batch) FROM orchestrator_task lowest
  WHERE lowest.workstream_id = %s AND lowest.open_batch IS NOT NULL)"""
#: `CROSS JOIN` has SQLite look from the front backwards; left to itself it walks all that is complete.
_GROUND_OF_THE_FRONT = f"""
SELECT run.id AS task_id FROM (
  SELECT thread_id, MIN(run_index) AS lowest FROM orchestrator_task
  WHERE workstream_id = %s AND open_batch = {_HERE} GROUP BY thread_id) front
CROSS JOIN orchestrator_task run WHERE run.workstream_id = %s AND run.open_batch IS NULL
  AND run.thread_id = front.thread_id AND run.run_index = front.lowest - 1
UNION SELECT task.id FROM orchestrator_step step JOIN orchestrator_task task ON task.step_id = step.id
WHERE step.version_id = %s AND step.batch_index = {_HERE} - 1 AND task.workstream_id = %s
  AND EXISTS (SELECT 1 FROM orchestrator_task first
    WHERE first.workstream_id = task.workstream_id AND first.open_batch = step.batch_index + 1
    AND first.run_index = 0)
UNION SELECT named.id FROM orchestrator_task waiting
JOIN orchestrator_stepneed need ON need.step_id = waiting.step_id
JOIN orchestrator_task named ON named.step_id = need.needed_id AND named.workstream_id = waiting.workstream_id
WHERE waiting.workstream_id = %s AND waiting.open_batch = {_HERE}"""
_GROUND_OF_ANYBODY = f"""
SELECT task.id AS task_id FROM orchestrator_task task
JOIN orchestrator_step step ON step.id = task.step_id
JOIN orchestrator_thread thread ON thread.id = step.thread_id
WHERE task.workstream_id = %s AND (EXISTS (
  SELECT 1 FROM orchestrator_stepneed need
  JOIN orchestrator_task waiting ON waiting.step_id = need.step_id AND waiting.workstream_id = %s
  WHERE need.needed_id = step.id AND waiting.status IN ({_OPEN}))
OR thread.batch_id IN (%s, %s))"""
#: Everything of an artifact but its text.
_COLUMNS = ("workstream_id", "attempt_id", "sequence", "path", "sha256", "state", "problem", "commit")


def _handed_over_by(ground: str) -> Joined:
    """A row for each output of a result of these tasks, one for a result without, one for an attempt or a
    task without; in the order of their making."""
    return Joined(
        {"artifact": Table(HandoffArtifact, _COLUMNS)},
        f"""({ground}) ground
JOIN orchestrator_task task ON task.id = ground.task_id
  AND task.status IN ('{TaskStatus.COMPLETE.value}', '{TaskStatus.SKIPPED.value}')
LEFT JOIN orchestrator_attempt attempt ON attempt.task_id = task.id
  AND task.status = '{TaskStatus.COMPLETE.value}'
LEFT JOIN orchestrator_handoffartifact artifact ON artifact.attempt_id = attempt.id
  AND artifact.event IN ({_RESULTS}) AND artifact.state IN ({_words(PUBLISHED)})
LEFT JOIN orchestrator_outputfile output ON output.artifact_id = artifact.id
ORDER BY artifact.sequence, output.path""",
        {
            "task": "task.id",
            "skipped": f"task.status = '{TaskStatus.SKIPPED.value}'",
            "output": "output.path",
            "digest": "output.sha256",
            "replaced": f"""EXISTS (SELECT 1 FROM orchestrator_handoffartifact later
  JOIN orchestrator_outputfile newer ON newer.artifact_id = later.id
  WHERE later.workstream_id = artifact.workstream_id AND later.sequence > artifact.sequence
  AND later.state <> '{ArtifactState.QUARANTINED.value}' AND newer.path = output.path)""",
        },
    )


_FRONT = _handed_over_by(_GROUND_OF_THE_FRONT)
_WIDE = _handed_over_by(_GROUND_OF_ANYBODY)


def _first_open(workstream: int) -> list[Batch]:
    open_tasks = Task.objects.filter(workstream=workstream, status__in=OPEN_TASK)
    first = Batch.objects.filter(threads__steps__tasks__in=open_tasks)
    return list(first.select_related("stage").order_by(*batch_order(""))[:1])


def batch_before(batch: Batch) -> Batch | None:
    """The batch that has to be complete before this one starts (BX-4); batches without steps do not count."""
    stage = batch.stage
    return next(iter(_earlier(stage.version_id, stage.pk, stage.position, batch.position)), None)


def _earlier(version: int, stage: int, stage_position: int, position: int) -> list[Batch]:
    before = Q(stage=stage, position__lt=position) | Q(stage__position__lt=stage_position)
    earlier = Batch.objects.filter(before, stage__version=version, threads__steps__isnull=False)
    return list(earlier.order_by(*batch_order("")).reverse()[:1])


def expected_files(artifact: HandoffArtifact) -> dict[str, str]:
    """Path -> SHA-256 of what an artifact's files have to be.

    Outputs that a later artifact replaced are left out.
    """
    outputs = dict(_outputs(artifact.pk))
    if not outputs:
        return {artifact.path: artifact.sha256}
    later = OutputFile.objects.filter(
        path__in=outputs,
        artifact__workstream=artifact.workstream_id,
        artifact__sequence__gt=artifact.sequence,
    ).exclude(artifact__state=ArtifactState.QUARANTINED)
    replaced = set(later.values_list("path", flat=True))
    own = {path: digest for path, digest in outputs.items() if path not in replaced}
    return {artifact.path: artifact.sha256, **own}


def _outputs(artifact: int) -> list[tuple[str, str]]:
    return list(OutputFile.objects.filter(artifact=artifact).order_by("path").values_list("path", "sha256"))
