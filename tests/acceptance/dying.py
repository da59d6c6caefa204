"""The application as the web server serves it, but at one point of an act it is killed (SIGKILL), once.

`DYING_POINT` is `before` (nothing is written yet), `inside` (everything is written, not committed) or `after`
(the act is committed, its caller not answered); the file `DYING_MARK` says that it has happened.
"""

import os
import signal
from pathlib import Path
from typing import Any

from orchestrator.wsgi import application  # noqa: F401 (what is served)

# isort: split
from django.db.backends.base.base import BaseDatabaseWrapper

from orchestrator.services.base import history

POINT = os.environ["DYING_POINT"]
MARK = Path(os.environ["DYING_MARK"])


def die(point: str) -> None:
    if point == POINT and not MARK.exists():
        MARK.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)


write, commit = history._write, BaseDatabaseWrapper.commit
written = {"history": False}


def dying_write(waiting: Any) -> None:
    die("before")
    write(waiting)
    written["history"] = True


def dying_commit(connection: BaseDatabaseWrapper) -> None:
    ours, written["history"] = written["history"], False
    if ours:
        die("inside")
    commit(connection)
    if ours:
        die("after")


history._write = dying_write
BaseDatabaseWrapper.commit = dying_commit  # type: ignore[method-assign]
