"""`manage.py rebuild flow|search`: make what is derived again, the flow figures from the history, the index
of the search from the rows (FR-013, FR-012). Every act keeps both, so this is for after a repair.

`--check` only compares.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from orchestrator.core.replay import Unreadable
from orchestrator.models import Workstream
from orchestrator.models.base.search_index import rebuild_search, search_problems
from orchestrator.queries.flow.rebuilt import flow_problems
from orchestrator.services.workstreams.flow import rebuild_flow


class Command(BaseCommand):
    help = "Make the flow figures again from the history, or the index of the search from what is kept."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("flow", "search"))
        parser.add_argument("--check", action="store_true", help="say what differs and change nothing")

    def handle(self, *, what: str, check: bool, **_options: Any) -> None:
        if what == "flow":
            self._flow(check)
        elif check:
            self._compare_search()
        else:
            with transaction.atomic():
                count = rebuild_search()
            self.stdout.write(f"{count} entries were made again.")

    def _flow(self, check: bool) -> None:
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

    def _compare_search(self) -> None:
        problems = search_problems()
        for problem in problems:
            self.stdout.write(f"{problem}.")
        if problems:
            self.stdout.write("Make it again: manage.py rebuild search")
            sys.exit(1)
        self.stdout.write("The index says what the rows say.")
