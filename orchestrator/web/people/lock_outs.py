"""Failed sign-ins: how many are too many, what the person is told, and the entry in the history (FR-009).

django-axes counts them; its signal is the only way to hear of a lock-out.
"""

from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Sum
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from orchestrator.core.errors import TooManyTries
from orchestrator.services.people.sign_in import record_locked_out
from orchestrator.web.refusals import refused

#: An address may stand for a whole office, so it may fail this many times as often as one name.
ADDRESS_COUNTS: Final = 5


class LockOutLimits(AxesDatabaseHandler):  # type: ignore[misc]  # the library has no types
    """`AXES_FAILURE_LIMIT` failures of one name from anywhere, and five times as many from one address."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        attempts: list[QuerySet[Any]] = self.get_user_attempts(request, credentials)
        counted = zip(settings.AXES_LOCKOUT_PARAMETERS, attempts, strict=True)
        return max(_count(found) // (ADDRESS_COUNTS if by == "ip_address" else 1) for by, found in counted)


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """What failures are counted by: the name of an account, and of any other name a keyed hash, because
    people type passwords there."""
    given = (credentials or request.POST).get("username")
    name = str(given or "").replace("\0", "")
    if not name or get_user_model()._default_manager.filter(username=name).exists():
        return name or None
    return f"unknown {salted_hmac('orchestrator.names', name, algorithm='sha256').hexdigest()[:32]}"


def _count(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(all=Sum("failures_since_start"))["all"] or 0


@receiver(user_locked_out, dispatch_uid="orchestrator.lock_outs")
def record(request: HttpRequest, username: str | None, ip_address: str | None, **_: object) -> None:
    """Once for each lock-out: what is tried while it lasts is refused without being counted."""
    if getattr(request, "axes_failures_since_start", None):
        record_locked_out(name=username or "", address=ip_address or "an unknown address", now=timezone.now())


def locked_out_page(
    request: HttpRequest, _response: HttpResponse, _credentials: dict[str, Any] | None
) -> HttpResponse:
    wait = int(get_cool_off(request).total_seconds())
    return refused(
        request,
        TooManyTries("Signing in with this name or from this address failed too often.", retry_after=wait),
    )
