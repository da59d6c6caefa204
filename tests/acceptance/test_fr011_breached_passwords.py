"""FR-011, ASVS 6.2.12: no password is chosen that the operator's list of stolen ones has."""

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tests.acceptance.signing_in import PASSWORD, sign_in
from tests.cast import Cast
from tests.web.pages import words

#: None of these is refused by any other rule.
STOLEN = [f"kTr9-xw02-mQzv-{number}" for number in range(200)]


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture
def file(tmp_path: Path, settings) -> Path:
    path = tmp_path / "breached.txt"
    path.write_text("".join(sorted(f"{digest(one)}:{len(one)}\n" for one in STOLEN)))
    settings.BREACHED_PASSWORDS = str(path)
    return path


def change(client: Client, new: str) -> tuple[int, str]:
    page = client.post("/account/password/", {"old": PASSWORD, "new": new, "again": new})
    return page.status_code, words(page)


def test_asvs_6_2_12_a_stolen_password_is_refused_on_the_page(client: Client, cast: Cast, file: Path) -> None:
    sign_in(client, "anna")
    status, text = change(client, STOLEN[7])
    assert status == 422
    assert "in a list of passwords that were stolen elsewhere. Choose another one" in text
    assert User.objects.get(username="anna").check_password(PASSWORD)
    assert change(client, "kTr9-xw02-mQzv-another")[0] == 302
    assert User.objects.get(username="anna").check_password("kTr9-xw02-mQzv-another")


def test_asvs_6_2_12_every_line_of_the_list_is_found_and_nothing_between(file: Path) -> None:
    from orchestrator.services.people.breached_passwords import is_breached

    assert [one for one in STOLEN if not is_breached(one, file)] == []
    assert [one for one in (f"other-{number}" for number in range(200)) if is_breached(one, file)] == []
    file.write_text(file.read_text().lower().replace("\n", "\r\n"))
    assert [one for one in STOLEN if not is_breached(one, file)] == []
    file.write_text("")
    assert not is_breached(STOLEN[0], file)


def test_asvs_6_2_12_commands_ask_the_list_too(
    cast: Cast, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: STOLEN[3])
    with pytest.raises(CommandError):
        call_command("changepassword", "anna")
    assert not User.objects.get(username="anna").check_password(STOLEN[3])


def test_asvs_6_2_12_a_list_that_cannot_be_read_lets_no_password_pass(
    client: Client, cast: Cast, file: Path
) -> None:
    file.unlink()
    sign_in(client, "anna")
    status, text = change(client, "kTr9-xw02-mQzv-another")
    assert status == 422
    assert "BREACHED_PASSWORDS names it" in text


def test_asvs_6_2_12_without_a_list_nothing_is_said_of_one(client: Client, cast: Cast) -> None:
    sign_in(client, "anna")
    assert "stolen" not in words(client.get("/account/password/"))
    assert change(client, STOLEN[7])[0] == 302
