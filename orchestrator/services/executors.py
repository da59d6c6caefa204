"""Executors and the tokens they sign in with (FR-027, design section 7)."""

import re
import secrets
from datetime import datetime

from django.contrib.auth.models import User

from orchestrator.core.errors import InvalidInput, NotAllowed, NotFound
from orchestrator.core.terms import ExecutorKind, Scope
from orchestrator.models import AccessToken, Executor
from orchestrator.services.actor import Actor
from orchestrator.services.bounds import refuse_more_executors, refuse_more_tokens
from orchestrator.services.history import record
from orchestrator.services.locks import Lock, for_update, take
from orchestrator.services.tokens import digest_of
from orchestrator.services.unit_of_work import unit_of_work

SCOPES = frozenset(scope.value for scope in Scope)
PREFIX = "pteo_"


def register_executor(*, name: str, kind: ExecutorKind, user: User, now: datetime) -> Executor:
    """The executor of that name; made at the first call. A name belongs to one account."""
    Actor.person(user).require_some_role()
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name):
        raise InvalidInput("An executor's name has letters, digits, - and _ only.", field="name")
    with unit_of_work():
        if not Executor.objects.filter(name=name).exists():
            refuse_more_executors(user)
        executor, made = Executor.objects.get_or_create(
            name=name, defaults={"kind": kind, "user": user, "created_at": now}
        )
        if executor.user_id != user.pk:
            raise NotAllowed(f"The executor {name} belongs to {executor.user}.")
        if made:
            record(workstream=None, actor=Actor.person(user), action="executor registered", subject=name, now=now)
    return executor


def issue_token(
    *,
    executor: Executor,
    label: str,
    scopes: frozenset[str],
    actor: Actor,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[AccessToken, str]:
    """A new token and its secret, which is stored nowhere: only its keyed hash is."""
    actor.require_some_role()
    _own(executor, actor)
    if unknown := scopes - SCOPES:
        raise InvalidInput(f"Unknown scope {', '.join(sorted(unknown))}.", field="scopes")
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
            action="token issued",
            subject=executor.name,
            now=now,
            data={
                "label": token.label,
                "scopes": token.scopes,
                "expires": expires_at.isoformat() if expires_at else "",
            },
        )
    return token, secret


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
            record(workstream=None, actor=actor, action="token revoked", subject=token.executor.name, now=now)
    return token


def _own(executor: Executor, actor: Actor) -> None:
    if actor.user is None or not (actor.user.is_superuser or executor.user_id == actor.user.pk):
        raise NotAllowed(f"The executor {executor} belongs to another account.")
