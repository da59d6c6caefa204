"""`manage.py next --executor NAME`: claim the first step that an executor may do, or wait for one.

Requirements: FR-027.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.contract.attempts import NextFacts
from orchestrator.core.errors import Refusal
from orchestrator.core.limits import WAIT_SECONDS
from orchestrator.management.printed import as_json
from orchestrator.queries.work.continuing_text import orientation
from orchestrator.services.next_facts import next_told, wanted_work
from orchestrator.services.people.callers import member_by_command


class Command(BaseCommand):
    help = (
        "Claim the first step that the executor may do and print its brief; exit code 1 when there is none."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--executor", required=True, metavar="NAME", help="who claims")
        parser.add_argument("--wait", type=int, default=0, metavar="SECONDS", help=f"up to {WAIT_SECONDS}")
        parser.add_argument("--workstream", default="", metavar="SLUG", help="only of this one")
        parser.add_argument("--repository", default="", metavar="NAME", help="only on this one")
        parser.add_argument("--json", action="store_true", help="print the facts that REST answers with")

    def handle(
        self, *, executor: str, wait: int, workstream: str, repository: str, json: bool, **_options: Any
    ) -> None:
        try:
            caller, wanted = member_by_command(executor), wanted_work(workstream, repository)
            facts = next_told(
                executor=caller.executor,
                actor=caller.actor,
                wanted=wanted,
                seconds=wait,
                clock=timezone.now,
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        self.stdout.write(as_json(facts) if json else _told(facts))
        if facts.claim is None:
            sys.exit(1)


def _told(facts: NextFacts) -> str:
    if facts.claim is None:
        return "\n".join([facts.sentence, *(f"- {one.workstream}: {one.sentence}" for one in facts.waiting)])
    held = f"{facts.sentence} Attempt {facts.claim.attempt.id}, token {facts.claim.token}.\n\n"
    return held + orientation(facts.claim.attempt.task).markdown
