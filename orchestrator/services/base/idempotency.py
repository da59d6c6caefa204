"""Idempotency: the same call twice has one effect and gets one answer (AD-7, design section 4)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.errors import InvalidInput, KeyReused
from orchestrator.models import Executor, IdempotencyKey
from orchestrator.services.base.bounds import refuse_more_keys
from orchestrator.services.base.locks import Lock, for_update, outside_transactions, take
from orchestrator.services.base.masking import masked_json
from orchestrator.services.base.steps import steps_under
from orchestrator.services.base.turns import transaction_of_writer

#: Refusals from here on say "try again", so they are not an answer to keep.
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was told: the HTTP status and the JSON text. One that only says "try again" is not `kept`:
    the same key may be told more later."""

    status: int
    body: str
    kept: bool = True


def request_digest(*parts: bytes) -> str:
    """Equal for equal requests; each part is length-prefixed so that no two requests run together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def answer_once(
    *, executor: Executor, key: str, digest: str, now: datetime, act: Callable[[], Answer]
) -> Answer:
    """Run an act of one transaction unless this executor's key was answered before; then answer as the first
    time.

    Key, act and answer commit together, so whoever lost the answer learns from the key what happened: no key,
    no act. The key's row is taken first, so a second call with it waits until the first has ended. `act`
    turns refusals into answers itself; whatever it raises leaves neither act nor key behind. KeyReused when
    the same key comes with another request.
    """
    _refuse_odd(key)
    with transaction_of_writer():
        row = _row(executor, key, digest, now)
        if row.status:
            return Answer(row.status, row.answer)
        answer = act()
        if answer.kept:
            _store(row, answer)
    return answer if not answer.kept else Answer(row.status, row.answer)


def answer_in_steps(
    *, executor: Executor, key: str, digest: str, now: datetime, act: Callable[[], Answer]
) -> Answer:
    """The same for an act of several transactions: they stay several, and the key is taken in one of its own
    before.

    A key without an answer says that a call has begun. A call that finds it does what is left of the act:
    each step is done once (`services.steps`), or may be done twice without effect, so two calls may also work
    side by side. The answer that is stored first is everybody's.
    """
    _refuse_odd(key)
    outside_transactions()
    with transaction_of_writer():
        row = _row(executor, key, digest, now)
    if row.status:
        return Answer(row.status, row.answer)
    with steps_under(row):
        answer = act()
    if not answer.kept:
        return answer
    with transaction_of_writer():
        take(Lock.KEY, f"{executor.pk} {key}")
        row = for_update(IdempotencyKey.objects).get(pk=row.pk)
        if not row.status:
            _store(row, answer)
    return Answer(row.status, row.answer)


def _refuse_odd(key: str) -> None:
    if not re.fullmatch(r"[!-~]{1,120}", key):
        raise InvalidInput(
            "An idempotency key has 1 to 120 visible ASCII characters.", field="Idempotency-Key"
        )


def _row(executor: Executor, key: str, digest: str, now: datetime) -> IdempotencyKey:
    """The key's row, new or as an earlier call left it; a call that is about to commit one is waited for."""
    take(Lock.KEY, f"{executor.pk} {key}")
    if not IdempotencyKey.objects.filter(executor=executor, key=key, step="").exists():
        refuse_more_keys(executor, now)
    row, _ = IdempotencyKey.objects.get_or_create(
        executor=executor,
        key=key,
        step="",
        defaults={"digest": digest, "status": 0, "answer": "", "created_at": now},
    )
    if row.digest != digest:
        raise KeyReused("This idempotency key was used for another request.", key=key)
    return row


def _store(row: IdempotencyKey, answer: Answer) -> None:
    row.status, row.answer = answer.status, masked_json(answer.body)
    row.save(update_fields=["status", "answer"])
