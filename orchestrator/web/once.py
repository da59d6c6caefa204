"""A form that makes or decides something does so once: its key comes from `{% once %}` in the template.

It needs no script.
"""

import hashlib
from collections.abc import Callable, Iterator

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from orchestrator.services.base.form_keys import Made, Sent, make_once, make_several_once

FIELD = "once"
#: What differs from one sending to the next although nobody typed anything else.
NOT_TYPED = frozenset({FIELD, "csrfmiddlewaretoken"})


def once(request: HttpRequest, make: Callable[[], Made], *, several: bool = False) -> Made:
    """Run the act, or say what came of it when this form was sent before (`services/base/form_keys.py`); a
    form without a key just runs it.

    `several` is for acts of many transactions. Raises what the act raises.
    """
    key, user = request.POST.get(FIELD, ""), request.user
    if not key or not isinstance(user, User):
        return make()
    run = make_several_once if several else make_once
    return run(sent=Sent(user, key, _digest(request)), now=timezone.now(), make=make)


def _digest(request: HttpRequest) -> str:
    """Equal for the same form with the same words and files; every part is length-prefixed."""
    digest = hashlib.sha256()
    for part in _parts(request):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _parts(request: HttpRequest) -> Iterator[bytes]:
    yield request.path.encode()
    for name, values in sorted(request.POST.lists()):
        if name not in NOT_TYPED:
            yield from (text.encode("utf-8", "surrogatepass") for text in (name, *map(str, values)))
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            yield from (name.encode(), (file.name or "").encode("utf-8", "surrogatepass"))
            yield b"".join(file.chunks())
            file.seek(0)
