"""FR-011: an authenticator app as the second factor: set up, asked for, replayed, lost, and required by the
policy.
"""

import re

import pytest
from django.test import Client

from orchestrator.models import HistoryEntry, RecoveryCode
from tests.acceptance.signing_in import App, at, enrol, is_in, sign_in
from tests.cast import Cast, UserFactory
from tests.machines import Machine
from tests.verified import first_breach
from tests.web.pages import words

PAGE = "/account/second-factor/"
CODE = "/accounts/login/code/"


def said() -> list[tuple[str, str]]:
    found = HistoryEntry.objects.filter(workstream=None).exclude(action="signed in").order_by("sequence")
    return list(found.values_list("action", "subject"))


def enrolled(client: Client, name: str = "anna") -> tuple[App, list[str]]:
    with at():
        sign_in(client, name)
        app, codes = enrol(client)
    client.logout()
    return app, codes


def test_the_page_shows_a_picture_and_the_same_secret_as_text(client: Client, cast: Cast) -> None:
    sign_in(client, "anna")
    text = client.get(PAGE).content.decode()
    picture = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert picture
    assert "<title>QR code" in picture[0]
    assert "style=" not in picture[0], "the content security policy takes no styles"
    secret = App(client.get(PAGE)).secret
    assert len(secret) == 20
    assert App(client.get(PAGE)).secret == secret, "a reload does not ask for another scan"
    assert "otpauth://totp/" in text


def test_signing_in_takes_the_password_and_a_code(client: Client, cast: Cast) -> None:
    app, codes = enrolled(client)
    assert len(codes) == 10
    with at(minutes=5):
        assert sign_in(client, "anna")["Location"] == CODE
        assert not is_in(client), "the password alone opens nothing"
        page = client.post(CODE, {"code": "000000"})
        assert page.status_code == 422
        assert not is_in(client)
    with at(minutes=6):
        assert client.post(CODE, {"code": app.code}).status_code == 302
        assert is_in(client)
    entry = HistoryEntry.objects.filter(action="signed in").latest("sequence")
    assert '"with":"password and app"' in entry.leaf
    assert first_breach() is None


@pytest.mark.parametrize(("strict", "status"), [(False, 302), (True, 422)])
def test_asvs_6_5_5_a_code_of_the_thirty_seconds_before_is_refused_where_that_is_wanted(
    client: Client, cast: Cast, settings, strict: bool, status: int
) -> None:
    settings.SECOND_FACTOR_STRICT = strict
    app, _ = enrolled(client)
    with at(minutes=5):
        early = app.code
    with at(minutes=5, seconds=30):
        sign_in(client, "anna")
        assert client.post(CODE, {"code": early}).status_code == status
        assert is_in(client) is not strict
    with at(minutes=7):
        client.logout()
        sign_in(client, "anna")
        assert client.post(CODE, {"code": app.code}).status_code == 302


def test_the_page_that_was_asked_for_opens_after_the_code(client: Client, cast: Cast) -> None:
    app, _ = enrolled(client)
    with at(minutes=5):
        sign_in(client, "anna", next="/gates/")
        assert client.post(CODE, {"code": app.code})["Location"] == "/gates/"


def test_a_code_is_used_once(client: Client, cast: Cast) -> None:
    app, _ = enrolled(client)
    with at():
        sign_in(client, "anna")
        page = client.post(CODE, {"code": app.code})
        assert page.status_code == 422, "the code of the set-up was used"
        assert "used before" in words(page)
    with at(minutes=5):
        code = app.code
        sign_in(client, "anna")
        assert client.post(CODE, {"code": code}).status_code == 302
        other = Client()
        sign_in(other, "anna")
        assert other.post(CODE, {"code": code}).status_code == 422
        assert not is_in(other)


def test_a_recovery_code_stands_in_once_and_only_its_hash_is_stored(client: Client, cast: Cast) -> None:
    _, codes = enrolled(client)
    stored = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert len(stored) == 10
    assert not any(code.replace("-", "") in digest for code in codes for digest in stored)
    with at(minutes=5):
        sign_in(client, "anna")
        assert client.post(CODE, {"code": codes[0].upper().replace("-", " ")}).status_code == 302
        assert is_in(client)
        assert "9 recovery codes left" in words(client.get("/account/"))
    with at(minutes=6):
        other = Client()
        sign_in(other, "anna")
        assert other.post(CODE, {"code": codes[0]}).status_code == 422
    assert ("recovery code used", "anna") in said()


def test_wrong_codes_make_the_wait_longer_and_are_told(client: Client, cast: Cast) -> None:
    app, _ = enrolled(client)
    for minute in range(5):
        with at(minutes=10 + minute):
            sign_in(client, "anna")
            assert client.post(CODE, {"code": "000000"}).status_code == 422
    with at(minutes=14):
        page = client.post(CODE, {"code": app.code})
        assert page.status_code == 429
        assert page["Retry-After"] == "16"
        assert "Wait 16 seconds" in words(page)
        assert not is_in(client)
    assert said().count(("second factor refused", "anna")) == 1
    with at(minutes=15):
        assert client.post(CODE, {"code": app.code}).status_code == 302


def test_the_second_step_ends_five_minutes_after_the_first(client: Client, cast: Cast) -> None:
    app, _ = enrolled(client)
    with at(minutes=10):
        sign_in(client, "anna")
    with at(minutes=16):
        assert client.post(CODE, {"code": app.code})["Location"] == "/accounts/login/"
        assert not is_in(client)
    assert Client().get(CODE)["Location"] == "/accounts/login/"


def test_setting_it_up_ends_the_sessions_that_were_begun_without_it(client: Client, cast: Cast) -> None:
    other = Client()
    with at(minutes=-1):
        sign_in(other, "anna")
        assert is_in(other)
    with at():
        sign_in(client, "anna")
        enrol(client)
        assert is_in(client)
        assert not is_in(other)
    assert said() == [("second factor set up", "anna")]


def test_a_wrong_first_code_sets_nothing_up(client: Client, cast: Cast) -> None:
    sign_in(client, "anna")
    client.get(PAGE)
    page = client.post(PAGE, {"code": "12345"})
    assert page.status_code == 422
    assert "This is not the code" in words(page)
    assert sign_in(Client(), "anna")["Location"] == "/"


def test_new_recovery_codes_and_turning_it_off_take_a_code(client: Client, cast: Cast) -> None:
    with at():
        sign_in(client, "anna")
        app, codes = enrol(client)
        assert client.post(f"{PAGE}codes/", {"code": "1"}).status_code == 422
    with at(minutes=1):
        page = client.post(f"{PAGE}codes/", {"code": app.code})
        fresh = re.findall(r'"secret">([a-z2-7-]+)<', page.content.decode())
        assert len(fresh) == 10
        assert not set(fresh) & set(codes)
    with at(minutes=2):
        assert client.post(f"{PAGE}off/", {"code": codes[0]}).status_code == 422, "an old one no longer works"
    with at(minutes=3):
        assert client.post(f"{PAGE}off/", {"code": fresh[0]}).status_code == 302
        assert sign_in(Client(), "anna")["Location"] == "/"
        assert is_in(client)
    assert [action for action, _ in said()] == [
        "second factor set up",
        "recovery codes renewed",
        "recovery code used",
        "second factor turned off",
    ]


class TestPolicy:
    @pytest.fixture(autouse=True)
    def policy(self, settings) -> None:
        settings.SECOND_FACTOR_FOR = ["approver", "operator"]

    @pytest.mark.parametrize("name", ["anna", "root"])
    def test_whom_it_names_gets_nothing_but_the_page_to_set_it_up(
        self, client: Client, cast: Cast, name: str
    ) -> None:
        with at():
            self.look_around(client, name)
            app = App(client.get(PAGE))
            assert client.post(PAGE, {"code": app.code}).status_code == 200
            assert is_in(client)

    def look_around(self, client: Client, name: str) -> None:
        sign_in(client, name)
        for address in (
            "/",
            "/plans/",
            "/account/",
            "/tokens/",
            "/admin/",
            "/history/",
            "/account/password/",
        ):
            assert client.get(address)["Location"] == PAGE, address
        assert client.post("/tokens/", {}).status_code == 403
        answer = client.get("/api/tasks/")
        assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-missing")
        assert "Your roles need a second factor" in words(client.get(PAGE))

    def test_others_sign_in_as_before(self, client: Client, cast: Cast) -> None:
        sign_in(client, "carl")
        assert is_in(client)

    def test_who_opens_the_administration_is_an_operator(self, client: Client, cast: Cast) -> None:
        UserFactory(username="stan", is_staff=True)
        sign_in(client, "stan")
        assert client.get("/plans/")["Location"] == PAGE

    def test_a_role_that_is_given_counts_in_the_session_that_runs(self, client: Client, cast: Cast) -> None:
        sign_in(client, "carl")
        cast.contributor.groups.add(*cast.approver.groups.all())
        assert client.get("/plans/")["Location"] == PAGE

    def test_its_tokens_wait_as_well(self, cast: Cast) -> None:
        cast.contributor.groups.add(*cast.approver.groups.all())
        machine = Machine.of(cast.builder())
        assert machine.get("/api/tasks/")[1]["code"] == "second-factor-missing"
        browser = Client()
        with at():
            sign_in(browser, "carl")
            enrol(browser)
        assert machine.get("/api/tasks/")[0] == 200

    def test_a_required_one_is_not_turned_off(self, client: Client, cast: Cast) -> None:
        with at():
            sign_in(client, "anna")
            app, _ = enrol(client)
        with at(minutes=1):
            page = client.post(f"{PAGE}off/", {"code": app.code})
            assert page.status_code == 403
            assert "ask an administrator" in words(page).lower()

    def test_an_administrator_resets_it_for_who_lost_it(self, client: Client, cast: Cast) -> None:
        enrolled(client)
        root = Client()
        with at(minutes=1):
            sign_in(root, "root")
            enrol(root)
            chosen = {"action": "reset_second_factor", "_selected_action": [cast.approver.pk]}
            assert "until a new one is set up" in words(root.post("/admin/auth/user/", chosen, follow=True))
        assert said()[-1] == ("second factor reset", "anna")
        assert HistoryEntry.objects.get(action="second factor reset").actor == "root"
        with at(minutes=2):
            assert sign_in(client, "anna")["Location"] == "/"
            assert client.get("/plans/")["Location"] == PAGE

    def test_a_misspelt_policy_stops_the_start(self, settings) -> None:
        from orchestrator.checks import second_factor_policy

        settings.SECOND_FACTOR_FOR = ["aprover"]
        assert "aprover" in second_factor_policy()[0].msg
