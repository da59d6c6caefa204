"""The history as a log that others may follow: checkpoint, tiles and keys, as C2SP's `tlog-tiles` lays them
out (FR-009).

Hashes say nothing of what entries hold. Even so strangers are not shown them unasked: whoever signed in is,
and everybody where the operator says so (PUBLIC_LOG=1). Entries themselves are for those who signed in.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from orchestrator.core.errors import NotFound
from orchestrator.core.sealing.tiles import WIDTH, read_path
from orchestrator.queries.base.sealed import bundle, entries_sealed, newest_checkpoint, tile_hashes
from orchestrator.services.sealing.keys import key_ring
from orchestrator.web.admission import refusal_without_role

TEXT = "text/plain; charset=utf-8"
FOREVER = "public, max-age=31536000, immutable"


def _for_readers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open to whoever has a role here, and to everybody where the operator says so."""

    @wraps(view)
    def opened(request: HttpRequest, **values: str) -> HttpResponse:
        return _closed(request) or view(request, **values)

    return opened


def _closed(request: HttpRequest) -> HttpResponse | None:
    return None if settings.PUBLIC_LOG else _turned_away(request)


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    """The way to the sign-in for a stranger, the refusal for an account without a role."""
    if request.user.is_authenticated:
        return refusal_without_role(request)
    return redirect_to_login(request.get_full_path())


@login_not_required
@_for_readers
@require_safe
def checkpoint(_: HttpRequest) -> HttpResponse:
    """The newest checkpoint: a signed note."""
    newest = newest_checkpoint()
    if newest is None:
        raise NotFound("Nothing of the history is sealed yet.", recovery="Wait a second, then ask again.")
    response = HttpResponse(newest.note, content_type=TEXT)
    response["Cache-Control"] = "no-cache"
    return response


@login_not_required
@_for_readers
@require_safe
def keys(_: HttpRequest) -> HttpResponse:
    """The public keys that sign and signed, the newest first: what a proof is checked with. Keep them
    elsewhere."""
    if not entries_sealed():
        raise NotFound("There is no key yet: nothing of the history is sealed.")
    lines = "".join(f"{key}\n" for key in key_ring().public)
    return HttpResponse(lines, content_type=TEXT)


@login_not_required
@_for_readers
@require_safe
def tile(request: HttpRequest, name: str) -> HttpResponse:
    """Hashes of the tree, or a bundle of entries. What a checkpoint does not cover is not there."""
    found = read_path(name)
    if found is None or not (found[0] == "entries" or (found[0].isdecimal() and len(found[0]) == 1)):
        raise NotFound(f"There is no tile {name}.")
    level, number, width = found
    sealed = entries_sealed() >> 8 * (int(level) if level != "entries" else 0)
    if number * WIDTH + width > sealed:
        raise NotFound(
            f"There is no tile {name}.", recovery="Read the checkpoint: it says how far the tree goes."
        )
    if level == "entries":
        return _entries(request, number, width)
    response = HttpResponse(tile_hashes(int(level), number, width), content_type="application/octet-stream")
    response["Cache-Control"] = FOREVER
    return response


def _entries(request: HttpRequest, number: int, width: int) -> HttpResponse:
    """Entries, each behind its length in two bytes."""
    return _turned_away(request) or HttpResponse(
        bundle(number, width), content_type="application/octet-stream"
    )


urlpatterns = [
    path("log/checkpoint", checkpoint, name="log-checkpoint"),
    path("log/keys", keys, name="log-keys"),
    path("log/tile/<path:name>", tile, name="log-tile"),
]
