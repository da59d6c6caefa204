"""FR-010: outputs are provisional until they are part of the base branch.

Behind it, rework needs a revert decision.
"""

from pathlib import Path

import pytest
from django.http import HttpResponse
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.adapters.base_branch import BaseBranch
from orchestrator.adapters.repository import git
from orchestrator.core.errors import BaselineIntegrated
from orchestrator.core.terms import CriterionKind, ExecutorKind, TaskStatus
from orchestrator.models import Assignment, BaselineIntegration, HandoffArtifact, HistoryEntry
from orchestrator.processes import tasks
from orchestrator.services.people.executors import register_executor
from orchestrator.services.work import recoveries, rework
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

WITH_REPOSITORY = PLAN.replace(b"domain: payments\n", b"domain: payments\nrepository: sample\n")


@pytest.fixture
def repository(settings: Settings) -> Path:
    path = settings.REPOSITORIES_DIR / "sample"
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch", "main")
    commit(path, "As it stands")
    return path


def commit(path: Path, subject: str) -> str:
    (path / f"{subject.split(':')[0]}.txt").write_text(f"{subject}\n")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", subject)
    return git(path, "rev-parse", "HEAD").strip()


def done_on_branch(driver: Driver, repository: Path, key: str) -> str:
    """Claim a step, commit on the lane's own branch, complete it over REST with that commit."""
    driver.claim(key)
    git(repository, "checkout", "--quiet", "-B", f"ws/lane-{key}", "main")
    made = commit(repository, f"{key}: work")
    git(repository, "checkout", "--quiet", "main")
    complete_with(driver, key, made)
    return made


def complete_with(driver: Driver, key: str, made: str) -> None:
    held = Assignment.objects.select_related("executor").get(attempt=driver.attempt(key))
    exits = driver.task(key).step.criteria.filter(kind=CriterionKind.EXIT)
    body = {"token": held.token, "commit": made, "evidence": {str(c.pk): "seen" for c in exits}}
    status, answer = Machine.of(held.executor).post(f"/api/attempts/{held.attempt_id}/complete", body)
    assert status == 200, answer
    driver.advance()


def on_page(driver: Driver, act: str, role: str = "reviewer", **fields: str) -> HttpResponse:
    client = signed_in(getattr(driver.cast, role))
    return client.post(reverse("workstream-act", args=[driver.workstream.uuid, act]), fields, follow=True)


def page(driver: Driver) -> str:
    return words(signed_in(driver.cast.observer).get(reverse("workstream", args=[driver.workstream.uuid])))


def send_back(driver: Driver, key: str) -> HttpResponse:
    address = reverse("task-act", args=[driver.workstream.uuid, key, "send-back"])
    return signed_in(driver.cast.reviewer).post(address, {"reason": "Rounding is wrong."}, follow=True)


def flags(driver: Driver) -> list[str]:
    """The pre/post flag of the artifacts, oldest first."""
    bodies = HandoffArtifact.objects.filter(workstream=driver.workstream).order_by("sequence")
    return [
        "post" if '"baselineIntegration":"post"' in body else "pre"
        for body in bodies.values_list("body", flat=True)
    ]


def test_fr010_before_integration_a_step_may_be_done_again(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    assert "Provisional" in page(driver)
    assert send_back(driver, "A1").status_code == 200
    assert driver.task("A1").rework == 1


def test_fr010_integrated_work_goes_back_only_after_a_revert_decision(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1")
    done = on_page(driver, "integrate", "contributor", note="Merged with the release train.")
    assert "The integration is recorded" in words(done)
    assert "Integrated since" in page(driver)
    refused = send_back(driver, "A1")
    assert refused.status_code == BaselineIntegrated.status
    assert "record the revert decision" in words(refused)
    assert driver.task("A1").status == TaskStatus.COMPLETE
    reverted = on_page(driver, "revert", reason="The release was rolled back.")
    assert "may be sent back again" in words(reverted)
    assert "was reverted by rita" in page(driver)
    assert send_back(driver, "A1").status_code == 200
    assert driver.task("A1").status == TaskStatus.PENDING


def test_fr010_the_way_out_is_shown_before_anybody_tries(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    on_page(driver, "integrate")
    client = signed_in(driver.cast.reviewer)
    text = words(client.get(reverse("task", args=[driver.workstream.uuid, "A1"])))
    assert "record the revert decision" in text


def test_fr010_rejecting_a_gate_and_withdrawing_are_rework_too(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "A2", "B1")
    on_page(driver, "integrate")
    decide = reverse("gate-decide", args=[driver.task("MP1").pk])
    fields = {"decision": "reject", "reason": "Empty report.", "return_key": "A2"}
    answer = signed_in(driver.cast.reviewer).post(decide, fields)
    assert answer.status_code == BaselineIntegrated.status
    assert driver.task("MP1").status == TaskStatus.REVIEW
    damaged = HandoffArtifact.objects.get(event="attempt-completed", attempt=driver.attempt("A2"))
    HandoffArtifact.objects.filter(pk=damaged.pk).update(state="damaged", problem="gone")
    with pytest.raises(BaselineIntegrated):
        recoveries.withdraw_artifact(
            artifact_id=damaged.pk, reason="Lost.", actor=driver.cast.actor("reviewer"), now=driver.tick()
        )
    assert HandoffArtifact.objects.get(pk=damaged.pk).state == "damaged"


def test_fr010_artifacts_say_on_which_side_of_the_boundary_they_are(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    on_page(driver, "integrate")
    driver.advance()
    events = list(HandoffArtifact.objects.order_by("sequence").values_list("event", flat=True))
    at = events.index("baseline-integration")
    assert set(flags(driver)[:at]) == {"pre"}
    assert flags(driver)[at] == "post"
    driver.do("B1")
    assert flags(driver)[-1] == "post"
    on_page(driver, "revert", reason="Rolled back.")
    assert flags(driver)[-1] == "pre"
    driver.advance()
    assert HandoffArtifact.objects.get(event="baseline-reverted").state == "committed"


def test_fr010_history_says_who_when_and_what_was_compared(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    on_page(driver, "integrate", "contributor", note="By hand.")
    on_page(driver, "revert", "approver", reason="Rolled back.")
    entries = HistoryEntry.objects.filter(action__startswith="baseline").order_by("sequence")
    assert list(entries.values_list("action", "actor", "reason")) == [
        ("baseline integrated", "carl", "By hand."),
        ("baseline reverted", "anna", "Rolled back."),
    ]
    assert "nothing was compared" in entries[1].leaf


@pytest.mark.parametrize(
    ("act", "role", "fields", "status", "said"),
    [
        ("integrate", "observer", {}, 403, "You need the role"),
        ("integrate", "reviewer", {"commit": "--all"}, 422, "is not a commit"),
        ("look", "reviewer", {}, 409, "repository is not here"),
        ("revert", "reviewer", {"reason": "Why not."}, 409, "nothing to revert"),
    ],
)
def test_fr010_refusals_store_nothing(
    driver: Driver, act: str, role: str, fields: dict[str, str], status: int, said: str
) -> None:
    driver.start()
    driver.do("A1")
    before = HistoryEntry.objects.count()
    answer = on_page(driver, act, role, **fields)
    assert (answer.status_code, HistoryEntry.objects.count()) == (status, before)
    assert said in words(answer)
    assert not BaselineIntegration.objects.exists()


def test_fr010_nothing_is_integrated_before_a_task_is_complete_nor_twice(driver: Driver) -> None:
    driver.start()
    early = on_page(driver, "integrate")
    assert early.status_code == 409
    assert "No task is complete" in words(early)
    driver.do("A1")
    on_page(driver, "integrate")
    again = on_page(driver, "integrate")
    assert again.status_code == 409
    assert "integrated already" in words(again)


@pytest.mark.parametrize(("role", "reason", "status"), [("contributor", "Off.", 403), ("reviewer", " ", 422)])
def test_fr010_a_revert_needs_a_reviewer_and_a_reason(
    driver: Driver, role: str, reason: str, status: int
) -> None:
    driver.start()
    driver.do("A1")
    on_page(driver, "integrate")
    assert on_page(driver, "revert", role, reason=reason).status_code == status
    assert BaselineIntegration.objects.get().reverted_at is None


def test_fr010_machines_record_integrations_and_people_decide_reverts(driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    address = f"/api/workstreams/{driver.workstream.uuid}"
    pipeline = Machine.of(driver.cast.builder("pipeline"))
    status, facts = pipeline.post(f"{address}/integration", {"commit": "abcdef1", "note": "Pipeline 7."})
    assert status == 200, facts
    assert (facts["integrations"][0]["source"], facts["integrations"][0]["commit"]) == ("api", "abcdef1")
    agent = register_executor(name="agent", kind=ExecutorKind.AGENT, user=driver.cast.reviewer, now=NOON)
    status, refusal = Machine.of(agent).post(f"{address}/revert", {"reason": "Looks wrong."})
    assert (status, refusal["code"]) == (403, "not-allowed")
    person = register_executor(
        name="rita-token", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON
    )
    status, facts = Machine.of(person).post(f"{address}/revert", {"reason": "Rolled back."})
    assert status == 200, facts
    assert facts["integrations"][0]["reverted_by"] == "rita with a token"


# -- found in the repository


def test_fr010_the_sweep_finds_merged_work(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    done_on_branch(driver, repository, "A1")
    done_on_branch(driver, repository, "B1")
    git(repository, "merge", "--quiet", "ws/lane-A1")
    tasks.sweep()
    assert not BaselineIntegration.objects.exists(), "half of the work is no integration"
    git(repository, "merge", "--quiet", "--no-edit", "ws/lane-B1")
    tasks.sweep()
    tasks.sweep()
    found = BaselineIntegration.objects.get()
    assert (found.source, found.integrated_by) == ("repository", "orchestrator")
    assert found.commit == git(repository, "rev-parse", "main").strip()
    assert "main holds every commit of the work (2)" in page(driver)


def test_fr010_the_sweep_asks_git_again_only_when_something_changed(
    driver: Driver, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start(WITH_REPOSITORY)
    done_on_branch(driver, repository, "A1")
    asked = []
    made = BaseBranch.made
    monkeypatch.setattr(BaseBranch, "made", lambda self, commits: asked.append(1) or made(self, commits))
    tasks.sweep()
    tasks.sweep()
    assert len(asked) == 1
    commit(repository, "Something else")
    tasks.sweep()
    assert len(asked) == 2
    done_on_branch(driver, repository, "B1")
    tasks.sweep()
    assert len(asked) == 3


def test_fr010_the_button_says_what_is_missing_or_finds_it(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    done_on_branch(driver, repository, "A1")
    missing = on_page(driver, "look")
    assert (missing.status_code, "main does not hold all of the work yet" in words(missing)) == (409, True)
    git(repository, "merge", "--quiet", "ws/lane-A1")
    assert "the integration is recorded" in words(on_page(driver, "look"))
    assert BaselineIntegration.objects.get().source == "repository"


def test_fr010_a_step_that_changed_nothing_proves_no_merge(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    driver.claim("A1")
    complete_with(driver, "A1", git(repository, "rev-parse", "main").strip())
    tasks.sweep()
    assert not BaselineIntegration.objects.exists()


def test_fr010_a_commit_nobody_knows_is_named_and_holds_up_nobody(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    made = done_on_branch(driver, repository, "A1")
    git(repository, "branch", "--quiet", "-D", "ws/lane-A1")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "gc", "--quiet", "--prune=now")
    tasks.sweep()
    assert f"does not know the commit {made[:12]}" in words(on_page(driver, "look"))
    assert not BaselineIntegration.objects.exists()


def test_fr010_a_named_commit_has_to_be_part_of_the_base_branch(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    made = done_on_branch(driver, repository, "A1")
    outside = on_page(driver, "integrate", commit=made)
    assert (outside.status_code, "is not part of main" in words(outside)) == (422, True)
    assert on_page(driver, "integrate", commit="abcdef1").status_code == 422
    git(repository, "merge", "--quiet", "ws/lane-A1")
    on_page(driver, "integrate", commit=made[:10])
    assert BaselineIntegration.objects.get().commit == made


def test_fr010_a_revert_restores_the_base_branch_first(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    made = done_on_branch(driver, repository, "A1")
    git(repository, "merge", "--quiet", "ws/lane-A1")
    on_page(driver, "look")
    still = on_page(driver, "revert", reason="Wrong.")
    assert (still.status_code, "main still holds the integrated work" in words(still)) == (409, True)
    older = on_page(driver, "revert", reason="Wrong.", commit=git(repository, "rev-parse", "main~1").strip())
    assert (older.status_code, "did not come after" in words(older)) == (422, True)
    assert BaselineIntegration.objects.get().reverted_at is None
    git(repository, "revert", "--no-edit", made)
    undone = git(repository, "rev-parse", "HEAD").strip()
    on_page(driver, "revert", reason="Wrong.", commit=undone)
    assert BaselineIntegration.objects.get().revert_commit == undone
    assert "came after the work; their contents were not compared" in page(driver)


def test_fr010_a_reset_base_branch_needs_no_revert_commit(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    done_on_branch(driver, repository, "A1")
    git(repository, "merge", "--quiet", "ws/lane-A1")
    on_page(driver, "look")
    git(repository, "reset", "--quiet", "--hard", "HEAD~1")
    on_page(driver, "revert", reason="Pushed too early.")
    assert "main no longer holds any commit of the work (1)" in page(driver)


def test_fr010_reverted_work_is_not_found_again_until_new_work_is_merged(
    driver: Driver, repository: Path
) -> None:
    driver.start(WITH_REPOSITORY)
    made = done_on_branch(driver, repository, "A1")
    git(repository, "merge", "--quiet", "ws/lane-A1")
    tasks.sweep()
    git(repository, "revert", "--no-edit", made)
    on_page(driver, "revert", reason="Wrong.", commit=git(repository, "rev-parse", "HEAD").strip())
    tasks.sweep()
    assert BaselineIntegration.objects.filter(reverted_at=None).count() == 0
    rework.send_back(
        task_id=driver.task("A1").pk, reason="Again.", actor=driver.cast.actor("reviewer"), now=driver.tick()
    )
    driver.advance()
    again = driver.cast.builder("second")
    driver.claim("A1", again)
    git(repository, "checkout", "--quiet", "-B", "ws/lane-A1-2", "main")
    second = commit(repository, "A1: second try")
    git(repository, "checkout", "--quiet", "main")
    complete_with(driver, "A1", second)
    tasks.sweep()
    assert BaselineIntegration.objects.count() == 1
    git(repository, "merge", "--quiet", "ws/lane-A1-2")
    tasks.sweep()
    assert BaselineIntegration.objects.filter(reverted_at=None).get().source == "repository"
