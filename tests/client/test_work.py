"""An agent's work on the command line, from the claim to the handover (FR-027, LC-8)."""

import json
from types import SimpleNamespace

import pytest
from pytest_django.fixtures import Settings

from orchestrator.client import work
from orchestrator.client.brief_text import brief_lines
from orchestrator.client.connection import Connection
from tests.acceptance.lanes import LANES, make_repository
from tests.cast import Driver
from tests.client.conftest import Call


def test_a_step_is_taken_noted_and_handed_over(call: Call, driver: Driver) -> None:
    driver.start()
    taken = call("next", "--json")
    claim = json.loads(taken.out)["claim"]
    asked = [criterion["id"] for criterion in claim["criteria"] if criterion["asked"]]
    assert taken.code == 0
    assert "holds" not in call("mine").out
    assert call("note", "Half of it.").out == f"Noted at {claim['attempt']['key']}.\n"
    assert "last: Half of it." in call("mine").out
    evidence = [word for pk in asked for word in ("--evidence", f"{pk}=pytest is green")]
    done = call("done", "All of it, by pytest.", *evidence)
    assert (done.code, done.err) == (0, "")
    assert driver.task(claim["attempt"]["key"]).status == "complete"


def test_the_brief_is_printed_with_what_has_to_be_proved(call: Call, driver: Driver) -> None:
    driver.start()
    told = call("next").out
    for criterion in driver.task(told.split("You hold ")[1].split(" ")[0]).step.criteria.filter(kind="exit"):
        assert f"{criterion.pk}: {criterion.text}" in told


def test_without_evidence_it_is_refused_with_what_is_missing(call: Call, driver: Driver) -> None:
    driver.start()
    call("next")
    refused = call("done", "Trust me.")
    assert refused.code == 1
    assert "evidence" in refused.err


def test_what_cannot_be_done_now_is_given_back(call: Call, driver: Driver) -> None:
    driver.start()
    call("next")
    assert call("release", "The first half is on the branch.").code == 0
    assert call("mine").code == 3


def test_a_failure_waits_for_a_person(call: Call, driver: Driver) -> None:
    driver.start()
    key = json.loads(call("next", "--json").out)["claim"]["attempt"]["key"]
    assert call("fail", "The interface is gone.").code == 0
    assert driver.task(key).status == "blocked"


def test_a_question_reaches_people_with_its_choices(call: Call, driver: Driver) -> None:
    driver.start()
    key = json.loads(call("next", "--json").out)["claim"]["attempt"]["key"]
    assert call("ask", "Round up?", "--choice", "up", "--choice", "down").code == 0
    assert driver.task(key).intervention_note == "Round up?"


def test_nothing_to_do_ends_with_3_and_says_why(call: Call, driver: Driver) -> None:
    driver.submit()
    told = call("next")
    assert told.code == 3
    assert "Nothing can be claimed by builder-1 now." in told.out


def test_without_a_claim_a_note_says_how_to_get_one(call: Call, driver: Driver) -> None:
    driver.start()
    told = call("note", "x")
    assert (told.code, "orchestrator next" in told.err) == (2, True)


def test_wrong_evidence_is_named_before_anything_is_sent(call: Call, driver: Driver) -> None:
    told = call("done", "x", "--evidence", "green")
    assert told.code == 2
    assert "ID=TEXT" in told.err


@pytest.mark.django_db(transaction=True)
def test_bx1_the_printed_brief_says_where_to_work_on_what_and_what_was_said_last(
    call: Call, driver: Driver, settings: Settings
) -> None:
    make_repository(settings.REPOSITORIES_DIR / "sample")
    driver.start(LANES)
    call("next")
    call("release", "Half of the model stands.")
    driver.advance()
    for others in ("B1", "C1"):
        driver.claim(others)
    told = call("next").out
    place = driver.attempt("A1").place
    assert f"folder: {settings.WORKTREES_DIR}" in told
    assert f"start: {place.start}" in told
    assert "last word: Half of the model stands." in told
    assert "attempt 1 cancelled: Given back: Half of the model stands." in told
    assert "| - A2: Discounts" in told
    assert "git push" not in told, "it stands on this machine"


@pytest.mark.django_db(transaction=True)
def test_bx1_without_the_folder_the_brief_says_how_to_check_out_and_push(
    call: Call, driver: Driver, settings: Settings
) -> None:
    make_repository(settings.REPOSITORIES_DIR / "sample")
    driver.start(LANES)
    claim = json.loads(call("next", "--json").out)["claim"]
    claim["brief"]["place"]["path"] = "/on/another/machine"
    told = list(brief_lines(claim))
    place = driver.attempt("A1").place
    assert [line for line in told if line.startswith("  git fetch ")]
    assert told[-1].startswith("Next: ")
    assert f"HEAD:refs/pushed/{place.branch}-{place.attempt_id}" in "".join(told)
    assert "git" not in "".join(brief_lines(claim, in_place=True)), "its own folder has it already"


def test_wf4_a_long_wait_is_asked_for_in_parts(call: Call, driver: Driver, monkeypatch) -> None:
    clock = iter((0, 50, 100))
    asked: list[int] = []

    def nothing(_connection: object, _wanted: object, wait: int) -> dict[str, object]:
        asked.append(wait)
        return {"claim": None, "sentence": "Nothing.", "waiting": []}

    monkeypatch.setattr(work, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(work, "take_next", nothing)
    assert call("next", "--wait", "99").code == 3
    assert asked == [50, 49]


def test_fr027_a_failure_says_what_went_wrong(call: Call, driver: Driver) -> None:
    driver.start()
    call("next")
    told = call("fail", "")
    assert (told.code, "Say what went wrong." in told.err) == (1, True)


def test_fr009_a_masked_secret_is_told_though_the_completion_is_verified(
    call: Call, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    claim = json.loads(call("next", "--json").out)["claim"]
    real = Connection.post

    def pending(self: Connection, path: str, body: dict[str, object], patience: int = 0) -> dict[str, object]:
        facts: dict[str, object] = real(self, path, body, patience)
        assert "masked" in facts, "the words around it are about what happens then"
        return {**facts, "verification": {"state": "pending", "sentence": "It runs."}}

    def green(*_: object) -> dict[str, object]:
        return {"verification": None, "proof": "proved", "same_as": None, "touched": ["other.txt"]}

    evidence = [f"{one['id']}=seen" for one in claim["criteria"] if one["asked"]]
    monkeypatch.setattr(Connection, "post", pending)
    monkeypatch.setattr(work, "verified", green)
    secret = f"ghp_{'aB3' * 12}"
    given = [word for one in evidence for word in ("--evidence", one)]
    told = call("done", f"With {secret}", "--wait", "5", *given)
    assert told.code == 0, told
    assert "masked before anything was stored (outcome: GitHub token)" in told.err
    assert "touches files that the step does not own: other.txt." in told.out
