"""BX-9: what a completed step rests on is told wherever it is listed, and rules of a workflow demand proof by
role and by path."""

import csv
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from orchestrator.core.actions import Action
from orchestrator.core.engine.proof import ProofRule
from orchestrator.models import HandoffArtifact, HistoryEntry, Verification
from orchestrator.processes.verifier import Verifier
from orchestrator.queries.work.briefs import whole_brief
from orchestrator.queries.work.projection import projected_files
from orchestrator.queries.work.work import Wanted
from orchestrator.services.base.actor import Actor
from orchestrator.services.next_step import claim_next
from tests.acceptance.lanes import Agent, make_repository, working
from tests.acceptance.test_bx9_proved_not_asserted import GREEN, PLAN, RED
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def started(driver: Driver, settings: Settings) -> Driver:
    settings.TOOLS_SANDBOX = "off"
    make_repository(settings.REPOSITORIES_DIR / "sample", **{"prices/none.txt": ""})
    driver.start(PLAN)
    return driver


def handed_in(driver: Driver, text: str) -> Agent:
    agent = working(driver, "A1").write("prices/test_price.py", text)
    assert agent.complete(agent.commit())[0] == 202
    return agent


@pytest.fixture
def both(started: Driver) -> Driver:
    """A1 is proved by a run, B1 asserted by its agent."""
    handed_in(started, GREEN)
    Verifier(started.tick).turn()
    started.do("B1")
    started.advance()
    return started


def test_bx9_lists_and_briefs_say_proved_or_asserted(both: Driver) -> None:
    machine = Machine.of(both.cast.builder("reader"))
    uuid = both.reload().uuid
    tasks = {one["key"]: one["proof"] for one in machine.get(f"/api/workstreams/{uuid}/")[1]["tasks"]}
    assert tasks == {"A1": "proved", "B1": "asserted", "A2": "", "C1": "", "D1": ""}
    attempt = machine.get(f"/api/attempts/{both.attempt('B1').pk}/verification")[1]
    assert attempt["proof"] == "asserted"


def test_bx9_pages_say_proved_or_asserted(both: Driver, client: Client) -> None:
    reader = signed_in(both.cast.observer)
    uuid = both.reload().uuid
    page = words(reader.get(f"/workstreams/{uuid}/"))
    assert "A1: Price model 01: prices .worktrees/WS-A Complete Proved" in page
    assert "B1: Page with prices 02: pages .worktrees/WS-B Complete Asserted" in page
    board = words(reader.get(f"/workstreams/{uuid}/dashboard/"))
    assert "proved" in board
    assert "asserted" in board
    trail = words(reader.get(f"/workstreams/{uuid}/history/"))
    assert "Asserted" in trail
    assert "Proved" in trail


def test_bx9_history_and_its_export_keep_it(both: Driver) -> None:
    entries = HistoryEntry.objects.filter(action=Action.ATTEMPT_COMPLETED).order_by("sequence")
    assert [json.loads(one.leaf)["data"]["proof"] for one in entries] == ["proved", "asserted"]
    export = signed_in(both.cast.observer).get("/history/?format=csv").getvalue().decode()
    rows = [row for row in csv.DictReader(export.splitlines()) if row["what"] == "attempt completed"]
    assert {row["subject"].split()[0]: row["proof"] for row in rows} == {"A1": "proved", "B1": "asserted"}


def test_bx9_artifacts_and_state_files_say_it(both: Driver) -> None:
    bodies = [json.loads(one.body) for one in HandoffArtifact.objects.filter(event="attempt-completed")]
    assert {one["step"]["key"]: one["proof"] for one in bodies} == {"A1": "proved", "B1": "asserted"}
    files = projected_files(both.reload())
    tasks = next(content for path, content in files.items() if path.endswith("/tasks.json"))
    told = {one["id"]: one["proof"] for one in json.loads(tasks)["tasks"]}
    assert (told["A1"], told["B1"], told["A2"]) == ("proved", "asserted", "")


def rules(driver: Driver, **more: str) -> Any:
    form = {"name": "Shop front", "required_approvals": "1", "reason": "Red.", **more}
    slug = driver.reload().version.workflow.slug
    return signed_in(driver.cast.approver).post(f"/plans/{slug}/rules/", form)


@pytest.mark.parametrize("rule", [{"proof_paths": "prices/**, pages/*.html"}, {"proof_roles": "contributor"}])
def test_bx9_a_rule_demands_proof_by_path_or_role(started: Driver, rule: dict[str, str]) -> None:
    if "proof_roles" in rule:
        started.reload().version.steps.filter(key="B1").update(role="contributor")
    assert rules(started, **rule).status_code == 302
    said = [whole_brief(started.task(key).pk).summary for key in ("B1", "C1")]
    assert ["proof only" in one for one in said] == [True, False], said
    agent = working(started, "B1").write("pages/shop.html", "<p>\n")
    status, refusal = agent.complete(agent.commit())
    assert (status, refusal["code"]) == (422, "proof-demanded")
    free = working(started, "C1").write("words/shop.txt", "Shop\n")
    assert free.complete(free.commit())[0] == 200, "nothing demands it of the words"


def test_bx9_a_rule_for_no_role_is_refused(started: Driver) -> None:
    answer = rules(started, proof_roles="wizard")
    assert answer.status_code == 422
    assert "wizard is no role that does steps" in words(answer)


def test_bx9_which_files_a_rule_means() -> None:
    rule = ProofRule(paths=("payments/**", "*.sql"), roles=("reviewer",))
    assert rule.demands("", ["payments/card.py"])
    assert rule.demands("", ["payments/**"])
    assert not rule.demands("contributor", ["pages/**"])
    assert rule.demands("reviewer", [])
    assert ProofRule(everything=True).demands("", [])


def test_bx9_next_gives_nothing_again_that_is_being_verified(started: Driver) -> None:
    agent = handed_in(started, RED)
    asked = {"wait": 1}
    told = agent.machine.post("/api/next", asked)[1]
    assert (told["claim"], told["waiting"][0]["key"]) == (None, "A1")
    assert "A1 is being verified by pytest -q prices" in told["sentence"]
    Verifier(started.tick).turn()
    told = agent.machine.post("/api/next", asked)[1]
    assert (told["claim"]["attempt"]["key"], told["again"]) == ("A1", True)
    assert told["claim"]["attempt"]["verification"]["state"] == "refused"


def test_bx9_next_waits_for_the_verification_and_goes_on(
    started: Driver, monkeypatch: Any, settings: Any
) -> None:
    settings.STRICT_DECLARATIONS = False  # in its clock the work of others is done, as beside it otherwise
    agent = handed_in(started, GREEN)
    runs: list[int] = []

    def clock() -> Any:
        if len(runs) == 1:  # between the first look and the second one
            Verifier(started.tick).turn()
            started.advance()
        runs.append(1)
        return started.tick()

    monkeypatch.setattr("orchestrator.services.next_step.VERIFYING_LOOK", 0.01)
    step = claim_next(
        executor=agent.executor,
        actor=Actor.member(agent.executor),
        wanted=Wanted(),
        seconds=20,
        clock=clock,
    )
    assert step.assignment is not None
    assert step.assignment.attempt.task.step.key != "A1"
    assert Verification.objects.get().runs == 1
