"""Refusals and reasons in the reader's words: fields as they are labelled, times as pages show them, spans of
time in hours and days, and "you" (FR-025).

What services say is for machines too; only pages know who reads and what is written beside a field.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth import get_user_model

from orchestrator.core.engine import explain
from orchestrator.core.errors import Refusal
from orchestrator.web.zone import project_zone

#: How pages label what forms send under these names.
LABELS: Final[Mapping[str, str]] = {
    "answer": "Answer",
    "body": "Comment",
    "breadcrumb": "What was done last",
    "effective_at": "Effective later",
    "error": "What went wrong",
    "follow_ups": "Follow-up tasks",
    "note": "Note",
    "other": "Which workstream",
    "outcome": "Decision",
    "priority": "Priority",
    "rationale": "Why",
    "reason": "Reason",
    "resolution": "How it was resolved",
    "return_key": "Return to",
    "seen_sha256": "the version that was read",
    "source": "Plan",
    "tasks": "Tasks",
    "tighten": "What needs tightening",
    "until": "Until",
    "went_wrong": "What went wrong",
    "worked": "What worked",
}
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?UTC|Z|[+-]\d\d:\d\d)")
_SPAN: Final = re.compile(r"\b(\d{3,}) (seconds|minutes|hours)\b")
_FIELD: Final = re.compile(r"\bThe field ([a-z_0-9]+)\b")
_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3600}
_VERBS: Final = {"has": "have", "holds": "hold", "is": "are", "does": "do"}
#: People who are named for a role; the rest are counted.
MOST_NAMED: Final = 4


def told(text: str, reader: str = "") -> str:
    """A sentence of a service for `reader`, the name of an account; without one nobody is "you"."""
    text = _MOMENT.sub(lambda found: _moment(found[0]), text)
    text = _SPAN.sub(lambda found: _span(int(found[1]) * _SECONDS[found[2]]), text)
    text = _FIELD.sub(lambda found: f"The field “{LABELS.get(found[1], found[1])}”", text)
    return _to_reader(text, reader) if reader else text


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace("UTC", "+00:00"))
        local = moment.astimezone(project_zone())
    except (ValueError, OverflowError):
        return text
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


def _span(seconds: int) -> str:
    return explain.lasting(timedelta(seconds=seconds))


def _to_reader(text: str, reader: str) -> str:
    """`anna has signed it` is told to anna as `You have signed it`; her agents are hers."""
    name = re.escape(reader)
    text = re.sub(rf"\bheld by {name}(?= |,|;|\.|$)(?! \()", "held by you", text)
    text = re.sub(rf"\bheld by (\S+) \((agent|tool|person) of {name}\)", r"held by your \2 \1", text)
    start = re.match(rf"{name} (\w+)", text)
    if start is None:
        return text
    return f"You {_VERBS.get(start[1], start[1])}{text[start.end() :]}"


def way_out_of(refusal: Refusal, reader: str = "") -> str:
    """What to do next; where a role is missing, who has it."""
    if role := str(refusal.details.get("role") or ""):
        return ask_who_has(role)
    return told(refusal.way_out, reader)


def ask_who_has(role: str) -> str:
    """The people with one of these roles (`reviewer or approver`); one statement."""
    people = get_user_model().objects.filter(groups__name__in=role.split(" or "), is_active=True)
    names = list(people.order_by("username").values_list("username", flat=True).distinct())
    if not names:
        return "Nobody has it yet: ask an administrator for it."
    more = len(names) - MOST_NAMED
    listed = names[:MOST_NAMED] + ([f"{more} more"] if more > 0 else [])
    said = " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
    ask = "has it: ask them" if len(names) == 1 else "have it: ask one of them"
    return f"{said} {ask}, or an administrator for the role."


def message_of(refusal: Refusal, reader: str = "") -> str:
    """What happened; a missing role is told as what the reader needs."""
    if role := str(refusal.details.get("role") or ""):
        return f"You need the role {role} for this."
    return ended(told(refusal.message, reader))


def ended(text: str) -> str:
    """A text as a sentence with one full stop, however it ended."""
    bare = text.rstrip()
    return bare if not bare or bare[-1] in ".!?…" else f"{bare}."
