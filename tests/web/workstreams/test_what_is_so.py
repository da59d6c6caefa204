"""Sentences that say what is so: a plan that came back, the last step, domains that nobody named."""

from orchestrator.core.terms import Lifecycle
from orchestrator.queries.workstreams.portfolio import Bar
from orchestrator.web.charts.bars import finding
from tests.cast import Driver
from tests.web.pages import signed_in, words


def bar(domain: str, count: int) -> Bar:
    return Bar(domain, dict.fromkeys(Lifecycle, 0) | {Lifecycle.ACTIVE: count})


def test_a_chart_without_names_says_how_many_have_none() -> None:
    assert finding([bar("tools", 1), bar("", 5)]) == (
        "6 workstreams in 2 domains; 5 have no domain; none waits for acceptance."
    )
    assert "tools has the most, 9" in finding([bar("tools", 9), bar("", 5)])


def test_a_plan_that_was_sent_back_waits_for_its_author(driver: Driver) -> None:
    version = driver.submit().version
    client = signed_in(driver.cast.approver)
    assert "The plan is not approved yet." in words(client.get("/portfolio/"))
    version.status = "sent_back"
    version.save()
    assert "The plan was sent back; its author submits the next version." in words(client.get("/portfolio/"))


def test_needed_by_counts_what_stands_behind_by_the_order_of_the_plan(driver: Driver) -> None:
    work = driver.start()
    client = signed_in(driver.cast.observer)
    page = f"/workstreams/{work.uuid}/tasks/"
    assert "No step names it; 4 steps stand behind it" in words(client.get(f"{page}A1/"))
    assert "Needed by No step." in words(client.get(f"{page}D1/"))
