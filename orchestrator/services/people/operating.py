"""How the installation is: what the page Operating shows to those who answer for it."""

import platform
from dataclasses import dataclass
from datetime import datetime

import django
from django.conf import settings

import orchestrator
from orchestrator.adapters.machine import (
    FolderSize,
    ProcessSeen,
    folder_size,
    free_space,
    processes,
    tools_told,
)
from orchestrator.adapters.pool import PooledExecutor, read_pool
from orchestrator.core.errors import InvalidInput
from orchestrator.core.people.roles import APPROVERS
from orchestrator.models import HistoryCheckpoint, HistoryEntry
from orchestrator.queries.base.sealed import newest_checkpoint
from orchestrator.queries.workstreams.operating import (
    DatabaseFigures,
    DeliveryFigures,
    ExecutorFigures,
    QueueFigures,
    database_figures,
    delivery_figures,
    executor_figures,
    last_entry,
    queue_figures,
)
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import lacking
from orchestrator.services.sealing.second_remote import RemoteSeen, remote_seen


@dataclass(frozen=True, slots=True)
class ToolSeen:
    """A tool that steps may route to, and whether its steps may use the network."""

    name: str
    network: bool


@dataclass(frozen=True, slots=True)
class OperatingFacts:
    """Everything of one look. `version` names the orchestrator and what it runs on, `tools_told` what keeps
    tools where they are."""

    at: datetime
    processes: tuple[ProcessSeen, ...]
    queue: QueueFigures
    deliveries: DeliveryFigures
    executors: tuple[ExecutorFigures, ...]
    workspace: FolderSize
    history: HistoryEntry | None
    sealed: HistoryCheckpoint | None
    remote: RemoteSeen | None
    database: DatabaseFigures
    disk_free: int
    disk_size: int
    version: str
    tools: tuple[ToolSeen, ...]
    pool: tuple[PooledExecutor, ...]
    pool_problem: str
    tools_told: str


def may_operate(actor: Actor) -> bool:
    """Whether the page is shown to this account: approvers, and administrators, who hold every role."""
    return lacking(actor, APPROVERS) is None


def operating_facts(*, actor: Actor, now: datetime) -> OperatingFacts:
    """Look at the installation; refuses whoever is no approver. Changes nothing."""
    if refusal := lacking(actor, APPROVERS):
        raise refusal
    free, size = free_space(settings.DATA_DIR)
    pool, problem = _pool()
    return OperatingFacts(
        at=now,
        processes=tuple(processes(settings.DATA_DIR / "run")),
        queue=queue_figures(),
        deliveries=delivery_figures(),
        executors=tuple(executor_figures()),
        workspace=folder_size(settings.WORKSPACE_DIR),
        history=last_entry(),
        sealed=newest_checkpoint(),
        remote=remote_seen(),
        database=database_figures(),
        disk_free=free,
        disk_size=size,
        version=_version(),
        tools=tuple(ToolSeen(name, name in settings.TOOLS_NETWORK) for name in settings.TOOLS),
        pool=pool,
        pool_problem=problem,
        tools_told=tools_told(settings.TOOLS_SANDBOX),
    )


def _pool() -> tuple[tuple[PooledExecutor, ...], str]:
    """What the next start would start of `executors.toml`, or what is wrong with it."""
    try:
        return read_pool(settings.EXECUTORS_FILE), ""
    except InvalidInput as refusal:
        return (), f"{refusal.message} {refusal.way_out}"


def _version() -> str:
    return f"{orchestrator.__version__}, Django {django.__version__}, Python {platform.python_version()}"
