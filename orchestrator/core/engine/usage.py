"""Usage: what doing a step took of a model, and what it cost, as its executor says it (FR-013).

Each word of an executor says what was used since its word before. Sums are whole numbers: money is counted in
millionths of its currency, so nothing is rounded.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from orchestrator.core.errors import InvalidInput

#: The largest number of one word; a sum has room for a thousand of them.
MOST: Final = 10**15
MODEL_LENGTH: Final = 100
#: How money is written, and a currency.
COST: Final = r"[0-9]{1,9}(\.[0-9]{1,6})?"
CURRENCY: Final = r"[A-Z]{3}"
_MILLION: Final = 1_000_000
_NUMBERS: Final = ("tokens_in", "tokens_out", "seconds")
_KNOWN: Final = frozenset({*_NUMBERS, "cost", "currency", "model"})
#: Seconds by which clocks, and what went before the claim, may differ from how long an attempt lasted.
LEEWAY: Final = 60
#: What no attempt uses in a second, however many models it has work for it, and in whatever currency.
MOST_A_SECOND: Final = {"tokens_in": 1_000_000, "tokens_out": 100_000, "cost": 1_000}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written, money in millionths of `currency` (an ISO code), the model named last, and
    seconds of wall time."""

    tokens_in: int = 0
    tokens_out: int = 0
    micros: int = 0
    currency: str = ""
    model: str = ""
    seconds: int = 0

    @property
    def cost(self) -> str:
        """Money as it is written, exact: `1.25`; empty where no currency was named."""
        if not self.currency:
            return ""
        whole, rest = divmod(self.micros, _MILLION)
        return f"{whole}.{rest:06}".rstrip("0").ljust(len(str(whole)) + 3, "0")

    @property
    def sentence(self) -> str:
        """In words; empty where nothing was said."""
        told = self.tokens_in or self.tokens_out
        parts = [f"{self.tokens_in:,} tokens in, {self.tokens_out:,} out"] if told else []
        parts += [f"{self.cost} {self.currency}"] if self.currency else []
        parts += [f"{self.seconds:,} s"] if self.seconds else []
        said = ", ".join(parts)
        return f"{said} ({self.model})" if said and self.model else said

    @property
    def short(self) -> str:
        """For a narrow column: money, else tokens, else time."""
        if self.currency:
            return f"{self.cost} {self.currency}"
        tokens = self.tokens_in + self.tokens_out
        return f"{tokens:,} tokens" if tokens else f"{self.seconds:,} s"

    def as_data(self) -> dict[str, object]:
        """For the history."""
        numbers: dict[str, object] = {name: getattr(self, name) for name in _NUMBERS}
        return numbers | {"cost": self.cost, "currency": self.currency, "model": self.model}


NOTHING: Final = Usage()


def read_usage(given: Mapping[str, Any] | None) -> Usage:
    """What a word says of usage; InvalidInput names the member that is wrong."""
    if given is None:
        return NOTHING
    if unknown := sorted(given.keys() - _KNOWN):
        raise _wrong(str(unknown[0])[:80], f"is not known; it has {', '.join(sorted(_KNOWN))}")
    numbers = {name: _number(given.get(name, 0), name) for name in _NUMBERS}
    cost, currency = given.get("cost", ""), given.get("currency", "")
    for name, value, form in (("cost", cost, COST), ("currency", currency, CURRENCY)):
        if value != "" and not (isinstance(value, str) and re.fullmatch(form, value)):
            raise _wrong(name, 'is written like "1.25"' if name == "cost" else 'is written like "USD"')
    if bool(cost) != bool(currency):
        raise _wrong("cost" if currency else "currency", "is missing: money has both")
    model = given.get("model", "")
    if not isinstance(model, str) or len(model) > MODEL_LENGTH or not model.isprintable():
        raise _wrong("model", f"is one line of at most {MODEL_LENGTH} characters")
    micros = int(Decimal(cost) * _MILLION) if cost else 0
    return Usage(micros=micros, currency=currency, model=model, **numbers)


def added(before: Usage, more: Usage) -> Usage:
    """Both together. InvalidInput for two currencies, whose sum nobody could read."""
    if before.currency and more.currency and before.currency != more.currency:
        raise _wrong("currency", f"is {more.currency}, and what was said before is in {before.currency}")
    return Usage(
        tokens_in=before.tokens_in + more.tokens_in,
        tokens_out=before.tokens_out + more.tokens_out,
        micros=before.micros + more.micros,
        currency=more.currency or before.currency,
        model=more.model or before.model,
        seconds=before.seconds + more.seconds,
    )


def refuse_impossible(used: Usage, lasted: float, subject: str) -> None:
    """InvalidInput where an attempt that lasted so many seconds cannot have used that much: a budget would
    stop the whole plan for it, and forecasts would build on it."""
    room = max(0, int(lasted)) + LEEWAY
    for name in _NUMBERS:
        value, most = getattr(used, name), room * MOST_A_SECOND.get(name, 1)
        if value > most:
            raise _impossible(name, f"{value:,}", f"{most:,}", lasted, subject)
    if used.micros > room * MOST_A_SECOND["cost"] * _MILLION:
        said = f"{used.cost} {used.currency}"
        raise _impossible("cost", said, f"{room * MOST_A_SECOND['cost']:,}", lasted, subject)


def totals(used: Iterable[Usage]) -> tuple[Usage, ...]:
    """The sums, one for each currency; what was said without money is in the first of them."""
    sums: dict[str, Usage] = {}
    for one in sorted(used, key=lambda one: not one.currency):
        currency = one.currency or next(iter(sums), "")
        before = sums.get(currency, NOTHING)
        sums[currency] = added(before, one)
    return tuple(one for one in sums.values() if one.sentence)


def _number(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise _wrong(name, f"is a whole number from 0 to {MOST:,}")
    return value


def _impossible(name: str, used: str, most: str, lasted: float, subject: str) -> InvalidInput:
    return InvalidInput(
        f"usage: {name} would be {used} altogether, and {subject}, claimed {max(0, int(lasted)):,} s ago, "
        f"cannot have used more than {most}.",
        recovery=f"Say what was used since the word before, or leave {name} out; nothing was stored.",
        field=f"usage.{name}",
    )


def _wrong(name: str, problem: str) -> InvalidInput:
    return InvalidInput(f"usage: {name} {problem}.", field="usage")
