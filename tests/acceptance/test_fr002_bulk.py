"""FR-002: one act for several items of a kind, with a result for each; what is refused holds up none."""

import pytest
from pytest_django.fixtures import Settings

from orchestrator.models import Assignment, HistoryEntry, Learning
from orchestrator.services.people import interventions
from tests.cast import Driver
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db


def ask(driver: Driver, key: str, choices: tuple[str, ...] = ()) -> str:
    task = driver.task(key)
    interventions.flag_for_human(
        task_id=task.pk,
        note="Which currency?",
        choices=choices,
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    return f"question:{task.pk}"


def test_fr002_several_questions_get_the_same_answer(driver: Driver) -> None:
    driver.start()
    items = [
        ask(driver, "A1", ("Euro", "Yen")),
        ask(driver, "B1", ("Euro", "Yen")),
        ask(driver, "D1", ("Yes", "No")),
    ]
    rita = signed_in(driver.cast.reviewer)
    assert "Answer the chosen ones" in words(rita.get("/?kind=question"))
    said = words(rita.post("/inbox/answer", {"item": items, "answer": "Euro"}, follow=True))
    assert "of Card refunds is answered. B1" in said
    assert "Not answered D1: Write the manual of Card refunds: Answer with one of: Yes; No." in said
    assert [driver.task(key).needs_human for key in ("A1", "B1", "D1")] == [False, False, True]
    again = words(rita.post("/inbox/answer", {"item": items[:2], "answer": "Yen"}, follow=True))
    assert again.count("was answered already, by rita: Euro. ") == 2
    assert set(HistoryEntry.objects.filter(action="intervention done").values_list("reason", flat=True)) == {
        "Euro"
    }


def test_fr002_blank_answers_and_nothing_chosen_are_refused(driver: Driver) -> None:
    driver.start()
    item = ask(driver, "A1")
    rita = signed_in(driver.cast.reviewer)
    assert "There is no answer yet." in words(rita.post("/inbox/answer", {"item": [item], "answer": "  "}))
    for act, source in {"answer": "question", "claim": "claim", "nothing": "batch", "sign": "gate"}.items():
        refused = rita.post(f"/inbox/{act}", {"answer": "Euro"})
        assert (refused.status_code, ", and nothing else." in words(refused)) == (422, True)
        crowd = rita.post(f"/inbox/{act}", {"answer": "Euro", "item": [f"{source}:{n}" for n in range(51)]})
        assert (crowd.status_code, "at most 50" in words(crowd)) == (422, True)
    assert driver.task("A1").needs_human


def test_fr006_signing_in_the_inbox_says_where_it_is_undone(driver: Driver, settings: Settings) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    settings.WITHDRAW_SECONDS = 30
    rita, gate = signed_in(driver.cast.reviewer), driver.task("MP1")
    said = words(rita.post("/inbox/sign", {"item": [f"gate:{gate.pk}"], "note": "Fine."}, follow=True))
    assert f"MP1 of {driver.reload()} is signed; for 30 seconds you can withdraw that, under Gates." in said
    assert f'href="/gates/{gate.pk}/"' in rita.get("/gates/").content.decode()
    assert "Withdraw signature" in words(rita.get(f"/gates/{gate.pk}/"))


def test_fr002_several_steps_are_claimed_once(driver: Driver) -> None:
    driver.start()
    carl = signed_in(driver.cast.contributor)
    items = [f"claim:{driver.attempt(key).pk}" for key in ("A1", "B1")]
    said = words(carl.post("/inbox/claim", {"item": [*items, "claim:999999", items[0]]}, follow=True))
    assert "You hold A1: Ledger entries for refunds of Card refunds now. You hold B1" in said
    assert "Not claimed: " in said
    assert Assignment.objects.filter(executor__user=driver.cast.contributor).count() == 2
    assert signed_in(driver.cast.observer).post("/inbox/claim", {"item": items}).status_code == 403


def test_fr002_several_batches_taught_nothing_new(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "A2", "B1")
    driver.sign("MP1")
    rita = signed_in(driver.cast.reviewer)
    rows = rita.get("/?kind=lesson").context["items"]
    assert len(rows) == 2
    said = words(rita.post("/inbox/nothing", {"item": [row.name for row in rows]}, follow=True))
    assert "Batch 01 of Card refunds taught nothing new." in said
    assert "MP1 of Card refunds taught nothing new." in said
    assert Learning.objects.count() == 2
    assert not rita.get("/?kind=lesson").context["items"]


def test_fr002_a_person_gives_back_what_they_hold_from_the_list(driver: Driver) -> None:
    driver.start()
    carl = signed_in(driver.cast.contributor)
    carl.post("/inbox/claim", {"item": [f"claim:{driver.attempt('A1').pk}"]})
    driver.claim("B1", driver.cast.builder())
    shown = carl.get("/?view=hands")
    assert "You hold it; no breadcrumb yet" in words(shown)
    held = {item.entry.title: item.name for item in shown.context["items"]}
    mine, agents = [held[str(driver.task(key).step)] for key in ("A1", "B1")]
    silent = words(carl.post("/inbox/give-back?view=hands", {"item": [mine], "breadcrumb": " "}, follow=True))
    assert "Say how far it is, for whoever goes on." in silent
    sent = {"item": [mine, agents], "breadcrumb": "Half of it is there."}
    said = carl.post("/inbox/give-back?view=hands", sent, follow=True)
    assert said.redirect_chain[0][0] == "/?view=hands"
    assert "You have given A1: Ledger entries for refunds of Card refunds back" in words(said)
    assert "Not given back B1" in words(said)
    assert Assignment.objects.get(released_at=None).attempt.task.step.key == "B1"
    assert driver.task("A1").breadcrumb == "Half of it is there."


def test_fr002_an_act_on_chosen_items_keeps_the_filters(driver: Driver) -> None:
    driver.start()
    carl = signed_in(driver.cast.contributor)
    shown = carl.get("/?kind=claim&domain=payments")
    for act in ("snooze", "claim"):
        assert f'action="/inbox/{act}?kind=claim&amp;domain=payments"' in shown.content.decode()
    items = [item.choice for item in shown.context["items"]]
    for act, more in (("snooze", {"for": "3h"}), ("claim", {})):
        done = carl.post(f"/inbox/{act}?kind=claim&domain=payments", {"item": items[:1], **more})
        assert done.headers["Location"] == "/?kind=claim&domain=payments"
    refused = carl.post("/inbox/snooze?kind=claim&domain=payments", {"for": "3h"})
    assert "Choose between 1 and 100 items. Tick what you want to put off in the list." in words(refused)
    assert refused.context["filters"].kind == "claim"
    reloaded = carl.get("/inbox/snooze?kind=claim&domain=payments")
    assert reloaded.headers["Location"] == "/?kind=claim&domain=payments"
