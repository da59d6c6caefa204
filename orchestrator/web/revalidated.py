"""A page that the browser has already is not sent again: its own copy is asked about each time (DC-1)."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control

from orchestrator.models import FormKey
from orchestrator.web.acting import now
from orchestrator.web.show import KEYS_OF_FORMS

#: The mark of a copy: the second in which it was made, and the digest of what it shows.
MARK: Final = re.compile(r'"(\d{1,11})-([0-9a-f]{32})"')


def revalidated(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    """The whole page with a mark of what it shows, or 304 without a body where the browser named that mark.

    Keys of forms are another each time and do not count, as long as those of the copy still work: the mark
    changes with the secret that they are made from, and whoever sent a form since gets the page anew.
    """
    htmx = bool(request.htmx)  # type: ignore[attr-defined]
    if request.method != "GET" or page.status_code != 200 or htmx:
        return page
    patch_cache_control(page, private=True, no_cache=True)
    digest = _digest(request, page)
    for issued, known in MARK.findall(request.headers.get("If-None-Match", "")[:500]):
        if known == digest and not _sent_since(request, int(issued)):
            page["ETag"] = f'"{issued}-{digest}"'
            answer = get_conditional_response(request, etag=page["ETag"], response=page)
            return answer if isinstance(answer, HttpResponse) else page
    page["ETag"] = f'"{int(now().timestamp())}-{digest}"'
    return page


def _digest(request: HttpRequest, page: HttpResponse) -> str:
    shown = KEYS_OF_FORMS.sub("", page.content.decode())
    secret = str(request.META.get("CSRF_COOKIE", ""))
    return sha256(f"{secret}\0{shown}".encode()).hexdigest()[:32]


def _sent_since(request: HttpRequest, issued: int) -> bool:
    """Whether the reader sent a form after the copy was made: it may be one of the copy."""
    since = datetime.fromtimestamp(issued, UTC)
    return FormKey.objects.filter(user=request.user.pk, created_at__gte=since).exists()
