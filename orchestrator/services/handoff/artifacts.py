"""Handoff artifacts: announced in the act's transaction, committed to the workspace afterwards (FR-014,
AS-7).

The rows are the outbox: whoever runs `publish` next picks up what a killed process left, and commits nothing
twice.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from orchestrator.core.errors import InvalidInput
from orchestrator.core.files.documentation import PAGES, documentation_folder
from orchestrator.core.files.handoff import (
    RESULT_EVENTS,
    FileLink,
    Handoff,
    artifact_path,
    artifact_value,
    output_paths,
    parents,
)
from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import Attempt, HandoffArtifact, OutputFile, Step, Workstream
from orchestrator.queries.base.canonical import canonical
from orchestrator.queries.engine.inputs import standing_result
from orchestrator.queries.handoff.situation import Situation, situation_of
from orchestrator.queries.handoff.upstream import IN_FORCE, Upstream, output_place
from orchestrator.queries.work.baseline import integration_in_force
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.history import speaks_of
from orchestrator.services.base.progress import next_artifacts
from orchestrator.services.base.rows import InsertRow, InsertRows
from orchestrator.services.handoff.damage import workspace
from orchestrator.services.handoff.known_branch import refuse_diverged


def announce(
    *,
    attempt: Attempt,
    event: EventType,
    actor: Actor,
    outcome: str,
    next_action: str,
    now: datetime,
    situation: Situation | None = None,
    files: Sequence[OutputFile] = (),
    state: ArtifactState = ArtifactState.PENDING,
) -> HandoffArtifact:
    """Write the outbox row of an event in the caller's transaction, whose workstream row is locked.

    `situation` is the attempt's, where the act has read it already; `files` are rows of `output_files`.
    `state` is quarantined for evidence that is kept but never committed or applied (design section 4).

    The caller wakes the queue; the file appears when `publish` has run. Raises WorkspaceDiverged while nobody
    can know whether this database is the right one (F23).
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An artifact is announced in the transaction of the act.")
    workstream = attempt.task.workstream
    situation = situation or _situation_of(attempt)
    refuse_diverged(workspace(), situation.branch)
    prior = [*situation.builds_on(), *([situation.newest] if situation.newest else [])]
    said = _Said(event, actor, outcome, next_action, situation.integrated, now)
    artifact = _artifact(attempt, situation.step, said, prior, files, next_artifacts(workstream, 1))
    artifact.state = state
    _INSERT(artifact)
    for file in files:
        file.artifact = artifact
    if files:
        OutputFile.objects.bulk_create(files)
    speaks_of(artifact, *files)
    return artifact


_INSERT, _INSERT_SEVERAL = InsertRow(HandoffArtifact), InsertRows(HandoffArtifact)


def _situation_of(attempt: Attempt) -> Situation:
    situation = situation_of(attempt.task.workstream, attempt.pk)
    if situation is None:
        raise RuntimeError("An artifact is announced for an attempt that is stored.")
    return situation


def announce_queued(
    *, attempts: Sequence[Attempt], outcome: str, upstream: Upstream, integrated: bool, now: datetime
) -> None:
    """Announce what a round launched, in launch order: like `announce` for each, but what they share is read
    once.

    The attempts' tasks have their steps with thread, batch and stage; the steps are of the locked
    workstream's version.
    """
    workstream = upstream.workstream
    own = upstream.newest([attempt.task_id for attempt in attempts if attempt.number > 1])
    first = next_artifacts(workstream, len(attempts))
    rows = []
    for sequence, attempt in enumerate(attempts, start=first):
        step = attempt.task.step
        step.version = workstream.version
        todo = "Sign the gate." if step.is_gate else "Claim the attempt and do the step."
        said = _Said(EventType.ATTEMPT_QUEUED, ORCHESTRATOR, outcome, todo, integrated, now)
        prior = [*upstream.results(step), *([own[attempt.task_id]] if attempt.task_id in own else [])]
        rows.append(_artifact(attempt, step, said, prior, (), sequence))
    _INSERT_SEVERAL(rows)
    speaks_of(*rows)


def announce_adopted(
    *,
    attempts: Sequence[Attempt],
    before: Mapping[str, Sequence[str]],
    workstream: Workstream,
    actor: Actor,
    now: datetime,
) -> None:
    """Announce work that is taken over as complete, each behind what it works from: `before` has those keys
    by key.

    The attempts' tasks have their steps with version, thread, batch and stage.
    """
    integrated = integration_in_force(workstream) is not None
    results = HandoffArtifact.objects.filter(
        workstream=workstream, event__in=RESULT_EVENTS, state__in=IN_FORCE
    )
    results = results.select_related("attempt__task__step").order_by("sequence")
    known = {artifact.attempt.task.step.key: artifact for artifact in results}
    first = next_artifacts(workstream, len(attempts)) if attempts else 0
    for sequence, attempt in enumerate(attempts, start=first):
        step = attempt.task.step
        said = _Said(EventType.ATTEMPT_COMPLETED, actor, attempt.outcome, next_after(step), integrated, now)
        prior = [known[key] for key in before[step.key] if key in known]
        known[step.key] = _artifact(attempt, step, said, prior, (), sequence)
    keys = [attempt.task.step.key for attempt in attempts]
    speaks_of(*HandoffArtifact.objects.bulk_create([known[key] for key in keys]))


def hand_over(
    *, situation: Situation, actor: Actor, outputs: Mapping[str, bytes], now: datetime
) -> Attempt | None:
    """Announce an attempt that completes; or, when its inputs and result are those of an earlier one whose
    handover stands, announce nothing and answer with that attempt: no second artifact, no second copies
    (FR-010, AD-7)."""
    attempt = situation.attempt
    files = output_files(situation, outputs)
    digests = {file.path: file.sha256 for file in files}
    earlier = standing_result(attempt, digests) if situation.handed_over else None
    if earlier is not None:
        refuse_diverged(workspace(), situation.branch)
        return earlier
    announce(
        attempt=attempt,
        event=EventType.ATTEMPT_COMPLETED,
        actor=actor,
        outcome=attempt.outcome,
        next_action=next_after(attempt.task.step),
        now=now,
        situation=situation,
        files=files,
    )
    return None


def next_after(step: Step) -> str:
    """What follows when a step is complete: nothing, behind the last one."""
    return "Successors may start." if step.behind else "No step comes after it."


class _Said(NamedTuple):
    """What an artifact says beside the facts of its attempt."""

    event: EventType
    actor: Actor
    outcome: str
    next_action: str
    integrated: bool
    at: datetime


def _artifact(
    attempt: Attempt,
    step: Step,
    said: _Said,
    prior: Iterable[HandoffArtifact],
    files: Sequence[OutputFile],
    sequence: int,
) -> HandoffArtifact:
    """The row, not saved yet. `prior` are the artifacts it builds on, in any order."""
    workstream, version = attempt.task.workstream, step.version
    batch = step.thread.batch
    links = sorted({one.sequence: one for one in prior}.values(), key=lambda one: one.sequence)
    handoff = Handoff(
        work_item=str(workstream.uuid),
        workflow=version.workflow.name,
        version=version.number,
        step_key=step.key,
        order=(batch.stage.position + 1, batch.position + 1, step.position + 1),
        event=said.event,
        attempt=f"{workstream.slug}/{step.key}/{attempt.number}",
        at=said.at,
        actor=said.actor.label,
        executor=said.actor.executor.name if said.actor.executor else "",
        account=said.actor.user.get_username() if said.actor.user else "",
        kind=said.actor.kind,
        outcome=said.outcome,
        proof=attempt.proof if said.event is EventType.ATTEMPT_COMPLETED else "",
        next_action=said.next_action,
        integrated=said.integrated,
        links=tuple(FileLink(link.path, link.sha256) for link in links),
        outputs=tuple(FileLink(file.path, file.sha256) for file in files),
    )
    body = canonical(artifact_value(handoff))
    return HandoffArtifact(
        workstream=workstream,
        sequence=sequence,
        attempt=attempt,
        event=said.event,
        path=artifact_path(workstream.slug, sequence, step.key, said.event),
        body=body.decode(),
        sha256=hashlib.sha256(body).hexdigest(),
        created_at=said.at,
    )


def output_files(
    situation: Situation, outputs: Mapping[str, bytes], *, apart: bool = False
) -> list[OutputFile]:
    """Rows for the outputs of an attempt, by relative name, not saved yet. InvalidInput for a name that
    may not stand in the workspace. Files that stay `apart`, in the database, meet nothing that stands
    there."""
    if not outputs:
        return []
    workstream = situation.task.workstream
    paths = output_paths(output_place(workstream, situation.step), sorted(outputs))
    if not apart:
        _refuse_obstructed(workstream, sorted(paths.values()))
    return [
        OutputFile(path=path, content=outputs[name], sha256=hashlib.sha256(outputs[name]).hexdigest())
        for name, path in sorted(paths.items(), key=lambda item: item[1])
    ]


#: Paths that are looked up in one statement.
LOOKED_UP = 100


def _refuse_obstructed(workstream: Workstream, paths: Sequence[str]) -> None:
    """An output may replace an earlier one, but not need a folder where a file stands, nor go through a
    link."""
    space = workspace()
    for path in paths:
        if space.has_link(path):
            raise InvalidInput(f"outputs: a symbolic link stands in the way of {path}.", field="outputs")
        if f"{documentation_folder(workstream.slug)}/{PAGES[0]}" in parents(path):
            raise InvalidInput(
                f"outputs: {path} needs a folder where the documentation's page is a file.", field="outputs"
            )
    for start in range(0, len(paths), LOOKED_UP):
        _refuse_beside(workstream, paths[start : start + LOOKED_UP])


def _refuse_beside(workstream: Workstream, paths: Sequence[str]) -> None:
    folders = {folder for path in paths for folder in parents(path)}
    clash = Q(path__in=sorted(folders))
    for path in paths:
        clash |= Q(path__startswith=f"{path}/")
    stored = OutputFile.objects.filter(artifact__workstream=workstream).exclude(
        artifact__state=ArtifactState.QUARANTINED
    )
    other = stored.filter(clash).order_by().values_list("path", flat=True).first()
    if other is None:
        return
    mine = next(path for path in paths if other in parents(path) or other.startswith(f"{path}/"))
    raise InvalidInput(f"outputs: {mine} cannot stand beside {other}: one is a folder.", field="outputs")
