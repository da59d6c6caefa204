"""Plans that other people wrote, where their folder stands beside this checkout (or ORCHESTRATOR_SHARED names
it).
"""

import os
from pathlib import Path

from orchestrator.core.plans.formats.folder import PlanSource, sources_of

SHARED = Path(os.environ.get("ORCHESTRATOR_SHARED") or Path(__file__).resolve().parents[2] / "shared")
FOLDER = SHARED / "corpus" / "plans"
MISSING = "the corpus of plans is not beside this checkout"


def plans() -> list[PlanSource]:
    """As a person who submits the folder gets them: files that belong together are one plan."""
    inside = (path for path in sorted(FOLDER.rglob("*")) if path.is_file())
    return list(sources_of({str(path.relative_to(FOLDER)): path.read_bytes() for path in inside}).plans)
