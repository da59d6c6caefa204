"""`manage.py sign_gate WORKSTREAM KEY --as USER`: sign or reject a gate, as its page does (FR-006)."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.models import Task
from orchestrator.queries.gates.gate_facts import gate_facts
from orchestrator.services.base.actor import Actor
from orchestrator.services.review.gates import approve_gate, reject_gate


class Command(BaseCommand):
    help = "Sign a gate, or reject it with --return-to and --reason."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workstream", help="its short name")
        parser.add_argument("key", help="the gate's key")
        parser.add_argument("--as", dest="user", required=True, help="the account that decides")
        parser.add_argument("--reason", default="", help="a note; a rejection needs it")
        parser.add_argument("--follow-ups", default="", help="tasks, one a line: title | exit criterion")
        parser.add_argument("--attempt", type=int, help="the number of the gate's attempt that was read")
        parser.add_argument("--return-to", default="", help="reject: the step that work returns to")

    def handle(self, *, workstream: str, key: str, user: str, **options: Any) -> None:
        account = User.objects.filter(username=user, is_active=True).first()
        if account is None:
            raise CommandError(f"There is no active account {user}.")
        current = Task.objects.filter(workstream__slug=workstream, step__key=key)
        task = current.order_by("-step__version__number").first()
        if task is None:
            raise CommandError(f"There is no gate {key} in {workstream}.")
        try:
            self._decide(task, Actor.operator(account), options)
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        facts = gate_facts(task.pk)
        self.stdout.write(f"{key} is {facts.status} now.")

    @staticmethod
    def _decide(task: Task, actor: Actor, options: dict[str, Any]) -> None:
        seen = _read(task, options["attempt"])
        asked = {"task_id": task.pk, "reason": options["reason"], "actor": actor, "seen": seen}
        if options["return_to"]:
            reject_gate(**asked, return_key=options["return_to"], now=timezone.now())
        else:
            approve_gate(**asked, follow_ups=options["follow_ups"], now=timezone.now())


def _read(task: Task, number: int | None) -> int | None:
    """The id of the attempt with this number; None when the caller named none."""
    if number is None:
        return None
    attempt = task.attempts.filter(number=number).first()
    if attempt is None:
        raise CommandError(f"{task.step.key} has no attempt {number}.")
    return attempt.pk
