"""One field of a form: its label, what was typed, its hint, and what a refusal says of it (FR-025)."""

from typing import Any

from django import template
from django.template.context import Context

from orchestrator.core.errors import Refusal
from orchestrator.web.wording import message_of

register = template.Library()


@register.inclusion_tag("site/text.html", takes_context=True)
def text(context: Context, name: str, **given: Any) -> dict[str, Any]:
    """A text field with several lines.

    `label` asks the question, `subject` is a user's own text behind it; `hidden_label` keeps the label for
    screen readers only. `id` is the name unless given. What was typed is shown again only in the form that
    was sent: the one whose act is `form`, or, where several forms of an act stand on a page, the one that
    says so by `sent`; `value` overrides it. `wide` is the room of the form. `rows`, `required`, `mono`,
    `placeholder`, `key` and `hint` are as in HTML.
    """
    identity = given.get("id") or name
    field = {"rows": 2, "form": "", "hint": "", **given, "name": name, "id": identity}
    is_sent = bool(given["sent"]) if "sent" in given else _is_sent(context, field["form"])
    typed = (context.get("typed") or {}).get(name, "") if is_sent else ""
    field["value"] = given["value"] if "value" in given else str(typed)
    field["refused"] = _refused(context, name) if is_sent else ""
    return {"field": field}


@register.filter
def join_id(start: str, number: object) -> str:
    """The id of a field that stands on the page several times: `"reply-"|join_id:discussion.pk`."""
    return f"{start}{number}"


@register.filter
def same(typed: object, own: object) -> bool:
    """Whether what a hidden field of the sent form holds names this form's own row."""
    return str(typed) == str(own)


def _is_sent(context: Context, form: str) -> bool:
    return not form or context.get("acted") == form


def _refused(context: Context, name: str) -> str:
    """What the refusal says of this field; empty when it speaks of another or of none."""
    refusal = context.get("refusal")
    if not isinstance(refusal, Refusal):
        return ""
    return message_of(refusal) if refusal.details.get("field") == name else ""
