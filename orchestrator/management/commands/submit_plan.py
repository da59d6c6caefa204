"""`manage.py submit_plan FILE|DIR… --as USER`: register one plan, or many at once, for review (WF-2, AD-3).

One file is one plan; `--set NAME=VALUE` gives the parameters of a template. A folder, or more than one file,
is a bundle: all of it is taken or nothing. With `--each` every plan is submitted on its own instead, and one
that is refused keeps no other out. What a folder holds is told by `core/plans/formats/folder.py`; files that
are no plan are listed with the reason. The format of each plan is told from its content, or given with
`--format`; `--tag` chooses one tag of a task-master file, and `--each` submits every tag of it. With
`--adopt`, approval takes over the state that a source tells of its tasks (WF-8). `--json`
prints the same facts for programs.

Exit code 0 when all were taken, 1 when something was refused, 2 when the call itself makes no sense.
"""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import BundleRejected, InvalidInput, PlanRejected, Refusal
from orchestrator.core.terms import Format
from orchestrator.management.plan_source import files_of, lines_of, read_file, told_name
from orchestrator.management.printed import as_json, counted
from orchestrator.management.submission_report import (
    SubmissionRow,
    rows_of_bundle,
    rows_of_each,
    rows_of_refused,
    table,
    told,
)
from orchestrator.queries.plans.refusal_facts import refusal_facts
from orchestrator.services.base.actor import Actor
from orchestrator.services.plans.bundles import submit_bundle
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.plans.submissions import ReadFiles, read_files, submit_each
from orchestrator.services.plans.templates import source_of_tag, source_with_values
from orchestrator.web.plans.submission_facts import outcomes_facts

USAGE: Final = 2


class Command(BaseCommand):
    help = "Submit a plan, or a folder of plans, for review."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="FILE|DIR")
        parser.add_argument(
            "--set",
            dest="values",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="value of a parameter",
        )
        parser.add_argument(
            "--format", choices=[known.value for known in Format], help="read every plan as this format"
        )
        parser.add_argument("--tag", default="", help="submit this tag of a task-master file alone")
        parser.add_argument("--as", dest="user", required=True, help="the account that submits")
        parser.add_argument(
            "--bundle", default="", help="name of the bundle; the folder's name when it is not given"
        )
        parser.add_argument(
            "--each", action="store_true", help="submit every plan on its own, not as one bundle"
        )
        parser.add_argument(
            "--adopt", action="store_true", help="take over the state that a source tells of its tasks"
        )
        parser.add_argument(
            "--leave-needs", action="store_true", help="let the reviewer drop dependencies that cannot hold"
        )
        parser.add_argument("--json", action="store_true", help="print the same facts as JSON")

    def handle(self, *, paths: Sequence[str], user: str, values: list[str], **options: Any) -> None:
        account = User.objects.filter(username=user).first()
        if account is None:
            raise CommandError(f"There is no account {user}.", returncode=USAGE)
        alone = len(paths) == 1 and not Path(paths[0]).is_dir() and not options["each"]
        if values and not alone:
            raise CommandError("--set is for one plan; it was given with several.", returncode=USAGE)
        if options["tag"] and not alone:
            raise CommandError("--tag is for one plan; it was given with several.", returncode=USAGE)
        if options["each"] and options["bundle"]:
            raise CommandError("--each submits no bundle; leave one of the two out.", returncode=USAGE)
        actor = Actor.operator(account)
        try:
            if alone and not options["json"]:
                self._one(paths[0], _given(values), actor, options)
            else:
                self._many([Path(path) for path in paths], actor, _given(values), {"alone": alone, **options})
        except Refusal as refusal:
            if options["json"]:
                self.stdout.write(as_json(refusal_facts(refusal)))
            raise CommandError(_refused(refusal)) from refusal

    def _one(self, path: str, values: Mapping[str, str], actor: Actor, options: Mapping[str, Any]) -> None:
        source = read_file(path)
        source = source_of_tag(source, options["tag"]) if options["tag"] else source
        submission = submit_plan(
            source=source_with_values(source, values) if values else source,
            source_name=told_name(path),
            actor=actor,
            now=timezone.now(),
            wanted=_format(options),
            adopt=options["adopt"],
            leave_needs=options["leave_needs"],
        )
        for line in lines_of(submission.reading.findings):
            self.stdout.write(line)
        workstream, version = submission.workstream, submission.version
        if version.format != Format.PLAN:
            self.stdout.write(f"Read as {version.format}.")
        if version.adopts:
            self.stdout.write(
                "Approval takes over the state that the source tells; the review shows what becomes of it."
            )
        self.stdout.write(
            f"“{workstream.title}” ({workstream.slug}), version {version.number}, waits for review."
        )

    def _many(
        self, paths: Sequence[Path], actor: Actor, values: Mapping[str, str], options: Mapping[str, Any]
    ) -> None:
        read = _read(paths, values, options)
        if not options["json"]:
            for left in read.left_out:
                self.stdout.write(f"Left out: {left.name} {left.why}.")
        wishes = {"adopt": options["adopt"], "leave_needs": options["leave_needs"]}
        files = [replace(plan.file, **wishes) for plan in read.plans]
        now = timezone.now()
        if options["each"] or options["alone"]:
            rows = rows_of_each(read, submit_each(files=counted(files), actor=actor, now=now))
            self._tell(read, rows, options)
            return
        name = options["bundle"] or paths[0].resolve().name
        try:
            done = submit_bundle(name=name, files=files, actor=actor, now=now)
        except BundleRejected as refusal:
            rows = rows_of_refused(read, refusal.findings)
            if options["json"]:
                self.stdout.write(_as_json(read, rows, None))
            said = ["The bundle cannot be taken.", *table(rows), *told(rows), refusal.way_out]
            raise CommandError("\n".join(said)) from refusal
        self._tell(read, rows_of_bundle(read, done), options, done.bundle.pk)
        if not options["json"]:
            self.stdout.write(
                f"Bundle {done.bundle.pk}, “{name}”: {len(done.members)} plans wait for review."
            )

    def _tell(
        self,
        read: ReadFiles,
        rows: list[SubmissionRow],
        options: Mapping[str, Any],
        bundle: int | None = None,
    ) -> None:
        for line in [_as_json(read, rows, bundle)] if options["json"] else table(rows):
            self.stdout.write(line)
        if refused := [row for row in rows if row.refused]:
            said = f"{len(refused)} of {len(rows)} plans {'was' if len(refused) == 1 else 'were'} refused."
            raise CommandError("\n".join([said, *told(rows)]))


def _refused(refusal: Refusal) -> str:
    if isinstance(refusal, PlanRejected):
        return "\n".join([refusal.message, *lines_of(refusal.findings), refusal.way_out])
    return f"{refusal.message} {refusal.way_out}"


def _as_json(read: ReadFiles, rows: Sequence[SubmissionRow], bundle: int | None) -> str:
    return as_json(outcomes_facts(bundle, [row.outcome for row in rows], read.left_out))


def _read(paths: Sequence[Path], values: Mapping[str, str], options: Mapping[str, Any]) -> ReadFiles:
    files = files_of(paths)
    if options["tag"]:
        files = {name: source_of_tag(source, options["tag"]) for name, source in files.items()}
    if values:
        files = {name: source_with_values(source, values) for name, source in files.items()}
    try:
        return read_files(files, _format(options))
    except InvalidInput as refusal:
        raise CommandError(f"{', '.join(map(str, paths))}: {refusal.message}", returncode=USAGE) from refusal


def _format(options: Mapping[str, Any]) -> Format | None:
    return Format(options["format"]) if options.get("format") else None


def _given(values: list[str]) -> dict[str, str]:
    """`component=ledger` -> what is set by name."""
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals:
            raise CommandError(f"--set {name} gives no value. Write --set NAME=VALUE.")
    return {name.strip(): value for name, _, value in pairs}
