"""The guide: short chapters from `orchestrator/guide/`, and which of them helps on a page (FR-025).

A link from chapter to chapter is written as `agents.md`, so that it works in a folder of files as well.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from orchestrator.core.errors import NotFound
from orchestrator.web.markdown import to_html
from orchestrator.web.show import show

FOLDER: Final = Path(__file__).resolve().parent.parent / "guide"
#: The chapters in the order in which they are read.
CHAPTERS: Final = (
    *("start", "plans", "formats", "reviewing", "signing", "finding", "proofs", "notifications"),
    *("agents", "machines", "operating", "backups", "tools", "trouble"),
)
#: Which chapter helps on a page, by the beginning of its address; the first that fits.
HELPS: Final = (
    (r"/plans/[^/]+/", "reviewing"),
    (r"/(plans|library|bundles)/", "plans"),
    (r"/(gates|interventions|blockers|learnings)/", "signing"),
    (r"/history/\d+/", "proofs"),
    (r"/(search|history|portfolio|flow)/", "finding"),
    (r"/notifications/", "notifications"),
    (r"/(tokens|collected)/", "agents"),
    (r"/workspace/", "backups"),
    (r"/(operating|policies)/", "operating"),
    (r"/account/", "start"),
    (r"/workstreams/", "signing"),
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """`parts` are its headings with the name that an address leads to."""

    name: str
    title: str
    html: SafeString
    parts: tuple[tuple[str, str], ...]


@cache
def chapter(name: str) -> Chapter:
    """NotFound when the guide has no such chapter."""
    if name not in CHAPTERS:
        raise NotFound(f"The guide has no chapter {name}.", recovery="Choose one from the guide.")
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    heading, _, body = text.partition("\n")
    html = to_html(re.sub(r"\]\((\w+)\.md\)", r"](/guide/\1/)", body))
    titles = [strip_tags(title) for title in re.findall(r"<h2>(.*?)</h2>", html)]
    # What is wider than the screen scrolls by itself, also with the keyboard.
    html = SafeString(re.sub(r"<(pre|table)>", r'<\1 tabindex="0">', html))
    named = re.sub(r"<h2>(.*?)</h2>", lambda found: _named(found[1]), html)
    parts = tuple((slugify(title), title) for title in titles)
    return Chapter(name, heading.removeprefix("# "), mark_safe(named), parts)  # noqa: S308 - our own text


def _named(title: str) -> str:
    return f'<h2 id="{slugify(strip_tags(title))}">{title}</h2>'


def helps_on(address: str) -> str:
    """The address of the chapter for a page; the guide's own when none is closer."""
    for pattern, name in HELPS:
        if re.match(pattern, address):
            return f"/guide/{name}/"
    return "/guide/"


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    return show(request, "guide/contents.html", {"chapters": [chapter(name) for name in CHAPTERS]})


@require_safe
def guide_chapter(request: HttpRequest, name: str) -> HttpResponse:
    read = chapter(name)
    place = CHAPTERS.index(name)
    context = {
        "chapter": read,
        "chapters": [chapter(one) for one in CHAPTERS],
        "following": chapter(CHAPTERS[place + 1]) if place + 1 < len(CHAPTERS) else None,
    }
    return show(request, "guide/chapter.html", context)


urlpatterns: list[Any] = [
    path("guide/", guide, name="guide"),
    path("guide/<slug:name>/", guide_chapter, name="guide-chapter"),
]
