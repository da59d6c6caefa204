"""The authenticator app of an account and its recovery codes: set up, asked for, replaced, taken away.

Requirements: FR-011.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from orchestrator.core.actions import Action
from orchestrator.core.errors import CodeWrong, NotAllowed, TooManyTries, WrongState
from orchestrator.core.people.second_factor import (
    RECOVERY_BYTES,
    RECOVERY_CODES,
    as_typed,
    is_app_code,
    is_asked,
    recovery_code,
)
from orchestrator.core.terms import Role
from orchestrator.models import RecoveryCode
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.acts import NO_ROLE, act
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, for_update, take
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.sessions import end_sessions

NAME: Final = "authenticator app"
#: Codes of the step before and after count as well: clocks differ, and typing takes time. With
#: `SECOND_FACTOR_STRICT` only when the app is set up, where it is learnt how its clock differs.
TOLERANCE: Final = 1
#: So many wrong codes in a row are told to whoever reads the history; the wait for the next one doubles with
#: each.
TOLD_AT: Final = 5


def new_secret() -> str:
    """For an app, as hexadecimal digits; stored with the account only when a code of it was typed."""
    secret: str = random_hex(20)
    return secret


def enrolment_address(account: User, secret: str) -> str:
    """What the QR code says to an app."""
    address: str = TOTPDevice(user=account, name=NAME, key=secret).config_url
    return address


def is_enrolled(account: User) -> bool:
    found: bool = TOTPDevice.objects.filter(user=account, confirmed=True).exists()
    return found


def must_enrol(account: User) -> bool:
    """Whether the policy asks for a second factor that the account does not have."""
    return is_required(account) and not is_enrolled(account)


def is_required(account: User) -> bool:
    """Whether the policy (`SECOND_FACTOR_FOR`) names this account.

    Asks the database only where there is one.
    """
    policy: Collection[str] = settings.SECOND_FACTOR_FOR
    if not policy:
        return False
    if account.is_superuser:
        return is_asked(policy, {role.value for role in Role}, operator=True)
    roles = set(account.groups.values_list("name", flat=True))
    return is_asked(policy, roles, operator=account.is_staff)


@act(
    roles=NO_ROLE,
    locks=(Lock.ACCOUNT,),
    records=(Action.SECOND_FACTOR_SET_UP,),
    plain=("secret", "code"),
)
def enrol(*, account: User, secret: str, code: str, now: datetime) -> list[str]:
    """Set the app up that shows this code for the secret; answers with recovery codes, which are shown once.

    Every other session of the account is over: it was signed in without the second factor.
    """
    app = TOTP(bytes.fromhex(secret))
    app.time = now.timestamp()
    typed = as_typed(code)
    if not is_app_code(typed) or not app.verify(int(typed), TOLERANCE):
        raise CodeWrong(
            "This is not the code that the app shows for this secret.",
            recovery="Type the code that the app shows now; check the clock of the device that it runs on.",
            field="code",
        )
    with unit_of_work():
        _locked(account)
        if is_enrolled(account):
            raise WrongState("The account has an authenticator app already.", recovery="Turn it off first.")
        TOTPDevice.objects.create(user=account, name=NAME, key=secret, last_t=app.t(), drift=app.drift)
        codes = _fresh_codes(account, now)
        end_sessions(account, now)
        _record(account, Actor.person(account), Action.SECOND_FACTOR_SET_UP, now)
    return codes


@act(
    roles=NO_ROLE,
    locks=(Lock.SECOND_FACTOR,),
    records=(Action.RECOVERY_CODE_USED, Action.SECOND_FACTOR_REFUSED),
    plain=("code",),
)
def check_code(*, account: User, code: str, now: datetime) -> str:
    """`app` or `recovery code`: what the code was. CodeWrong when it is neither, or was used before.

    Wrong ones are counted with the account, and the wait for the next one doubles: TooManyTries until it is
    over.
    """
    with unit_of_work():
        device = _device(account)
        if wait := _wait(device, now):
            raise TooManyTries("There were too many wrong codes.", retry_after=wait)
        kind = _matching(device, as_typed(code), now)
        if kind == "recovery code":
            left = RecoveryCode.objects.filter(user=account, spent_at=None).count()
            _record(account, Actor.person(account), Action.RECOVERY_CODE_USED, now, left=left)
        if not kind and device.throttling_failure_count == TOLD_AT:
            _record(account, ORCHESTRATOR, Action.SECOND_FACTOR_REFUSED, now, wrong_codes=TOLD_AT)
    if not kind:
        raise CodeWrong("This code is not right, or it was used before.", field="code")
    return kind


@act(
    roles=NO_ROLE,
    only="with a code",
    locks=(Lock.ACCOUNT, Lock.SECOND_FACTOR),
    records=(Action.RECOVERY_CODES_RENEWED,),
    plain=("code",),
)
def renew_recovery_codes(*, account: User, code: str, now: datetime) -> list[str]:
    """Ten new ones, which are shown once; the old ones no longer work."""
    check_code(account=account, code=code, now=now)
    with unit_of_work():
        _locked(account)
        codes = _fresh_codes(account, now)
        _record(account, Actor.person(account), Action.RECOVERY_CODES_RENEWED, now)
    return codes


@act(
    roles=NO_ROLE,
    only="with a code, where no policy asks for it",
    locks=(Lock.ACCOUNT, Lock.SECOND_FACTOR),
    records=(Action.SECOND_FACTOR_TURNED_OFF,),
    plain=("code",),
)
def turn_off(*, account: User, code: str, now: datetime) -> None:
    """The account signs in with its password alone again, where the policy leaves that to its person."""
    if is_required(account):
        raise NotAllowed(
            f"{account} has to sign in with a second factor.",
            recovery="A new device? Ask an administrator to reset the second factor, then set it up again.",
        )
    check_code(account=account, code=code, now=now)
    _take_away(account, Actor.person(account), Action.SECOND_FACTOR_TURNED_OFF, now)


@act(
    roles=NO_ROLE,
    only="an administrator, for somebody else",
    locks=(Lock.ACCOUNT,),
    records=(Action.SECOND_FACTOR_RESET,),
)
def reset(*, account: User, actor: Actor, now: datetime) -> None:
    """An administrator removes the app and recovery codes of somebody who lost them, and signs them out."""
    if actor.user is not None and not actor.user.is_superuser:
        raise NotAllowed(f"Only an administrator may reset the second factor of {account}.")
    _take_away(account, actor, Action.SECOND_FACTOR_RESET, now)


def _take_away(account: User, actor: Actor, action: Action, now: datetime) -> None:
    with unit_of_work():
        _locked(account)
        if not is_enrolled(account):
            raise WrongState(
                f"{account} has no authenticator app.", recovery="There is nothing to take away."
            )
        TOTPDevice.objects.filter(user=account, confirmed=True).update(confirmed=False, key="")
        RecoveryCode.objects.filter(user=account, spent_at=None).update(spent_at=now)
        end_sessions(account, now)
        _record(account, actor, action, now)


def _device(account: User) -> TOTPDevice:
    """The account's app, locked: the same code twice at once counts once."""
    take(Lock.SECOND_FACTOR, account.pk)
    device = for_update(TOTPDevice.objects).filter(user=account, confirmed=True).first()
    if device is None:
        raise WrongState(f"{account} has no authenticator app.", recovery="Set one up under your name.")
    return device


def _wait(device: TOTPDevice, now: datetime) -> int:
    allowed, why = device.verify_is_allowed()
    return 0 if allowed else max(1, round((why["locked_until"] - now).total_seconds()))


def _matching(device: TOTPDevice, code: str, now: datetime) -> str:
    """What the code is. The library refuses codes of a step that was used, and counts wrong ones."""
    if not is_app_code(code) and _spend(device.user, code, now):
        device.throttle_reset()
        return "recovery code"
    device.tolerance = 0 if settings.SECOND_FACTOR_STRICT else TOLERANCE
    return "app" if device.verify_token(code if is_app_code(code) else None) else ""


def _spend(account: User, code: str, now: datetime) -> bool:
    unused = RecoveryCode.objects.filter(user=account, digest=_digest(code), spent_at=None)
    return unused.update(spent_at=now) == 1


def _fresh_codes(account: User, now: datetime) -> list[str]:
    RecoveryCode.objects.filter(user=account, spent_at=None).update(spent_at=now)
    codes = [recovery_code(secrets.token_bytes(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]
    digests = [_digest(as_typed(code)) for code in codes]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=account, digest=digest, made_at=now) for digest in digests
    )
    return codes


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _locked(account: User) -> None:
    take(Lock.ACCOUNT, account.pk)
    for_update(User.objects).get(pk=account.pk)


def _record(account: User, actor: Actor, action: Action, now: datetime, **data: int) -> None:
    record(workstream=None, actor=actor, action=action, subject=account.get_username(), now=now, data=data)
