"""Refusals: the one answer of every act that does not apply (FR-025)."""

from dataclasses import dataclass

from orchestrator.contract.findings import FindingFacts


@dataclass(frozen=True)
class RefusalFacts:
    """Why nothing was done (`message`) and what to do next (`recovery`).

    `code` is a stable word for programs. `details` are facts such as the wrong field, the holder, or
    `retry_after` in seconds.
    """

    code: str
    message: str
    recovery: str
    details: dict[str, str | int | None]


@dataclass(frozen=True)
class PlanRefusalFacts(RefusalFacts):
    """A plan that cannot be taken; `findings` name the lines."""

    findings: tuple[FindingFacts, ...]


@dataclass(frozen=True)
class BundleRefusalFacts(RefusalFacts):
    """Several plans of which some cannot be taken; `files` has the findings of each, by the file's name."""

    files: dict[str, tuple[FindingFacts, ...]]
