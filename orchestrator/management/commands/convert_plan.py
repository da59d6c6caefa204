"""`manage.py convert_plan FILE|FOLDER [--to plan|plan-file|tasks|dashboard]`: any plan that can be read, in
another form.

A folder is read as one workstream's files (`core/plans/formats/folder.py`); of several plans in it each is
written behind a line that names it, and as one file with `--to plan-file`. Nothing is stored. Findings go to
standard error. Exit code 0, or 1 when nothing in one of them can be scheduled.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orchestrator.core.files.write import Written, render_as
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.formats.plan_file_text import render_plan_files
from orchestrator.core.plans.plan import Plan
from orchestrator.core.terms import Format
from orchestrator.management.plan_source import files_in, lines_of, read_file
from orchestrator.queries.plans.readings import checked


class Command(BaseCommand):
    help = "Write a plan of any known format as PLAN.md, JSON plan file, tasks.json or dashboard."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", metavar="FILE|FOLDER")
        parser.add_argument(
            "--format", choices=[known.value for known in Format], help="read it as this format"
        )
        parser.add_argument("--to", choices=[known.value for known in Written], default=Written.PLAN.value)

    def handle(self, *, path: str, format: str | None, to: str, **_options: Any) -> None:
        wanted = Format(format) if format else None
        plans = [(name, self._plan(name, source, wanted)) for name, source in self._sources(path, wanted)]
        read = [(name, plan) for name, plan in plans if plan is not None]
        form = Written(to)
        if len(read) > 1 and form is Written.PLAN_FILE:
            self.stdout.write(render_plan_files(plan for _, plan in read), ending="")
        else:
            for name, plan in read:
                if len(read) > 1:
                    self.stdout.write(f"<!-- plan: {name} -->")
                self.stdout.write(render_as(plan, form), ending="")
        if len(read) < len(plans):
            sys.exit(1)

    def _sources(self, path: str, wanted: Format | None) -> list[tuple[str, bytes | str]]:
        """The plans below a path. One file is its own plan; a plan file of several is split."""
        folder = Path(path).is_dir()
        if not folder and wanted is not None:
            return [(path, read_file(path))]
        files = files_in(path) if folder else {Path(path).name: read_file(path)}
        found = sources_of(files)
        if not folder and len(found.plans) < 2:
            return [(path, read_file(path))]
        for left in found.left_out:
            self.stderr.write(f"Left out: {left.name} {left.why}.")
        if not found.plans:
            raise CommandError(f"There is no plan in {path}.")
        return [(source.name, source.text) for source in found.plans]

    def _plan(self, name: str, source: bytes | str, wanted: Format | None) -> Plan | None:
        reading = checked(source, wanted)
        for line in lines_of(reading.findings):
            self.stderr.write(line)
        if reading.plan is not None:
            self.stderr.write(f"{name}: read as {reading.format}.")
        return reading.plan
