"""`manage.py preview_plan FILE`: findings, waves, launch order and critical path; nothing is stored.

Plans of other tools are read too (`core/formats`): the format is told from the content, or given with `--format`.

Exit code 0, or 1 when something blocks approval.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from orchestrator.core.formats.recognise import Format
from orchestrator.core.plan import Reading
from orchestrator.core.preview import Preview, preview
from orchestrator.management.plan_source import lines_of, read_file
from orchestrator.services.plans import STORED_BLOCKERS, read_any_source


class Command(BaseCommand):
    help = "Show what approving a plan would do."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--format", choices=[one.value for one in Format], help="read the file as this format")

    def handle(self, *, file: str, format: str | None, **_options: Any) -> None:
        found, reading = read_any_source(read_file(file), Format(format) if format else None)
        if found not in (None, Format.PLAN):
            self.stdout.write(f"Read as {found}.")
        for line in lines_of(reading.findings):
            self.stdout.write(line)
        if reading.plan is not None and not _unschedulable(reading):
            self._show(preview(reading.plan), reading.plan.name)
        if reading.blockers or reading.plan is None:
            self.stdout.write(f"Not approvable: {len(reading.blockers)} of {len(reading.findings)} findings block it.")
            sys.exit(1)
        self.stdout.write("Nothing blocks approval.")

    def _show(self, shown: Preview, name: str) -> None:
        self.stdout.write(f"{name}: {shown.tasks} tasks")
        for number, wave in enumerate(shown.waves, start=1):
            self.stdout.write(f"Wave {number}: {', '.join(wave)}")
        self.stdout.write(f"Launch order: {', '.join(shown.launch_order)}")
        self.stdout.write(f"Critical path: {' → '.join(shown.critical_path)}")
        for gate, held in shown.gates:
            self.stdout.write(f"Gate {gate} holds back {', '.join(held) or 'nothing'}")


def _unschedulable(reading: Reading) -> bool:
    """Open questions block approval, but the schedule can be shown all the same."""
    return any(finding.code not in STORED_BLOCKERS for finding in reading.blockers)
