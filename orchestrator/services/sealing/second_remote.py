"""A second remote: what a sweep left in the workspace is pushed to a repository elsewhere (FR-009).

It happens beside the queue, and nothing waits for it. What became of it stands on the page Operating; the
next sweep tries again.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Final, NamedTuple

from django.conf import settings
from django.core.cache import cache

from orchestrator.core.git_names import address_shown
from orchestrator.services.base.masking import masked_text
from orchestrator.workspace import Workspace
from orchestrator.workspace.git import shown
from orchestrator.workspace.remote import push
from orchestrator.workspace.repository import SEALS
from orchestrator.workspace.store import BRANCH

#: Seconds that a push may take.
SECONDS: Final = 300.0
KEY: Final = "orchestrator.second-remote"
_at_work = Lock()


class RemoteSeen(NamedTuple):
    """Where the branches go, when that was tried last and last succeeded, and what was in the way."""

    address: str
    tried_at: datetime | None = None
    pushed_at: datetime | None = None
    trouble: str = ""


class _Word(NamedTuple):
    """What one push leaves for the next and for the page: it is worth nothing for another address."""

    address: str
    heads: tuple[str, ...]
    seen: RemoteSeen


def remote_seen() -> RemoteSeen | None:
    """None where the operator named no second remote."""
    if not settings.WORKSPACE_REMOTE:
        return None
    word = _word()
    return word.seen if word else RemoteSeen(address_shown(settings.WORKSPACE_REMOTE))


def push_beside(clock: Callable[[], datetime]) -> Thread | None:
    """Begin a push in a thread of its own; None where there is none to do, or one goes on in this process."""
    if not settings.WORKSPACE_REMOTE or not _at_work.acquire(blocking=False):
        return None
    thread = Thread(target=_pushed, args=(clock,), name="second-remote", daemon=True)
    thread.start()
    return thread


def _pushed(clock: Callable[[], datetime]) -> None:
    try:
        push_now(clock)
    finally:
        _at_work.release()


def push_now(clock: Callable[[], datetime], seconds: float = SECONDS) -> bool:
    """Push what is new since the last push that went well; whether anything was sent. Trouble is kept for the
    page, and raised to nobody."""
    address, space = settings.WORKSPACE_REMOTE, Workspace(Path(settings.WORKSPACE_DIR))
    heads = {BRANCH: space.head(), SEALS: space.seals_head()}
    there = tuple(f"{name} {head}" for name, head in heads.items() if head)
    before = _word()
    if not there or (before and not before.seen.trouble and before.heads == there):
        return False
    said = push(space.root, address, [name for name, head in heads.items() if head], seconds)
    told = masked_text(shown(said).replace(address, address_shown(address)))[:500]
    now, last = clock(), before.seen.pushed_at if before else None
    seen = RemoteSeen(address_shown(address), now, last if said else now, told)
    cache.set(KEY, _Word(address, there, seen), None)
    return not said


def _word() -> _Word | None:
    word = cache.get(KEY)
    return word if isinstance(word, _Word) and word.address == settings.WORKSPACE_REMOTE else None
