"""`manage.py rebuild_search`: make the index of the search again from what is kept.

`--check` only compares.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from orchestrator.models.base.search_index import rebuild_search, search_problems


class Command(BaseCommand):
    help = "Make the index of the search again; every act keeps it, so this is for after a repair."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="say what differs from the rows and change nothing"
        )

    def handle(self, *, check: bool, **_options: Any) -> None:
        if not check:
            with transaction.atomic():
                count = rebuild_search()
            self.stdout.write(f"{count} entries were made again.")
            return
        problems = search_problems()
        for problem in problems:
            self.stdout.write(f"{problem}.")
        if problems:
            self.stdout.write("Make it again: manage.py rebuild_search")
            sys.exit(1)
        self.stdout.write("The index says what the rows say.")
