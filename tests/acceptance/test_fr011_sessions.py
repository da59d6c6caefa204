"""FR-011, ASVS 7.5.2: people see where they are signed in, and end one session or all others."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from orchestrator import settings as product
from orchestrator.models import HistoryEntry, OpenSession
from tests.acceptance.signing_in import at, is_in, sign_in
from tests.cast import Cast
from tests.verified import first_breach
from tests.web.pages import words

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1"
DAY = "4 Mar 2027, "
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


@pytest.fixture(autouse=True)
def limits(settings) -> None:
    for name in ("SESSION_IDLE_MINUTES", "SESSION_HOURS", "SESSION_COOKIE_AGE"):
        setattr(settings, name, getattr(product, name))


def browser(name: str, agent: str, address: str) -> Client:
    client = Client(headers={"user-agent": agent})
    assert sign_in(client, name, address=address).status_code == 302
    return client


def listed(page: HttpResponse) -> list[str]:
    """What is said of each session, in order."""
    rows = re.findall(r'<li class="stack-s">(.*?)</li>', page.content.decode(), re.DOTALL)
    return [
        " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", row, flags=re.DOTALL)).split())
        for row in rows
    ]


def ends(page: HttpResponse) -> list[str]:
    """What its buttons send."""
    return re.findall(r'name="session" value="([^"]*)"', page.content.decode())


def test_asvs_7_5_2_the_account_lists_its_sessions_and_marks_this_one(cast: Cast) -> None:
    with at():
        here = browser("anna", FIREFOX, "192.0.2.1")
    with at(minutes=5):
        browser("anna", SAFARI, "2001:db8::7")
        browser("rita", EDGE, "192.0.2.9")
    with at(minutes=30):
        page = here.get("/account/")
        assert listed(page) == [
            f"This one Firefox on Linux , from 192.0.2.1 Signed in {DAY}12:00 UTC , last seen {DAY}12:30 UTC",
            f"Safari on iPhone , from 2001:db8::7 Signed in {DAY}12:05 UTC , last seen {DAY}12:05 UTC "
            "Sign it out : Safari on iPhone",
        ]
    keys = OpenSession.objects.values_list("session_key", flat=True)
    assert not any(key in page.content.decode() for key in keys), "the key itself would let anybody in"


def test_asvs_7_5_2_one_session_is_ended_and_the_others_go_on(cast: Cast) -> None:
    with at():
        here, lost = browser("anna", FIREFOX, "192.0.2.1"), browser("anna", EDGE, "192.0.2.2")
        third, rita = browser("anna", SAFARI, "192.0.2.3"), browser("rita", EDGE, "192.0.2.2")
    with at(minutes=3):
        page = here.get("/account/")
        others = [row for row in listed(page) if "This one" not in row]
        session = ends(page)[next(number for number, row in enumerate(others) if "Edge" in row)]
        assert rita.post("/account/sign-out/one/", {"session": session}).status_code == 409, "not hers"
        done = here.post("/account/sign-out/one/", {"session": session}, follow=True)
        assert "That session is over. This one goes on." in words(done)
        assert [is_in(one) for one in (here, lost, third, rita)] == [True, False, True, True]
        assert "This session is over already." in words(
            here.post("/account/sign-out/one/", {"session": session})
        )
        assert len(listed(here.get("/account/"))) == 2
    found = HistoryEntry.objects.filter(action="session ended")
    assert [(one.actor, one.subject) for one in found] == [("anna", "anna")]
    assert '"begun":"2027-03-04T12:00:05+00:00"' in found[0].leaf
    assert "192.0.2" not in found[0].leaf, "where somebody was is forgotten with the session"
    assert first_breach() is None


def test_asvs_7_5_2_all_others_are_ended_at_once(cast: Cast) -> None:
    with at():
        here, other = browser("anna", FIREFOX, "192.0.2.1"), browser("anna", EDGE, "192.0.2.2")
    with at(minutes=3):
        page = here.post("/account/sign-out/", follow=True)
        assert [row[:8] for row in listed(page)] == ["This one"]
        assert "Signed in 4 Mar 2027, 12:00 UTC" in listed(page)[0]
        assert not is_in(other)


def test_the_session_that_asks_may_end_itself(cast: Cast) -> None:
    here, other = browser("anna", FIREFOX, "192.0.2.1"), browser("anna", EDGE, "192.0.2.2")
    shown = set(ends(other.get("/account/"))) - set(ends(here.get("/account/")))
    answer = here.post("/account/sign-out/one/", {"session": shown.pop()})
    assert answer["Location"] == "/accounts/login/"
    assert [is_in(here), is_in(other)] == [False, True]


def test_signing_out_everywhere_else_does_not_make_a_session_last_longer(cast: Cast) -> None:
    with at():
        here = browser("anna", FIREFOX, "192.0.2.1")
    for hours in range(1, 12):
        with at(hours=hours):
            assert here.post("/account/sign-out/").status_code == 302
    with at(hours=11, minutes=59):
        assert is_in(here)
    with at(hours=12, minutes=1):
        assert not is_in(here)


def test_nothing_is_kept_of_sessions_that_are_over(cast: Cast) -> None:
    with at():
        browser("anna", FIREFOX, "192.0.2.1")
    with at(hours=13):
        browser("rita", EDGE, "192.0.2.2")
    assert [row.account for row in OpenSession.objects.all()] == [cast.reviewer]


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("curl/8.14", "A program that is no known browser"),
        ("", "A program that is no known browser"),
        ('<script>alert("x")</script>', "A program that is no known browser"),
    ],
)
def test_a_browser_is_said_in_plain_words(cast: Cast, agent: str, said: str) -> None:
    page = browser("anna", agent, "192.0.2.1").get("/account/")
    assert listed(page)[0].startswith(f"This one {said} ,")
