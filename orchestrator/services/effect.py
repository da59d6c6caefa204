"""Versions that were approved for a later time become effective when it has come (FR-016)."""

from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import MigrationImpossible, PlanHasBlockers
from orchestrator.core.mapping import StepMapping
from orchestrator.models import WorkflowVersion
from orchestrator.queries.effect import due_version
from orchestrator.queries.readings import plan_of
from orchestrator.services.actor import ORCHESTRATOR
from orchestrator.services.locks import locked_workstream
from orchestrator.services.migration import put_into_effect


def take_effect(*, workstream_id: int, now: datetime) -> WorkflowVersion | None:
    """Migrate a workstream to the version that is due for it; None when there is none.

    A running step that the version changes or drops is not pre-empted: the version waits for its end, and pages say
    so. Running it again, or late, changes nothing.
    """
    if due_version(workstream_id, now) is None:
        return None
    try:
        with transaction.atomic():
            workstream = locked_workstream(workstream_id)
            version = due_version(workstream_id, now)
            if version is None:
                return None
            mapping = tuple(StepMapping.from_data(line) for line in version.mapping)
            put_into_effect(version, plan_of(version), workstream, ORCHESTRATOR, now, mapping)
    except (MigrationImpossible, PlanHasBlockers):
        return None
    return version
