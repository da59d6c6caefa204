"""A page that the browser has already is not sent again: its own copy is asked about each time (DC-1)."""

from hashlib import sha256

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control

from orchestrator.models import FormKey
from orchestrator.web.show import KEYS_OF_FORMS


def revalidated(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    """The whole page with a mark of what it shows, or 304 without a body where the browser named that mark.

    Keys of forms are another each time and do not count, as long as those of the copy still work: the mark
    changes with the secret that they are made from, and with every form that anybody has sent.
    """
    htmx = bool(request.htmx)  # type: ignore[attr-defined]
    if request.method != "GET" or page.status_code != 200 or htmx:
        return page
    patch_cache_control(page, private=True, no_cache=True)
    page["ETag"] = _mark(request, page)
    answer = get_conditional_response(request, etag=page["ETag"], response=page)
    return answer if isinstance(answer, HttpResponse) else page


def _mark(request: HttpRequest, page: HttpResponse) -> str:
    shown = KEYS_OF_FORMS.sub("", page.content.decode())
    sent = FormKey.objects.aggregate(last=Max("pk"))["last"] or 0
    parts = (str(request.META.get("CSRF_COOKIE", "")), str(sent), shown)
    digest = sha256("\0".join(parts).encode()).hexdigest()
    return f'"{digest[:32]}"'
