"""FR-027: tokens over HTTP and MCP: their time, their last use, guessing them, and another secret key."""

import hmac
import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orchestrator.api.bearer import guesses
from orchestrator.models import AccessToken, HistoryEntry
from orchestrator.services.people.callers import caller_by_token
from tests.acceptance.signing_in import NOON, at
from tests.cast import Cast
from tests.machines import Machine
from tests.web.pages import signed_in, words


def call(secret: str, address: str = "192.0.2.1") -> tuple[int, dict, str]:
    answer = Client().get("/api/tasks/", headers={"authorization": f"Bearer {secret}"}, REMOTE_ADDR=address)
    return answer.status_code, answer.json(), answer.get("Retry-After", "")


@pytest.fixture
def secret(cast: Cast) -> str:
    return Machine.of(cast.builder()).secret


def test_an_expired_token_is_refused_by_name(secret: str) -> None:
    AccessToken.objects.update(expires_at=NOON, label="laptop")
    with at(minutes=-1):
        assert call(secret)[0] == 200
    with at():
        status, answer, _ = call(secret)
    assert (status, answer["code"]) == (401, "token-expired")
    assert answer["message"] == "The token “laptop” of builder-1 expired on 2027-03-04."
    assert "create_token" in answer["recovery"]


def test_the_page_makes_tokens_with_an_end_and_shows_it(cast: Cast) -> None:
    given = {"executor": "builder-7", "kind": "agent", "label": "laptop", "scopes": ["read"], "days": "30"}
    with at():
        browser = signed_in(cast.contributor)
        browser.post("/tokens/", given)
        token = AccessToken.objects.get()
        assert token.expires_at == NOON + timedelta(days=30)
        assert "Never" in words(browser.get("/tokens/"))
    with at(days=31):
        browser = signed_in(cast.contributor)
        assert "Expired" in words(browser.get("/tokens/"))
    made = HistoryEntry.objects.get(action="token issued")
    assert json.loads(made.leaf)["data"]["expires"].startswith("2027-04-03")


def test_the_command_makes_tokens_of_ninety_days_unless_told_otherwise(cast: Cast) -> None:
    cast.builder()
    with at():
        call_command("create_token", "--executor", "builder-1", stdout=io.StringIO())
        call_command("create_token", "--executor", "builder-1", "--days", "0", stdout=io.StringIO())
    ends = AccessToken.objects.order_by("pk").values_list("expires_at", flat=True)
    assert list(ends) == [NOON + timedelta(days=90), None]


def test_last_use_is_shown_and_written_once_a_minute(secret: str, cast: Cast) -> None:
    with at():
        assert call(secret)[0] == 200
        token = AccessToken.objects.get()
        assert (token.last_used_at, token.last_used_from) == (NOON, "192.0.2.1")
        assert "from 192.0.2.1" in words(signed_in(cast.contributor).get("/tokens/"))
    with at(seconds=50), CaptureQueriesContext(connection) as usual:
        call(secret)
    with at(seconds=70), CaptureQueriesContext(connection) as noting:
        call(secret)
    assert [one for one in usual if one["sql"].startswith("UPDATE")] == []
    assert len([one for one in noting if one["sql"].startswith("UPDATE")]) == 1
    assert AccessToken.objects.get().last_used_at == NOON + timedelta(seconds=70)


class TestGuessing:
    @pytest.fixture(autouse=True)
    def limit(self, settings) -> None:
        settings.TOKEN_FAILURE_LIMIT = 5
        guesses.__init__(900)  # type: ignore[misc]  # another test's guesses are not ours

    def guess(self, address: str = "192.0.2.1", times: int = 5) -> None:
        for number in range(times):
            assert call(f"pteo_guess-{number}", address)[0] == 401

    def test_wrong_tokens_from_one_address_are_limited(self, secret: str) -> None:
        self.guess()
        status, answer, wait = call("pteo_one more")
        assert (status, answer["code"]) == (429, "too-many-tries")
        assert 890 < int(wait) <= 900
        assert call(secret)[0] == 429, "a right guess is a guess as well"
        assert call(secret, "192.0.2.2")[0] == 200
        assert call("pteo_guess", "192.0.2.2")[0] == 401

    def test_who_worked_from_there_before_goes_on(self, secret: str) -> None:
        assert call(secret)[0] == 200
        self.guess()
        assert call("pteo_one more")[0] == 429
        assert call(secret)[0] == 200

    def test_who_worked_from_there_and_over_mcp_since_goes_on(self, secret: str) -> None:
        assert call(secret)[0] == 200
        caller_by_token(secret, timezone.now())  # as `manage.py mcp` signs in, on the server's own machine
        self.guess()
        assert call(secret)[0] == 200

    def test_fr009_it_is_told_once(self, secret: str) -> None:
        self.guess()
        for number in range(5):
            call(f"pteo_more-{number}")
        told = HistoryEntry.objects.get(action="sign-in stopped")
        assert (told.subject, told.reason) == ("tokens", "Too many wrong tokens from 192.0.2.1.")

    def test_it_ends_with_its_time(self, secret: str, monkeypatch) -> None:
        moment = 1000.0
        monkeypatch.setattr("orchestrator.api.bearer.time.monotonic", lambda: moment)
        self.guess()
        assert call(secret)[0] == 429
        moment += 901
        assert call(secret)[0] == 200


class TestAnotherKey:
    def test_tokens_survive_it_and_are_hashed_anew_when_used(self, secret: str, settings) -> None:
        old, before = settings.SECRET_KEY, AccessToken.objects.get().digest
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 5, [old]
        assert call(secret)[0] == 200
        after = AccessToken.objects.get().digest
        assert after != before
        assert after == hmac.new(settings.SECRET_KEY.encode(), secret.encode(), "sha256").hexdigest()
        settings.SECRET_KEY_FALLBACKS = []
        assert call(secret)[0] == 200, "the old key is needed no longer"

    def test_without_the_old_key_a_token_that_was_not_used_since_is_unknown(
        self, secret: str, settings
    ) -> None:
        settings.SECRET_KEY = "another key " * 5
        assert call(secret)[0] == 401

    def test_sessions_survive_it(self, cast: Cast, settings) -> None:
        browser = signed_in(cast.approver)
        assert browser.get("/plans/").status_code == 200
        old = settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 5, [old]
        assert browser.get("/plans/").status_code == 200
        settings.SECRET_KEY_FALLBACKS = []
        assert browser.get("/plans/").status_code == 200, "it was signed anew"
        settings.SECRET_KEY = "a third key " * 5
        assert browser.get("/plans/").status_code == 302

    def test_messages_of_the_queue_survive_it(self, db, settings) -> None:
        from django_q.models import OrmQ
        from django_q.signing import BadSignature, SignedPackage

        OrmQ.objects.create(
            key="orchestrator", payload=SignedPackage.dumps({"id": "7", "args": (7,)}), lock=timezone.now()
        )
        old = settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 5, [old]
        assert OrmQ.objects.get().task == {"id": "7", "args": (7,)}
        settings.SECRET_KEY_FALLBACKS = []
        with pytest.raises(BadSignature):
            SignedPackage.loads(OrmQ.objects.get().payload)
