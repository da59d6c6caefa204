"""What was done last on a task, as executors left it and as a source told it (WF-8)."""

import json
from collections.abc import Sequence

from django.db.models import Q

from orchestrator.contract.briefs import BreadcrumbFacts
from orchestrator.core import limits
from orchestrator.core.actions import Action
from orchestrator.models import Attempt, HistoryEntry, Task
from orchestrator.queries.work.rework import attempt_subjects

ADOPTED = Action.WORK_ADOPTED


def breadcrumbs_of(task: Task, attempts: Sequence[Attempt] | None = None) -> Sequence[BreadcrumbFacts]:
    """The newest ones, oldest first; the history keeps all. Its `attempts` are read where they are not
    given."""
    left = Q(action=Action.BREADCRUMB_LEFT, subject__in=attempt_subjects(task, attempts))
    adopted = Q(action=ADOPTED, subject=task.step.key)
    entries = HistoryEntry.objects.filter(left | adopted, workstream=task.workstream_id)
    newest = entries.order_by("-sequence")[: limits.BREADCRUMBS_SHOWN]
    return [_crumb(entry) for entry in reversed(newest)]


def _crumb(entry: HistoryEntry) -> BreadcrumbFacts:
    if entry.action != ADOPTED:
        return BreadcrumbFacts(entry.recorded_at, entry.actor, entry.subject, entry.reason)
    told = str(json.loads(entry.leaf)["data"]["breadcrumb"])
    return BreadcrumbFacts(entry.recorded_at, entry.actor, "before the plan came here", told)
