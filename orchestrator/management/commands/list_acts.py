"""`manage.py list_acts`: the table of acts for orchestrator/README.md (FR-011)."""

from typing import Any

from django.core.management.base import BaseCommand

from orchestrator.management.act_table import act_table


class Command(BaseCommand):
    help = "Print every act with who may do it, its reason, scope, locks and actions, as a Markdown table."
    # The output goes into a file; system checks would stand in it.
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        self.stdout.write(act_table(), ending="")
