"""`manage.py mine --executor NAME`: what an executor holds, with the tokens (FR-027, WF-9)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orchestrator.contract.attempts import HeldTask
from orchestrator.core.errors import Refusal
from orchestrator.core.limits import ROWS
from orchestrator.management.printed import as_json
from orchestrator.queries.work.held_tasks import held_tasks
from orchestrator.services.people.callers import member_by_command


class Command(BaseCommand):
    help = "Print what the executor holds: attempt, token, what is still to prove, where outputs go."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--executor", required=True, metavar="NAME", help="who holds")
        parser.add_argument("--json", action="store_true", help="print the facts that REST answers with")

    def handle(self, *, executor: str, json: bool, **_options: Any) -> None:
        try:
            held = held_tasks(member_by_command(executor).executor, limit=ROWS, offset=0)
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        if json:
            self.stdout.write(as_json(held))
            return
        for one in held.items:
            self.stdout.write(_told(one))
        if not held.items:
            self.stdout.write(f"{executor} holds nothing. `manage.py next` claims a step.")


def _told(one: HeldTask) -> str:
    lines = [
        f"{one.key} of {one.workstream}: {one.title}",
        f"  task {one.task}, attempt {one.attempt}, token {one.token}",
        *(f"  to prove, {text}" for text in one.to_prove),
        f"  outputs go to {one.outputs_folder}",
    ]
    return "\n".join([*lines, f"  last: {one.breadcrumb}"] if one.breadcrumb else lines)
