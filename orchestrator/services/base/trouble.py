"""Trouble with one of many: the others go on, it is told there, and whoever runs the whole hears of it at the
end.

Whatever goes wrong with a branch, a file, a workstream or a repository concerns that one alone. So nothing
here asks what kind of exception it is.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.core.errors import Refusal
from orchestrator.models import Workstream

logger = logging.getLogger(__name__)


@contextmanager
def kept_for_the_end(trouble: list[Exception]) -> Iterator[None]:
    """Go on behind the block whatever it raised; a refusal is no news to the log, everything else is."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, Refusal):
            logger.exception("Trouble with one, the others go on.")
        trouble.append(error)


def note_trouble(workstream: Workstream, trouble: list[Exception]) -> None:
    """Let the workstream's page say why it was not brought up to date, or that it was.

    Called outside a transaction.
    """
    said = _said(trouble[0]) if trouble else ""
    if workstream.trouble != said:
        Workstream.objects.filter(pk=workstream.pk).update(trouble=said)


def _said(error: Exception) -> str:
    if isinstance(error, Refusal):
        return f"{error.message} {error.way_out}"
    return f"{type(error).__name__}: {error}"[:500]
