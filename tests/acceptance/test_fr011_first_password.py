"""FR-011, ASVS 6.4.1: a password that somebody else set is changed before anything else, and ends unused."""

import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from orchestrator.core.terms import Role
from orchestrator.models import HistoryEntry
from tests.acceptance.signing_in import at, is_in, sign_in
from tests.cast import Cast
from tests.machines import Machine, secret_of
from tests.verified import first_breach
from tests.web.pages import signed_in, words

OWN, GIVEN = "three grey geese in a green field", "seven brown bears"
OWED = "Choose one of your own before anything else."


def noted(name: str) -> list[tuple[str, str, dict[str, str]]]:
    actions = ("account made", "password changed")
    found = HistoryEntry.objects.filter(subject=name, action__in=actions).order_by("sequence")
    return [(one.actor, one.action, json.loads(one.leaf)["data"]) for one in found]


def made_by_command() -> str:
    out = io.StringIO()
    call_command("add_user", "nora", "--role", "observer", stdout=out)
    assert "Within 72 hours somebody signs in with this and chooses another password" in out.getvalue()
    return out.getvalue().split()[-1]


def changed(client: Client, old: str, new: str = OWN):
    return client.post("/account/password/", {"old": old, "new": new, "again": new})


def test_asvs_6_4_1_a_first_password_is_changed_before_anything_else(client: Client, db) -> None:
    with at():
        password = made_by_command()
    with at(hours=71):
        assert sign_in(client, "nora", password).status_code == 302
        for page in ("/", "/plans/", "/account/", "/tokens/", "/account/second-factor/", "/no-such-page"):
            assert client.get(page).headers.get("Location") in ("/account/password/", None), page
        assert client.get("/plans/")["Location"] == "/account/password/"
        assert OWED in words(client.get("/account/password/"))
        for page in ("/tokens/", "/account/sign-out/"):
            assert client.post(page, {}).status_code == 403, page
        machine = client.get("/api/tasks/", headers={"accept": "application/json"})
        assert (machine.status_code, "chooses another" in machine.json()["message"]) == (403, True)
        assert "The new password is the present one." in words(changed(client, password, password))
        assert not is_in(client)
        assert changed(client, password).status_code == 302
        assert is_in(client)
        assert OWED not in words(client.get("/account/password/"))
    with at(hours=400):
        again = Client()
        assert sign_in(again, "nora", OWN).status_code == 302
        assert is_in(again), "one's own does not end"
    assert noted("nora") == [
        ("command line", "account made", {"owes": "a password of its own"}),
        ("nora", "password changed", {}),
    ]
    assert first_breach() is None


def test_asvs_6_4_1_a_first_password_that_is_not_used_ends(client: Client, db, settings) -> None:
    with at():
        password = made_by_command()
    settings.FIRST_PASSWORD_HOURS = 24
    with at(hours=24, minutes=1):
        wrong = words(sign_in(client, "nora", "guessed"))
        assert "do not match an account" in wrong
        assert "24 hours" not in wrong, "only who knows it is told so"
        assert "had to be used within 24 hours. Ask an administrator for another" in words(
            sign_in(client, "nora", password)
        )
        assert not is_in(client)
    with at(hours=23):
        assert sign_in(client, "nora", password).status_code == 302


def test_asvs_6_4_1_so_is_one_that_an_administrator_set(client: Client, cast: Cast, monkeypatch) -> None:
    given = {"usable_password": "true", "password1": GIVEN, "password2": GIVEN}
    root = signed_in(cast.admin)
    assert root.post("/admin/auth/user/add/", given | {"username": "nora"}).status_code == 302
    assert root.post(f"/admin/auth/user/{cast.observer.pk}/password/", given).status_code == 302
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_named: GIVEN)
    call_command("changepassword", "anna", stdout=io.StringIO())
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", GIVEN)
    call_command("createsuperuser", "--noinput", "--username", "boss", "--email", "", stdout=io.StringIO())
    for name in ("nora", "otto", "anna", "boss"):
        browser = Client()
        sign_in(browser, name, GIVEN)
        assert browser.get("/plans/")["Location"] == "/account/password/", name
        assert changed(browser, GIVEN)["Location"] == "/account/", name
        assert browser.get("/account/").status_code == 200


def test_asvs_6_4_1_tokens_go_on(cast: Cast, monkeypatch) -> None:
    machine = Machine(secret_of(cast.builder()), Client())
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_named: GIVEN)
    call_command("changepassword", "carl", stdout=io.StringIO())
    assert machine.get("/api/tasks/")[0] == 200


def test_an_administrators_own_password_is_their_own(cast: Cast) -> None:
    root = Client()
    sign_in(root, "root")
    given = {"usable_password": "true", "password1": OWN, "password2": OWN}
    assert root.post(f"/admin/auth/user/{cast.admin.pk}/password/", given).status_code == 302
    assert is_in(root)
    assert noted("root") == [("root", "password changed", {})]


def test_who_has_to_set_an_app_up_as_well_changes_the_password_first(client: Client, db, settings) -> None:
    settings.SECOND_FACTOR_FOR = ["observer"]
    password = made_by_command()
    sign_in(client, "nora", password)
    assert client.get("/account/second-factor/")["Location"] == "/account/password/"
    assert changed(client, password).status_code == 302
    assert client.get("/plans/")["Location"] == "/account/second-factor/"
    assert client.get("/account/second-factor/").status_code == 200


@pytest.mark.parametrize("given", ["", "demo"])
def test_accounts_of_the_demo_go_on_as_they_are(client: Client, db, monkeypatch, given: str) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", given)
    out = io.StringIO()
    call_command("setup_demo", stdout=out)
    lines = [line.split() for line in out.getvalue().splitlines() if line.startswith("Account")]
    assert [words[1] for words in lines] == [*(role.value for role in Role), "admin"]
    for _, name, *_, last in lines:
        assert sign_in(client, name, given or last).status_code == 302
        assert is_in(client), name
        client.logout()
    assert User.objects.filter(given_password__changed_at=None, given_password__isnull=False).count() == 0
