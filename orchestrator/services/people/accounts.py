"""What the history says of accounts: made, renamed, closed, roles and rights given and taken (FR-011).

Accounts are kept by Django, and changed by commands, by the administration and by their own people. Whoever
changes one reads its state before, and has the difference recorded in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django_otp.plugins.otp_totp.models import TOTPDevice

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, PasswordWeak
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import NO_ROLE, act
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.first_password import note_whose
from orchestrator.services.people.sessions import end_sessions

#: Who works with `manage.py` on the machine itself; the history cannot know more of them.
COMMAND_LINE = Actor("command line")
#: What became of an account, with the facts that the entry keeps.
Change = tuple[Action, dict[str, str]]


@dataclass(frozen=True, slots=True)
class AccountState:
    """What an account is called and what it may do."""

    name: str
    password: str
    active: bool
    roles: frozenset[str]
    rights: frozenset[str]


def account_state(account_id: int | None) -> AccountState | None:
    """As the database has it now; None for an account that is yet to be made."""
    account = User.objects.filter(pk=account_id).first() if account_id is not None else None
    if account is None:
        return None
    rights = {permission.codename for permission in account.user_permissions.all()}
    rights |= {name for name in ("is_staff", "is_superuser") if getattr(account, name)}
    roles = frozenset(account.groups.values_list("name", flat=True))
    return AccountState(account.get_username(), account.password, account.is_active, roles, frozenset(rights))


def record_changes(
    *, account: User, before: AccountState | None, actor: Actor, now: datetime, own_password: bool = False
) -> None:
    """An entry for each thing in which the account is now another one than before.

    Part of the caller's transaction. `own_password` says that its person chose the password although somebody
    else acts.
    """
    after = account_state(account.pk)
    if after is None:
        raise InvalidInput("There is no such account.")
    new = before is None
    own = own_password or actor.user == account or not account.has_usable_password()
    owes: dict[str, str] = {} if own else {"owes": "a password of its own"}
    if before is None or after.password != before.password:
        note_whose(account, given=bool(owes), now=now)
    before = before or AccountState(after.name, after.password, True, frozenset(), frozenset())
    said: list[Change] = [(Action.ACCOUNT_MADE, owes)] if new else []
    if after.name != before.name:
        said.append((Action.ACCOUNT_RENAMED, {"from": before.name, "to": after.name}))
    if after.password != before.password:
        said.append((Action.PASSWORD_CHANGED, owes))
    if after.active != before.active:
        said.append((Action.ACCOUNT_ACTIVATED if after.active else Action.ACCOUNT_DEACTIVATED, {}))
    said += [(Action.ROLE_GIVEN, {"role": name}) for name in sorted(after.roles - before.roles)]
    said += [(Action.ROLE_TAKEN, {"role": name}) for name in sorted(before.roles - after.roles)]
    said += [(Action.RIGHT_GIVEN, {"right": name}) for name in sorted(after.rights - before.rights)]
    said += [(Action.RIGHT_TAKEN, {"right": name}) for name in sorted(before.rights - after.rights)]
    with unit_of_work():
        for action, data in said:
            record(workstream=None, actor=actor, action=action, subject=after.name, now=now, data=data)


@act(
    roles=NO_ROLE,
    only="its own password, with the present one",
    plain=("old", "new"),
    records=(Action.PASSWORD_CHANGED,),
)
def change_password(*, account: User, old: str, new: str, now: datetime) -> None:
    """A person's own new password.

    Every other session of theirs is over; the caller keeps the one it was typed in.
    """
    if not account.check_password(old):
        raise InvalidInput(
            "The present password is not right.", recovery="Type the one you signed in with.", field="old"
        )
    if old == new:
        raise PasswordWeak("The new password is the present one.", recovery="Choose another one.")
    try:
        validate_password(new, account)
    except ValidationError as problem:
        raise PasswordWeak(" ".join(problem.messages)) from problem
    with unit_of_work():
        before = account_state(account.pk)
        account.set_password(new)
        account.save(update_fields=["password"])
        record_password(account=account, before=before, actor=Actor.person(account), now=now)


def record_password(*, account: User, before: AccountState | None, actor: Actor, now: datetime) -> None:
    """Ends sessions and waits that belong to the old password, and records the change.

    In the caller's transaction.
    """
    for device in TOTPDevice.objects.filter(user=account, confirmed=True):
        device.throttle_reset()
    end_sessions(account, now)
    record_changes(account=account, before=before, actor=actor, now=now)
