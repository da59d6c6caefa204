"""Artifacts that were announced and are not committed yet, in their order (FR-014)."""

from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact, Workstream
from orchestrator.queries.base.sql import Joined, Table


def first_pending(workstream: int, most: int) -> list[HandoffArtifact]:
    """The first `most` of them; each says as `has_outputs` whether outputs come with it."""
    rows: list[HandoffArtifact] = []
    for found in _PENDING.rows(workstream, most):
        row: HandoffArtifact = found["artifact"]
        row.workstream = found["workstream"]
        vars(row)["has_outputs"] = bool(found["has_outputs"])
        rows.append(row)
    return rows


#: Asked for the plain sequence, a database walks all artifacts of the workstream in their order instead of
#: the few that are pending.
_PENDING = Joined(
    {"artifact": Table(HandoffArtifact), "workstream": Table(Workstream, ("slug",))},
    f"""orchestrator_handoffartifact artifact
JOIN orchestrator_workstream workstream ON workstream.id = artifact.workstream_id
WHERE artifact.workstream_id = %s AND artifact.state = '{ArtifactState.PENDING.value}'
ORDER BY artifact.sequence + 0 LIMIT %s""",
    {
        "has_outputs": """EXISTS (SELECT 1 FROM orchestrator_outputfile output
  WHERE output.artifact_id = artifact.id)"""
    },
)
