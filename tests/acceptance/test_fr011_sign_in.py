"""FR-011, FR-009: signing in with a password: rules, limits, sessions that end, and what the history says of
it.
"""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orchestrator import settings as product
from orchestrator.models import HistoryEntry
from orchestrator.web.people.account import wrong
from tests.acceptance.signing_in import PASSWORD, at, is_in, sign_in
from tests.cast import Cast
from tests.verified import first_breach
from tests.web.pages import htmx, signed_in, words

GOOD = "three grey geese in a green field"


def entries(*actions: str) -> list[tuple[str, str, str]]:
    found = HistoryEntry.objects.filter(workstream=None, action__in=actions).order_by("sequence")
    return list(found.values_list("actor", "action", "subject"))


def test_fr009_a_sign_in_is_an_entry(client: Client, cast: Cast) -> None:
    assert sign_in(client, "anna").status_code == 302
    assert is_in(client)
    assert entries("signed in") == [("anna", "signed in", "anna")]
    assert first_breach() is None


def test_a_wrong_password_is_refused_and_leads_back(client: Client, cast: Cast) -> None:
    assert "You are not signed in" in words(sign_in(client, "anna", "wrong"))
    assert not is_in(client)
    assert entries("signed in") == []


def test_the_administration_has_no_sign_in_of_its_own(client: Client, cast: Cast) -> None:
    answer = client.get("/admin/login/?next=/admin/orchestrator/task/")
    assert answer["Location"] == "/accounts/login/?next=/admin/orchestrator/task/"
    assert client.post("/admin/login/", {"username": "root", "password": PASSWORD})["Location"].startswith(
        "/accounts/"
    )
    assert not is_in(client)
    assert (
        client.get("/admin/login/?next=https://evil.example/")["Location"] == "/accounts/login/?next=/admin/"
    )


class TestLimits:
    @pytest.fixture(autouse=True)
    def counted(self, settings) -> None:
        settings.AXES_ENABLED = True

    def test_ten_failures_of_one_name_stop_it_from_everywhere(self, client: Client, cast: Cast) -> None:
        for number in range(10):
            answer = sign_in(client, "anna", "wrong", f"192.0.2.{number}")
        assert answer.status_code == 429
        assert answer["Retry-After"] == "900"
        assert "failed too often" in words(answer)
        assert "Wait 15 minutes, then sign in" in words(answer), "a person sees no header"
        assert sign_in(client, "anna", address="198.51.100.7").status_code == 429
        assert not is_in(client)
        assert sign_in(client, "rita", address="198.51.100.7").status_code == 302

    def test_fifty_failures_from_one_address_stop_it_for_every_name(self, client: Client, cast: Cast) -> None:
        for number in range(50):
            answer = sign_in(client, f"name-{number}", "wrong", "192.0.2.1")
        assert answer.status_code == 429
        assert sign_in(client, "rita", address="192.0.2.1").status_code == 429
        assert sign_in(client, "rita", address="192.0.2.2").status_code == 302

    def test_one_network_of_long_addresses_counts_as_one(self, client: Client, cast: Cast) -> None:
        for number in range(50):
            answer = sign_in(client, f"name-{number}", "wrong", f"2001:db8:0:7::{number:x}")
        assert answer.status_code == 429
        assert sign_in(client, "rita", address="2001:db8:0:7:ffff::1").status_code == 429
        assert sign_in(client, "rita", address="2001:db8:0:8::1").status_code == 302

    def test_after_a_quarter_of_an_hour_it_goes_on(self, client: Client, cast: Cast) -> None:
        with at():
            for _ in range(10):
                sign_in(client, "anna", "wrong")
        with at(minutes=14):
            assert sign_in(client, "anna").status_code == 429
        with at(minutes=16):
            assert sign_in(client, "anna").status_code == 302

    def test_fr009_a_lock_out_is_one_entry_without_what_was_typed(self, client: Client, cast: Cast) -> None:
        for _ in range(15):
            sign_in(client, "anna", "wrong")
            sign_in(client, "my secret typed into the wrong field", "x", "192.0.2.1")
        assert entries("sign-in stopped") == [
            ("orchestrator", "sign-in stopped", "anna"),
            ("orchestrator", "sign-in stopped", "a name that no account has"),
        ]
        assert not HistoryEntry.objects.filter(leaf__contains="typed into").exists()
        kept = [str(one) for row in AccessAttempt.objects.values_list() for one in row]
        assert any("anna" in one for one in kept)
        assert not any("typed into" in one for one in kept)

    def test_behind_a_proxy_the_address_is_the_one_that_the_nearest_proxy_adds(
        self, client: Client, cast: Cast, settings
    ) -> None:
        settings.CLIENT_ADDRESS_HEADER = "X-Forwarded-For"
        for number in range(50):
            forged = f"203.0.113.{number}, 192.0.2.1"
            client.post(
                "/accounts/login/",
                {"username": f"name-{number}", "password": "x"},
                headers={"x-forwarded-for": forged},
            )
        given = {"username": "rita", "password": PASSWORD}
        assert (
            client.post("/accounts/login/", given, headers={"x-forwarded-for": "192.0.2.1"}).status_code
            == 429
        )
        assert (
            client.post("/accounts/login/", given, headers={"x-forwarded-for": "192.0.2.9"}).status_code
            == 302
        )


class TestSessions:
    @pytest.fixture(autouse=True)
    def limits(self, settings) -> None:
        settings.SESSION_IDLE_MINUTES = product.SESSION_IDLE_MINUTES
        settings.SESSION_HOURS = product.SESSION_HOURS
        settings.SESSION_COOKIE_AGE = product.SESSION_COOKIE_AGE

    def test_an_idle_session_ends_and_says_so(self, client: Client, cast: Cast) -> None:
        with at():
            sign_in(client, "anna")
        with at(minutes=119):
            assert is_in(client)
        with at(minutes=119 + 121):
            answer = client.get("/plans/")
            assert answer["Location"].startswith("/accounts/login/")
            assert "after 2 hours in which nothing was asked for" in words(client.get(answer["Location"]))
        with at(minutes=119):
            assert not is_in(client), "it does not come back"

    def test_a_page_that_refreshes_itself_keeps_no_session_alive(
        self, client: Client, cast: Cast, driver
    ) -> None:
        work = driver.start()
        page = f"/workstreams/{work.uuid}/"
        with at():
            sign_in(client, "anna")
        for minutes in range(30, 121, 30):
            with at(minutes=minutes):
                assert client.get(page, headers={"x-poll": "1"}, **htmx("board")).status_code == 200
        with at(minutes=121):
            assert not is_in(client)

    def test_a_session_ends_twelve_hours_after_the_sign_in_whatever_is_done(
        self, client: Client, cast: Cast
    ) -> None:
        with at():
            sign_in(client, "anna")
        for hour in range(1, 13):
            with at(hours=hour):
                assert is_in(client)
        with at(hours=12, minutes=1):
            assert not is_in(client)

    def test_the_interface_for_machines_ends_with_the_session(self, client: Client, cast: Cast) -> None:
        with at():
            sign_in(client, "anna")
        with at(minutes=121):
            answer = client.get("/api/tasks/")
            assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")

    def test_a_session_that_does_not_know_when_it_began_is_over(self, client: Client, cast: Cast) -> None:
        sign_in(client, "anna")
        session = client.session
        del session["begun"]
        session.save()
        assert not is_in(client)

    def test_signing_out_everywhere_keeps_this_session_only(self, client: Client, cast: Cast) -> None:
        other, somebody = Client(), Client()
        for one, name in ((client, "anna"), (other, "anna"), (somebody, "rita")):
            sign_in(one, name)
        page = client.post("/account/sign-out/", follow=True)
        assert "Wherever else you were signed in, you are signed out." in words(page)
        assert is_in(client)
        assert not is_in(other)
        assert is_in(somebody)
        assert "signed out everywhere" in words(other.get("/accounts/login/"))
        assert entries("signed out everywhere") == [("anna", "signed out everywhere", "anna")]
        assert sign_in(other, "anna").status_code == 302
        assert is_in(other), "a new session is none of those that ended"

    def test_an_administrator_signs_somebody_out(self, client: Client, cast: Cast) -> None:
        sign_in(client, "anna")
        root = signed_in(cast.admin)
        chosen = {"action": "sign_out", "_selected_action": [cast.approver.pk]}
        assert "signed out everywhere" in words(root.post("/admin/auth/user/", chosen, follow=True))
        assert not is_in(client)
        assert entries("signed out everywhere") == [("root", "signed out everywhere", "anna")]

    def test_looking_at_pages_costs_no_further_statement(self, client: Client, cast: Cast) -> None:
        """The time of the end comes with the account; the last use is written once a minute."""
        with at():
            sign_in(client, "anna")
            with CaptureQueriesContext(connection) as usual:
                assert is_in(client)
        assert [one["sql"] for one in usual if not one["sql"].startswith("SELECT")] == []
        assert len([one for one in usual if "sessionend" in one["sql"]]) == 1
        assert [one["sql"] for one in usual if "otp_totp" in one["sql"]] == []
        with at(seconds=70), CaptureQueriesContext(connection) as noting:
            assert is_in(client)
        assert len([one for one in noting if one["sql"].startswith("UPDATE")]) == 1


class TestOwnPassword:
    def change(self, client: Client, new: str, old: str = PASSWORD, again: str = ""):
        given = {"old": old, "new": new, "again": again or new}
        return client.post("/account/password/", given, follow=True)

    def test_a_person_changes_their_password_and_stays_in(self, client: Client, cast: Cast) -> None:
        other = Client()
        sign_in(client, "anna")
        sign_in(other, "anna")
        assert "Your password is changed." in words(self.change(client, GOOD))
        assert is_in(client)
        assert not is_in(other)
        fresh = Client()
        sign_in(fresh, "anna", PASSWORD)
        assert not is_in(fresh)
        sign_in(fresh, "anna", GOOD)
        assert is_in(fresh)
        assert entries("password changed") == [("anna", "password changed", "anna")]
        assert not HistoryEntry.objects.filter(leaf__contains="pbkdf2").exists()

    @pytest.mark.parametrize(
        ("new", "said"),
        [
            ("short", "at least 12 characters"),
            ("password1234", "too common"),
            ("845938450394", "entirely numeric"),
            ("bartholomew-1", "too similar to the username"),
            ("bartholomew1234567", "too similar to the username"),
        ],
    )
    def test_weak_passwords_are_refused_with_the_reason(
        self, client: Client, db, new: str, said: str
    ) -> None:
        User.objects.create_user("bartholomew", password=PASSWORD)
        sign_in(client, "bartholomew")
        page = self.change(client, new)
        assert page.status_code == 422
        assert said in words(page)
        assert User.objects.get(username="bartholomew").check_password(PASSWORD)

    def test_the_present_password_is_asked_for(self, client: Client, cast: Cast) -> None:
        sign_in(client, "anna")
        assert "The present password is not right." in words(self.change(client, GOOD, old="guessed"))
        assert "not the same as the new password" in words(self.change(client, GOOD, again="other"))
        cast.approver.refresh_from_db()
        assert cast.approver.check_password(PASSWORD)

    def test_wrong_present_passwords_are_limited(self, client: Client, cast: Cast) -> None:
        """Whoever finds an open session does not guess the password of its person there."""
        wrong.__init__(900)  # type: ignore[misc]  # another test's are not ours
        sign_in(client, "anna")
        for number in range(10):
            assert self.change(client, GOOD, old=f"guess {number}").status_code == 422
        stopped = self.change(client, GOOD)
        assert stopped.status_code == 429
        assert 890 < int(stopped["Retry-After"]) <= 900
        cast.approver.refresh_from_db()
        assert cast.approver.check_password(PASSWORD)
        wrong.__init__(900)  # type: ignore[misc]

    def test_the_own_page_links_to_all_of_it(self, client: Client, cast: Cast) -> None:
        sign_in(client, "anna")
        page = client.get("/account/")
        for address in ("/account/password/", "/account/second-factor/", "/account/sign-out/", "/tokens/"):
            assert f'"{address}"' in page.content.decode()
        assert "approver" in words(page)
        assert 'href="/account/"' in client.get("/plans/").content.decode()
