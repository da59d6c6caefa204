"""`manage.py convert_plan FILE`: any plan that can be read, written as canonical PLAN.md; nothing is stored.

Findings go to standard error. Exit code 0, or 1 when nothing in the file can be scheduled.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from orchestrator.core.formats.recognise import Format
from orchestrator.core.plan_render import render_plan
from orchestrator.management.plan_source import lines_of, read_file
from orchestrator.services.plans import read_any_source


class Command(BaseCommand):
    help = "Write a plan of any known format as PLAN.md."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--format", choices=[one.value for one in Format], help="read the file as this format")

    def handle(self, *, file: str, format: str | None, **_options: Any) -> None:
        found, reading = read_any_source(read_file(file), Format(format) if format else None)
        for line in lines_of(reading.findings):
            self.stderr.write(line)
        if reading.plan is None:
            sys.exit(1)
        self.stderr.write(f"Read as {found}.")
        self.stdout.write(render_plan(reading.plan), ending="")
