"""B8 to B15 and B36: bad bodies are refused with the field, in the one shape, and change nothing."""

import pytest
from django.test import Client

from orchestrator.core.errors import InvalidInput
from orchestrator.core.strict_json import read_json
from orchestrator.models import HistoryEntry
from tests.cast import Driver
from tests.machines import Machine

BAD_BODIES = {
    "B11 duplicate keys": '{"needs_human": true, "intervention_note": "a", "needs_human": false}',
    "B12 NaN": '{"needs_human": true, "intervention_note": NaN}',
    "B12 Infinity": '{"needs_human": true, "intervention_note": -Infinity}',
    "B13 2^53+1": '{"needs_human": true, "intervention_note": "a", "answer": 9007199254740993}',
    "B13 many digits": '{"needs_human": true, "x": ' + "9" * 5000 + "}",
    "B13 huge exponent": '{"needs_human": true, "intervention_note": "a", "x": 1e999}',
    "B14 deep lists": "[" * 10_000 + "]" * 10_000,
    "B14 deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "B14 within the parser's depth": '{"needs_human": true, "intervention_note": "a", "x": '
    + "[" * 50
    + "]" * 50
    + "}",
    "B10 lone surrogate": '{"needs_human": true, "intervention_note": "\\ud800"}',
    "B10 lone surrogate in a key": '{"needs_human": true, "intervention_note": "a", "\\udfff": 1}',
    "NUL": '{"needs_human": true, "intervention_note": "a\\u0000b"}',
    "malformed": '{"needs_human": tru',
    "empty": "",
    "a list": "[]",
    "a string for a flag": '{"needs_human": "yes", "intervention_note": "a"}',
    "a number for a note": '{"needs_human": true, "intervention_note": 5}',
    "a long note": '{"needs_human": true, "intervention_note": "' + "a" * 10_001 + '"}',
    "not UTF-8": b'{"needs_human": true, "intervention_note": "\xff"}',
    "B36 no note": '{"needs_human": true}',
    "B36 blank note": '{"needs_human": true, "intervention_note": "  "}',
}


@pytest.mark.django_db
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body_is_refused_and_changes_nothing(
    driver: Driver, machine: Machine, body: str | bytes
) -> None:
    entries = HistoryEntry.objects.count()
    task = driver.task("A1")
    status, answer = machine.patch(f"/tasks/{task.pk}/", body)
    assert status == 422
    assert set(answer) == {"code", "message", "recovery", "details"}
    assert answer["recovery"]
    assert answer["details"]["field"]
    assert not driver.task("A1").needs_human
    assert HistoryEntry.objects.count() == entries


@pytest.mark.django_db
def test_b36_the_refusal_names_the_note(driver: Driver, machine: Machine) -> None:
    status, answer = machine.patch(f"/tasks/{driver.task('A1').pk}/", {"needs_human": True})
    assert (status, answer["code"], answer["details"]) == (
        422,
        "note-missing",
        {"field": "intervention_note"},
    )


@pytest.mark.django_db
def test_b15_a_body_of_50_mb_is_refused_unread(driver: Driver, machine: Machine) -> None:
    class Unread:
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

        readline = read

        def __len__(self) -> int:
            return 50 * 1024 * 1024

    response = Client().generic(
        "PATCH",
        f"/tasks/{driver.task('A1').pk}/",
        "",
        content_type="application/json",
        headers={"authorization": f"Bearer {machine.secret}"},
        **{"wsgi.input": Unread(), "CONTENT_LENGTH": str(len(Unread()))},
    )
    assert (response.status_code, response.json()["code"]) == (413, "too-large")


@pytest.mark.django_db
def test_a_plan_beyond_its_limit_is_too_large(driver: Driver, settings) -> None:
    settings.PLAN_LIMIT = 100
    machine = Machine.of(driver.cast.builder())
    status, answer = machine.post("/api/plans/check", {"source": "x" * 101})
    assert (status, answer["code"], answer["details"]["field"]) == (413, "too-large", "source")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "needs_human=maybe",
        "status=asleep",
        "workstream=nobody",
        "limit=0",
        "limit=501",
        "offset=-1",
        "claimable=2",
    ],
)
def test_a_bad_filter_names_its_field(machine: Machine, query: str) -> None:
    status, answer = machine.get(f"/api/tasks/?{query}")
    assert (status, answer["details"]) == (422, {"field": query.split("=")[0]})


@pytest.mark.django_db
def test_nul_in_a_filter_is_refused(machine: Machine) -> None:
    assert machine.get("/api/workstreams/?domain=%00")[0] == 422


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api", "/api/", "/api/nothing", "/api/tasks/x/", "/api/tasks/1"])
def test_an_unknown_address_is_a_404_in_json(machine: Machine, address: str) -> None:
    status, answer = machine.get(address)
    assert (status, answer["code"]) == (404, "not-found")


@pytest.mark.django_db
def test_an_unknown_method_is_a_405_that_names_the_others(machine: Machine) -> None:
    response = machine.client.delete("/api/tasks/1/", headers={"authorization": f"Bearer {machine.secret}"})
    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
    assert sorted(response["Allow"].split(", ")) == ["GET", "PATCH"]


def test_strict_json_reads_what_is_well_formed() -> None:
    body = '{"a": [1, -2.5, true, null], "ä": "\\ud83d\\ude00", "n": 9007199254740991}'.encode()
    assert read_json(body) == {"a": [1, -2.5, True, None], "ä": "\U0001f600", "n": 2**53 - 1}


def test_strict_json_names_the_key_that_stands_twice() -> None:
    with pytest.raises(InvalidInput, match="The key b stands twice"):
        read_json(b'{"a": {"b": 1, "c": 2, "b": 3}}')


@pytest.mark.django_db
def test_fr025_every_wrong_field_is_named(driver: Driver, machine: Machine) -> None:
    """An agent corrects all of them at once instead of one after the other."""
    _, answer = machine.post(f"/api/tasks/{driver.task('A1').pk}/flag", {"note": "Which?", "choice": "Euro"})
    said = answer["message"]
    assert "note: is no field of this request" in said
    assert "choice: is no field of this request" in said
    assert answer["details"]["field"] in said


@pytest.mark.django_db
@pytest.mark.parametrize("used", [{"cost": "1,5", "currency": "EUR"}, {"cost": "1", "currency": "Euro"}])
def test_fr025_money_is_refused_in_words(driver: Driver, machine: Machine, used: dict[str, str]) -> None:
    body = {"token": 1, "breadcrumb": "x", "usage": used}
    status, answer = machine.post(f"/api/attempts/{driver.attempt('A1').pk}/report", body)
    assert (status, answer["details"]) == (422, {"field": "usage"})
    assert "is written like" in answer["message"]
    assert "pattern" not in answer["message"]
