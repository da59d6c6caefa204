"""`manage.py migrate_workstreams WORKFLOW VERSION --as USER`: bring work in flight to an approved version.

Requirements: FR-016.
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import in_flight, workstreams_in_flight
from orchestrator.queries.plans.plans import find_version
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.changes.migration import migrate_several


class Command(BaseCommand):
    help = "Migrate the workstreams of a workflow that are in flight to one of its approved versions."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", help="its slug")
        parser.add_argument("version", type=int)
        parser.add_argument(
            "--workstream", action="append", default=[], help="only this one; may be repeated"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
        parser.add_argument("--reason", default="", help="why; required unless it is a dry run")
        parser.add_argument("--as", dest="user", required=True, help="the account that migrates")

    def handle(
        self, *, workflow: str, version: int, workstream: list[str], user: str, **options: Any
    ) -> None:
        account = User.objects.filter(username=user).first()
        if account is None:
            raise CommandError(f"There is no account {user}.")
        try:
            wanted = find_version(workflow, version)
            chosen = _chosen(wanted, workstream)
            if options["dry_run"]:
                self._say_what_would_happen(wanted, chosen)
            else:
                self._migrate(wanted, chosen, Actor.operator(account), options["reason"])
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal

    def _say_what_would_happen(self, wanted: WorkflowVersion, chosen: Sequence[Workstream]) -> None:
        plan = plan_of(wanted)
        for workstream in chosen:
            judgement = in_flight(workstream, wanted, plan)
            if judgement is None:
                self.stdout.write(f"{workstream.slug}: follows version {wanted.number} already")
                continue
            self.stdout.write(
                f"{workstream.slug}: {'can be migrated' if judgement.applies else 'needs a mapping'}"
            )
            for verdict in judgement.verdicts:
                self.stdout.write(f"  {verdict.outcome:>9}  {verdict.old or verdict.new}: {verdict.sentence}")

    def _migrate(
        self, wanted: WorkflowVersion, chosen: Sequence[Workstream], actor: Actor, reason: str
    ) -> None:
        results = migrate_several(
            workstreams=chosen, version_id=wanted.pk, actor=actor, now=timezone.now(), reason=reason
        )
        for one in results:
            said = (
                f"not migrated. {one.refusal.message}"
                if one.refusal
                else f"goes on under version {wanted.number}"
            )
            self.stdout.write(f"{one.workstream.slug}: {said}")
        if refused := sum(result.refusal is not None for result in results):
            raise CommandError(f"{refused} of {len(results)} workstreams were not migrated.")


def _chosen(wanted: WorkflowVersion, names: Sequence[str]) -> list[Workstream]:
    """Those named, else every one in flight that does not follow the version yet."""
    flying = workstreams_in_flight(wanted.workflow_id)
    if not names:
        return [one for one in flying if one.version_id != wanted.pk]
    known = {one.slug for one in flying}
    if unknown := [name for name in names if name not in known]:
        raise CommandError(
            f"No workstream in flight of {wanted.workflow.slug} is called {', '.join(unknown)}."
        )
    return [one for one in flying if one.slug in set(names)]
