"""What a reader or a check has to say about a plan (WF-3, FR-025)."""

from dataclasses import dataclass

from orchestrator.core.terms import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reviewer must know about a plan: stable code, line, what is wrong, how to fix it."""

    code: str
    line: int
    message: str
    fix: str
    severity: Severity

    @property
    def blocks(self) -> bool:
        return self.severity is Severity.BLOCKS
