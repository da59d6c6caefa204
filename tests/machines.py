"""Machines in tests: an executor with a token, and the client that sends it."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from orchestrator.core.terms import Role, Scope
from orchestrator.models import Executor
from orchestrator.queries.base.roles import scopes_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.executors import issue_token
from tests.cast import NOON

EVERY_SCOPE = frozenset(scope.value for scope in Scope)


def secret_of(executor: Executor, scopes: frozenset[str] = EVERY_SCOPE) -> str:
    """The secret of a new token; its account issues it, as on its page.

    What the account cannot use any more was made while it had every role: each use asks its roles again.
    """
    if scopes <= scopes_of(executor.user):
        return _issued(executor, scopes)
    groups = list(executor.user.groups.all())
    executor.user.groups.set(Group.objects.filter(name__in=[role.value for role in Role]))
    secret = _issued(executor, scopes)
    executor.user.groups.set(groups)
    return secret


def _issued(executor: Executor, scopes: frozenset[str]) -> str:
    owner = Actor.person(executor.user)
    _, secret = issue_token(
        executor=executor, label="test", scopes=scopes, actor=owner, now=NOON, in_browser=True
    )
    return secret


@dataclass(frozen=True)
class Machine:
    """Sends JSON with a bearer token; `call` answers with status and JSON."""

    secret: str
    client: Client

    @classmethod
    def of(cls, executor: Executor, scopes: frozenset[str] = EVERY_SCOPE) -> "Machine":
        # CSRF is enforced, as in production: a token must not need it.
        return cls(secret_of(executor, scopes), Client(enforce_csrf_checks=True))

    def call(self, method: str, address: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.secret}"} | ({"idempotency-key": key} if key else {})
        data = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        response = self.client.generic(
            method, address, data, content_type="application/json", headers=headers
        )
        return response.status_code, response.json()

    def get(self, address: str) -> tuple[int, Any]:
        return self.call("GET", address)

    def post(self, address: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        return self.call("POST", address, body, key)

    def patch(self, address: str, body: Any, key: str = "") -> tuple[int, Any]:
        return self.call("PATCH", address, body, key)
