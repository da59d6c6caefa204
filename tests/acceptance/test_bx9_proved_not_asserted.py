"""BX-9: a completion with a verification counts when its command, run by the orchestrator on the very commit,
is green; until then the attempt is being verified, and red refuses it with what the run showed."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from orchestrator.client.__main__ import main
from orchestrator.core.actions import Action
from orchestrator.core.engine.verification import Receipt
from orchestrator.core.terms import ArtifactState, AttemptStatus, Severity, TaskStatus, VerificationState
from orchestrator.models import HandoffArtifact, HistoryEntry, Verification
from orchestrator.processes import verifier
from orchestrator.processes.verifier import Verifier
from orchestrator.services.plans.check_rules import change_check_rules
from orchestrator.services.work.verifying import settle
from tests.acceptance.lanes import LANES, Agent, command, make_repository, working
from tests.cast import Driver
from tests.machines import secret_of
from tests.web.pages import signed_in, words

PLAN = LANES.replace(b"- A1: Price model\n", b"- A1: Price model\n  - Verify: `pytest -q prices`\n")
GREEN = "def test_price():\n    assert 1 + 1 == 2\n"
RECEIPT = Receipt("pytest -q prices", 1, "", "", 1, "", "", "Red.")
RED = "def test_price():\n    assert 1 + 1 == 3, 'prices are wrong'\n"


@pytest.fixture
def repository(settings: Settings) -> Path:
    settings.TOOLS_SANDBOX = "off"
    return make_repository(settings.REPOSITORIES_DIR / "sample", **{"prices/none.txt": ""})


@pytest.fixture
def started(driver: Driver, repository: Path) -> Driver:
    driver.start(PLAN)
    return driver


def verify(driver: Driver) -> bool:
    found = Verifier(driver.tick).turn()
    driver.advance()
    return found


def handed_in(driver: Driver, text: str, key: str = "A1") -> tuple[Agent, str]:
    agent = working(driver, key).write("prices/test_price.py", text)
    commit = agent.commit()
    status, told = agent.complete(commit)
    assert status == 202, told
    assert told["verification"]["state"] == "pending"
    return agent, commit


def held(agent: Agent) -> dict[str, Any]:
    (item,) = agent.machine.get("/api/mine")[1]["items"]
    return dict(item)


@pytest.mark.django_db(transaction=True)
def test_bx9_green_counts_exactly_as_handed_in(started: Driver, repository: Path) -> None:
    agent, commit = handed_in(started, GREEN)
    assert (agent.attempt.status, agent.attempt.commit) == (AttemptStatus.RUNNING, "")
    assert held(agent)["verification"]["sentence"].startswith("Being verified: pytest -q")
    assert verify(started)
    attempt = agent.attempt
    assert (attempt.status, attempt.commit, attempt.outcome) == (AttemptStatus.COMPLETED, commit, "Done.")
    assert [check.evidence for check in attempt.checks.all()] == ["seen"]
    row = Verification.objects.get()
    assert row.state == VerificationState.PROVED
    assert (row.exit_code, row.tree) == (0, command(repository, "rev-parse", f"{commit}^{{tree}}"))
    assert "1 passed" in row.log_end
    entry = HistoryEntry.objects.get(action=Action.ATTEMPT_COMPLETED)
    assert row.log in entry.leaf
    assert row.tree in entry.leaf
    assert not verify(started), "nothing is done twice"
    assert sorted(started.ready()) == ["A2", "B1", "C1"]


@pytest.mark.django_db(transaction=True)
def test_bx9_red_is_refused_and_its_holder_learns_why(started: Driver, repository: Path) -> None:
    agent, _ = handed_in(started, RED)
    assert verify(started)
    assert started.task("A1").status == TaskStatus.ACTIVE
    told = held(agent)["verification"]
    assert told["state"] == "refused"
    assert "prices are wrong" in told["log_end"]
    status, refusal = agent.machine.get(f"/api/attempts/{agent.attempt.pk}/verification?wait=1")
    assert (status, refusal["code"]) == (409, "verification-failed")
    assert "prices are wrong" in refusal["message"]
    agent.write("prices/test_price.py", GREEN)
    status, told = agent.complete(agent.commit())
    assert status == 202, told
    assert verify(started)
    assert started.task("A1").status == TaskStatus.COMPLETE
    assert not list((repository.parent.parent / "worktrees/shop-front/.verify").glob("*")), "all taken away"


@pytest.mark.django_db(transaction=True)
def test_bx9_a_killed_run_is_taken_up_again_and_counts_once(
    started: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, _ = handed_in(started, GREEN)
    plain = verifier.settle

    def killed(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verifier, "settle", killed)
    with pytest.raises(KeyboardInterrupt):
        verify(started)
    assert agent.attempt.status == AttemptStatus.RUNNING
    monkeypatch.setattr(verifier, "settle", plain)
    assert verify(started)
    row = Verification.objects.get()
    assert (row.state, row.runs) == (VerificationState.PROVED, 2)
    again = settle(verification_id=row.pk, receipt=RECEIPT, now=started.tick())
    assert (again.state, again.commit) == (VerificationState.PROVED, row.commit)
    assert HistoryEntry.objects.filter(action=Action.ATTEMPT_COMPLETED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_bx9_what_a_claim_that_ended_handed_in_is_kept_as_evidence(started: Driver) -> None:
    agent, _ = handed_in(started, GREEN)
    started.fail("A1", "Taken away.")
    assert verify(started)
    row = Verification.objects.get()
    assert (row.state, row.runs) == (VerificationState.LATE, 0), "nothing was run for it"
    kept = HandoffArtifact.objects.filter(attempt=agent.attempt, state=ArtifactState.QUARANTINED)
    assert kept.count() == 1
    assert started.task("A1").status == TaskStatus.BLOCKED


@pytest.mark.django_db(transaction=True)
def test_bx9_another_completion_waits_and_the_same_one_is_answered_again(started: Driver) -> None:
    agent, commit = handed_in(started, GREEN)
    assert agent.complete(commit)[0] == 202
    agent.write("prices/more.py", "more = 1\n")
    status, refusal = agent.complete(agent.commit())
    assert (status, refusal["code"]) == (409, "being-verified")
    assert Verification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_bx9_green_does_not_count_while_a_person_is_asked(started: Driver) -> None:
    agent, _ = handed_in(started, GREEN)
    status, told = agent.machine.post(
        f"/api/tasks/{agent.attempt.task_id}/flag", {"intervention_note": "Yes?"}
    )
    assert status == 200, told
    assert verify(started)
    assert held(agent)["verification"]["sentence"].startswith(
        "The completion was refused: pytest -q prices on"
    )
    assert "Green, but The task waits for a person" in Verification.objects.get().problem
    assert agent.attempt.status == AttemptStatus.RUNNING


@pytest.mark.django_db(transaction=True)
def test_bx9_pages_tell_what_is_proved_from_what_is_asserted(started: Driver) -> None:
    client = signed_in(started.cast.contributor)
    address = f"/workstreams/{started.reload().uuid}/tasks/A1/"
    handed_in(started, GREEN)
    assert "Being verified pytest -q prices" in words(client.get(address))
    verify(started)
    assert "Proved pytest -q prices , asked for by the step" in words(client.get(address))
    started.do("B1")
    shown = words(client.get(address.replace("A1", "B1")))
    assert "Asserted" in shown
    assert "Proved" not in shown


@pytest.mark.django_db(transaction=True)
def test_bx9_a_workflow_may_take_proof_only(started: Driver) -> None:
    rules = f"/plans/{started.reload().version.workflow.slug}/rules/"
    form = {"name": "Shop front", "required_approvals": "1", "demands_proof": "on", "reason": "Red."}
    approver = signed_in(started.cast.approver)
    assert approver.post(rules, form).status_code == 302
    assert "Completions without proof allowed not allowed" in words(approver.get(rules))
    agent = working(started, "B1").write("pages/shop.html", "<p>\n")
    status, refusal = agent.complete(agent.commit())
    assert (status, refusal["code"]) == (422, "proof-demanded")
    assert "`Verify:`" in refusal["recovery"]
    assert handed_in(started, GREEN)


@pytest.mark.django_db(transaction=True)
def test_bx9_the_command_line_says_being_verified_and_waits(
    started: Driver,
    live_server: LiveServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = working(started, "A1").write("prices/test_price.py", RED)
    commit = agent.commit()
    monkeypatch.setenv("ORCHESTRATOR_URL", live_server.url)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", secret_of(agent.executor))
    asked = agent.attempt.task.step.criteria.get().pk
    given = ("done", "All of it", "--evidence", f"{asked}=seen", "--commit", commit, "--wait", "1")
    assert main(given) == 0
    assert "A1 is being verified." in capsys.readouterr().out
    verify(started)
    assert main(["mine"]) == 0
    assert "prices are wrong" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_bx9_a_gate_and_the_plan_verify_what_names_nothing_and_none_is_none(
    driver: Driver, repository: Path
) -> None:
    gate = b"\n##### Gate G1: Look\n- Kind: review\n- Reviewers: reviewer\n- Verify: pytest -q gate\n"
    text = LANES.replace(b"repository: sample\n", b"repository: sample\nverify: pytest -q plan\n")
    text = text.replace(b"- C1: Words on the page\n", b"- C1: Words on the page\n  - Verify: none\n")
    driver.start(text.replace(b"\n##### Batch 02", gate + b"\n##### Batch 02"))
    told = {key: working(driver, key) for key in ("A1", "C1")}
    briefs = {
        key: agent.machine.get(f"/api/tasks/{agent.attempt.task_id}/")[1]["verified_by"]
        for key, agent in told.items()
    }
    assert briefs == {"A1": "pytest -q gate (asked for by its gate)", "C1": ""}
    words_done = told["C1"].write("words/shop.txt", "Shop\n")
    assert words_done.complete(words_done.commit())[0] == 200, "nothing verifies it"


@pytest.mark.django_db(transaction=True)
def test_bx9_without_a_commit_the_command_runs_on_what_the_step_builds_on(started: Driver) -> None:
    """A completion that hands nothing in passes no verification by."""
    agent = working(started, "A1")
    status, told = agent.complete("")
    assert (status, told["verification"]["commit"]) == (202, agent.place["start"])
    assert agent.complete("")[0] == 202, "the same call again changes nothing"
    assert verify(started)
    assert agent.attempt.status == AttemptStatus.RUNNING
    assert Verification.objects.get().state == VerificationState.REFUSED  # there is no test


@pytest.mark.django_db(transaction=True)
def test_bx9_green_without_a_commit_counts_and_names_none(driver: Driver, repository: Path) -> None:
    (repository / "prices/test_price.py").write_text(GREEN)
    command(repository, "add", "--all")
    command(repository, "commit", "-qm", "Green")
    driver.start(PLAN)
    agent = working(driver, "A1")
    assert agent.complete("")[0] == 202
    assert verify(driver)
    assert (agent.attempt.status, agent.attempt.commit, agent.attempt.proof) == ("completed", "", "proved")


@pytest.mark.django_db(transaction=True)
def test_bx9_a_red_commit_is_not_passed_by_with_the_call_without_it(
    started: Driver, repository: Path
) -> None:
    agent, commit = handed_in(started, RED)
    assert verify(started)
    agent.git("checkout", "-q", "--detach", agent.place["start"])
    status, refusal = agent.complete("")
    assert (status, refusal["code"]) == (422, "proof-demanded")
    assert f"was not green on {commit[:12]}" in refusal["message"]
    assert agent.place["start"][:12] in refusal["recovery"]


@pytest.mark.django_db(transaction=True)
def test_bx9_a_command_that_cannot_run_is_no_fault_of_the_work(driver: Driver, repository: Path) -> None:
    change_check_rules(
        severities={"impossible-verification": Severity.WARNS},
        reason="A person looks at each.",
        impact="None.",
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    driver.start(PLAN.replace(b"`pytest -q prices`", b"`script ../../evil.sh`"))
    agent = working(driver, "A1").write("prices/model.py", "p = 1\n")
    assert agent.complete()[0] == 202
    assert verify(driver)
    status, refusal = agent.machine.get(f"/api/attempts/{agent.attempt.pk}/verification")
    assert (status, refusal["code"]) == (409, "verification-failed")
    assert "a new version of the plan names another command" in refusal["recovery"]
