"""Usage that an executor tells with a word of its own, kept with its attempt (FR-013)."""

from datetime import datetime

from orchestrator.core.engine.usage import NOTHING, Usage, added, refuse_impossible
from orchestrator.models import Attempt


def used_by(attempt: Attempt, more: Usage, now: datetime) -> dict[str, object]:
    """The columns of the attempt's row with what it used up to now, to be written with whatever the act
    writes of it anyway; none where nothing was told. InvalidInput for a second currency, and for more than
    can be used in the time since the claim."""
    if more == NOTHING:
        return {}
    used = added(attempt.used, more)
    refuse_impossible(used, (now - (attempt.started_at or now)).total_seconds(), str(attempt))
    return {
        "tokens_in": used.tokens_in,
        "tokens_out": used.tokens_out,
        "cost_micros": used.micros,
        "currency": used.currency,
        "model": used.model,
        "model_seconds": used.seconds,
    }


def told(more: Usage) -> dict[str, object]:
    """What the act's history entry says of it."""
    return {} if more == NOTHING else {"usage": more.as_data()}
