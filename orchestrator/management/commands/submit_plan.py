"""`manage.py submit_plan FILE|DIR… --as USER`: register one plan, or many as a bundle, for review (AD-3).

One file is one plan; `--set NAME=VALUE` gives the parameters of a template. A folder, or more than one file, is a
bundle: all of it is taken or nothing. What a folder holds is told by `core/formats/folder.py`; files that are no plan
are listed with the reason. The format of each plan is told from its content, or given with `--format`.

Exit code 0 when all were taken, 1 when something was refused, 2 when the call itself makes no sense.
"""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import BundleRejected, PlanRejected, Refusal
from orchestrator.core.formats.folder import sources_of
from orchestrator.core.formats.recognise import Format
from orchestrator.core.plan import Finding
from orchestrator.management.plan_source import files_in, lines_of, read_file
from orchestrator.queries.duplicates import undecided
from orchestrator.services.actor import Actor
from orchestrator.services.bundles import PlanFile, submit_bundle
from orchestrator.services.plans import Submission, submit_plan
from orchestrator.services.templates import source_with_values

USAGE: Final = 2
HEAD: Final = ("file", "format", "workstream", "version", "findings", "result")


class Command(BaseCommand):
    help = "Submit a plan, or a folder of plans as one bundle, for review."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []
    wanted: Format | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="FILE|DIR")
        parser.add_argument(
            "--set", dest="values", action="append", default=[], metavar="NAME=VALUE", help="value of a parameter"
        )
        parser.add_argument("--format", choices=[one.value for one in Format], help="read every plan as this format")
        parser.add_argument("--as", dest="user", required=True, help="the account that submits")
        parser.add_argument("--bundle", default="", help="name of the bundle; the folder's name when it is not given")

    def handle(self, *, paths: Sequence[str], user: str, bundle: str, values: list[str], **options: Any) -> None:
        account = User.objects.filter(username=user).first()
        if account is None:
            raise CommandError(f"There is no account {user}.", returncode=USAGE)
        actor = Actor.person(account)
        self.wanted = Format(options["format"]) if options.get("format") else None
        try:
            if len(paths) == 1 and not Path(paths[0]).is_dir():
                self._one(paths[0], _given(values), actor)
            elif values:
                raise CommandError("--set is for one plan; it was given with several.", returncode=USAGE)
            else:
                self._many([Path(path) for path in paths], bundle, actor)
        except PlanRejected as refusal:
            listed = "\n".join(lines_of(refusal.findings))
            raise CommandError(f"{refusal.message}\n{listed}\n{refusal.way_out}") from refusal
        except BundleRejected as refusal:
            raise CommandError("\n".join([*_refused(refusal.findings), refusal.way_out])) from refusal
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal

    def _one(self, path: str, values: Mapping[str, str], actor: Actor) -> None:
        source = read_file(path)
        source = source_with_values(source, values) if values else source
        submission = submit_plan(
            source=source, source_name=Path(path).name, actor=actor, now=timezone.now(), wanted=self.wanted
        )
        for line in lines_of(submission.reading.findings):
            self.stdout.write(line)
        workstream, version = submission.workstream, submission.version
        if version.format != Format.PLAN:
            self.stdout.write(f"Read as {version.format}.")
        self.stdout.write(f"“{workstream.title}” ({workstream.slug}), version {version.number}, waits for review.")

    def _many(self, paths: Sequence[Path], bundle: str, actor: Actor) -> None:
        found = sources_of(_files(paths))
        for left in found.left_out:
            self.stdout.write(f"Left out: {left.name} {left.why}.")
        files = [PlanFile(plan.name, plan.text.encode(), self.wanted) for plan in found.plans]
        if not files:
            raise CommandError(f"There is no plan in {', '.join(map(str, paths))}.", returncode=USAGE)
        done = submit_bundle(name=bundle or paths[0].resolve().name, files=files, actor=actor, now=timezone.now())
        for line in _table([HEAD, *(_row(name, one) for name, one in done.members.items())]):
            self.stdout.write(line)
        self.stdout.write(f"Bundle {done.bundle.pk}, “{done.bundle.name}”: {len(done.members)} plans wait for review.")


def _files(paths: Sequence[Path]) -> dict[str, bytes]:
    """Every file that is named or stands below a named folder, by its name in the bundle."""
    files: dict[str, bytes] = {}
    for path in paths:
        inside = files_in(str(path)) if path.is_dir() else {path.name: read_file(str(path))}
        below = f"{path.resolve().name}/" if path.is_dir() and len(paths) > 1 else ""
        for name, data in inside.items():
            if f"{below}{name}" in files:
                raise CommandError(f"Two files are called {below}{name}.", returncode=USAGE)
            files[f"{below}{name}"] = data
    return files


def _row(name: str, done: Submission) -> tuple[str, ...]:
    alike = len(undecided(done.workstream))
    result = "waits for review" + (f", resembles {alike} other{'s' if alike > 1 else ''}" if alike else "")
    return (
        name,
        done.version.format,
        done.workstream.slug,
        str(done.version.number),
        str(len(done.reading.findings)),
        result,
    )


def _refused(findings: Mapping[str, Sequence[Finding]]) -> list[str]:
    rows = [
        (name, "–", "–", "–", str(len(found)), "refused" if any(f.blocks for f in found) else "held back by the others")
        for name, found in findings.items()
    ]
    said = [f"{name} {line.strip()}" for name, found in findings.items() for line in lines_of(found)]
    return ["The bundle cannot be taken.", *_table([HEAD, *rows]), *said]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _given(values: list[str]) -> dict[str, str]:
    """`component=ledger` -> what is set by name."""
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals:
            raise CommandError(f"--set {name} gives no value. Write --set NAME=VALUE.")
    return {name.strip(): value for name, _, value in pairs}
