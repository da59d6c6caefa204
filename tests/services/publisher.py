"""A publisher in a process of its own: `python -m tests.services.publisher DATABASE WORKSPACE [CRASH POINT]`.

At the named point it kills itself, as a machine that loses power would.
"""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import django
from django.conf import settings


def main(database: str, root: str, point: str) -> None:
    settings.DATABASES["default"]["NAME"] = database
    settings.WORKSPACE_DIR = Path(root)
    django.setup()

    from orchestrator.services.handoff import publishing
    from orchestrator.workspace import repository

    def crash_point(name: str, *_: object) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    repository.crash_point = crash_point
    if point == "before-mark":
        publishing._mark = lambda *_, **__: crash_point(point)
    publishing.publish(now=datetime(2026, 3, 5, tzinfo=UTC))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    main(*sys.argv[1:])
