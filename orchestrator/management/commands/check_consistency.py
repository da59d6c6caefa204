"""`manage.py check_consistency`: do database, workspace and repositories say the same (LC-12)?

Ends with 1 while anything but warnings is found, or something could not be looked at.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.contract.workspace import ConsistencyFacts, FixFacts, InconsistencyFacts
from orchestrator.core.errors import Refusal, WrongState
from orchestrator.management.consistency_table import consistency_table
from orchestrator.management.printed import as_json
from orchestrator.services.base.actor import Actor
from orchestrator.services.handoff.consistency import consistency_facts
from orchestrator.services.handoff.restoring import restore_consistency


class Command(BaseCommand):
    help = (
        "Compare database, workspace and repositories, and name every difference with its code. "
        "Ends with 1 while there is one that is no mere warning."
    )
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--fix",
            action="store_true",
            help="fix what is found, by the database; what is replaced is kept and history says where",
        )
        parser.add_argument(
            "--as",
            dest="user",
            default="",
            help="the approver's account that fixes; the first administrator when left out",
        )
        parser.add_argument("--json", dest="json_output", action="store_true", help="print JSON")
        parser.add_argument(
            "--codes", action="store_true", help="print the table of all codes, and look at nothing"
        )

    def handle(self, *, fix: bool, user: str, json_output: bool, codes: bool, **_options: Any) -> None:
        if codes:
            self.stdout.write(consistency_table(), ending="")
            return
        facts = self._fixed(user) if fix else consistency_facts(now=timezone.now())
        if json_output:
            self.stdout.write(as_json(facts))
        else:
            self._say(facts, fix)
        if not facts.consistent:
            sys.exit(1)

    def _fixed(self, user: str) -> ConsistencyFacts:
        try:
            return restore_consistency(actor=Actor.operator(_account(user)), now=timezone.now())
        except WrongState:
            return consistency_facts(now=timezone.now())
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal

    def _say(self, facts: ConsistencyFacts, fixed: bool) -> None:
        for fix in facts.fixes:
            self.stdout.write(_fix_line(fix))
        for finding in facts.findings:
            self.stdout.write(_line(finding))
        for sentence in facts.unread:
            self.stdout.write(f"Not looked at: {sentence}")
        self.stdout.write(_sum(facts))
        if facts.findings and not fixed:
            self.stdout.write("check_consistency --fix fixes what can be fixed; --codes explains the codes.")


def _account(name: str) -> User:
    rows = User.objects.filter(is_active=True)
    account = rows.filter(username=name) if name else rows.filter(is_superuser=True).order_by("pk")
    found = account.first()
    if found is None:
        said = f"There is no active account {name}" if name else "There is no active administrator"
        raise CommandError(f"{said}; name an approver's account with --as.")
    return found


def _line(finding: InconsistencyFacts) -> str:
    place = f" in the repository {finding.place}" if finding.place else ""
    detail = f" {finding.detail}" if finding.detail else ""
    return f"{finding.code} {finding.severity}: {finding.title}: {finding.subject}{detail}{place}."


def _fix_line(fix: FixFacts) -> str:
    place = f" in the repository {fix.place}" if fix.place else ""
    if fix.problem:
        return f"{fix.code} not fixed: {fix.subject}{place}: {fix.problem}"
    kept = f"; what was there is kept as {fix.kept}" if fix.kept else ""
    return f"{fix.code} fixed: {fix.subject}{place}{kept}."


def _sum(facts: ConsistencyFacts) -> str:
    if not facts.findings and not facts.unread:
        return "Database, workspace and repositories agree."
    errors = f"{facts.errors} error{'' if facts.errors == 1 else 's'}"
    return f"{errors} and {facts.warnings} warning{'' if facts.warnings == 1 else 's'}."
