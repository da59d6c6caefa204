"""`manage.py verify_history`: name the first bad entry of the chain; `--state` compares the tables too."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orchestrator.models import HistoryEntry, Workstream
from orchestrator.queries.base.state import state_problems
from orchestrator.services.base.history import checkpoint_problem, verify


class Command(BaseCommand):
    help = "Check that no history entry was changed, removed or re-ordered."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--state",
            action="store_true",
            help="also rebuild every workstream's state from history and name what the tables say otherwise",
        )

        parser.add_argument(
            "--checkpoint", metavar="FILE", help="also compare with a checkpoint that the page Operating gave"
        )

    def handle(self, *, state: bool, checkpoint: str | None = None, **_options: Any) -> None:
        breach = verify()
        if breach is not None:
            self.stdout.write(f"Entry {breach.sequence} is bad: {breach.problem}.")
            sys.exit(1)
        self.stdout.write(f"{HistoryEntry.objects.count()} entries, all in order and unchanged.")
        if checkpoint and (problem := checkpoint_problem(_kept(checkpoint))):
            self.stdout.write(problem)
            sys.exit(1)
        if state and self._differing():
            sys.exit(1)

    def _differing(self) -> int:
        """Print every difference; answers with their number."""
        found = checked = 0
        for workstream in (
            Workstream.objects.select_related("version").order_by("pk").iterator(chunk_size=100)
        ):
            checked += 1
            for problem in state_problems(workstream):
                found += 1
                self.stdout.write(f"{workstream.slug}: {problem}.")
        if found:
            self.stdout.write("Tables and history differ: were the tables restored from an older backup?")
        else:
            self.stdout.write(f"{checked} workstreams: the tables say what history says.")
        return found


def _kept(file: str) -> object:
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise CommandError(f"The checkpoint {file} cannot be read: {problem}") from problem
