"""`manage.py preview_plan FILE|DIR`: findings, and how the plan will run with *n* executors; nothing is
stored.

Of a folder every plan in it is shown, behind a line with its name; as JSON they are a list.

Plans of other tools are read too (`core/formats`): the format is told from the content, or given with
`--format`. The policy of plan checks judges as it does everywhere; its defaults do where there is no
database.

With `--adopt` the state that a source tells of its tasks is taken over, and what is left is shown (WF-8).

Exit code 0, or 1 when something blocks approval of one of them.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from orchestrator.contract.plans import FileCheckFacts
from orchestrator.core.changes.adoption import adoption_of
from orchestrator.core.plans.checks.rules import apply_rules
from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.rehearsing.preview import (
    DEFAULT_EXECUTORS,
    MOST_EXECUTORS,
    Preview,
    Wait,
)
from orchestrator.core.terms import Format, Severity
from orchestrator.management.plan_source import files_in, lines_of, read_file
from orchestrator.management.printed import as_json
from orchestrator.queries.plans.check_rules import rules_in_force
from orchestrator.queries.plans.plan_facts import check_facts
from orchestrator.queries.plans.readings import checked, preview_plan
from orchestrator.services.plans.plans import STORED_BLOCKERS


class Command(BaseCommand):
    help = "Show what approving a plan would do."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE|DIR")
        parser.add_argument(
            "--format", choices=[known.value for known in Format], help="read the file as this format"
        )
        parser.add_argument(
            "--executors", type=_number, default=DEFAULT_EXECUTORS, help="how many work side by side"
        )
        parser.add_argument(
            "--adopt", action="store_true", help="show what the state of the source leaves to do"
        )
        parser.add_argument("--json", action="store_true", help="print the same facts as JSON")

    def handle(self, *, file: str, format: str | None, **options: Any) -> None:
        wanted = Format(format) if format else None
        folder = Path(file).is_dir()
        shown = []
        for name, source in _in_folder(file) if folder else [(file, read_file(file))]:
            reading = apply_rules(checked(source, wanted), _rules())
            shown.append(_Shown(name, reading, options["executors"], options["adopt"]))
        if options["json"]:
            facts = [one.facts() for one in shown]
            self.stdout.write(as_json(facts if folder else facts[0]))
        else:
            for one in shown:
                for line in (*([f"== {one.name}"] if folder else []), *one.lines()):
                    self.stdout.write(line)
        if any(one.reading.blockers or one.reading.plan is None for one in shown):
            sys.exit(1)


def _in_folder(folder: str) -> list[tuple[str, bytes | str]]:
    found = sources_of(files_in(folder))
    if not found.plans:
        raise CommandError(f"There is no plan in {folder}.", returncode=2)
    return [(plan.name, plan.text) for plan in found.plans]


class _Shown:
    """A plan as it was read, and its preview.

    Of all its tasks, or with `adopt` of those that its state leaves.
    """

    def __init__(self, name: str, reading: Reading, executors: int, adopt: bool) -> None:
        self.name, self.reading = name, reading
        self.executors, self.adopt = executors, adopt
        self.adoption = adoption_of(reading)

    def preview(self) -> Preview | None:
        plan = self.reading.plan
        if plan is None or _unschedulable(self.reading):
            return None
        return preview_plan(plan, self.executors, self.adoption.ended if self.adopt else {})

    def facts(self) -> FileCheckFacts:
        facts = check_facts(self.reading, self.executors, adopt=self.adopt)
        return FileCheckFacts(**vars(facts), name=self.name)

    def lines(self) -> Iterator[str]:
        reading = self.reading
        if reading.format not in (None, Format.PLAN):
            yield f"Read as {reading.format}."
        yield from lines_of(reading.findings)
        shown = self.preview()
        if shown is not None and reading.plan is not None:
            yield from _preview_lines(shown, reading.plan.name)
            if self.adoption:
                yield f"With the state of its source: {'; '.join(self.adoption.sentences)}"
                if self.adoption.starts:
                    yield f"Then starts: {', '.join(self.adoption.starts)}"
        if reading.blockers or reading.plan is None:
            yield f"Not approvable: {len(reading.blockers)} of {len(reading.findings)} findings block it."
        else:
            yield "Nothing blocks approval."


def _preview_lines(shown: Preview, name: str) -> Iterator[str]:
    done = f", {shown.taken_over} of them done before and left out" if shown.taken_over else ""
    yield f"{name}: {shown.tasks} tasks{done}"
    for number, wave in enumerate(shown.waves, start=1):
        yield f"Wave {number}: {', '.join(wave)}"
    yield f"Launch order: {', '.join(shown.launch_order)}"
    for thread in shown.threads:
        steps = ", ".join(f"{step.key} (wave {step.wave})" for step in thread.steps)
        place = f"Thread {thread.thread} of stage {thread.stage}, batch {thread.batch}"
        yield f"{place}: {steps or 'nothing that starts'}"
    yield (
        f"Critical path: {' → '.join(shown.critical_path)} (by {'estimate' if shown.timed else 'step count'})"
    )
    length = shown.length
    yield (
        f"Length: {length.given} {shown.unit} with {shown.executors} executors, {length.one} with one, "
        f"{length.unlimited} with as many as it takes"
    )
    yield f"Busy at once: {shown.peak} of {shown.executors}; more than {shown.useful} would never be busy"
    yield f"Longest wait: {_wait(shown.longest_wait, shown.unit)}"
    for gate in shown.gates:
        more = ", …" if gate.count > len(gate.first) else ""
        yield (
            f"Gate {gate.key} holds back "
            f"{', '.join(gate.first) + more if gate.count else 'nothing'} ({gate.count})"
        )


def _wait(wait: Wait | None, unit: str) -> str:
    if wait is None:
        return "no step waits longer than it must"
    what = "an executor" if wait.executor else wait.holder or "what holds its files or resources"
    freed = f", until {wait.holder} ends" if wait.executor and wait.holder else ""
    return f"{wait.key}, {wait.length} {unit} for {what}{freed}"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_EXECUTORS):
        raise ArgumentTypeError(f"give a number from 1 to {MOST_EXECUTORS}")
    return int(text)


def _rules() -> dict[str, Severity]:
    """The rules in force; the defaults where the database cannot be read or has no tables yet."""
    try:
        return rules_in_force()
    except DatabaseError:
        return {}


def _unschedulable(reading: Reading) -> bool:
    """What a reviewer or a policy objects to blocks approval, but the schedule can be shown all the same."""
    return any(finding.code not in STORED_BLOCKERS for finding in reading.blockers)
