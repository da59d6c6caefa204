"""The outline of a plan in effect: stages, batches, threads, and the keys of their steps (WF-1)."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from orchestrator.contract.workstreams import OutlineBatch, OutlineStage, OutlineThread
from orchestrator.models import Step, Workstream

_STAGE = ("thread__batch__stage__position", "thread__batch__stage__number", "thread__batch__stage__name")
_BATCH = ("thread__batch__position", "thread__batch__prefix", "thread__batch__name")
_THREAD = ("thread__position", "thread__lane", "thread__name", "thread__worktree")


def outline_of(workstream: Workstream) -> tuple[OutlineStage, ...]:
    """In one statement; empty while no plan is in effect."""
    steps = Step.objects.filter(version=workstream.version_id)
    rows = steps.order_by(_STAGE[0], _BATCH[0], _THREAD[0], "position", "key")
    return tuple(_stages(rows.values(*_STAGE, *_BATCH, *_THREAD, "key")))


def _stages(rows: Iterable[Any]) -> Iterator[OutlineStage]:
    for (_, number, name), found in groupby(rows, key=itemgetter(*_STAGE)):
        yield OutlineStage(number, name, tuple(_batches(found)))


def _batches(rows: Iterable[Any]) -> Iterator[OutlineBatch]:
    for (_, prefix, name), found in groupby(rows, key=itemgetter(*_BATCH)):
        yield OutlineBatch(prefix, name, tuple(_threads(found)))


def _threads(rows: Iterable[Any]) -> Iterator[OutlineThread]:
    for (_, lane, name, worktree), found in groupby(rows, key=itemgetter(*_THREAD)):
        yield OutlineThread(lane, name, worktree, tuple(row["key"] for row in found))
