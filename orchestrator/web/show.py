"""How a page is answered: whole, or the part of it that htmx asked for.

After a refusal with what was typed (FR-025).
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.html import escape

from orchestrator.core.errors import Refusal
from orchestrator.web.wording import message_of

#: Fields of our forms that people write sentences into.
TEXTS = frozenset(
    {
        "body",
        "reason",
        "note",
        "choices",
        "went_wrong",
        "worked",
        "tighten",
        "answer",
        "rationale",
        "resolution",
        "error",
        "breadcrumb",
        "outcome",
        "follow_ups",
    }
)
NO_PARTS: frozenset[str] = frozenset()
#: Stands in the address that a part refreshes itself from, for the digest of what it shows.
SEEN: Final = b"-seen-digest-"
#: What is another each time although nothing changed: keys of forms, and how things stood.
KEYS_OF_FORMS: Final = re.compile(r'name="(?:csrfmiddlewaretoken|once)"\s+value="[^"]*"|\bstood=[0-9.]+')


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    parts: frozenset[str] = NO_PARTS,
    refusal: Refusal | None = None,
    status: int = 200,
    anew: bool = False,
) -> HttpResponse:
    """The page, or the one part of it that htmx asked for by target id.

    A part has one name: the id of its element, the htmx target and the named partial. After a refusal the
    answer has its status, says when trying again may help, and shows what was typed; where no form of the
    page says it any more, it stands at the top. `anew` shows all of the page where htmx asked for a part:
    somebody else changed more than that part; it is seen from its top.
    """
    htmx = bool(request.htmx)  # type: ignore[attr-defined]
    part = None if anew else part_asked(request, parts)
    everything = {
        **context,
        "refusal": refusal,
        "typed": {},
        "kept": [],
        "anew": anew and htmx,
        "untold": anew,
    }
    if refusal:
        everything |= {"typed": request.POST, "kept": _kept(request)}
    name = f"{template}#{part}" if part else template
    response = render(request, name, everything, status=refusal.status if refusal else status)
    if refusal and not part and not anew and not _is_told(refusal, request, response):
        response = render(request, name, {**everything, "untold": True}, status=refusal.status)
    if SEEN in response.content:
        response = _unless_seen(request, response, part)
    patch_vary_headers(response, ["HX-Request", "HX-Target", "HX-History-Restore-Request"])
    if anew and htmx:
        response["HX-Retarget"] = response["HX-Reselect"] = "#content"
        response["HX-Reswap"] = "outerHTML show:window:top"
    return retried(response, refusal) if refusal else response


def _is_told(refusal: Refusal, request: HttpRequest, response: HttpResponse) -> bool:
    """Whether the page says the refusal: the form that was sent may be gone, because somebody was first."""
    said = escape(message_of(refusal, request.user.get_username()))
    return said.encode() in response.content


def _unless_seen(request: HttpRequest, response: HttpResponse, part: str | None) -> HttpResponse:
    """Say in the part what its digest is, which its next refresh brings along; nothing at all (204) where it
    was seen like that already. Keys of forms, which are another each time, do not count."""
    digest = (
        sha256(KEYS_OF_FORMS.sub("", response.content.decode()).encode()).hexdigest()[:16] if part else "0"
    )
    if part and request.GET.get("seen") == digest:
        return HttpResponse(status=204)
    response.content = response.content.replace(SEEN, digest.encode())
    return response


def retried(response: HttpResponse, refusal: Refusal) -> HttpResponse:
    """Says in the header Retry-After in how many seconds the same may be tried again, where waiting helps."""
    if refusal.retry_after:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def part_asked(request: HttpRequest, parts: frozenset[str]) -> str | None:
    """The part of a page that htmx asked for; None for the whole page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return htmx.target if htmx and not htmx.history_restore_request and htmx.target in parts else None


def _kept(request: HttpRequest) -> list[str]:
    """The texts a person typed, for when the form they stood in is gone.

    A plan's source always keeps its form.
    """
    texts = (
        request.POST[name].strip() for name in request.POST if name in TEXTS or name.startswith("evidence-")
    )
    return [text for text in texts if text]
