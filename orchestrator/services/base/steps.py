"""Acts of several transactions, such as one for each of many plans: each step is done once under an
idempotency key.

A call that was cut off has done some of its steps. Its repetition, or a second call beside it, goes through
all of them and does only what is not done: the note of a step commits with the step.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.models import IdempotencyKey
from orchestrator.services.base.locks import Lock, take
from orchestrator.services.base.unit_of_work import unit_of_work


class _CurrentKey(threading.local):
    key: IdempotencyKey | None = None


_here = _CurrentKey()


@contextmanager
def steps_under(key: IdempotencyKey) -> Iterator[None]:
    """The steps of the act in this block belong to a call with this key."""
    outer, _here.key = _here.key, key
    try:
        yield
    finally:
        _here.key = outer


def once(step: str, make: Callable[[], int]) -> int:
    """Do a step, unless a call with the same key has done it; the id of what it made. Without a key it is
    just done.

    A second call waits here for the first one's transaction. A refusal leaves no note: the step is tried
    again.
    """
    key = _here.key
    if key is None:
        return make()
    with unit_of_work():
        take(Lock.KEY, f"{key.pk} {step}")
        row, first = IdempotencyKey.objects.get_or_create(
            executor_id=key.executor_id,
            key=key.key,
            step=step,
            defaults={"digest": key.digest, "status": 0, "answer": "", "created_at": key.created_at},
        )
        if not first:
            return int(row.answer)
        made = make()
        IdempotencyKey.objects.filter(pk=row.pk).update(answer=str(made))
    return made


def made(step: str) -> int | None:
    """What the step made, if a call with the same key has done it."""
    key = _here.key
    if key is None:
        return None
    rows = IdempotencyKey.objects.filter(executor=key.executor_id, key=key.key, step=step)
    answer = rows.values_list("answer", flat=True).first()
    return int(answer) if answer else None
