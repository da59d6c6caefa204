"""`manage.py collect`: look at once at what producers committed to refs/inbox/<executor> (FR-029)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.core.terms import ResultFileState
from orchestrator.models import ResultFile
from orchestrator.services.work.collector import collect


class Command(BaseCommand):
    help = (
        "Take in the result files that executors committed to the workspace themselves; the "
        "queue does so as well."
    )
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        now = timezone.now()
        try:
            looked = collect(now=now)
        except WorkspaceUnavailable as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        seen = ResultFile.objects.filter(seen_at=now)
        for row in seen.filter(state=ResultFileState.QUARANTINED):
            self.stdout.write(f"Quarantined {row.executor}: {row.path}: {row.problem}")
        self.stdout.write(
            f"{looked} files looked at, {seen.filter(state=ResultFileState.INGESTED).count()} taken in."
        )
