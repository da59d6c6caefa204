"""`manage.py save_workflow PLAN --as USER --name NAME --parameter NAME=TEXT …`: keep an approved plan as a
workflow.

Without parameters the ones that suggest themselves are listed and nothing is stored. `--set-version` chooses
another than the newest approved version; `--of` and `--reason` make the next version of a workflow that is
there (AD-8). Workstreams are started from it with `manage.py call POST /api/library/NAME/workstreams`.

Exit code 0 when it was saved or listed, 1 when it was refused, 2 when the call itself makes no sense.
"""

from argparse import ArgumentParser
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.changes.parametrise import NewParameter, suggest_parameters
from orchestrator.core.errors import Refusal
from orchestrator.models import WorkflowVersion
from orchestrator.queries.plans.plans import find_version
from orchestrator.queries.plans.readings import plan_text
from orchestrator.services.base.actor import Actor
from orchestrator.services.plans.saved_workflows import save_workflow

USAGE: Final = 2


class Command(BaseCommand):
    help = "Save an approved plan as a workflow of the library, with parameters."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="the plan's name in addresses")
        parser.add_argument(
            "--set-version", type=int, default=0, metavar="N", help="the newest approved one if left out"
        )
        parser.add_argument("--name", default="")
        parser.add_argument("--description", default="")
        parser.add_argument(
            "--parameter",
            action="append",
            default=[],
            metavar="NAME=TEXT",
            help="the text in the plan becomes {{NAME}}",
        )
        parser.add_argument("--of", default="", help="make the next version of this saved workflow")
        parser.add_argument("--reason", default="", help="why there is a next version")
        parser.add_argument("--as", dest="user", required=True, help="the account that saves")

    def handle(self, *, plan: str, user: str, parameter: list[str], **options: Any) -> None:
        account = User.objects.filter(username=user).first()
        if account is None:
            raise CommandError(f"There is no account {user}.", returncode=USAGE)
        try:
            version = _version(plan, options["set_version"])
            if not parameter:
                self._suggest(version)
                return
            done = save_workflow(
                version=version,
                name=options["name"],
                description=options["description"],
                parameters=[_parameter(text) for text in parameter],
                of=options["of"],
                reason=options["reason"],
                actor=Actor.operator(account),
                now=timezone.now(),
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        self.stdout.write(f"“{done.workflow}” ({done.workflow.slug}) v{done.number} is in the library.")

    def _suggest(self, version: WorkflowVersion) -> None:
        self.stdout.write("Nothing is stored. Give at least one --parameter; these suggest themselves:")
        for one in suggest_parameters(plan_text(version)):
            self.stdout.write(f"  --parameter '{one.name}={one.text}'  # {one.hint}; in {one.places} places")


def _version(plan: str, number: int) -> WorkflowVersion:
    """The version with this number, or the newest one that was approved."""
    if number:
        return find_version(plan, number)
    approved = WorkflowVersion.objects.select_related("workflow", "author").filter(workflow__slug=plan)
    return approved.exclude(effective_at=None).order_by("-number").first() or find_version(plan)


def _parameter(text: str) -> NewParameter:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(
            f"--parameter {text} names no text. Write --parameter NAME=TEXT.", returncode=USAGE
        )
    return NewParameter(name.strip(), value)
