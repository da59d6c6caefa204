"""Executors and the tokens they sign in with (FR-027, design section 7)."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, NotAllowed, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import PARTICIPANTS
from orchestrator.core.terms import ExecutorKind, Scope
from orchestrator.models import AccessToken, Executor
from orchestrator.queries.base.roles import scopes_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import EVERY_ROLE, NO_ROLE, act
from orchestrator.services.base.bounds import refuse_more_executors, refuse_more_tokens
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, for_update, lock_names, take
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.names import claim_executor_name
from orchestrator.services.people.tokens import digest_of

SCOPES = frozenset(scope.value for scope in Scope)
PREFIX = "pteo_"


@act(
    roles=EVERY_ROLE,
    only="for itself",
    locks=(Lock.NAMES,),
    records=(Action.EXECUTOR_REGISTERED,),
)
def register_executor(*, name: str, kind: ExecutorKind, user: User, now: datetime) -> Executor:
    """The executor of that name; made at the first call. A name belongs to one account and stays of one kind.

    InvalidInput when the name is, or looks like, that of an account, another executor, a role or the
    orchestrator.
    """
    with unit_of_work():
        executor = _named(name) or _new(name, kind, user, now)
    if executor.user_id != user.pk:
        raise NotAllowed(
            f"The executor {name} belongs to {executor.user}.",
            recovery="Choose another name, or have the account that it belongs to do it.",
        )
    if executor.kind != kind:
        raise InvalidInput(
            f"The executor {name} is registered as {executor.kind}, not as {kind}.",
            recovery="Choose another name, or the kind that it has.",
            field="kind",
        )
    return executor


@act(
    roles=PARTICIPANTS,
    only="for itself",
    locks=(Lock.NAMES,),
    records=(Action.EXECUTOR_REGISTERED,),
)
def register_own(*, user: User, now: datetime) -> Executor:
    """The executor through which a person claims in the browser; its name stands apart from the account's."""
    name = f"{re.sub('[^A-Za-z0-9]+', '-', user.get_username()).strip('-')[:40] or 'person'}-in-person"
    try:
        return register_executor(name=name, kind=ExecutorKind.PERSON, user=user, now=now)
    except (InvalidInput, NotAllowed):
        return register_executor(name=f"{name}-{user.pk}", kind=ExecutorKind.PERSON, user=user, now=now)


def _named(name: str) -> Executor | None:
    return Executor.objects.select_related("user").filter(name=name).first()


def _new(name: str, kind: ExecutorKind, user: User, now: datetime) -> Executor:
    """The one to use: behind the names lock somebody else may have made the very same one."""
    lock_names()
    if executor := _named(name):
        return executor
    refuse_more_executors(user)
    alike = claim_executor_name(name)
    executor = Executor.objects.create(name=name, skeleton=alike, kind=kind, user=user, created_at=now)
    record(
        workstream=None,
        actor=Actor.person(user),
        action=Action.EXECUTOR_REGISTERED,
        subject=name,
        now=now,
        data={"kind": executor.kind},
    )
    return executor


@act(
    roles=EVERY_ROLE,
    only="the executor's owner or an administrator; for a person's executor that person, in the browser",
    records=(Action.TOKEN_ISSUED,),
)
def issue_token(
    *,
    executor: Executor,
    label: str,
    scopes: frozenset[str],
    actor: Actor,
    now: datetime,
    expires_at: datetime | None = None,
    in_browser: bool = False,
) -> tuple[AccessToken, str]:
    """A new token and its secret, which is stored nowhere: only its keyed hash is.

    What is done with a person's token counts as that person's act, such as a signature. So only they make it,
    signed in in the browser: no command, no machine and no administrator does it for them.
    """
    if refusal := why_not_issue(executor, actor, in_browser=in_browser):
        raise refusal
    if unknown := scopes - SCOPES:
        raise InvalidInput(f"Unknown scope {', '.join(sorted(unknown))}.", field="scopes")
    if unusable := scopes - scopes_of(executor.user):
        raise _unusable(executor, sorted(unusable))
    refuse_more_tokens(executor)
    secret = PREFIX + secrets.token_urlsafe(32)
    with unit_of_work():
        token = AccessToken.objects.create(
            executor=executor,
            label=label[:100] or "token",
            digest=digest_of(secret),
            scopes=" ".join(sorted(scopes)),
            created_at=now,
            created_by=actor.account,
            expires_at=expires_at,
        )
        record(
            workstream=None,
            actor=actor,
            action=Action.TOKEN_ISSUED,
            subject=executor.name,
            now=now,
            data={
                "label": token.label,
                "scopes": token.scopes,
                "expires": expires_at.isoformat() if expires_at else "",
            },
        )
    return token, secret


@act(
    roles=NO_ROLE,
    only="the owner of the executor or an administrator",
    locks=(Lock.TOKEN,),
    records=(Action.TOKEN_REVOKED,),
)
def revoke_token(*, token_id: int, actor: Actor, now: datetime) -> AccessToken:
    """Nobody can sign in with it from now on; calling it again changes nothing."""
    with unit_of_work():
        take(Lock.TOKEN, token_id)
        token = for_update(AccessToken.objects).filter(pk=token_id).first()
        if token is None:
            raise NotFound("There is no such token.")
        _own(token.executor, actor)
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            record(
                workstream=None,
                actor=actor,
                action=Action.TOKEN_REVOKED,
                subject=token.executor.name,
                now=now,
            )
    return token


@act(
    roles=NO_ROLE,
    only="the owner of the executor or an administrator",
    locks=(Lock.TOKEN,),
    records=(Action.TOKEN_REVOKED,),
    in_steps=True,
)
def retire_executor(*, name: str, actor: Actor, now: datetime) -> int:
    """Revoke every token of an executor, so that it signs in no more; how many there were. Its name stays
    its own, and a new token takes it into work again."""
    executor = _named(name)
    if executor is None:
        raise NotFound(f"There is no executor {name}.")
    _own(executor, actor)
    live = list(executor.tokens.filter(revoked_at=None).values_list("pk", flat=True))
    for token in live:
        revoke_token(token_id=token, actor=actor, now=now)
    return len(live)


def why_not_manage(executor: Executor, actor: Actor) -> Refusal | None:
    """Why this actor may neither make nor revoke tokens of the executor: it is another account's."""
    if actor.user is not None and (actor.user.is_superuser or _is_owner(executor, actor)):
        return None
    return NotAllowed(
        f"The executor {executor} belongs to another account.",
        recovery=f"{executor.user} and administrators manage it.",
    )


def why_not_issue(executor: Executor, actor: Actor, *, in_browser: bool = True) -> Refusal | None:
    """Why this actor may not make a token of the executor: it is another account's, or acts as a person."""
    if refusal := issue_token.why_not(actor) or why_not_manage(executor, actor):
        return refusal
    if executor.kind != ExecutorKind.PERSON or (in_browser and _is_owner(executor, actor)):
        return None
    return NotAllowed(
        f"A token of {executor} acts as the person {executor.user}, who alone can make it, in the browser.",
        recovery="Have that person make it under their name, Executors and tokens; or register an agent or a "
        "tool.",
    )


def why_not_retire(executor: Executor, actor: Actor) -> Refusal | None:
    """Why this actor may not retire the executor; one without a live token is retired already."""
    if refusal := why_not_manage(executor, actor):
        return refusal
    if executor.tokens.filter(revoked_at=None).exists():
        return None
    return WrongState(
        "It has no token.",
        recovery="Those that the server starts need none; the setting EXECUTORS counts them.",
    )


def _unusable(executor: Executor, scopes: Sequence[str]) -> NotAllowed:
    return NotAllowed(
        f"{executor.user} only looks on, so a token of {executor.name} reads, and cannot have the "
        f"scope {' or '.join(scopes)}.",
        recovery="Make it with the scope read, or have an administrator give the account another role first.",
    )


def _own(executor: Executor, actor: Actor) -> None:
    if refusal := why_not_manage(executor, actor):
        raise refusal


def _is_owner(executor: Executor, actor: Actor) -> bool:
    """The account itself, in its own session; an executor of the account is not the person."""
    return actor.user is not None and actor.executor is None and executor.user_id == actor.user.pk
