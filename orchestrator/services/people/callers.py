"""Callers: who uses a machine interface, and what the token they hold allows (design section 7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from orchestrator.core.errors import NotAllowed, NotFound, SecondFactorMissing
from orchestrator.core.terms import ExecutorKind, Scope
from orchestrator.models import Executor
from orchestrator.queries.base.sql import Joined, Table
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import EVERY_ROLE, Act, lacking, why_none
from orchestrator.services.people.second_factor import must_enrol
from orchestrator.services.people.tokens import authenticate


@dataclass(frozen=True, slots=True)
class Caller:
    """An actor with scopes. People in a session have every scope: their roles alone decide."""

    actor: Actor
    scopes: frozenset[str]

    def require(self, scope: Scope) -> None:
        """Deny by default: NotAllowed names the scope that the token lacks."""
        if scope not in self.scopes:
            raise NotAllowed(
                f"This token may not do this: it lacks the scope {scope}.",
                recovery=f"Use a token with the scope {scope}.",
                scope=scope.value,
            )

    def admit(self, *acts: Act[..., Any]) -> None:
        """Refuses who may do none of these acts, by the token's scope or by their role."""
        self.require_scope_of(*acts)
        self.require_role_for(*acts)

    def require_scope_of(self, *acts: Act[..., Any]) -> None:
        """NotAllowed names the scope of the acts, which share one, that the token lacks."""
        for scope in {act.declaration.scope for act in acts}:
            if scope is None:
                raise NotAllowed("No machine interface offers this.", recovery="Do it in the browser.")
            self.require(scope)

    def require_role_for(self, *acts: Act[..., Any]) -> None:
        """The refusal of the first of the acts, unless the actor may do one of them."""
        if refusal := why_none(acts, self.actor):
            raise refusal

    @property
    def claimer(self) -> Executor | None:
        """The member of the pool that would claim for this caller, if there is one."""
        if self.actor.executor is not None:
            return self.actor.executor
        people = Executor.objects.filter(kind=ExecutorKind.PERSON).select_related("user")
        return people.filter(user=self.actor.account).order_by("pk").first()

    @property
    def executor(self) -> Executor:
        """The member of the pool that claims.

        A person in a session is none until one is registered for them.
        """
        own = self.claimer
        if own is None:
            raise NotAllowed(
                f"{self.actor.label} has no executor to claim with.",
                recovery="Claim a first task on its page, which registers one, or use the token "
                "of an executor.",
            )
        return own


def caller_by_token(secret: str, now: datetime, address: str = "") -> Caller:
    """The executor behind a live token; NotSignedIn when it is unknown, revoked or too old.

    SecondFactorMissing while its account has to set one up: until then such an account gets nothing.
    """
    token = authenticate(secret, now, address)
    if must_enrol(token.executor.user):
        raise SecondFactorMissing(
            f"{token.executor.user} has to set up a second factor before its tokens work."
        )
    return _let_in(Actor.member(token.executor), token.scope_set)


def caller_by_session(user: User) -> Caller:
    return _let_in(Actor.person(user), frozenset(Scope))


def caller_by_command(user: User) -> Caller:
    """A person named on the operator's own command line; the history says that it was a command."""
    return _let_in(Actor.operator(user), frozenset(Scope))


def member_by_command(name: str) -> Caller:
    """An executor named there.

    A person's own is refused: its acts would count as made with that person's token.
    """
    caller = caller_by_name(name)
    if caller.executor.kind == ExecutorKind.PERSON:
        raise NotAllowed(
            f"The executor {name} is a person, who acts in the browser or with a token of their own.",
            recovery="Name an agent or a tool.",
        )
    return caller


def caller_by_name(name: str) -> Caller:
    """The executor that a branch of the workspace or the operator names, where no token proves it."""
    row = _ACTIVE.first(name)
    if row is None:
        raise NotFound(f"There is no executor {name!r} with an active account.")
    executor: Executor = row["executor"]
    executor.user = row["account"]
    return _let_in(Actor.member(executor), frozenset(Scope))


_ACTIVE = Joined(
    {"executor": Table(Executor), "account": Table(User)},
    """orchestrator_executor executor JOIN auth_user account ON account.id = executor.user_id
WHERE executor.name = %s AND account.is_active""",
)


def _let_in(actor: Actor, scopes: frozenset[str]) -> Caller:
    """The one door of REST, MCP and commands: NoRole for an account without a role, whatever it asks for."""
    if refusal := lacking(actor, EVERY_ROLE):
        raise refusal
    return Caller(actor, scopes)


def sent_in_the_clear() -> NotAllowed:
    """What a program is told that calls without TLS where there is TLS (ASVS 4.1.2): redirected, it would go
    on sending its token readable with every call."""
    return NotAllowed(
        "This call came without TLS, so nothing was done.",
        recovery="Call the address that begins with https:// instead. If the call held a token, somebody may "
        "have read it: give it up on the page of tokens and make a new one.",
    )
