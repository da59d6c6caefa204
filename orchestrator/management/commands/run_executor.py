"""`manage.py run_executor --name builder-1`: one local executor, until it is stopped."""

import fcntl
import signal
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.models import Executor
from orchestrator.models.base.bells import Bell
from orchestrator.processes.local_executor import LocalExecutor
from orchestrator.services.base.bells import Listener, listen

#: Seconds to wait before trying again when database or workspace cannot be reached.
TROUBLE_PAUSE = 2.0
#: Seconds between two looks for work, should no bell ring; in which a stop is noticed; and in which what is
#: recorded together is looked at together. Where others record much, looks take a part of the time at most.
LOOK_EVERY = 10.0
STOPS_WITHIN = 1.0
SETTLES = 0.02
PART = 1 / 10


class Command(BaseCommand):
    help = "Claim attempts whose tool is registered here, one at a time, and do them."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="a registered executor (see setup_demo)")
        parser.add_argument("--once", action="store_true", help="leave when nothing is queued")

        parser.add_argument("--tools", default="", help="only these of the registered tools, with commas")

    def handle(self, *, name: str, once: bool, tools: str, **_options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        executor = Executor.objects.select_related("user").filter(name=name).first()
        if executor is None:
            raise CommandError(f"There is no executor {name}; register it first.")
        only = frozenset(tools.split(",")) if tools else None
        with _only_process(name):
            self._work(LocalExecutor(executor, timezone.now, lambda: self.stopping, only), once)

    def _work(self, local: LocalExecutor, once: bool) -> None:
        listener = listen(Bell.HISTORY)
        try:
            self._work_when_rung(local, listener, once)
        finally:
            listener.close()

    def _work_when_rung(self, local: LocalExecutor, listener: Listener, once: bool) -> None:
        while not self.stopping:
            began = time.process_time()
            try:
                worked = local.turn()
            except (OperationalError, InterfaceError, WorkspaceUnavailable) as problem:
                self.stderr.write(f"{local.executor}: {problem}; trying again.")
                close_old_connections()
                time.sleep(TROUBLE_PAUSE)
                continue
            if not worked and once:
                return
            if not worked:
                time.sleep(min(max(SETTLES, (time.process_time() - began) / PART), STOPS_WITHIN))
                self._wait(listener)

    def _wait(self, listener: Listener) -> None:
        """Until something was recorded, or some seconds have passed, or this process is asked to leave."""
        until = time.monotonic() + LOOK_EVERY
        while not self.stopping and time.monotonic() < until:
            if listener.wait(STOPS_WITHIN):
                return

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


def _only_process(name: str) -> Any:
    """A second process under one name would take up what the first is doing."""
    folder = settings.DATA_DIR / "run"
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / f"executor-{name}.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        file.close()
        raise CommandError(f"An executor named {name} is already running here.") from problem
    return file
