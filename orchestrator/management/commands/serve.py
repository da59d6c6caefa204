"""`manage.py serve`: web server, queue and executors under one supervisor; what `make run` starts."""

import os
import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from django_q.conf import Conf

from orchestrator.adapters.pool import PooledExecutor, read_pool
from orchestrator.checks import TAG
from orchestrator.client.agent import find_agent
from orchestrator.client.login import Misconfigured
from orchestrator.core.errors import InvalidInput, Refusal, WorkspaceUnavailable
from orchestrator.management.accounts import ensure_executors, ensure_pool
from orchestrator.management.private_data import narrow
from orchestrator.management.static_stamp import collect_static
from orchestrator.management.tables import other_columns
from orchestrator.processes import forked
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.processes.service_manager import ServiceManager, from_environment
from orchestrator.processes.supervisor import (
    MCP,
    QUEUE,
    WEB,
    Supervisor,
    agent_environment,
    commands,
    only_supervisor,
    own_address,
    parts_to_fork,
    pool_commands,
    port_is_taken,
    wait_for_predecessor,
)
from orchestrator.sandbox import layers
from orchestrator.services.handoff.divergence import workspace_facts


class Command(BaseCommand):
    requires_system_checks = [TAG]
    help = "Start everything and keep it running; Ctrl-C stops all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--executors", type=int, default=settings.EXECUTORS)
        parser.add_argument("--demo", action="store_true", help="set up accounts and the demo first")

    def handle(self, *, host: str, port: int, executors: int, demo: bool, **_options: Any) -> None:
        self.stopping = False
        manager = from_environment()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        self._keep_private()
        lock = only_supervisor(settings.DATA_DIR / "run")
        if lock is None:
            raise CommandError(f"The orchestrator is already running with the data in {settings.DATA_DIR}.")
        with lock:
            self._serve(host, port, executors, demo, manager)

    def _keep_private(self) -> None:
        """Before anything is written there.

        An earlier version left files that every account here can read.
        """
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        try:
            opened = narrow(settings.DATA_DIR)
        except PermissionError as problem:
            raise CommandError(
                f"{problem.filename} can be read by other accounts of this machine, and belongs "
                f"to somebody else. "
                "Give it to the account that starts the orchestrator (chown), or start with another DATA_DIR."
            ) from problem
        if opened:
            self._say(
                f"Others could read {len(opened)} files and folders in {settings.DATA_DIR}; now they cannot."
            )

    def _serve(self, host: str, port: int, executors: int, demo: bool, manager: ServiceManager) -> None:
        wait_for_predecessor(settings.DATA_DIR / "run")
        if port_is_taken(host, port):
            raise CommandError(
                f"Port {port} on {host} is taken. Stop what uses it, or choose another: PORT=8001 make run"
            )
        try:
            forked.in_a_copy(lambda: self._prepare(demo))
        except OperationalError as problem:
            raise CommandError(f"The database cannot be used: {problem}") from problem
        self._tell_divergence(host, port)
        if settings.TOOLS_SANDBOX != "off":  # a system check has said that
            self._say(layers.told(settings.TOOLS_SANDBOX))
        names = [executor.name for executor in ensure_executors(executors, timezone.now())]
        pool, tokens = self._pool(names)
        address = own_address(host, port)
        wanted = commands(host, port, names, settings.MCP_PORT) | pool_commands(pool, settings.RUN_LOGS_DIR)
        Supervisor(
            wanted,
            settings.DATA_DIR,
            QueueWatch(_stall()),
            self._say,
            lambda: self.stopping,
            {
                name: agent_environment(os.environ, settings.BASE_DIR, address, token)
                for name, token in tokens.items()
            },
            manager,
            parts_to_fork(wanted),
        ).run((host, port))

    def _pool(self, taken: list[str]) -> tuple[tuple[PooledExecutor, ...], dict[str, str]]:
        """The executors of `executors.toml` with the tokens of those that sign in; CommandError says what is
        wrong with it."""
        try:
            pool = read_pool(settings.EXECUTORS_FILE)
            if twice := sorted({one.name for one in pool} & {*taken, WEB, QUEUE, MCP}):
                raise InvalidInput(f"{settings.EXECUTORS_FILE.name}: {twice[0]} is something else here.")
            for one in pool:
                if one.is_agent:
                    find_agent(one.agent, one.agents, one.command)
            return pool, ensure_pool(pool, timezone.now())
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        except (Misconfigured, OSError, UnicodeDecodeError) as problem:
            raise CommandError(f"{settings.EXECUTORS_FILE.name}: {one.name}: {problem}") from problem

    def _prepare(self, demo: bool) -> None:
        """In one process, because every start of Python and Django costs most of a second; and in one that
        ends, because what it took would stay in the memory of all parts."""
        refuse_tables_of_another_version()
        call_command("migrate", verbosity=0, interactive=False)
        collect_static()
        if demo:
            call_command("setup_demo", stdout=self.stdout)

    def _tell_divergence(self, host: str, port: int) -> None:
        """Before anything is started: an older database or workspace was put in place while nothing ran.

        Requirements: F23, F24.
        """
        try:
            facts = workspace_facts(now=timezone.now())
        except WorkspaceUnavailable as refusal:
            self._say(f"{refusal.message} {refusal.way_out}")
            return
        if not facts.agrees:
            self._say(f"WORK IS STOPPED. {facts.said}")
            self._say(f"Decide at http://{host}:{port}/workspace/, or with: manage.py workspace")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


def refuse_tables_of_another_version() -> None:
    """CommandError where the database was made by a version whose migrations are not here.

    Its tables are others.
    """
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    foreign = sorted(
        name
        for app, name in loader.applied_migrations
        if app == "orchestrator" and (app, name) not in loader.graph.nodes
    )
    own = {node for node in loader.graph.nodes if node[0] == "orchestrator"}
    known = f"knows {foreign[0]}" if foreign else ""
    if not foreign and own <= set(loader.applied_migrations) and (other := other_columns()):
        known = f"differs in {other[0]}"
    if known:
        raise CommandError(
            f"The database was made by another version of the orchestrator (it {known}). Nothing was "
            "changed. Start that version with it, or this one with a new DATA_DIR or DATABASE_URL."
        )


def _stall() -> float:
    """Twice the queue's own time limit by default: nothing that still works takes longer."""
    return float(settings.QUEUE_STALL_SECONDS or 2 * Conf.TIMEOUT)
