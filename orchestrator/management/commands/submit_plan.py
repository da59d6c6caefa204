"""`manage.py submit_plan FILE --as USER [--set NAME=VALUE]`: register a plan for review, as the web form does."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import PlanRejected, Refusal
from orchestrator.management.plan_source import lines_of, read_file
from orchestrator.services.actor import Actor
from orchestrator.services.plans import submit_plan
from orchestrator.services.templates import source_with_values


class Command(BaseCommand):
    help = "Submit a plan for review."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument(
            "--set", dest="values", action="append", default=[], metavar="NAME=VALUE", help="value of a parameter"
        )
        parser.add_argument("--as", dest="user", required=True, help="the account that submits")

    def handle(self, *, file: str, user: str, values: list[str], **_options: Any) -> None:
        account = User.objects.filter(username=user).first()
        if account is None:
            raise CommandError(f"There is no account {user}.")
        try:
            source = read_file(file)
            submission = submit_plan(
                source=source_with_values(source, _given(values)) if values else source,
                source_name=Path(file).name,
                actor=Actor.person(account),
                now=timezone.now(),
            )
        except PlanRejected as refusal:
            listed = "\n".join(lines_of(refusal.findings))
            raise CommandError(f"{refusal.message}\n{listed}\n{refusal.way_out}") from refusal
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        for line in lines_of(submission.reading.findings):
            self.stdout.write(line)
        workstream, version = submission.workstream, submission.version
        self.stdout.write(f"“{workstream.title}” ({workstream.slug}), version {version.number}, waits for review.")


def _given(values: list[str]) -> dict[str, str]:
    """`component=ledger` -> what is set by name."""
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals:
            raise CommandError(f"--set {name} gives no value. Write --set NAME=VALUE.")
    return {name.strip(): value for name, _, value in pairs}
