"""Lines of the log: each says which request it belongs to, stays one line, and holds no secret (FR-026, B24).

The id is what the caller sent as `X-Request-ID`, or a new one, and is answered back; a message of the queue
has one too, and whatever else happens in a process is called by its number.
"""

import json
import logging
import os
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from orchestrator.services.base.masking import masked_text

#: The header that names a request, as callers send it and are answered.
HEADER: Final = "X-Request-ID"
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Characters that would end a line or act on a terminal; a traceback's own line breaks stand behind them.
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127, 0x85, 0x2028, 0x2029) if code != 9}

_id: ContextVar[str] = ContextVar("request_id", default="")


def identify(given: str = "") -> str:
    """Have the lines from here on in this thread or task belong to a request; answers with its id, which is
    `given` where that is one that may stand in a log."""
    one = given if _SANE.fullmatch(given) and masked_text(given) == given else uuid4().hex
    _id.set(one)
    return one


def identify_message(one: str) -> None:
    """The same for a message of the queue."""
    _id.set(f"message-{one}")


def request_id() -> str:
    return _id.get() or f"process-{os.getpid()}"


class MaskingFormatter(logging.Formatter):
    """Lines for people, tracebacks included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = request_id()
        return masked_text(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(_CONTROLS)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for programs. `facts` of a record are members of their own."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": request_id(),
            "process": record.process,
            "message": masked_text(record.getMessage()),
        }
        for name, value in getattr(record, "facts", {}).items():
            said[name] = masked_text(value) if isinstance(value, str) else value
        if record.exc_info:
            said["exception"] = masked_text(self.formatException(record.exc_info))
        return json.dumps(said, default=str)
