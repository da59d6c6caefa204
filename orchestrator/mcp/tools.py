"""What every group of tools has: who calls, and whether they may."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.core.terms import Scope
from orchestrator.services.base.acts import Act
from orchestrator.services.people.callers import Caller


@dataclass(frozen=True)
class Tools:
    """`sign_in` is asked at every call, so that a revoked token stops working at once."""

    sign_in: Callable[[], Caller]

    def reader(self) -> Caller:
        """Whoever calls a tool that changes nothing; NotAllowed without the scope."""
        caller = self.sign_in()
        caller.require(Scope.READ)
        return caller

    def doer(self, act: Act[..., Any]) -> Caller:
        """Whoever calls a tool that does this act; NotAllowed without its scope, or one of its roles."""
        caller = self.sign_in()
        caller.admit(act)
        return caller
