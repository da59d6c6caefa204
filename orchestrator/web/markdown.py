"""Markdown to HTML in one place.

Raw HTML is never read, and what comes out is cleaned again (faults B19 to B22).
"""

from functools import cache

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
    *("a", "em", "strong", "s", "del"),
}
SCHEMES = {"http", "https", "mailto"}
#: Characters. Longer texts are shown as they stand: reading hostile ones of this length still takes under a
#: second.
LIMIT = 20_000


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])


def to_html(text: str, under: int = 0) -> SafeString:
    """Safe HTML of a Markdown text, whose headings stand so many levels lower than it says."""
    if len(text) > LIMIT:
        return format_html("<pre>{}</pre>", text)
    reader = _reader()
    tokens = reader.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + under, 6)}"
    html = reader.renderer.render(tokens, reader.options, {})
    links = {"a": {"href", "title"}}
    clean = nh3.clean(html, tags=TAGS, attributes=links, url_schemes=SCHEMES, link_rel="noopener nofollow")
    return mark_safe(clean)  # noqa: S308 - cleaned on the line above
