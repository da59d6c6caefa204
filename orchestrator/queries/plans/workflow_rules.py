"""How the rules of a workflow changed: name, domain, self-approval, required approvals (FR-022, WF-3)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from orchestrator.core.actions import Action
from orchestrator.models import HistoryEntry, Workflow

#: Field -> what people call it.
NAMES: Final = {
    "name": "Name",
    "domain": "Domain",
    "allow_self_approval": "Self-approval",
    "required_approvals": "Approvals needed",
    "demands_proof": "Completions without proof",
    "proof_roles": "Roles that take proof only",
    "proof_paths": "Paths that take proof only",
}


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One field of one change, in words."""

    at: datetime
    who: str
    reason: str
    name: str
    before: str
    after: str


def rule_changes(workflow: Workflow) -> Iterator[RuleChange]:
    """Newest first."""
    entries = HistoryEntry.objects.filter(
        workstream=None, action=Action.WORKFLOW_CHANGED, subject=workflow.slug
    )
    for entry in entries.order_by("-sequence"):
        data = json.loads(entry.leaf)["data"]
        for field, name in NAMES.items():
            before, after = _said(field, data["from"]), _said(field, data["to"])
            if before != after:
                yield RuleChange(entry.recorded_at, entry.actor, entry.reason, name, before, after)


def _said(field: str, values: dict[str, Any]) -> str:
    value = values.get(field, "" if field.startswith("proof_") else False)
    if field == "demands_proof":
        value = not value
    if isinstance(value, bool):
        return "allowed" if value else "not allowed"
    return str(value) or "none"
