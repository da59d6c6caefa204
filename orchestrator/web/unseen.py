"""Invisible characters are shown on every page, wherever a user's text stands (B8).

One place for all pages: a finished page is looked over once, so no template can forget it. What a form will
send back (text areas, values) stays as it was typed; everything that is only read shows a mark in its place.
"""

import re
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase

from orchestrator.core.invisible import holds_any, reveal

#: In text that is read, and where no element can stand: titles, options, attributes.
MARK: Final = '<span class="unseen" title="invisible: {name}">⟨{code}⟩</span>'
PLAIN_MARK: Final = "⟨{code}⟩"

_TAG: Final = r"<[a-zA-Z/!](?:\"[^\"]*\"|'[^']*'|[^'\">])*>"
_PIECES: Final = re.compile(
    r"(?P<kept><!--.*?-->|<(?P<raw>script|style|textarea)\b.*?</(?P=raw)>)"
    rf"|(?P<option><option\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*>)(?P<choice>[^<]*)"
    r"|(?P<title><title>[^<]*)"
    rf"|(?P<tag>{_TAG})"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL,
)
_READ: Final = re.compile(
    r"(\s(?:title|alt|placeholder|aria-label|data-label|hx-confirm)=)(\"[^\"]*\"|'[^']*')"
)


class UnseenMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
            text = response.content.decode(response.charset)
            if holds_any(text):
                response.content = shown(text)
        return response


def shown(page: str) -> str:
    """The page with a mark in place of each invisible character that a person would read over."""
    return _PIECES.sub(_shown, page)


def _shown(found: re.Match[str]) -> str:
    if found["text"]:
        return reveal(found["text"], MARK)
    if found["tag"]:
        return _read_attributes(found["tag"])
    if found["option"]:
        return _option(found["option"], found["choice"])
    return reveal(found["title"], PLAIN_MARK) if found["title"] else found[0]


def _read_attributes(tag: str) -> str:
    return _READ.sub(lambda found: found[1] + reveal(found[2], PLAIN_MARK), tag) if holds_any(tag) else tag


def _option(tag: str, choice: str) -> str:
    """An option without a value sends its text, which therefore becomes its value."""
    marked = reveal(choice, PLAIN_MARK)
    if marked != choice and not re.search(r"\svalue=", tag):
        quoted = " ".join(choice.split(" ")).strip().replace('"', "&quot;")
        tag = f'<option value="{quoted}"{tag[len("<option") :]}'
    return _read_attributes(tag) + marked
