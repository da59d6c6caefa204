"""How tests sign in: as a browser does, with a password and with the codes of an authenticator app."""

import base64
import re
from datetime import UTC, datetime, timedelta

import time_machine
from django.http import HttpResponse
from django.test import Client
from django_otp.oath import TOTP

PASSWORD = "secret-for-tests"
NOON = datetime(2027, 3, 4, 12, 0, 5, tzinfo=UTC)


def sign_in(
    client: Client, name: str, password: str = PASSWORD, address: str = "127.0.0.1", **more: str
) -> HttpResponse:
    given = {"username": name, "password": password} | more
    return client.post("/accounts/login/", given, REMOTE_ADDR=address)


def is_in(client: Client) -> bool:
    return client.get("/plans/").status_code == 200


class App:
    """An authenticator app that was given the secret as text.

    Every code asked for is of the moment of the clock.
    """

    def __init__(self, page: HttpResponse) -> None:
        shown = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.content.decode())
        assert shown, "the page shows no secret"
        self.secret = base64.b32decode(shown[1].replace(" ", ""))

    @property
    def code(self) -> str:
        return f"{TOTP(self.secret).token():06d}"


def recovery_codes(page: HttpResponse) -> list[str]:
    return re.findall(r'<code class="secret">([a-z2-7-]{19})</code>', page.content.decode())


def enrol(client: Client) -> tuple[App, list[str]]:
    """Set the app up for whoever is signed in; the clock must stand."""
    app = App(client.get("/account/second-factor/"))
    page = client.post("/account/second-factor/", {"code": app.code})
    assert page.status_code == 200
    return app, recovery_codes(page)


def at(moment: datetime = NOON, **later: float) -> time_machine.travel:
    return time_machine.travel(moment + timedelta(**later), tick=False)
