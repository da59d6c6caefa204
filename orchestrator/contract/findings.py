"""What a check of a plan's text finds (WF-3)."""

from dataclasses import dataclass

from orchestrator.core.terms import Severity


@dataclass(frozen=True)
class FindingFacts:
    """One thing that is wrong or odd in the text, and how to correct it.

    `line` counts from 1; 0 is the text as a whole. `severity` says whether it blocks approval, warns or
    informs.
    """

    code: str
    line: int
    message: str
    fix: str
    severity: Severity
