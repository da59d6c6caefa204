"""Budgets: how much a step or a whole plan may use of models before a person is asked (FR-013, EC-6).

A budget is held against what executors say that they used (`core/engine/usage.py`), failed attempts included.
Nobody measures it, so it stops work at the first word that reaches it, not in the middle of a call.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from orchestrator.core.engine.usage import CURRENCY, MOST, Usage
from orchestrator.core.errors import InvalidInput, Refusal
from orchestrator.core.terms import InterventionKind

#: What an answer says that wants no budget any more, or no more work.
NO_BUDGET: Final = "no budget"
STOP: Final = "stop"
#: Characters of a budget's line.
LINE_LENGTH: Final = 200
EXAMPLE: Final = "2,000,000 tokens, 20 USD, 3 h"
_MILLION: Final = 1_000_000
_PARTS: Final = re.compile(r"\s*(?:,(?!\d{3}(?!\d))|;|\band\b)\s*", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,15})(\.\d{1,6})?\s*([A-Za-z]+)")
_TOKENS: Final = {"token": 1, "tokens": 1, "k": 1_000, "m": _MILLION}
_SECONDS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
}


class BudgetSpent(Refusal):
    """The plan's budget is used up, and nothing of it is given out before a person has decided."""

    code, status = "budget-spent", 409
    recovery = "Ask an initiator or approver to set another budget, on the workstream's page."


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits, each None or missing where there is none: `tokens` read and written together, `money` in
    millionths by currency, `seconds` of wall time."""

    tokens: int | None = None
    money: tuple[tuple[str, int], ...] = ()
    seconds: int | None = None

    @property
    def line(self) -> str:
        """As it is written, and read again; empty for no budget."""
        parts = [] if self.tokens is None else [f"{self.tokens:,} tokens"]
        parts += [f"{Usage(micros=micros, currency=name).cost} {name}" for name, micros in self.money]
        parts += [] if self.seconds is None else [_time(self.seconds)]
        return ", ".join(parts)

    def __bool__(self) -> bool:
        return self != NO_LIMIT


NO_LIMIT: Final = Budget()


def read_budget(text: str) -> Budget:
    """A line such as `2,000,000 tokens, 20 USD, 3 h`; empty or `no budget` for none. InvalidInput names the
    part that is not understood."""
    text = text.strip()
    if text.lower() in ("", "none", NO_BUDGET):
        return NO_LIMIT
    found = NO_LIMIT
    for part in _PARTS.split(text):
        found = _with(found, part.strip())
    if len(found.line) > LINE_LENGTH:
        raise _wrong(text, "names too many amounts")
    return found


def reached(budget: Budget, used: Iterable[Usage]) -> tuple[str, ...]:
    """What of it is used up, in words, such as `52,000 of 50,000 tokens`; nothing while work may go on.

    Money in a currency that the budget does not name is beyond it as soon as there is any, where the budget
    limits money: nobody here knows what it is worth.
    """
    spent = list(used)
    said = []
    tokens, seconds = _tokens(spent), sum(one.seconds for one in spent)
    if budget.tokens is not None and tokens >= budget.tokens:
        said.append(f"{tokens:,} of {budget.tokens:,} tokens")
    limits = dict(budget.money)
    for one in spent if limits else ():
        limit = limits.get(one.currency, 0)
        if one.micros and limit == 0:
            said.append(f"{one.cost} {one.currency}, a currency that the budget does not name")
        elif one.micros and one.micros >= limit:
            of = Usage(micros=limit, currency=one.currency)
            said.append(f"{one.cost} of {of.cost} {one.currency}")
    if budget.seconds is not None and seconds >= budget.seconds:
        said.append(f"{_time(seconds)} of {_time(budget.seconds)}")
    return tuple(said)


def raised(budget: Budget, used: Iterable[Usage], by: Fraction) -> Budget:
    """The budget with what is used up raised by this share of itself, beyond what was used."""
    spent = list(used)

    def more(limit: int, gone: int, step: int) -> int:
        return -(-int(max(limit, gone) * (1 + by)) // step) * step if gone >= limit else limit

    money = dict(budget.money)
    for one in spent if money else ():
        if one.micros:
            money[one.currency] = more(money.get(one.currency, 0), one.micros, _MILLION // 100)
    seconds = sum(one.seconds for one in spent)
    return replace(
        budget,
        tokens=None if budget.tokens is None else more(budget.tokens, _tokens(spent), 1),
        money=tuple(sorted(money.items())),
        seconds=None if budget.seconds is None else more(budget.seconds, seconds, 60),
    )


def answers(budget: Budget, used: Sequence[Usage], *, stops: bool) -> tuple[str, ...]:
    """What a question about it offers: half as much more, twice as much, none any more, and to `stop`."""
    offered = [raised(budget, used, share).line for share in (Fraction(1, 2), Fraction(1))]
    return (*dict.fromkeys(offered), NO_BUDGET, *([STOP] if stops else []))


def question(what: str, gone: Sequence[str], *, whole: bool) -> str:
    """What the person is asked; `whole` says that it is the plan's budget, not that of the step `what`."""
    if whole:
        return (
            f"The budget of the plan is used up: {'; '.join(gone)}. Nothing more is started or given out; "
            f"what runs may end. Raise the budget to go on, or stop."
        )
    return (
        f"The budget of {what} is used up: {'; '.join(gone)}. Whoever holds it is told to stop. Raise the "
        f"budget to go on. To stop it for good, declare its attempt failed."
    )


def told_holder(what: str, gone: str, *, whole: bool) -> str:
    """What whoever runs an attempt is told while `gone` of a budget is used up; `whole` as in `question`."""
    if whole:
        return (
            f"The budget of the plan is used up: {gone}. This attempt may end, and its result counts; "
            f"nothing more is given out until a person decides."
        )
    return (
        f"The budget of {what} is used up: {gone}. Whoever holds it hands over what is done, or gives it "
        f"back; a person decides about more."
    )


#: The kinds of questions about a budget: of a step, of a whole plan.
BUDGET_QUESTIONS: Final = frozenset({InterventionKind.BUDGET, InterventionKind.PLAN_BUDGET})
#: How the row says that a person wants no more work.
_STOPPED: Final = " stopped the work"


def stopped(gone: str, who: str) -> str:
    """What is used up, and who decided to stop at it."""
    return f"{gone}; {who}{_STOPPED}"


def is_stopped(over: str) -> bool:
    return over.endswith(_STOPPED)


def holds(gone: str) -> str:
    """Why nothing of the workstream starts; `gone` is what is used up."""
    return f"waits for a decision about the budget of the plan, which is used up: {gone}"


def _with(found: Budget, part: str) -> Budget:
    match = _AMOUNT.fullmatch(part.removesuffix(" tokens").strip() if _shortened(part) else part)
    if match is None:
        raise _wrong(part, "is not understood")
    whole, rest, unit = match[1].replace(",", ""), match[2] or "", match[3]
    amount = Decimal(whole + rest)
    if re.fullmatch(CURRENCY, unit):
        return _once(found, part, money=(*found.money, (unit, int(amount * _MILLION))))
    if unit.lower() in _TOKENS:
        return _once(found, part, tokens=int(amount * _TOKENS[unit.lower()]))
    if unit.lower() in _SECONDS:
        return _once(found, part, seconds=int(amount * _SECONDS[unit.lower()]))
    raise _wrong(part, "names no tokens, no currency and no time")


def _shortened(part: str) -> bool:
    """`500k tokens`."""
    return re.fullmatch(r"[\d,.]+\s*[kKmM] tokens", part) is not None


def _once(
    found: Budget,
    part: str,
    *,
    tokens: int | None = None,
    money: tuple[tuple[str, int], ...] = (),
    seconds: int | None = None,
) -> Budget:
    amounts = (tokens, seconds, money[-1][1] if money else None)
    given = next(amount for amount in amounts if amount is not None)
    if not 0 < given <= MOST:
        raise _wrong(part, "is not above 0, or too much")
    twice = (tokens is not None and found.tokens is not None) or (
        seconds is not None and found.seconds is not None
    )
    if twice or (money and money[-1][0] in dict(found.money)):
        raise _wrong(part, "is given twice")
    return Budget(
        tokens=found.tokens if tokens is None else tokens,
        money=tuple(sorted(money)) or found.money,
        seconds=found.seconds if seconds is None else seconds,
    )


def _tokens(used: Iterable[Usage]) -> int:
    return sum(one.tokens_in + one.tokens_out for one in used)


def _time(seconds: int) -> str:
    if seconds % 3_600 == 0 and seconds:
        return f"{seconds // 3_600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 and seconds else f"{seconds} s"


def _wrong(part: str, problem: str) -> InvalidInput:
    shown = part if len(part) <= 60 else f"{part[:57]}…"
    return InvalidInput(
        f"The budget “{shown}” {problem}.", recovery=f"Write it like `{EXAMPLE}`.", field="budget"
    )
