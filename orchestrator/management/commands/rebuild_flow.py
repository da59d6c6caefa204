"""`manage.py rebuild_flow`: make what is kept of every workstream's flow again from its history.

`--check` only compares.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from orchestrator.core.replay import Unreadable
from orchestrator.models import Workstream
from orchestrator.queries.flow.rebuilt import flow_problems
from orchestrator.services.workstreams.flow import rebuild_flow


class Command(BaseCommand):
    help = "Make intervals and sums of the flow figures again from the history."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="say what differs from the history and change nothing"
        )

    def handle(self, *, check: bool, **_options: Any) -> None:
        different = checked = 0
        for workstream in Workstream.objects.order_by("pk").iterator(chunk_size=100):
            checked += 1
            problems = flow_problems(workstream) if check else self._rebuilt(workstream)
            different += bool(problems)
            for problem in problems:
                self.stdout.write(f"{workstream.slug}: {problem}.")
        done = "differ from the history" if check else "were made again"
        self.stdout.write(f"{checked} workstreams; {different} {done}.")
        if check and different:
            sys.exit(1)

    def _rebuilt(self, workstream: Workstream) -> list[str]:
        try:
            return rebuild_flow(workstream.pk)
        except Unreadable as problem:
            return [f"left as it is, because its history cannot be read: {problem}"]
