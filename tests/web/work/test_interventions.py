"""Interventions in the browser: amber cards, an answer, Mark done (LC-6, LC-7)."""

import pytest

from orchestrator.models import HistoryEntry, Intervention
from orchestrator.services.people.interventions import flag_for_human
from tests.cast import PLAN, Driver
from tests.web.pages import htmx, signed_in, words


@pytest.fixture
def flagged(driver: Driver) -> Driver:
    driver.start()
    flag(driver, "A1", "Which currency?")
    return driver


def flag(driver: Driver, key: str, note: str) -> None:
    actor = driver.cast.actor("contributor")
    flag_for_human(task_id=driver.task(key).pk, note=note, actor=actor, now=driver.tick())


def done_url() -> str:
    return f"/interventions/{Intervention.objects.latest('pk').pk}/done"


def test_a_flag_is_an_amber_card(flagged: Driver) -> None:
    response = signed_in(flagged.cast.contributor).get("/interventions/")
    assert b' class="card-human"' in response.content
    text = words(response)
    for part in (
        "Which currency?",
        "A1: Ledger entries for refunds",
        "Card refunds",
        "asked by carl",
        "Mark done",
    ):
        assert part in text


def test_mark_done_clears_the_flag_and_keeps_the_answer(flagged: Driver) -> None:
    response = signed_in(flagged.cast.contributor).post(done_url(), {"answer": "Euro."}, follow=True)
    assert response.redirect_chain[-1][0] == "/interventions/"
    text = words(response)
    assert "Nothing waits for a person" in text
    assert text.index("Done") < text.index("Euro.")
    assert flagged.task("A1").needs_human is False
    assert Intervention.objects.get().cleared_by == flagged.cast.contributor
    assert HistoryEntry.objects.get(action="intervention done").reason == "Euro."


def test_htmx_gets_the_cards_without_the_one_that_is_done(flagged: Driver) -> None:
    flag(flagged, "B1", "Which gateway?")
    client = signed_in(flagged.cast.contributor)
    response = client.post(done_url(), {"answer": "The new one."}, **htmx("cards"))
    assert response.status_code == 200
    assert response.content.strip().startswith(b'<div id="cards"')
    assert response.content.count(b' class="card-human"') == 1
    assert "Done. Your answer is in the history" in words(response)


def test_done_twice_is_refused_and_keeps_the_answer(flagged: Driver) -> None:
    client = signed_in(flagged.cast.contributor)
    client.post(done_url(), {"answer": "Euro."})
    again = client.post(done_url(), {"answer": "Dollar."})
    assert again.status_code == 409
    assert "was answered already, by" in words(again)
    assert "What you typed Dollar." in words(again)
    assert Intervention.objects.get().answer == "Euro."


def test_a_double_click_is_told_once(flagged: Driver) -> None:
    client = signed_in(flagged.cast.contributor)
    for _ in range(2):
        assert client.post(done_url(), {"answer": "Euro.", "once": "k" * 20}).status_code == 302
    assert words(client.get("/interventions/")).count("Your answer is in the history") == 1
    assert "Your answer is in the history" not in words(client.get("/interventions/"))


def test_an_observer_cannot_answer(flagged: Driver) -> None:
    client = signed_in(flagged.cast.observer)
    assert "<form" not in client.get("/interventions/").content.decode().split("<main")[1].split("</main")[0]
    response = client.post(done_url(), {"answer": "Euro."})
    assert response.status_code == 403
    assert "Euro." in words(response)
    assert flagged.task("A1").needs_human is True


def test_the_page_costs_the_same_for_any_number_of_cards(
    flagged: Driver, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    client = signed_in(flagged.cast.observer)
    client.get("/interventions/")
    with django_assert_max_num_queries(12) as few:
        client.get("/interventions/")
    for n in range(3):
        flagged.start(PLAN.replace(b"Card refunds", b"More %d" % n))
        flag(flagged, "A1", "Which one?")
    with django_assert_num_queries(len(few.captured_queries)):
        client.get("/interventions/")


def test_an_empty_page_says_what_would_be_here(cast) -> None:
    assert "Nothing waits for a person" in words(signed_in(cast.observer).get("/interventions/"))
