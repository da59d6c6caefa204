"""DC-5: a form that makes something makes it once, however often it is sent; no script is needed for it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from orchestrator.core.terms import Role
from orchestrator.models import FormKey, HandoffArtifact, Learning, OwnershipTransfer, Policy, WorkflowVersion
from tests.acceptance.accounts import tables
from tests.acceptance.forms import key_of
from tests.cast import PLAN, Driver
from tests.races.contest import contest
from tests.web.pages import signed_in, words

SESSIONS = {"orchestrator.OpenSession"}


@dataclass(frozen=True)
class Form:
    """Where a form stands, where it is sent, who sends it and what is typed; `key_at` finds its own key."""

    who: str
    page: str
    to: str
    typed: dict[str, object]
    before: Callable[[Driver], None] = lambda driver: None


def started(driver: Driver) -> None:
    driver.start()


def in_review(driver: Driver) -> None:
    driver.submit()


def held_by_carl(driver: Driver) -> None:
    driver.start()
    page = f"/workstreams/{driver.reload().uuid}/tasks/A1"
    assert signed_in(driver.cast.contributor).post(f"{page}/claim", {"attempt": driver.attempt("A1").pk})


def batch_done(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "A2", "B1")


TASK, REVIEW, STREAM = "/workstreams/{uuid}/tasks/A1/", "/plans/card-refunds/v1/", "/workstreams/{uuid}/"
SEEN = {"version_id": "{version}", "seen_sha256": "{sha}"}
FORMS = {
    "plan": Form("initiator", "/plans/submit/", "/plans/submit/", {"act": "submit", "source": PLAN.decode()}),
    "file": Form("initiator", "/plans/submit/", "/plans/submit/", {"act": "submit", "file": PLAN}),
    "comment": Form(
        "reviewer", REVIEW, REVIEW + "comments/add", {"body": "Why three?", "line": "7"}, in_review
    ),
    "sent comment": Form(
        "reviewer", REVIEW, REVIEW + "comments/add", {"body": "Why?", "line": "7", "then": "send"}, in_review
    ),
    "blocker": Form(
        "contributor", TASK, TASK + "declare-blocker", {"kind": "external", "note": "No key yet."}, started
    ),
    "question": Form("contributor", TASK, TASK + "flag", {"note": "Which currency?"}, started),
    "breadcrumb": Form(
        "contributor",
        TASK,
        TASK + "report",
        {"attempt": "{attempt}", "token": "1", "breadcrumb": "Half."},
        held_by_carl,
    ),
    "completion": Form(
        "contributor",
        TASK,
        TASK + "complete",
        {"attempt": "{attempt}", "token": "1", "evidence-{exit}": "42 passed", "outputs": b"# Ledger"},
        held_by_carl,
    ),
    "fix stage": Form(
        "reviewer",
        STREAM + "new-stage/",
        STREAM + "new-stage/",
        {"name": "fix it", "tasks": "Mend | it holds", "reason": "It broke."},
        started,
    ),
    "learning": Form(
        "contributor",
        STREAM + "learnings/Batch%2001/",
        STREAM + "learnings/Batch%2001/",
        {"went_wrong": "", "worked": "Small steps.", "tighten": ""},
        batch_done,
    ),
    "said at a gate": Form(
        "reviewer", "/gates/{gate}/", "/gates/{gate}/say", {"body": "Who checked rounding?"}, batch_done
    ),
    "gate signature": Form(
        "reviewer",
        "/gates/{gate}/",
        "/gates/{gate}/decide",
        {"decision": "approve", "reason": "Tested."},
        batch_done,
    ),
    "approval": Form("approver", REVIEW, REVIEW + "decide", {"decision": "approve", **SEEN}, in_review),
    "sent back": Form(
        "reviewer", REVIEW, REVIEW + "decide", {"decision": "send-back", "reason": "No.", **SEEN}, in_review
    ),
    "ownership": Form("contributor", TASK, TASK + "own", {"to": "rita", "reason": "On leave."}, started),
    "policy": Form(
        "approver",
        "/policies/",
        "/policies/",
        {"slug": "calm", "title": "Calm", "body": "Keep calm.", "reason": "New.", "impact": "None."},
    ),
    "token": Form(
        "contributor",
        "/tokens/",
        "/tokens/",
        {"executor": "laptop", "kind": "agent", "label": "laptop", "scopes": ["read"]},
    ),
    "from the library": Form(
        "initiator",
        "/library/release/start/",
        "/library/release/start/",
        {
            "act": "submit",
            "value-product": "shop",
            "value-version": "2.4.0",
            "value-channel": "stable",
            "value-approver": "approver",
        },
    ),
    "another workstream": Form(
        "initiator",
        "/plans/card-refunds/workstreams/",
        "/plans/card-refunds/workstreams/start",
        {"title": "A second one"},
        started,
    ),
    "saved workflow": Form(
        "approver",
        REVIEW + "save/",
        REVIEW + "save/",
        {"name": "Refund", "name-0": "goods", "text-0": "Ledger", "new-0": "1"},
        started,
    ),
}


def placed(text: str, driver: Driver) -> str:
    if "{" not in text:
        return text
    work = driver.reload()
    text = text.replace("{version}", str(work.version_id)).replace("{sha}", work.version.source_sha256)
    if "{" not in text:
        return text
    step = driver.task("A1").step
    exits = str(step.criteria.get(kind="exit").pk)
    values = {"{attempt}": str(driver.attempt("A1").pk), "{exit}": exits}
    values |= {"{gate}": str(driver.task("MP1").pk), "{uuid}": str(driver.reload().uuid)}
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def typed(form: Form, driver: Driver, key: str) -> dict[str, object]:
    """A fresh body each time: an uploaded file is read but once."""
    body: dict[str, object] = {"once": key}
    for name, value in form.typed.items():
        content = SimpleUploadedFile("refunds.md", value) if isinstance(value, bytes) else value
        body[placed(name, driver)] = placed(content, driver) if isinstance(content, str) else content
    return body


@pytest.fixture
def opened(driver: Driver, request: pytest.FixtureRequest) -> tuple[Form, Client, str, str]:
    form: Form = request.param
    form.before(driver)
    client = signed_in(getattr(driver.cast, form.who))
    to = placed(form.to, driver)
    return form, client, to, key_of(client.get(placed(form.page, driver)), to)


every_form = pytest.mark.parametrize("opened", FORMS.values(), ids=FORMS, indirect=True)


@pytest.mark.django_db
@every_form
def test_dc5_a_form_that_is_sent_twice_makes_its_thing_once(
    driver: Driver, opened: tuple[Form, Client, str, str]
) -> None:
    form, client, to, key = opened
    nothing = tables()
    first = client.post(to, typed(form, driver, key))
    assert first.status_code == (200 if to == "/tokens/" else 302), words(first)
    made = tables()
    assert {name for name in made if made[name] != nothing[name]} - SESSIONS > {"FormKey"}
    again = client.post(to, typed(form, driver, key))
    assert again.status_code == 302, words(again)
    assert tables() == made, "the second time nothing is stored"
    if to != "/tokens/":
        assert again["Location"] == first["Location"]
        assert words(client.get(first["Location"])), "and it leads to what the first one made"


@pytest.mark.django_db
def test_dc5_the_back_button_with_other_words_asks_first_and_keeps_them(driver: Driver) -> None:
    driver.start()
    carl, page = signed_in(driver.cast.contributor), placed(TASK, driver)
    to = f"{page}declare-blocker"
    body = {"once": key_of(carl.get(page), to), "kind": "external", "note": "No key yet."}
    assert carl.post(to, body).status_code == 302
    before = tables()
    answer = carl.post(to, body | {"note": "No licence either."})
    assert answer.status_code == 409
    assert "This form was sent before, with other words" in words(answer)
    assert "No licence either." in words(answer)
    assert tables() == before
    fresh = key_of(answer, to)
    assert fresh != body["once"]
    assert carl.post(to, body | {"note": "No licence either.", "once": fresh}).status_code == 302
    assert driver.task("A1").blockers.count() == 2


@pytest.mark.django_db
def test_dc5_a_refused_form_can_be_corrected_and_sent_again(driver: Driver) -> None:
    driver.start()
    carl, page = signed_in(driver.cast.contributor), placed(TASK, driver)
    to, key = f"{page}declare-blocker", key_of(carl.get(page), f"{page}declare-blocker")
    assert carl.post(to, {"once": key, "kind": "external", "note": ""}).status_code == 422
    assert FormKey.objects.filter(key=key).count() == 0
    assert carl.post(to, {"once": key, "kind": "external", "note": "Now with a note."}).status_code == 302
    assert driver.task("A1").blockers.count() == 1


@pytest.mark.django_db
def test_dc5_a_key_belongs_to_who_sent_it_and_strange_ones_are_refused(driver: Driver) -> None:
    driver.start()
    page = placed(TASK, driver)
    to, carl = f"{page}report", signed_in(driver.cast.contributor)
    key = key_of(carl.get(page), f"{page}declare-blocker")
    for user in (driver.cast.contributor, driver.cast.reviewer):
        body = {"once": key, "kind": "external", "note": f"From {user.username}."}
        assert signed_in(user).post(f"{page}declare-blocker", body).status_code == 302
    assert driver.task("A1").blockers.count() == 2
    for strange in ("short", "x" * 61, "with space in the key", "\x00" * 20, "ключ-ключ-ключ-ключ"):
        answer = carl.post(to.replace("report", "declare-blocker"), body | {"once": strange, "note": "More."})
        assert answer.status_code == 422, strange
    assert driver.task("A1").blockers.count() == 2


@pytest.mark.django_db
def test_dc5_several_plans_that_are_sent_twice_are_submitted_once(driver: Driver) -> None:
    ines = signed_in(driver.cast.initiator)
    files = [
        SimpleUploadedFile(f"{n}.md", PLAN.replace(b"Card refunds", f"Refunds {n}".encode())) for n in (1, 2)
    ]
    shown = ines.post("/plans/submit/", {"act": "check", "file": files})
    for together in ("each", "bundle"):
        body = {
            "once": key_of(shown, "/plans/submit/"),
            "act": "submit",
            "together": together,
            "bundle": "Both",
            "plan-name": ["1.md", "2.md"],
            "plan-source": [PLAN.decode().replace("Card refunds", f"{together} {n}") for n in (1, 2)],
        }
        first = ines.post("/plans/submit/", body)
        made = tables()
        again = ines.post("/plans/submit/", body)
        assert (first.status_code, again.status_code, again["Location"]) == (302, 302, first["Location"]), (
            words(again)
        )
        assert tables() == made
        shown = ines.post("/plans/submit/", body | {"act": "check"})
    assert WorkflowVersion.objects.count() == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["plan", "policy", "comment", "completion"])
def test_dc5_a_double_click_makes_one(driver: Driver, what: str) -> None:
    """Both requests are under way at once: the second waits for the first and gets its answer."""
    form = FORMS[what]
    form.before(driver)
    user = getattr(driver.cast, form.who)
    to = placed(form.to, driver)
    clients = [signed_in(user) for _ in range(3)]
    key = key_of(clients[0].get(placed(form.page, driver)), to)
    bodies = [typed(form, driver, key) for _ in clients]
    before = counted()
    clicks = [
        lambda client=client, body=body: client.post(to, body)
        for client, body in zip(clients, bodies, strict=True)
    ]
    answers = contest(*clicks)
    assert [answer.status_code for answer in answers] == [302] * 3, [words(answer) for answer in answers]
    assert len({answer["Location"] for answer in answers}) == 1
    assert FormKey.objects.filter(key=key).count() == 1
    assert {name: count - before[name] for name, count in counted().items() if count != before[name]} == ONE[
        what
    ]


def counted() -> dict[str, int]:
    models = (WorkflowVersion, Policy, Learning, OwnershipTransfer, HandoffArtifact)
    found = {model.__name__: model.objects.count() for model in models}
    return found | {"Comment": len(tables()["Comment"])}


ONE = {
    "plan": {"WorkflowVersion": 1},
    "policy": {"Policy": 1},
    "comment": {"Comment": 1},
    "completion": {"HandoffArtifact": 1},
}


@pytest.mark.django_db
def test_dc5_the_secret_of_a_token_is_not_shown_by_the_second_answer(driver: Driver) -> None:
    carl = signed_in(driver.cast.contributor)
    form = FORMS["token"]
    key = key_of(carl.get("/tokens/"), "/tokens/")
    first = carl.post("/tokens/", typed(form, driver, key))
    assert 'class="secret"' in first.content.decode()
    again = carl.post("/tokens/", typed(form, driver, key), follow=True)
    assert 'class="secret"' not in again.content.decode()
    assert "Revoke it and make another" in words(again)
    other = carl.post("/tokens/", typed(form, driver, key) | {"label": "desk"})
    assert (other.status_code, "with other words" in words(other)) == (409, True)
    assert Role.CONTRIBUTOR in {group.name for group in driver.cast.contributor.groups.all()}


EARLIER = "You sent this form before, so nothing was done now. Then it said: “"


@pytest.mark.django_db
def test_dc5_a_form_sent_again_after_its_act_was_undone_does_not_say_that_it_is_done(
    driver: Driver, settings: Settings
) -> None:
    """The Back button brings the old form: what it came to is told as what it was."""
    batch_done(driver)
    settings.WITHDRAW_SECONDS = 600
    rita, page = signed_in(driver.cast.reviewer), placed("/gates/{gate}/", driver)
    signs = {"decision": "approve", "once": key_of(rita.get(page), f"{page}decide")}
    assert "MP1 is signed." in words(rita.post(f"{page}decide", signs, follow=True))
    again = {"decision": "withdraw", "once": key_of(rita.get(page), f"{page}decide")}
    assert "can be signed anew" in words(rita.post(f"{page}decide", again, follow=True))
    before = tables()
    told = words(rita.post(f"{page}decide", signs, follow=True))
    assert f"{EARLIER}MP1 is signed." in told
    assert "waits for sign-off by reviewer" in told
    assert tables() == before


@pytest.mark.django_db
def test_dc5_a_snooze_sent_again_after_it_was_ended_is_told_as_what_it_was(driver: Driver) -> None:
    driver.start()
    carl = signed_in(driver.cast.contributor)
    item = f"claim:{driver.attempt('A1').pk}"
    body = {"item": item, "for": "1d", "once": key_of(carl.get("/"), "/inbox/snooze")}
    assert "1 item is put off" in words(carl.post("/inbox/snooze", body, follow=True))
    wake = {"item": item, "once": "w" * 20}
    assert "1 item stands in the inbox again" in words(carl.post("/inbox/wake", wake, follow=True))
    told = words(carl.post("/inbox/snooze", body, follow=True))
    assert f"{EARLIER}1 item is put off" in told
    assert "Ledger entries for refunds" in told


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "earlier"), [(9, False), (11, True)])
def test_dc5_two_clicks_that_are_further_apart_are_two(driver: Driver, seconds: int, earlier: bool) -> None:
    """Meanwhile somebody else may have undone what the first one did."""
    driver.start()
    carl, page = signed_in(driver.cast.contributor), placed(TASK, driver)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        body = {"once": key_of(carl.get(page), f"{page}flag"), "note": "Which currency?"}
        assert EARLIER not in words(carl.post(f"{page}flag", body, follow=True))
        clock.shift(seconds)
        told = words(carl.post(f"{page}flag", body, follow=True))
    assert (EARLIER in told, "A1 waits for a person now" in told) == (earlier, True)
