"""`manage.py list_refusals`: the table of refusals for orchestrator/README.md (FR-025)."""

from typing import Any

from django.core.management.base import BaseCommand

from orchestrator.management.refusal_table import refusal_table


class Command(BaseCommand):
    help = "Print every refusal with its code, HTTP status, meaning and way out, as a Markdown table."
    # The output goes into a file; system checks would stand in it.
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        self.stdout.write(refusal_table(), ending="")
