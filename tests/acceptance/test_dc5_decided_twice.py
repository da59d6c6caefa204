"""DC-5: what decides something decides once: a double click, a second tab or the back button is refused, says
so and changes nothing. Forms that make something are in `test_dc5_forms_sent_twice.py`."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from orchestrator.services.people import blockers, interventions
from tests.acceptance.accounts import tables
from tests.cast import Driver
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db
#: What a request leaves beside its act.
BESIDE = {"orchestrator.OpenSession", "FormKey"}


@dataclass(frozen=True)
class Decision:
    """Who sends it where, with what, and what has to be so before."""

    who: str
    to: str
    typed: dict[str, object]
    before: Callable[[Driver], object]


def asked(driver: Driver) -> None:
    driver.start()
    interventions.flag_for_human(
        task_id=driver.task("A1").pk, note="Which?", actor=driver.cast.actor("contributor"), now=driver.tick()
    )


def failed(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    driver.fail("A1")


def running(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")


def blocked(driver: Driver) -> None:
    driver.start()
    blockers.declare_blocker(
        task_id=driver.task("A1").pk,
        kind="external",
        note="No key.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )


def at_gate(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")


def finished(driver: Driver) -> None:
    driver.start()
    driver.finish()


STREAM, TASK, PLAN = "/workstreams/{uuid}/", "/workstreams/{uuid}/tasks/A1/", "/plans/card-refunds/v1/"
SEEN: dict[str, object] = {"version_id": "{version}", "seen_sha256": "{sha}"}
DECISIONS = {
    "approval": Decision("approver", f"{PLAN}decide", {"decision": "approve", **SEEN}, Driver.submit),
    "sent back": Decision(
        "reviewer", f"{PLAN}decide", {"decision": "send-back", "reason": "No.", **SEEN}, Driver.submit
    ),
    "withdrawn plan": Decision(
        "initiator", f"{PLAN}decide", {"decision": "withdraw", "reason": "No.", **SEEN}, Driver.submit
    ),
    "pre-handoff review": Decision(
        "reviewer", f"{STREAM}prehandoff/sign", {"rationale": "Looked."}, Driver.submit
    ),
    "answer": Decision("contributor", "/interventions/{card}/done", {"answer": "Euro."}, asked),
    "answer on the task": Decision("contributor", f"{TASK}answer", {"answer": "Euro."}, asked),
    "re-queue": Decision("contributor", f"{TASK}requeue", {"reason": "The key is there."}, failed),
    "declared failure": Decision(
        "contributor", f"{TASK}declare-failure", {"attempt": "{attempt}", "reason": "Silent."}, running
    ),
    "resolved blocker": Decision(
        "contributor", f"{TASK}resolve-blocker", {"blocker": "{blocker}", "resolution": "It came."}, blocked
    ),
    "rejection": Decision(
        "reviewer",
        "/gates/{gate}/decide",
        {"decision": "reject", "reason": "No.", "return_key": "A2", "attempt": "{waiting}"},
        at_gate,
    ),
    "claim": Decision("contributor", f"{TASK}claim", {"attempt": "{attempt}"}, Driver.start),
    "acceptance": Decision("approver", f"{STREAM}acts/accept", {"note": "Looked."}, finished),
    "archiving": Decision("approver", f"{STREAM}acts/archive", {"reason": "Over."}, finished),
}


def placed(text: object, driver: Driver) -> str:
    work = driver.reload()
    card = driver.task("A1").interventions.first() if "{card}" in str(text) else None
    blocker = driver.task("A1").blockers.first() if "{blocker}" in str(text) else None
    values = {
        "{uuid}": work.uuid,
        "{version}": work.version_id,
        "{sha}": work.version.source_sha256,
        "{card}": card and card.pk,
        "{blocker}": blocker and blocker.pk,
    }
    if "{attempt}" in str(text):
        values["{attempt}"] = driver.attempt("A1").pk
    if "{gate}" in str(text) or "{waiting}" in str(text):
        values |= {"{gate}": driver.task("MP1").pk, "{waiting}": driver.attempt("MP1").pk}
    shown = str(text)
    for name, value in values.items():
        shown = shown.replace(name, str(value))
    return shown


def kept() -> dict[str, object]:
    return {name: rows for name, rows in tables().items() if name not in BESIDE}


@pytest.mark.parametrize("name", DECISIONS)
def test_dc5_what_was_decided_is_not_decided_again(driver: Driver, name: str) -> None:
    """The second request is what a double click, another tab or the back button sends: the same once more."""
    decision = DECISIONS[name]
    decision.before(driver)
    person = getattr(driver.cast, decision.who)
    to = placed(decision.to, driver)
    body = {field: placed(value, driver) for field, value in decision.typed.items()}
    before = kept()
    first = signed_in(person).post(to, body)
    assert first.status_code == 302, words(first)
    decided = kept()
    assert decided != before
    again = signed_in(person).post(to, body)
    assert kept() == decided, "nothing more is stored"
    assert again.status_code in {302, 404, 409, 422}, words(again)
    if again.status_code != 302:
        assert "already" in words(again) or "Reload the page" in words(again) or "There is no" in words(again)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, one in DECISIONS.items()
        if {"reason", "rationale", "answer", "resolution"} & set(one.typed)
    ],
)
@pytest.mark.parametrize("blank", ["", " \n\t "])
def test_fr025_a_decision_with_blank_words_is_refused(driver: Driver, name: str, blank: str) -> None:
    decision = DECISIONS[name]
    decision.before(driver)
    to = placed(decision.to, driver)
    said = {"reason", "rationale", "answer", "resolution"}
    body = {f: blank if f in said else placed(value, driver) for f, value in decision.typed.items()}
    before = kept()
    refused = signed_in(getattr(driver.cast, decision.who)).post(to, body)
    assert refused.status_code == 422, words(refused)
    assert kept() == before
