"""What a plan is likely to use of models, by what earlier steps said they used (FR-013, WF-3).

A step that ran before under the same name in the same workflow counts as itself, any other as the middle one
of all that are known: the figure is a habit, not a promise, and says how much it rests on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.engine.budgets import Budget, reached, read_budget
from orchestrator.core.engine.usage import Usage

#: Earlier steps that are enough to say anything.
FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class LikelyUsage:
    """`expected` is what the `steps` that are left use together; of them `known` ran before, the others are
    reckoned from `measured` earlier steps. `beyond` is what of the plan's `budget` that would reach."""

    steps: int
    known: int
    measured: int
    expected: Usage
    budget: str
    beyond: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """In words, for pages and machines."""
        of = f" The budget of the plan is {self.budget}." if self.budget else ""
        if not self.expected.sentence:
            return f"Too few earlier steps said what they used to tell.{of}"
        ran = f", {self.known} of which ran before" if self.known else ""
        said = (
            f"About {self.expected.sentence} for {self.steps} steps{ran}, by {self.measured} earlier steps "
            f"that said what they used.{of}"
        )
        return f"{said} That would reach it: {'; '.join(self.beyond)}." if self.beyond else said


def likely_usage(
    keys: Sequence[str], same: Mapping[str, Sequence[Usage]], all_known: Sequence[Usage], budget: str
) -> LikelyUsage:
    """`keys` are the steps that are left, `same` what earlier ones of their name used, `all_known` what any
    did; money is told in the currency that most of them named."""
    known = [key for key in keys if same.get(key)]
    enough = len(all_known) >= FEWEST
    counted = [_middle(same[key]) for key in known]
    if enough:
        counted += [_middle(all_known)] * (len(keys) - len(known))
    expected = _together(counted) if enough or len(known) == len(keys) else Usage()
    limit: Budget = read_budget(budget)
    beyond = reached(limit, [expected]) if limit and expected.sentence else ()
    return LikelyUsage(len(keys), len(known), len(all_known), expected, limit.line, beyond)


def _middle(used: Sequence[Usage]) -> Usage:
    """The median of each figure, by nearest rank; money among those of the commonest currency."""
    currency = _currency(used)
    paid = [one.micros for one in used if one.currency == currency]
    return Usage(
        tokens_in=_median([one.tokens_in for one in used]),
        tokens_out=_median([one.tokens_out for one in used]),
        micros=_median(paid) if currency else 0,
        currency=currency,
        seconds=_median([one.seconds for one in used]),
    )


def _together(used: Sequence[Usage]) -> Usage:
    currency = _currency(used)
    return Usage(
        tokens_in=sum(one.tokens_in for one in used),
        tokens_out=sum(one.tokens_out for one in used),
        micros=sum(one.micros for one in used if one.currency == currency),
        currency=currency,
        seconds=sum(one.seconds for one in used),
    )


def _currency(used: Sequence[Usage]) -> str:
    named = Counter(one.currency for one in used if one.currency)
    return min(named, key=lambda name: (-named[name], name), default="")


def _median(numbers: Sequence[int]) -> int:
    return sorted(numbers)[(len(numbers) - 1) // 2]
