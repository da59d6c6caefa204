"""Executors and tokens of the person who is signed in; a secret is shown once (FR-027)."""

import re

from django.test import Client

from orchestrator.models import AccessToken, Executor
from orchestrator.services.people.tokens import live_token
from tests.cast import Cast

NEW = {"executor": "builder-7", "kind": "agent", "label": "laptop", "scopes": ["read", "work"]}


def made(client: Client) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', client.post("/tokens/", NEW).content.decode())
    assert found
    return found[1]


def test_the_secret_is_shown_once_and_works(client: Client, cast: Cast) -> None:
    client.force_login(cast.contributor)
    secret = made(client)
    token = live_token(secret)
    assert token is not None
    assert (token.executor.name, token.executor.user, token.scopes) == (
        "builder-7",
        cast.contributor,
        "read work",
    )
    again = client.get("/tokens/")
    assert secret not in again.content.decode()
    assert "laptop" in again.content.decode()
    assert "no-store" in again["Cache-Control"]


def test_a_revoked_token_does_not_sign_in(client: Client, cast: Cast) -> None:
    client.force_login(cast.contributor)
    secret = made(client)
    assert client.post(f"/tokens/{AccessToken.objects.get().pk}/revoke/").status_code == 302
    assert live_token(secret) is None
    assert "Revoked" in client.get("/tokens/").content.decode()


def test_other_peoples_tokens_are_neither_shown_nor_revoked(client: Client, cast: Cast) -> None:
    client.force_login(cast.contributor)
    secret = made(client)
    client.force_login(cast.reviewer)
    assert "builder-7" not in client.get("/tokens/").content.decode()
    assert client.post(f"/tokens/{AccessToken.objects.get().pk}/revoke/").status_code == 403
    assert client.post("/tokens/", NEW).status_code == 403
    assert live_token(secret) is not None


def test_a_bad_name_is_named(client: Client, cast: Cast) -> None:
    client.force_login(cast.contributor)
    response = client.post("/tokens/", NEW | {"executor": "no blanks"})
    assert response.status_code == 422
    assert "Use letters, digits, - and _ only" in response.content.decode()
    assert not Executor.objects.exists()
