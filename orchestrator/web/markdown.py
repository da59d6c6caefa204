"""Markdown to HTML in one place: raw HTML is never read, and what comes out is cleaned again (faults B19 to B22)."""

from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = frozenset(
    "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()
)
SCHEMES = frozenset({"http", "https", "mailto"})
#: Longer texts are shown as they are: nothing people write by hand is longer, and reading stays fast.
LIMIT = 200_000


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])


def to_html(text: str) -> SafeString:
    """Safe HTML of a Markdown text; headings start two levels down because the page has its own."""
    html = _reader().render(text[:LIMIT])
    clean = nh3.clean(
        html, tags=set(TAGS), attributes={"a": {"href", "title"}}, url_schemes=set(SCHEMES), link_rel="noopener nofollow"
    )
    return mark_safe(clean)  # noqa: S308 - cleaned on the line above
