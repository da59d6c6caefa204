"""What stands in a producer's outbox: what it holds with its briefs, and what became of its files (FR-014).

Made from the rows alone, so it may be written again at any time.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import pydantic_core

from orchestrator.models import Assignment, ResultFile
from orchestrator.queries.work.attempt_facts import claim_facts
from orchestrator.queries.work.continuing_text import orientation
from orchestrator.services.work.places import after_claim
from orchestrator.workspace.repository import Workspace

SCHEMA_VERSION: Final = "1.0"
#: The newest files of the executor that are told of, and claims of a person, who may hold several.
FILES: Final = 10
CLAIMS: Final = 5


def answer(space: Workspace, executor: str, now: datetime) -> bool:
    """Bring the outbox of an executor up to date; whether that changed it. Called outside transactions.
    Raises WorkspaceUnavailable."""
    return space.write_answer(executor, _files(executor, now), now)


def _files(executor: str, now: datetime) -> Mapping[str, bytes]:
    held = Assignment.objects.filter(executor__name=executor, released_at=None)
    rows = held.select_related("attempt__task__step", "attempt__task__workstream", "attempt__place")
    rows = rows.order_by("-pk")[:CLAIMS]
    for row in rows:
        # Who reads files cannot ask once more. Another run may be making it (then that is waited for), or
        # have been killed in the middle of it.
        if not hasattr(row.attempt, "place"):
            after_claim(row.attempt, now)
    claims = [claim_facts(row) for row in rows]
    seen = ResultFile.objects.filter(executor=executor).order_by("-pk")[:FILES]
    told = {
        "schemaVersion": SCHEMA_VERSION,
        "executor": executor,
        "held": pydantic_core.to_jsonable_python(claims),
        "files": [
            {"path": one.path, "commit": one.commit, "state": one.state, "problem": one.problem}
            for one in seen
        ],
    }
    briefs = {
        f"BRIEF-{claim.attempt.id}.md": orientation(claim.attempt.task).markdown.encode() for claim in claims
    }
    answer_file = json.dumps(told, indent=2, ensure_ascii=False, sort_keys=True).encode()
    return {"answer.json": answer_file, **briefs}
