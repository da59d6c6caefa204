"""What machines read of usage (FR-013)."""

from orchestrator.contract.values import UsageFacts
from orchestrator.core.engine.usage import Usage


def usage_facts(used: Usage) -> UsageFacts:
    return UsageFacts(
        sentence=used.sentence,
        tokens_in=used.tokens_in,
        tokens_out=used.tokens_out,
        cost=used.cost,
        currency=used.currency,
        model=used.model,
        seconds=used.seconds,
    )
