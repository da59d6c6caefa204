"""Whether what concurrent callers saw of one attempt has an order in which everything happened at once.

An attempt is a register: free, held under a token, or over. A history is linearisable when its operations
can be put into one order that keeps "ended before the other began" and in which the register answers each as
it was answered. Attempts share no state here, so each is checked alone.
"""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Operation:
    """`claim`, `report`, `complete` or `fail` by somebody.

    `given` is the token that was sent (0 for a claim), `token` the one that was answered, 0 for a refusal.
    `began` and `ended` are nanoseconds of one clock."""

    name: str
    executor: str
    given: int
    token: int
    began: int
    ended: int


@dataclass(frozen=True)
class Register:
    """An attempt: who holds it under which token; `over` for ever."""

    executor: str = ""
    token: int = 0
    over: bool = False

    def answers(self, said: Operation, first: int) -> "Register | None":
        """The register behind this operation, or None where it would have answered something else."""
        if said.name == "claim":
            if self.over or self.executor not in ("", said.executor):
                return self if not said.token else None
            held = Register(said.executor, self.token or first)
            return held if said.token == held.token else None
        fits = not self.over and self.token == said.given and self.executor == said.executor
        if not fits:
            return self if not said.token else None
        if said.token != self.token:
            return None
        return self if said.name == "report" else Register(over=True)


def linearisable(history: list[Operation], first: int) -> bool:
    """`first` is the token that the attempt's claim gives."""
    everything = frozenset(range(len(history)))

    @cache
    def possible(left: frozenset[int], register: Register) -> bool:
        if not left:
            return True
        soonest = min(history[one].ended for one in left)
        for one in left:
            # What began behind the end of another that is left cannot be the next.
            if history[one].began <= soonest:
                behind = register.answers(history[one], first)
                if behind is not None and possible(left - {one}, behind):
                    return True
        return False

    return possible(everything, Register())
