"""The folder of a process that runs tests.

Processes that run tests side by side have a DATA_DIR each: a bell that one of them rings, or a word that one
of them keeps in the cache, is not heard by another.
"""

import os
import tempfile
from pathlib import Path


def runner_folder() -> str:
    """DATA_DIR for this process and those that it starts; made where it is missing."""
    given = os.environ.get("DATA_DIR") or tempfile.mkdtemp(prefix="orchestrator-tests-")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    folder = Path(given)
    if worker and folder.name != worker:
        folder = folder / worker
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)
