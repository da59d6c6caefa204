"""`manage.py verify_history`: walk the chain and name the first bad entry (exit code 1)."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from orchestrator.models import HistoryEntry
from orchestrator.services.history import verify


class Command(BaseCommand):
    help = "Check that no history entry was changed, removed or re-ordered."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        breach = verify()
        if breach is not None:
            self.stdout.write(f"Entry {breach.sequence} is bad: {breach.problem}.")
            sys.exit(1)
        self.stdout.write(f"{HistoryEntry.objects.count()} entries, all in order and unchanged.")
