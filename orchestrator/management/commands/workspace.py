"""`manage.py workspace`: do workspace and database belong together? With --settle, decide what happens; with
--collect, look at once at what producers committed to refs/inbox/<executor>.

Requirements: F22 to F24, FR-029.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.contract.workspace import WorkspaceFacts
from orchestrator.core.errors import Refusal
from orchestrator.core.terms import ResultFileState, Settlement
from orchestrator.models import ResultFile
from orchestrator.services.base.actor import Actor
from orchestrator.services.handoff.divergence import settle_divergence, workspace_facts
from orchestrator.services.work import collector


class Command(BaseCommand):
    help = (
        "Say whether workspace and database belong together (ends with 1 when not), or decide what happens."
    )
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--collect",
            action="store_true",
            help="take in the result files that executors committed themselves; the queue does so as well",
        )
        parser.add_argument("--settle", choices=[way.value for way in Settlement], help="what to do")
        parser.add_argument("--as", dest="user", help="the account that decides; an approver's")
        parser.add_argument("--reason", default="", help="why this copy is the right one")

    def handle(
        self, *, settle: str | None, user: str | None, reason: str, collect: bool, **_options: Any
    ) -> None:
        try:
            if collect:
                self._collect()
                return
            if settle:
                self._settle(Settlement(settle), user or "", reason)
            facts = workspace_facts(now=timezone.now())
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        self._say(facts)
        if not facts.agrees:
            sys.exit(1)

    def _collect(self) -> None:
        now = timezone.now()
        looked = collector.collect(now=now)
        seen = ResultFile.objects.filter(seen_at=now)
        for row in seen.filter(state=ResultFileState.QUARANTINED):
            self.stdout.write(f"Quarantined {row.executor}: {row.path}: {row.problem}")
        taken = seen.filter(state=ResultFileState.INGESTED).count()
        self.stdout.write(f"{looked} files looked at, {taken} taken in.")

    def _settle(self, way: Settlement, user: str, reason: str) -> None:
        account = User.objects.filter(username=user, is_active=True).first()
        if account is None:
            raise CommandError(f"There is no active account {user}; name one with --as.")
        kept = settle_divergence(way=way, reason=reason, actor=Actor.person(account), now=timezone.now())
        if kept:
            self.stdout.write(f"What the branch held before is kept as {kept}.")

    def _say(self, facts: WorkspaceFacts) -> None:
        if facts.agrees:
            self.stdout.write(
                f"Workspace and database belong together; the branch is at {facts.head or 'no commit'}."
            )
            return
        self.stdout.write(f"{facts.said} Work is stopped until it is decided.")
        for commit in facts.commits:
            self.stdout.write(f"  {commit.name[:12]} {commit.at} {commit.subject}")
        self.stdout.write("Restore the copy that belongs to the other one, or, to go by the database:")
        for way in facts.ways:
            self.stdout.write(f"  manage.py workspace --settle {way} --as APPROVER --reason WHY")
