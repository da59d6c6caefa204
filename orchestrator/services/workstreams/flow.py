"""The kept flow of a workstream, made again from its history (FR-013)."""

from orchestrator.core.flow.folding import differences
from orchestrator.core.flow.keeping import KEPT
from orchestrator.models import StateInterval
from orchestrator.queries.flow.rebuilt import flow_by_history, kept_flow
from orchestrator.services.base.locks import locked_workstream
from orchestrator.services.base.progress import interval_rows
from orchestrator.services.base.unit_of_work import unit_of_work


def rebuild_flow(workstream_id: int) -> list[str]:
    """Write what the history says, if it is something else; what was different. Raises replay.Unreadable."""
    with unit_of_work():
        workstream = locked_workstream(workstream_id)
        folded = flow_by_history(workstream)
        different = differences(folded, kept_flow(workstream))
        if different:
            for name in KEPT:
                setattr(workstream, name, getattr(folded.tally, name))
            workstream.save(update_fields=[*KEPT])
            StateInterval.objects.filter(workstream=workstream, void=False).update(void=True)
            StateInterval.objects.bulk_create(interval_rows(workstream, folded.intervals))
    return different
