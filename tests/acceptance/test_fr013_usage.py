"""FR-013: what a step took of a model is told with every word, summed exactly, and kept in history."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.engine.usage import Usage, added, read_usage, totals
from orchestrator.core.errors import InvalidInput
from orchestrator.models import HistoryEntry
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.services.work import claims, collector
from tests.acceptance.producer import Producer, told
from tests.cast import Driver
from tests.machines import Machine

pytestmark = pytest.mark.django_db
WORD = {
    "tokens_in": 1200,
    "tokens_out": 300,
    "cost": "0.10",
    "currency": "USD",
    "model": "small",
    "seconds": 9,
}


def history_of_usage() -> list[dict[str, object]]:
    leaves = HistoryEntry.objects.order_by("sequence").values_list("leaf", flat=True)
    return [data["usage"] for leaf in leaves if "usage" in (data := json.loads(leaf)["data"])]


def test_fr013_words_add_up_exactly_to_attempt_and_workstream(driver: Driver, client: Client) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder())
    _, claim = machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")
    attempt, token = f"/api/attempts/{claim['attempt']['id']}", claim["token"]
    note = {"token": token, "breadcrumb": "Half.", "usage": WORD}
    for _ in range(2):  # the same call twice is one
        assert machine.post(f"{attempt}/report", note, key="half")[0] == 200
    assert machine.post(f"{attempt}/report", {**note, "usage": {"cost": "0.2", "currency": "USD"}})[0] == 200
    evidence = {one["id"]: "seen" for one in claim["criteria"] if one["asked"]}
    done = {
        "token": token,
        "outcome": "Done.",
        "evidence": evidence,
        "usage": {"tokens_in": 5, "model": "large"},
    }
    status, facts = machine.post(f"{attempt}/complete", done)
    assert status == 200, facts
    assert facts["usage"] == {
        "sentence": "1,205 tokens in, 300 out, 0.30 USD, 9 s (large)",
        "tokens_in": 1205,
        "tokens_out": 300,
        "cost": "0.30",
        "currency": "USD",
        "model": "large",
        "seconds": 9,
    }
    other = driver.claim("B1")
    lost = {"token": other.token, "error": "It broke.", "usage": {"cost": "1.000001", "currency": "EUR"}}
    assert Machine.of(other.executor).post(f"/api/attempts/{other.attempt_id}/fail", lost)[0] == 200
    workstream = driver.reload()
    used = machine.get(f"/api/workstreams/{workstream.uuid}/")[1]["used"]
    assert sorted((one["cost"], one["currency"]) for one in used) == [("0.30", "USD"), ("1.000001", "EUR")]
    assert [one["cost"] for one in history_of_usage()] == ["0.10", "0.20", "", "1.000001"]
    client.force_login(driver.cast.observer)
    page = client.get(reverse("workstream", args=[workstream.uuid])).content.decode()
    assert "1,205 tokens in, 300 out, 0.30 USD, 9 s" in page
    step = client.get(reverse("task", args=[workstream.uuid, "A1"])).content.decode()
    assert "Used: 1,205 tokens in" in step


def test_fr013_wrong_usage_is_refused_and_nothing_is_stored(driver: Driver) -> None:
    driver.start()
    held = driver.claim("A1")
    machine, address = Machine.of(held.executor), f"/api/attempts/{held.attempt_id}/report"
    for wrong in ({"tokens_in": -1}, {"cost": "1"}, {"cost": "0.1234567", "currency": "USD"}, {"money": 3}):
        status, refusal = machine.post(address, {"token": held.token, "breadcrumb": "x", "usage": wrong})
        assert status == 422, refusal
    for usage, status in (({"cost": "1", "currency": "USD"}, 200), ({"cost": "1", "currency": "EUR"}, 422)):
        assert machine.post(address, {"token": held.token, "breadcrumb": "x", "usage": usage})[0] == status
    assert driver.attempt("A1").used.cost == "1.00"


@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ({"seconds": 4_000}, "usage.seconds"),
        ({"tokens_in": 10**15}, "usage.tokens_in"),
        ({"tokens_out": 10**9}, "usage.tokens_out"),
        ({"cost": "999999999", "currency": "USD"}, "usage.cost"),
    ],
)
def test_fr013_more_than_can_be_used_since_the_claim_is_refused(
    driver: Driver, usage: dict[str, object], field: str
) -> None:
    """EC-6: one absurd word would stop the whole plan at its budget, and forecasts would build on it."""
    driver.start()
    held = driver.claim("A1")
    with pytest.raises(InvalidInput) as refusal:
        claims.report(
            attempt_id=held.attempt_id,
            token=held.token,
            executor=held.executor,
            breadcrumb="x",
            usage=read_usage(usage),
            now=held.claimed_at + timedelta(minutes=10),
        )
    assert refusal.value.details["field"] == field
    assert "A1 attempt 1, claimed 600 s ago, cannot have used more than" in refusal.value.message
    assert driver.attempt("A1").used == Usage()


def test_fr013_time_is_held_against_the_sum_of_all_words(driver: Driver) -> None:
    driver.start()
    held = driver.claim("A1")

    def say(seconds: int) -> None:
        claims.report(
            attempt_id=held.attempt_id,
            token=held.token,
            executor=held.executor,
            breadcrumb="x",
            usage=Usage(seconds=seconds),
            now=held.claimed_at + timedelta(minutes=10),
        )

    say(600)
    with pytest.raises(InvalidInput):
        say(61)
    say(60)
    assert driver.attempt("A1").used.seconds == 660


@pytest.mark.parametrize(
    "wrong", [{"tokens_in": True}, {"seconds": "12"}, {"model": "small\nand large"}, {"tokens_out": 1.0}]
)
def test_fr013_usage_is_read_strictly(driver: Driver, wrong: dict[str, object]) -> None:
    driver.start()
    held = driver.claim("A1")
    body = {"token": held.token, "breadcrumb": "x", "usage": wrong}
    status, refusal = Machine.of(held.executor).post(f"/api/attempts/{held.attempt_id}/report", body)
    assert (status, next(iter(wrong)) in refusal["message"]) == (422, True)


def test_fr013_a_committed_result_says_it_too(driver: Driver, settings: Settings) -> None:
    driver.start()
    held = driver.claim("A1")
    evidence = {one.text: "seen" for one in criteria_to_prove(held.attempt.task)}
    Producer(settings.WORKSPACE_DIR, held.executor.name).push(
        {"result.json": told(held, outcome="Done.", evidence=evidence, usage=WORD)}
    )
    collector.collect(now=driver.tick())
    assert (driver.task("A1").status, driver.attempt("A1").used) == ("complete", read_usage(WORD))


def test_fr013_money_is_exact_and_currencies_stay_apart() -> None:
    tenth = read_usage({"cost": "0.1", "currency": "USD"})
    total = Usage()
    for _ in range(3):
        total = added(total, tenth)
    assert (total.micros, total.cost) == (300_000, "0.30")
    assert [read_usage({"cost": one, "currency": "USD"}).cost for one in ("7", "1.05", "0.000001")] == [
        *("7.00", "1.05", "0.000001")
    ]
    euro, words = read_usage({"cost": "2", "currency": "EUR"}), Usage(tokens_in=3)
    assert sorted(one.currency for one in totals([tenth, euro, words])) == ["EUR", "USD"]
    with pytest.raises(InvalidInput):
        added(tenth, euro)
