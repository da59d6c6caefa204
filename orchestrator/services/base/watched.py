"""Notes what an act locks and records while it runs: tests hold it against its declaration (FR-011)."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Watched:
    """What one running act has taken and recorded: locks with those of the acts that it calls, actions its
    own."""

    def __init__(self) -> None:
        self.locks: set[Hashable] = set()
        self.actions: set[Hashable] = set()


class _Running(threading.local):
    acts: tuple[Watched, ...] = ()


_running = _Running()


def note_lock(lock: Hashable) -> None:
    for act in _running.acts:
        act.locks.add(lock)


def note_action(action: Hashable) -> None:
    if _running.acts:
        _running.acts[-1].actions.add(action)


@contextmanager
def watched() -> Iterator[Watched]:
    """Notes what is done inside, until it ends."""
    act, outer = Watched(), _running.acts
    _running.acts = (*outer, act)
    try:
        yield act
    finally:
        _running.acts = outer
