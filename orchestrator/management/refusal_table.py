"""The table of every refusal in orchestrator/README.md, made from the classes themselves (FR-025)."""

from types import ModuleType
from typing import Final

from orchestrator.adapters import merging, repository, worktree
from orchestrator.core import errors, faults, secrets
from orchestrator.core.engine import budgets, verification
from orchestrator.core.errors import Refusal

MODULES: Final[tuple[ModuleType, ...]] = (
    errors,
    faults,
    secrets,
    budgets,
    verification,
    worktree,
    merging,
    repository,
)
HEAD: Final = "| class | code | status | means | way out |\n|---|---|---|---|---|\n"


def refusals() -> list[type[Refusal]]:
    """Every class, in the order in which they are written."""
    return [
        found
        for module in MODULES
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Refusal) and found.__module__ == module.__name__
    ]


def refusal_table() -> str:
    """A row for each class; what it means is the first paragraph of its own docstring."""
    return HEAD + "".join(_row(refusal) for refusal in refusals())


def _row(refusal: type[Refusal]) -> str:
    means = (vars(refusal).get("__doc__") or "").strip().partition("\n\n")[0]
    means = " ".join(means.split()).rstrip(".")
    return f"| {refusal.__name__} | `{refusal.code}` | {refusal.status} | {means} | {refusal.recovery} |\n"
