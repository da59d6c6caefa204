"""`manage.py serve`: web server, queue and executors under one supervisor; what `make run` starts."""

import os
import signal
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone
from django_q.conf import Conf

from orchestrator.checks import TAG
from orchestrator.management.accounts import ensure_executors
from orchestrator.management.queue_watch import QueueWatch
from orchestrator.management.static_stamp import collect_static
from orchestrator.management.supervisor import (
    Supervisor,
    commands,
    only_supervisor,
    port_is_taken,
    wait_for_predecessor,
)


class Command(BaseCommand):
    requires_system_checks = [TAG]
    help = "Start everything and keep it running; Ctrl-C stops all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--executors", type=int, default=int(os.environ.get("EXECUTORS", "3")))
        parser.add_argument("--demo", action="store_true", help="set up accounts and the demo first")

    def handle(self, *, host: str, port: int, executors: int, demo: bool, **_options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        lock = only_supervisor(settings.DATA_DIR / "run")
        if lock is None:
            raise CommandError(f"The orchestrator is already running with the data in {settings.DATA_DIR}.")
        with lock:
            self._serve(host, port, executors, demo)

    def _serve(self, host: str, port: int, executors: int, demo: bool) -> None:
        wait_for_predecessor(settings.DATA_DIR / "run")
        if port_is_taken(host, port):
            raise CommandError(
                f"Port {port} on {host} is taken. Stop what uses it, or choose another: PORT=8001 make run"
            )
        try:
            self._prepare(demo)
        except OperationalError as problem:
            raise CommandError(f"The database cannot be used: {problem}") from problem
        names = [executor.name for executor in ensure_executors(executors, timezone.now())]
        Supervisor(
            commands(host, port, names),
            settings.DATA_DIR,
            QueueWatch(time.time, _stall()),
            self._say,
            lambda: self.stopping,
        ).run((host, port))

    def _prepare(self, demo: bool) -> None:
        """In one process, because every start of Python and Django costs most of a second."""
        call_command("migrate", verbosity=0, interactive=False)
        collect_static()
        if demo:
            call_command("setup_demo", stdout=self.stdout)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


def _stall() -> float:
    """Twice the queue's own time limit by default: nothing that still works takes longer."""
    given = os.environ.get("QUEUE_STALL_SECONDS")
    return float(given) if given else 2.0 * Conf.TIMEOUT
