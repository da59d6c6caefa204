"""One field of a form: its label, what was typed, its hint, and what a refusal says of it (FR-025)."""

from typing import Any

from django import template
from django.template.context import Context

from orchestrator.core.errors import Refusal

register = template.Library()


@register.inclusion_tag("site/text.html", takes_context=True)
def text(context: Context, name: str, **given: Any) -> dict[str, Any]:
    """A text field with several lines.

    `label` asks the question, `subject` is a user's own text behind it; `hidden_label` keeps the label for
    screen readers only. `id` is the name unless given. `form` names the act of the form: what was typed is
    shown again only in the form that was sent; `value` overrides it. `rows`, `required`, `mono`,
    `placeholder`, `key` and `hint` are as in HTML.
    """
    identity = given.get("id") or name
    field = {"rows": 2, "form": "", "hint": "", **given, "name": name, "id": identity}
    field["value"] = given["value"] if "value" in given else _typed(context, name, field["form"])
    field["refused"] = _refused(context, name, field["form"])
    return {"field": field}


def _is_sent(context: Context, form: str) -> bool:
    return not form or context.get("acted") == form


def _typed(context: Context, name: str, form: str) -> str:
    return str((context.get("typed") or {}).get(name, "")) if _is_sent(context, form) else ""


def _refused(context: Context, name: str, form: str) -> str:
    """What the refusal of this form says of this field; empty when it speaks of another or of none."""
    refusal = context.get("refusal")
    if not isinstance(refusal, Refusal) or not _is_sent(context, form):
        return ""
    return str(refusal.message) if refusal.details.get("field") == name else ""
