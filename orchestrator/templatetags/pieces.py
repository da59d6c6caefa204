"""Pieces of a part of a page that refreshes itself: a refresh sends those that changed (DC-5).

Built in, like `{% table %}`. The browser says which pieces it has (`poll.js`); of one that is the same only
its name is sent, in its place, and htmx keeps what stands there.
"""

import re
from hashlib import sha256
from typing import Final

from django import template
from django.http import HttpRequest
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe

from orchestrator.web.show import KEYS_OF_FORMS

register = template.Library()
#: Says of each piece that the browser has, as `name=digest` with blanks between, what it looked like.
HEADER: Final = "X-Pieces"
_ELEMENT: Final = re.compile(r"<([a-z]+)(?:\s+id=\"([\w-]+)\")")


@register.simple_block_tag(end_name="endpiece", takes_context=True)
def piece(context: Context, content: str, beside: bool = False) -> SafeString:
    """One element, which begins with its tag and then its `id`. One that stands `beside` the part that is
    refreshed is put into its place, or left out where it is the same."""
    text = content.strip()
    found = _ELEMENT.match(text)
    assert found, f"A piece is an element that begins with its id: {text[:60]}"
    tag, name = found.groups()
    digest = sha256(KEYS_OF_FORMS.sub("", text).encode()).hexdigest()[:10]
    refreshed = beside and bool(getattr(context["request"].htmx, "target", ""))
    if digest == _seen(context["request"]).get(name):
        same = "" if refreshed else f'<{tag} id="{name}" hx-preserve></{tag}>'
        return mark_safe(same)  # noqa: S308  # tag and name are letters, digits, - and _
    more = ' hx-swap-oob="true"' if refreshed else ""
    opened = f'{found[0]} data-piece="{digest}"{more}'
    return mark_safe(opened + text[found.end() :])  # noqa: S308  # the content is a rendered template


def _seen(request: HttpRequest) -> dict[str, str]:
    """The digest of each piece that the browser has, by its name."""
    said = request.headers.get(HEADER, "")
    return dict(pair.split("=", 1) for pair in said.split() if "=" in pair)
