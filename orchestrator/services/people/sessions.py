"""Sign an account out everywhere, by itself or by an administrator (design section 7)."""

from datetime import datetime

from django.contrib.auth.models import User

from orchestrator.core.actions import Action
from orchestrator.core.errors import NotAllowed, WrongState
from orchestrator.core.people.sessions import SIGNED_IN
from orchestrator.models import OpenSession, SessionEnd
from orchestrator.models.people.open_session import SessionStore
from orchestrator.queries.base.open_sessions import moment, session_name
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import NO_ROLE, act
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work


@act(
    roles=NO_ROLE,
    only="or an administrator",
    records=(Action.SIGNED_OUT_EVERYWHERE,),
)
def sign_out_everywhere(*, account: User, actor: Actor, now: datetime) -> None:
    """Every session of the account that began before `now` is over.

    Tokens go on; they are revoked one by one.
    """
    if actor.user is not None and actor.user.pk != account.pk and not actor.user.is_superuser:
        raise NotAllowed(f"Only {account} or an administrator may sign {account} out everywhere.")
    with unit_of_work():
        end_sessions(account, now)
        record(
            workstream=None,
            actor=actor,
            action=Action.SIGNED_OUT_EVERYWHERE,
            subject=account.get_username(),
            now=now,
        )


@act(
    roles=NO_ROLE,
    only="one of its own",
    records=(Action.SESSION_ENDED,),
)
def end_session(*, account: User, session: str, now: datetime) -> None:
    """The session that the account's page calls so is over at once; WrongState when it was already."""
    with unit_of_work():
        own = OpenSession.objects.filter(account=account)
        found = next((one for one in own if session_name(one.session_key) == session), None)
        if found is None:
            raise WrongState("This session is over already.", recovery="Your account lists those that go on.")
        signed_in = moment(found.get_decoded(), SIGNED_IN)
        SessionStore(found.session_key).flush()
        record(
            workstream=None,
            actor=Actor.person(account),
            action=Action.SESSION_ENDED,
            subject=account.get_username(),
            now=now,
            data={"begun": signed_in.isoformat(timespec="seconds")},
        )


def end_sessions(account: User, now: datetime) -> None:
    """Part of an act that changes how the account signs in."""
    SessionEnd.objects.update_or_create(user=account, defaults={"at": now})
