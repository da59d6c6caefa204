"""Idempotency: the same call twice has one effect and gets one answer (AD-7, design section 4)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import InvalidInput, KeyReused
from orchestrator.models import Executor, IdempotencyKey
from orchestrator.services.bounds import refuse_more_keys

#: Refusals from here on say "try again", so they are not an answer to keep.
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was told: the HTTP status and the JSON text."""

    status: int
    body: str


def request_digest(*parts: bytes) -> str:
    """Equal for equal requests; each part is length-prefixed so that no two requests run together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def answer_once(*, executor: Executor, key: str, digest: str, now: datetime, act: Callable[[], Answer]) -> Answer:
    """Run `act` unless this executor's key was answered before; then answer as the first time.

    The key and the act commit together. The key's row is taken first, so a second call with it waits until the first
    has ended. `act` turns refusals into answers itself; whatever it raises leaves neither act nor key behind.
    KeyReused when the same key comes with another request.
    """
    if not re.fullmatch(r"[!-~]{1,120}", key):
        raise InvalidInput("An idempotency key has 1 to 120 visible ASCII characters.", field="Idempotency-Key")
    if not IdempotencyKey.objects.filter(executor=executor, key=key).exists():
        refuse_more_keys(executor, now)
    with transaction.atomic():
        row, first = IdempotencyKey.objects.get_or_create(
            executor=executor, key=key, defaults={"digest": digest, "status": 0, "answer": "", "created_at": now}
        )
        if not first:
            if row.digest != digest:
                raise KeyReused("This idempotency key was used for another request.", key=key)
            return Answer(row.status, row.answer)
        answer = act()
        row.status, row.answer = answer.status, answer.body
        row.save(update_fields=["status", "answer"])
    return answer
