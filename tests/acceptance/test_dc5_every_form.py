"""DC-5, FR-025: a robot opens the pages in every state of work, sends every form that it finds, and sends it
again: the second time stores nothing. Sent with blank words, no form stores anything at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import resolve

from tests.acceptance.accounts import tables
from tests.acceptance.robot import TYPED, PageForm, forms_of
from tests.acceptance.test_dc5_decided_twice import BESIDE, asked, at_gate, blocked, failed, finished
from tests.acceptance.test_dc5_forms_sent_twice import held_by_carl
from tests.cast import Driver
from tests.rolled_back import around_an_example
from tests.web.pages import signed_in, words

pytestmark = [pytest.mark.django_db, pytest.mark.nightly]
STREAM, TASK, PLAN = "/workstreams/{uuid}/", "/workstreams/{uuid}/tasks/A1/", "/plans/card-refunds/v1/"
#: What ends the robot's session.
LEAVES = {"logout", "sign-out-everywhere", "sign-out-session", "password"}
BLANK = " \n\t "


@dataclass(frozen=True)
class State:
    """How it comes about, who looks, at which pages, and what may be done there at the least."""

    before: Callable[[Driver], object]
    role: str
    pages: tuple[str, ...]
    acts: tuple[str, ...]


@dataclass(frozen=True)
class Sending:
    """One button of one form: who sends it where, and what is sent."""

    client: Client
    to: str
    form: PageForm
    says: dict[str, str]

    @property
    def act(self) -> str:
        """The name of its address, and the act that the button or the address says beside it."""
        found = resolve(self.to.partition("?")[0])
        told = self.says.get("decision") or self.says.get("act") or found.kwargs.get("act", "")
        return f"{found.url_name} {told}".strip()

    def send(self, typed: str = TYPED, *, fully: bool = False) -> Any:
        return self.client.post(self.to, self.form.filled(typed, fully=fully) | self.says)


def running(driver: Driver) -> None:
    driver.cast.builder()
    driver.start()


def under_review(driver: Driver) -> None:
    driver.submit()


def approved_a_moment_ago(driver: Driver) -> None:
    settings.WITHDRAW_SECONDS = 600
    under_review(driver)
    sent_as(driver, "approver", PLAN, "plan-decide approve")


def accepted(driver: Driver) -> None:
    finished(driver)
    sent_as(driver, "approver", STREAM, "workstream-act accept")


def sent_as(driver: Driver, role: str, page: str, act: str) -> None:
    found = next(one for one in sendings(driver, role, page) if one.act == act)
    assert found.send().status_code == 302


STATES = {
    "under review": State(
        under_review,
        "approver",
        (PLAN, f"{PLAN}?line=7"),
        (
            "plan-prehandoff sign",
            "plan-comment add",
            "plan-comment viewed",
            "plan-decide approve",
            "plan-decide send-back",
            "plan-decide withdraw",
        ),
    ),
    "approved a moment ago": State(
        approved_a_moment_ago, "approver", (STREAM,), ("plan-decide withdraw-approval",)
    ),
    "submitting": State(under_review, "initiator", ("/library/release/start/",), ("library-start submit",)),
    "under way": State(
        running,
        "approver",
        (
            STREAM,
            TASK,
            "/policies/",
            "/plans/card-refunds/rules/",
            "/plans/card-refunds/workstreams/",
            f"{PLAN}save/",
            f"{STREAM}new-stage/",
        ),
        (
            "workstream-act own",
            "workstream-act assign",
            "workstream-act priority",
            "workstream-act archive",
            "task-act flag",
            "task-act declare-blocker",
            "task-act own",
            "policies",
            "workflow-rules",
            "workflow-start",
            "save-workflow save",
            "new-stage",
        ),
    ),
    "claimable": State(running, "contributor", (TASK, "/"), ("task-act claim", "inbox-act snooze")),
    "held": State(
        held_by_carl,
        "contributor",
        (TASK, "/tokens/"),
        ("task-act report", "task-act fail", "task-act release", "tokens"),
    ),
    "asked": State(asked, "contributor", (TASK, "/interventions/"), ("task-act answer", "intervention-done")),
    "asked, all": State(asked, "contributor", ("/?kind=question",), ("inbox-act answer",)),
    "failed": State(failed, "contributor", (TASK,), ("task-act requeue",)),
    "blocked": State(blocked, "contributor", (TASK,), ("task-act resolve-blocker", "task-act pass-blocker")),
    "at the gate": State(
        at_gate,
        "reviewer",
        ("/gates/{gate}/", "/?kind=gate", f"{STREAM}learnings/Batch%2001/"),
        ("gate-say", "gate-decide approve", "gate-decide reject", "inbox-act sign", "learning"),
    ),
    "finished": State(
        finished, "approver", (STREAM, f"{STREAM}tasks/A2/"), ("workstream-act accept", "task-act send-back")
    ),
    "accepted": State(accepted, "approver", (STREAM,), ("workstream-act reopen",)),
    "places": State(running, "approver", ("/collected/", "/workspace/", "/operating/"), ()),
}


def sendings(driver: Driver, role: str, *pages: str) -> Iterator[Sending]:
    client = signed_in(getattr(driver.cast, role))
    for page in pages:
        shown = client.get(address := placed(page, driver))
        assert shown.status_code == 200, address
        for form in forms_of(shown, address):
            for to, says in form.sendings():
                if resolve(to.partition("?")[0]).url_name not in LEAVES:
                    yield Sending(client, to, form, says)


def placed(page: str, driver: Driver) -> str:
    uuid, gate = str(driver.reload().uuid), str(driver.task("MP1").pk) if "{gate}" in page else ""
    return page.replace("{uuid}", uuid).replace("{gate}", gate)


def kept() -> dict[str, object]:
    return {name: rows for name, rows in tables().items() if name not in BESIDE}


@pytest.mark.parametrize("name", STATES)
def test_dc5_every_form_of_a_page_does_its_thing_once(driver: Driver, name: str) -> None:
    state = STATES[name]
    state.before(driver)
    nothing, done = kept(), set()
    for one in sendings(driver, state.role, *state.pages):
        for fully in (False, True):
            with around_an_example():
                done |= sent_twice(one, fully, nothing)
                transaction.set_rollback(True)
    assert set(state.acts) <= done, f"not done: {sorted(set(state.acts) - done)}"


def sent_twice(one: Sending, fully: bool, nothing: dict[str, object]) -> set[str]:
    """The act, if it was done."""
    first = one.send(fully=fully)
    assert first.status_code < 500
    after = kept()
    again = one.send(fully=fully)
    assert kept() == after, f"{one.act} sent again"
    assert again.status_code in {200, 302, 403, 404, 409, 422}, one.act
    for answer in (first, again):
        told = answer.status_code < 400 or b'role="alert"' in answer.content
        assert told, f"{one.act} is refused in silence"
    return {one.act} if after != nothing else set()


@pytest.mark.parametrize("name", STATES)
def test_fr025_no_form_takes_blank_words(driver: Driver, name: str) -> None:
    state = STATES[name]
    state.before(driver)
    nothing = kept()
    for one in sendings(driver, state.role, *state.pages):
        if one.form.asks_for_words:
            with around_an_example():
                refused = one.send(BLANK)
                assert refused.status_code in {403, 409, 422}, f"{one.act}: {words(refused)}"
                assert kept() == nothing, one.act
                transaction.set_rollback(True)
