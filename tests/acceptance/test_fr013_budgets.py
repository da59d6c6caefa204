"""FR-013, EC-6: a plan and its steps may state a budget; work stops at it, and a person decides."""

import csv

import pytest
from django.test import Client
from django.urls import reverse

from orchestrator.core.engine.budgets import read_budget
from orchestrator.core.errors import InvalidInput, NotAllowed
from orchestrator.core.terms import ExecutorKind, Reason
from orchestrator.models import HistoryEntry, Intervention
from orchestrator.services.people.executors import register_executor
from orchestrator.services.people.interventions import clear_human_flag
from orchestrator.services.work.failures import declare_failure
from orchestrator.services.workstreams.budgets import set_budget
from tests.acceptance.versions import approve, next_version
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.verified import state_problems

pytestmark = pytest.mark.django_db
BUDGETED = PLAN.replace(b"---\n", b"---\nbudget: 1,000 tokens, 2 USD\n", 1)


def with_step_budget(plan: bytes, key: str, budget: str) -> bytes:
    line = next(line for line in plan.decode().splitlines() if line.startswith(f"- {key}: "))
    return plan.replace(line.encode(), f"{line}\n  - Budget: {budget}".encode(), 1)


def spend(driver: Driver, key: str, **usage: object) -> Machine:
    """Claim the step if it is free, and say that it used this."""
    attempt = driver.attempt(key)
    held = attempt.assignment if attempt.status == "running" else driver.claim(key)
    machine = Machine.of(held.executor)
    word = {"token": held.token, "breadcrumb": "On it.", "usage": usage}
    status, said = machine.post(f"/api/attempts/{held.attempt_id}/report", word)
    assert status == 200, said
    return machine


def card() -> Intervention:
    return Intervention.objects.get(cleared_at=None)


def decide(driver: Driver, answer: str, role: str = "approver") -> None:
    actor = driver.cast.actor(role)
    clear_human_flag(task_id=card().task_id, answer=answer, actor=actor, now=driver.tick())
    driver.advance()


def test_fr013_a_plan_s_budget_stops_the_work_and_asks_once(driver: Driver, client: Client) -> None:
    driver.start(BUDGETED)
    first = spend(driver, "A1", tokens_in=900)
    assert first.get("/api/mine")[1]["items"][0]["spent"] is None
    assert not Intervention.objects.exists()
    spend(driver, "A1", tokens_in=100)
    driver.advance()
    assert (card().kind, card().task.step.key) == ("plan-budget", "A1")
    assert "1,000 of 1,000 tokens" in card().note
    assert [one.text for one in card().choices.all()] == [
        *("1,500 tokens, 2.00 USD", "2,000 tokens, 2.00 USD", "no budget", "stop")
    ]
    other = Machine.of(driver.cast.builder("other"))
    status, refusal = other.post(f"/api/attempts/{driver.attempt('B1').pk}/claim")
    assert (status, refusal["code"]) == (409, "budget-spent")
    assert other.post("/api/next", {})[1]["claim"] is None
    assert driver.task("B1").verdict.reason == Reason.BUDGET
    spend(driver, "A1", tokens_out=5)
    assert Intervention.objects.count() == 1
    (mine,) = first.get("/api/mine")[1]["items"]
    assert (mine["held"], mine["spent"]["whole"]) == ("", True)
    assert "may end, and its result counts" in mine["spent"]["sentence"]
    asked = first.post("/api/next", {})[1]["claim"]["attempt"]
    assert asked["spent"] == mine["spent"]
    page = reverse("task", args=[driver.reload().uuid, "A1"])
    client.force_login(driver.cast.observer)
    assert mine["spent"]["sentence"] in client.get(page).content.decode()
    driver.complete("A1")  # what runs may end, and launches nothing
    driver.advance()
    assert driver.task("A1").status == "complete"
    assert HistoryEntry.objects.filter(action="budget used up").count() == 1
    client.force_login(driver.cast.observer)
    page = client.get(reverse("workstream", args=[driver.reload().uuid])).content.decode()
    assert "The budget of the plan is used up: 1,000 of 1,000 tokens" in page
    why = other.get(f"/api/workstreams/{driver.reload().uuid}/why/")[1]
    assert (why["root"]["kind"], why["root"]["freed_by"]) == ("budget", ["approver", "initiator"])
    assert why["root"]["to_do"] == "set another budget"
    assert state_problems(driver.reload()) == []


def test_fr013_an_answer_raises_the_budget_and_work_goes_on(driver: Driver) -> None:
    driver.start(BUDGETED)
    spend(driver, "A1", cost="2", currency="USD")
    driver.advance()
    for role, wrong, refused in (
        ("contributor", "no budget", NotAllowed),
        ("approver", "lots", InvalidInput),
        ("approver", "1.50 USD", InvalidInput),
    ):
        with pytest.raises(refused):
            decide(driver, wrong, role)
    decide(driver, "5 USD")
    assert driver.reload().budget == "5.00 USD"
    assert driver.claim("B1").attempt.status == "running"
    entry = HistoryEntry.objects.get(action="budget set")
    assert entry.subject == "the plan: 1,000 tokens, 2.00 USD to 5.00 USD"
    assert (entry.reason, entry.actor) == ("5 USD", driver.cast.approver.get_username())
    assert state_problems(driver.reload()) == []


def test_fr013_stopped_work_waits_until_another_budget_is_set(driver: Driver) -> None:
    driver.start(BUDGETED)
    spend(driver, "A1", tokens_in=2_000)
    decide(driver, "stop")
    workstream = driver.reload()
    assert "stopped the work" in workstream.over_budget
    assert driver.task("B1").verdict.reason == Reason.BUDGET
    agent = driver.cast.actor("approver")
    set_budget(
        workstream_id=workstream.pk, budget="3k tokens", reason="More money.", actor=agent, now=driver.tick()
    )
    driver.advance()
    assert driver.claim("B1").attempt.status == "running"


def test_fr013_money_that_the_budget_does_not_name_is_beyond_it(driver: Driver) -> None:
    driver.start(BUDGETED)
    spend(driver, "A1", cost="0.01", currency="EUR")
    assert "0.01 EUR, a currency that the budget does not name" in card().note


def test_fr013_a_step_s_budget_stops_the_step_alone(driver: Driver) -> None:
    driver.start(with_step_budget(PLAN, "A1", "500 tokens"))
    machine = spend(driver, "A1", tokens_in=500)
    driver.advance()
    assert (card().kind, "500 of 500 tokens" in card().note) == ("budget", True)
    (mine,) = machine.get("/api/mine")[1]["items"]
    assert mine["held"] == ""
    assert mine["spent"]["whole"] is False
    assert "The budget of A1 is used up: 500 of 500 tokens." in mine["spent"]["sentence"]
    assert driver.claim("B1").attempt.status == "running"
    held = driver.attempt("A1").assignment
    lost = {"token": held.token, "error": "Out of money."}
    assert machine.post(f"/api/attempts/{held.attempt_id}/fail", lost)[0] == 200
    address = f"/api/tasks/{driver.task('A1').pk}/requeue"
    assert Machine.of(driver.cast.builder("third")).post(address, {"reason": "Again."})[0] == 409
    decide(driver, "1,000 tokens", "initiator")
    assert driver.task("A1").budget == "1,000 tokens"
    assert Machine.of(driver.cast.builder("third")).post(address, {"reason": "Again."})[0] == 200


def test_fr013_a_result_or_a_person_s_end_overtakes_the_step_s_question(driver: Driver) -> None:
    plan = with_step_budget(with_step_budget(PLAN, "A1", "5 tokens"), "B1", "5 tokens")
    driver.start(plan)
    spend(driver, "A1", tokens_in=5)
    driver.complete("A1")
    spend(driver, "B1", tokens_in=5)
    declare_failure(
        attempt_id=driver.attempt("B1").pk,
        reason="Enough.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    assert not Intervention.objects.filter(cleared_at=None).exists()
    assert (driver.task("A1").status, driver.task("B1").status) == ("complete", "blocked")


def test_fr013_the_page_answers_with_another_budget(driver: Driver, client: Client) -> None:
    driver.start(BUDGETED)
    spend(driver, "A1", tokens_in=1_000)
    client.force_login(driver.cast.approver)
    page = client.get(reverse("interventions")).content.decode()
    assert "Or another budget" in page
    assert "Budget used up" in page
    address = reverse("intervention-done", args=[card().pk])
    refused = client.post(address, {"other": "1 token"})
    assert refused.status_code == 422
    assert "is used up already" in refused.content.decode()
    assert client.post(address, {"answer": "no budget", "other": "9k tokens"}).status_code == 302
    assert driver.reload().budget == "9,000 tokens"


def test_fr013_who_may_not_decide_about_a_budget_is_told_before(driver: Driver, client: Client) -> None:
    driver.start(BUDGETED)
    spend(driver, "A1", tokens_in=1000)
    client.force_login(driver.cast.contributor)
    task = reverse("task", args=[driver.reload().uuid, "A1"])
    for address in (reverse("interventions"), task):
        page = client.get(address).content.decode()
        button = page[: page.index("Mark done")].rpartition("<button")[2]
        assert "disabled" in button, address
        assert "You need the role initiator or approver." in page, address


def test_fr013_a_budget_is_set_on_the_page_and_over_rest(driver: Driver, client: Client) -> None:
    driver.start()
    uuid = driver.reload().uuid
    client.force_login(driver.cast.approver)
    address = reverse("workstream-act", args=[uuid, "budget"])
    assert client.post(address, {"budget": "lots", "reason": "Why not."}).status_code == 422
    assert client.post(address, {"budget": "20 USD", "reason": "Agreed."}).status_code == 302
    own = register_executor(
        name="hands", kind=ExecutorKind.PERSON, user=driver.cast.approver, now=driver.tick()
    )
    person = Machine.of(own)
    change = {"budget": "30 USD", "reason": "More."}
    status, facts = person.post(f"/api/workstreams/{uuid}/budget", change)
    assert (status, facts["budget"], facts["over_budget"]) == (200, "30.00 USD", "")
    assert "30.00 USD" in client.get(reverse("workstream", args=[uuid])).content.decode()


def test_fr013_usage_stands_in_portfolio_and_export(driver: Driver, client: Client) -> None:
    driver.start(BUDGETED)
    spend(driver, "A1", tokens_in=7, tokens_out=3, cost="0.25", currency="USD", seconds=9)
    client.force_login(driver.cast.observer)
    assert "0.25 USD" in client.get(reverse("portfolio")).content.decode()
    (row,) = csv.DictReader(client.get(reverse("portfolio-csv")).getvalue().decode().splitlines())
    names = ("tokens_in", "tokens_out", "cost", "seconds_used", "budget")
    assert [row[name] for name in names] == ["7", "3", "0.25 USD", "9", "1,000 tokens, 2.00 USD"]


def test_fr013_the_rehearsal_forecasts_from_earlier_steps(driver: Driver, client: Client) -> None:
    driver.start()
    for key, tokens in (("A1", 100), ("B1", 300), ("A2", 200)):
        spend(driver, key, tokens_in=tokens, cost="0.10", currency="USD")
        driver.complete(key)
        driver.advance()
    machine = Machine.of(driver.cast.builder("planner"))
    asked = {"source": BUDGETED.replace(b"1,000 tokens", b"500 tokens").decode()}
    found = machine.post("/api/plans/check", asked)[1]["preview"]["forecast"]
    assert (found["known"], found["measured"]) == (3, 3)
    # The three that ran before count as themselves, every other step as the middle one.
    others = found["steps"] - 3
    assert found["expected"]["tokens_in"] == 600 + 200 * others
    assert found["beyond"][0].startswith(f"{600 + 200 * others:,} of 500 tokens")
    client.force_login(driver.cast.observer)
    page = client.get(reverse("plan-effect", args=["card-refunds", 1])).content.decode()
    assert "by 3 earlier steps that said what they used" in page


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("2,000,000 tokens, 20 USD, 3 h", "2,000,000 tokens, 20.00 USD, 3 h"),
        ("500k tokens", "500,000 tokens"),
        ("1.5 EUR and 90 min; 10 tokens", "10 tokens, 1.50 EUR, 90 min"),
        ("none", ""),
    ],
)
def test_fr013_budgets_read_back_as_they_are_written(text: str, line: str) -> None:
    assert read_budget(text).line == line
    assert read_budget(line) == read_budget(text)


@pytest.mark.parametrize("text", ["20", "20 dollars", "-1 USD", "0 tokens", "5 USD, 6 USD", "1,00 tokens"])
def test_fr013_other_budgets_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_budget(text)
    assert "2,000,000 tokens, 20 USD, 3 h" in refused.value.way_out


def test_ec6_a_circuit_breaker_does_not_lose_the_question_about_the_plan(driver: Driver) -> None:
    once = b"- A1: Ledger entries for refunds\n  - Max attempts: 1\n"
    driver.start(BUDGETED.replace(once.partition(b"  ")[0], once))
    spend(driver, "A1", tokens_in=1_000)
    assert card().task.step.key == "A1"
    driver.fail("A1", "It broke.")
    cards = Intervention.objects.filter(cleared_at=None).order_by("kind")
    assert [(one.kind, one.task.step.key) for one in cards] == [("breaker", "A1"), ("plan-budget", "A2")]
    assert state_problems(driver.reload()) == []


def test_fr013_a_version_with_another_budget_lets_the_work_go_on(driver: Driver) -> None:
    driver.start(BUDGETED)
    spend(driver, "A1", tokens_in=1_000)
    driver.complete("A1")
    text = BUDGETED.replace(b"1,000 tokens", b"5,000 tokens")
    approve(driver, next_version(driver, text))
    driver.advance()
    workstream = driver.reload()
    assert (workstream.version.number, workstream.over_budget) == (2, "")
    assert not Intervention.objects.filter(cleared_at=None).exists()
    assert driver.claim("B1").attempt.status == "running"
    assert state_problems(driver.reload()) == []


@pytest.mark.parametrize("whole", [True, False])
def test_lc6_whoever_runs_asks_although_a_budget_is_asked_about(driver: Driver, whole: bool) -> None:
    """The question about the budget waits behind it, and is asked again as long as it is used up."""
    driver.start(BUDGETED if whole else with_step_budget(PLAN, "A1", "1,000 tokens"))
    machine = spend(driver, "A1", tokens_in=1_000)
    budget = card()
    address = f"/api/tasks/{driver.task('A1').pk}/flag"
    assert machine.post(address, {"intervention_note": "Which one?"})[0] == 200
    assert card().note == "Which one?"
    status, refusal = machine.post(address, {"intervention_note": "And which other?"})
    assert (status, "breadcrumb" in refusal["recovery"]) == (409, True)
    decide(driver, "The small one.", "contributor")
    assert (card().kind, card().note) == (budget.kind, budget.note)
    assert card().choices.count() == budget.choices.count()
    decide(driver, "no budget")
    assert machine.post(address, {"intervention_note": "One more?"})[0] == 200
    decide(driver, "No.", "contributor")
    assert not Intervention.objects.filter(cleared_at=None).exists()
    assert state_problems(driver.reload()) == []
