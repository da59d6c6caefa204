"""Keyed bullets turned into the typed fields of steps, threads and gates.

What is not understood is a finding.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from orchestrator.core.engine.budgets import EXAMPLE, read_budget
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.reading.drafts import GateDraft, Notes, joined
from orchestrator.core.plans.text.phrases import read_flag, read_items, read_minutes, read_names, unmark
from orchestrator.core.terms import GateKind

STEP_FIELDS: Final = frozenset(
    {
        "role",
        "tool",
        "run",
        "verify",
        "budget",
        "files",
        "resources",
        "parallel",
        "entry",
        "exit",
        "done_when",
        "when",
        "estimate",
        "needs",
    }
    | {"outcomes", "max_attempts", "may_add", "added_by"}
)
LANE_FIELDS: Final = frozenset({"role", "files", "worktree"})
#: A condition is read here so that the check can refuse it: a gate is never skipped (BX-3).
GATE_FIELDS: Final = (STEP_FIELDS - {"parallel", "outcomes", "may_add", "budget"}) | {
    "kind",
    "reviewers",
    "trigger",
    "action",
    "unlocks",
    "approvals",
}
#: The largest number of attempts, of signatures and of steps to add that a plan may name.
MOST: Final = 999


def step_fields(notes: Notes, findings: Findings) -> dict[str, Any]:
    """The keyword arguments of a `StepSpec` that its bullets give, and no others; needs and parallel are read
    by the builder."""
    if not notes.values:
        return {}
    given = notes.values
    names = given if len(given) == 1 else [name for name in _READERS if name in given]
    fields = {name: _READERS[name](notes, name, findings) for name in names if name in _READERS}
    if "when" in fields:
        fields["when_line"] = notes.line_of("when")
    return fields


def texts(notes: Notes, name: str) -> tuple[str, ...]:
    return tuple(value.text for value in notes.of(name))


def items(notes: Notes, name: str) -> tuple[str, ...]:
    """The items of every line of a list property, each once, in the order given."""
    values = notes.of(name)
    return tuple(dict.fromkeys(item for value in values for item in read_items(value.text))) if values else ()


def role_of(notes: Notes) -> str:
    return unmark(notes.first("role")).lower()


def flag_of(notes: Notes, name: str, findings: Findings) -> bool | None:
    """A yes or no; None when it is not given or not understood."""
    for value in notes.of(name):
        flag = read_flag(value.text)
        if flag is None:
            message = f"“{name}: {_short(value.text)}” is neither yes nor no, so it is left out."
            findings.add(
                "unreadable-value",
                value.line,
                message,
                f"Write `{name.title()}: yes` or `{name.title()}: no`.",
            )
        return flag
    return None


def named_needs(notes: Notes) -> list[tuple[str, int]]:
    """The names under Needs with their lines."""
    return [(name, value.line) for value in notes.of("needs") for name in read_names(value.text)]


def gate_kind(draft: GateDraft, title: str, findings: Findings) -> GateKind:
    """The kind that is given, or the one that the heading of the gate implies."""
    notes = draft.notes
    given = notes.first("kind").strip().lower()
    if given in tuple(GateKind):
        return GateKind(given)
    if given:
        kinds = ", ".join(GateKind)
        message = f"The gate kind “{_short(given)}” is not known."
        findings.add("unreadable-value", notes.line_of("kind"), message, f"Kinds are {kinds}.")
    said = f"{draft.kind} {title}".lower()
    kind = GateKind.MERGE if draft.merge else next((k for k in GateKind if k.value in said), GateKind.REVIEW)
    if not draft.merge:
        message = f"The gate “{_short(title)}” is read as a gate of kind {kind}."
        findings.add(
            "inferred-kind", draft.line, message, f"Write `- Kind: {kind}` below it to make it explicit."
        )
    return kind


def signatures_of(notes: Notes, findings: Findings) -> int:
    """How many different people sign a gate; `all` means one for each of its reviewers."""
    return (
        0 if notes.first("approvals").strip().lower() == "all" else _number(notes, "approvals", findings) or 1
    )


def without_effect(notes: Notes, allowed: Iterable[str], where: str, findings: Findings) -> str:
    """Report the properties that mean nothing here and give their text back, so that nothing is lost."""
    kept = []
    for name, values in notes.values.items():
        if name in allowed:
            continue
        label = name.replace("_", " ").capitalize()
        findings.add(
            "misplaced-property", values[0].line, f"“{label}” has no effect on {where}.", "Move or remove it."
        )
        kept += [f"{label}: {value.text}" for value in values]
    return joined(kept)


def _number(notes: Notes, name: str, findings: Findings) -> int:
    """A whole number above 0; 0 when it is not given or not understood."""
    for value in notes.of(name):
        text = value.text.strip()
        if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= MOST:
            return int(text)
        label = name.replace("_", " ").capitalize()
        message = f"“{label}: {_short(text)}” is not a number from 1 to {MOST} and is left out."
        findings.add("unreadable-value", value.line, message, f"Write `{label}: 3`.")
    return 0


def _estimate(notes: Notes, name: str, findings: Findings) -> int:
    for value in notes.of(name):
        minutes = read_minutes(value.text)
        if minutes is None:
            message = f"The estimate “{_short(value.text)}” is not understood and is left out."
            findings.add(
                "unreadable-value", value.line, message, "Write minutes, hours or days: `45m`, `2h`, `1d`."
            )
        return minutes or 0
    return 0


def _budget(notes: Notes, name: str, findings: Findings) -> str:
    value = notes.of(name)[0]
    try:
        return read_budget(unmark(value.text)).line
    except InvalidInput as refusal:
        findings.add("unreadable-value", value.line, refusal.message, f"Write it like `{EXAMPLE}`.")
        return ""


def _command(text: str) -> str:
    """A command as it stands, without the backticks around it."""
    return text[1:-1].strip() if len(text) > 2 and text[0] == text[-1] == "`" else text


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def _phrase(notes: Notes, name: str, _: Findings) -> str:
    return unmark(notes.first(name))


#: How each field of a step is read, in the order in which findings are told.
_READERS: Final[dict[str, Callable[[Notes, str, Findings], Any]]] = {
    **dict.fromkeys(("entry", "exit", "done_when"), lambda notes, name, _: texts(notes, name)),
    **dict.fromkeys(("files", "resources"), lambda notes, name, _: items(notes, name)),
    **dict.fromkeys(("tool", "when", "added_by"), _phrase),
    "role": lambda notes, _, __: role_of(notes),
    **dict.fromkeys(("run", "verify"), lambda notes, name, _: _command(notes.first(name))),
    "outcomes": lambda notes, name, _: tuple(word.lower() for word in items(notes, name)),
    "estimate": _estimate,
    "budget": _budget,
    "max_attempts": _number,
    "may_add": _number,
}
