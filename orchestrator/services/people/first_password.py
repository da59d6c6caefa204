"""A password that its person did not choose: it is changed before anything else, or it ends (FR-011).

It is a first one, made by a command or by an administrator, or stands for one that was lost (ASVS 6.4.1).
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User

from orchestrator.models import GivenPassword


def note_whose(account: User, *, given: bool, now: datetime) -> None:
    """Part of an act that sets a password."""
    if given:
        GivenPassword.objects.update_or_create(user=account, defaults={"at": now, "changed_at": None})
    else:
        GivenPassword.objects.filter(user=account, changed_at=None).update(changed_at=now)


def owes_a_password(account: User) -> bool:
    """Whether it still has one that somebody else set."""
    return hasattr(account, "given_password") and account.given_password.changed_at is None


def why_first_password_ended(account: User, now: datetime) -> str:
    """What to tell who signs in with it too late; empty as long as it may be used."""
    hours = settings.FIRST_PASSWORD_HOURS
    if not owes_a_password(account) or now - account.given_password.at <= timedelta(hours=hours):
        return ""
    return (
        f"The password that was made for {account} had to be used within {hours} hours. "
        "Ask an administrator for another one."
    )
