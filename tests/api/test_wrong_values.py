"""FR-025: what is wrong with a value is said in our words, with the field, not in those of a library."""

import re
from typing import get_args

import pytest
from pydantic_core import core_schema

from orchestrator.core.terms import ExecutorKind
from orchestrator.core.wrong_values import OTHERWISE, what_is_wrong
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db
#: Words of the library that reads bodies, and of this program's own classes.
FOREIGN = re.compile(r"(?i)input should|valid |instance|tuple|dictionary|pydantic|encoded|given|required")
OBJECT, WHOLE = "is no object of names and values", "is no whole number"
WRONG = {
    "no object": (
        "report",
        {"token": 1, "breadcrumb": "x", "usage": 5},
        f"usage: {OBJECT}",
    ),
    "a negative number": ("report", {"token": -1, "breadcrumb": "x"}, "token: is less than 1"),
    "a text for a number": ("report", {"token": "one", "breadcrumb": "x"}, "token: is no whole number"),
    "half a number": ("report", {"token": 1.5, "breadcrumb": "x"}, "token: is no whole number"),
    "inside": (
        "report",
        {"token": 1, "breadcrumb": "x", "usage": {"tokens_in": "many"}},
        "usage.tokens_in: is no whole number",
    ),
    "a list for a text": ("report", {"token": 1, "breadcrumb": []}, "breadcrumb: is no text"),
    "a long text": (
        "report",
        {"token": 1, "breadcrumb": "x" * 10_001},
        "breadcrumb: has more than 10000 characters",
    ),
    "a text for an object": (
        "complete",
        {"token": 1, "evidence": "done"},
        f"evidence: {OBJECT}",
    ),
    "a word for a criterion": (
        "complete",
        {"token": 1, "evidence": {"one": "x"}},
        f"evidence.one: {WHOLE}",
    ),
    "one of two kinds": ("complete", {"token": 1, "outputs": {"a.txt": 5}}, "outputs.a.txt: is no text"),
    "nothing": ("complete", {}, "token: is missing"),
}


@pytest.mark.parametrize(("act", "body", "said"), WRONG.values(), ids=WRONG.keys())
def test_fr025_a_wrong_value_is_named_in_our_words(
    driver: Driver, machine: Machine, act: str, body: dict[str, object], said: str
) -> None:
    status, answer = machine.post(f"/api/attempts/{driver.attempt('A1').pk}/{act}", body)
    assert status == 422
    assert said in answer["message"]
    assert not FOREIGN.search(answer["message"])
    assert answer["details"]["field"] in answer["message"]
    assert answer["recovery"]


def test_fr025_too_few_entries_are_counted_in_our_words(driver: Driver) -> None:
    driver.start()
    person = register_executor(name="rita-s", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    machine = Machine.of(person)
    body = {"others": [], "outcome": "override", "rationale": "x"}
    status, answer = machine.post(f"/api/workstreams/{driver.reload().uuid}/suspects/several", body)
    assert status == 422
    assert "others: has fewer than 1 entries: give at least 1" in answer["message"]


@pytest.mark.parametrize("kind", get_args(core_schema.ErrorType))
def test_fr025_every_kind_of_error_has_words_of_ours(kind: str) -> None:
    limits = dict.fromkeys(("ge", "gt", "le", "lt", "max_length", "min_length", "expected"), 7)
    said = what_is_wrong({"type": kind, "msg": "Input should be a valid instance", "ctx": limits})
    assert not FOREIGN.search(said)
    assert said == OTHERWISE or said.startswith(("is ", "has "))


@pytest.mark.parametrize("path", ["claim"])
def test_fr025_an_act_without_a_body_refuses_a_member(driver: Driver, machine: Machine, path: str) -> None:
    address = f"/api/attempts/{driver.attempt('A1').pk}/{path}"
    status, answer = machine.post(address, {"mood": "good"})
    assert (status, answer["message"], answer["details"]) == (
        422,
        "mood: is no field of this request.",
        {"field": "mood"},
    )
    assert driver.attempt("A1").status == "queued"
    assert machine.post(address, [1])[0] == 422
    assert machine.post(address, {})[0] == 200


def test_fr025_the_way_out_of_a_claim_in_vain_suits_an_agent(driver: Driver, machine: Machine) -> None:
    held = driver.claim("A1")
    driver.fail("A1")
    status, answer = machine.post(f"/api/attempts/{held.attempt_id}/claim")
    assert (status, answer["code"]) == (409, "wrong-state")
    assert "page" not in answer["recovery"]
    assert "next" in answer["recovery"]
