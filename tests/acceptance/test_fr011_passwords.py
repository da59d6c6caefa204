"""FR-011, ASVS 6.1.2, 6.2.11: a password is not made of words that belong to the place where it is used."""

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client

from orchestrator.core.people.passwords import PRODUCT_WORDS
from tests.acceptance.signing_in import PASSWORD, sign_in
from tests.cast import Cast
from tests.web.pages import signed_in, words

GUIDE = Path(__file__).resolve().parents[2] / "orchestrator" / "guide" / "operating.md"
REFUSED = "made of words that belong to this place"


@pytest.fixture(autouse=True)
def place(settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "plans.bakery.example"]
    settings.PASSWORD_WORDS = ["Acme & Sons", "Ржаной"]


def change(client: Client, new: str) -> HttpResponse:
    return client.post("/account/password/", {"old": PASSWORD, "new": new, "again": new})


@pytest.mark.parametrize(
    ("new", "word"),
    [
        ("Orchestrator-2027!", "orchestrator"),
        ("0rche5trat0r#8492", "orchestrator"),
        ("approver-approver", "approver"),
        ("workflow+workstream", "workflow, workstream"),
        ("BakeryBakery99", "bakery"),
        ("acme-sons-2027", "acme, sons"),
        ("ржаной-ржаной-1", "ржаной"),
    ],
)
def test_asvs_6_2_11_words_of_the_place_make_no_password(
    client: Client, cast: Cast, new: str, word: str
) -> None:
    sign_in(client, "anna")
    page = change(client, new)
    assert page.status_code == 422
    assert f"{REFUSED}: {word}. Beside them it needs at least 8 letters." in words(page)
    assert User.objects.get(username="anna").check_password(PASSWORD)


@pytest.mark.parametrize(
    "new",
    [
        "the bakery sells warm bread",
        "three plans a day keep us busy",
        "acme, sons: nephews too",
        "kTr9-xw02-mQzv",
    ],
)
def test_asvs_6_2_11_a_longer_sentence_may_use_them(client: Client, cast: Cast, new: str) -> None:
    sign_in(client, "anna")
    assert change(client, new).status_code == 302
    assert User.objects.get(username="anna").check_password(new)


def test_asvs_6_2_11_the_page_says_the_rule(client: Client, cast: Cast) -> None:
    sign_in(client, "anna")
    assert "made of words that belong to this place" in words(client.get("/account/password/"))


def test_asvs_6_2_11_the_administration_and_the_commands_refuse_them_too(cast: Cast, monkeypatch) -> None:
    weak = {"usable_password": "true", "password1": "acme-sons-2027", "password2": "acme-sons-2027"}
    root = signed_in(cast.admin)
    for address, more in (
        ("/admin/auth/user/add/", {"username": "nora"}),
        (f"/admin/auth/user/{cast.observer.pk}/password/", {}),
    ):
        page = root.post(address, weak | more)
        assert (page.status_code, REFUSED in words(page)) == (200, True), address
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_named: "acme-sons-2027")
    said = io.StringIO()
    with pytest.raises(CommandError, match="3 attempts"):
        call_command("changepassword", "otto", stdout=io.StringIO(), stderr=said)
    assert REFUSED in said.getvalue()
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "acme-sons-2027")
    with pytest.raises(CommandError, match=REFUSED):
        call_command("createsuperuser", "--noinput", "--username", "boss", "--email", "", stdout=said)
    assert not User.objects.filter(username__in=["nora", "boss"]).exists()
    assert User.objects.get(username="otto").check_password(PASSWORD)


def test_asvs_6_2_11_a_password_made_by_a_command_keeps_to_the_rules(db, monkeypatch) -> None:
    drawn = iter(["approver-012", "kTr9-xw02-mQ"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _bytes: next(drawn))
    out = io.StringIO()
    call_command("add_user", "nora", "--role", "observer", stdout=out)
    assert "password kTr9-xw02-mQ" in out.getvalue()


def test_asvs_6_1_2_the_guide_lists_the_words() -> None:
    text = GUIDE.read_text(encoding="utf-8").split("## Passwords", 1)[1].split("\n## ", 1)[0]
    assert [word for word in PRODUCT_WORDS if f"`{word}`" not in text] == []
    for name in ("ALLOWED_HOSTS", "PUBLIC_URL", "PASSWORD_WORDS"):
        assert f"`{name}`" in text
