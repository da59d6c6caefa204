"""The table of every act in orchestrator/README.md, made from the declarations themselves (FR-011)."""

from typing import Any, Final

from orchestrator.core.terms import Role
from orchestrator.services.base.acts import NO_ROLE, Act, every_act

HEAD: Final = (
    "| act | means | who may | without a reason | token | locks | records |\n|---|---|---|---|---|---|---|\n"
)


def act_table() -> str:
    """A row for each act; what it means is the first sentence of its own docstring."""
    return HEAD + "".join(_row(one) for one in every_act())


def _row(act: Act[..., Any]) -> str:
    declared = act.declaration
    cells = [
        f"`{act.name}`",
        _means(act),
        _who(act),
        declared.reason.missing if declared.reason else "–",
        declared.scope.value if declared.scope else "–",
        ", ".join(lock.name.lower().replace("_", " ") for lock in declared.locks) or "–",
        ", ".join(declared.records) or "–",
    ]
    return f"| {' | '.join(cells)} |\n"


def _means(act: Act[..., Any]) -> str:
    """The first sentence, on one line; a `|` would end the cell."""
    text = " ".join((act.__doc__ or "").split("\n\n")[0].split())
    sentence, dot, _ = text.partition(". ")
    return f"{sentence}{dot}".strip().rstrip(".").replace("|", "\\|")


def _who(act: Act[..., Any]) -> str:
    declared = act.declaration
    if set(declared.roles) == set(Role):
        who = "every role"
    elif declared.roles == NO_ROLE:
        who = "the account itself"
    else:
        who = ", ".join(declared.roles)
    limits = [*(["a person"] if declared.person else []), *([declared.only] if declared.only else [])]
    return "; ".join([who, *limits])
