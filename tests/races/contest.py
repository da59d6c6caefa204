"""Contests: acts that start at the same instant in threads with database connections of their own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from orchestrator.core.errors import Refusal

Act = Callable[[], Any]


def contest(*acts: Act) -> list[Any]:
    """Run the acts at once; each one's answer, or the refusal it got.

    Anything else that is raised is a failure.
    """
    start = threading.Barrier(len(acts))

    def run(act: Act) -> Any:
        try:
            start.wait()
            return act()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def refused(answer: Any) -> bool:
    return isinstance(answer, Refusal)
