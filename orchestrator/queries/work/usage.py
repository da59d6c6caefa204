"""What attempts used, summed exactly, one sum for each currency (FR-013)."""

from django.db.models import QuerySet, Sum

from orchestrator.contract.values import UsageFacts
from orchestrator.core.engine.usage import Usage, totals
from orchestrator.models import Attempt, Workstream


def used_in(workstream: Workstream) -> tuple[Usage, ...]:
    """Of all attempts of a workstream, failed ones too."""
    return _sums(Attempt.objects.filter(task__workstream=workstream))


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


def _sums(attempts: QuerySet[Attempt]) -> tuple[Usage, ...]:
    told = attempts.exclude(tokens_in=0, tokens_out=0, cost_micros=0, model_seconds=0)
    rows = (
        told.order_by()
        .values("currency")
        .annotate(
            read=Sum("tokens_in"),
            written=Sum("tokens_out"),
            money=Sum("cost_micros"),
            time=Sum("model_seconds"),
        )
    )
    return totals(
        Usage(
            tokens_in=int(row["read"]),
            tokens_out=int(row["written"]),
            micros=int(row["money"]),
            currency=row["currency"],
            seconds=int(row["time"]),
        )
        for row in rows
    )
