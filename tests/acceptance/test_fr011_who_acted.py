"""FR-011, FR-027: whoever reads of an act reads who it was, for which account, and whether a person, agent or
tool.
"""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Assignment, Executor, HandoffArtifact, HistoryEntry
from orchestrator.services.people.executors import register_executor
from tests.acceptance.workspace_files import Files
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

AGENT, TOOL, TOKEN = "scout (agent of carl)", "press (tool of carl)", "carl with a token"
WHO = {"scout": ExecutorKind.AGENT, "press": ExecutorKind.TOOL, "carl-laptop": ExecutorKind.PERSON}
SAID = dict(zip(WHO, (AGENT, TOOL, TOKEN), strict=True))
each = pytest.mark.parametrize("name", WHO)


def member(driver: Driver, name: str) -> Executor:
    return register_executor(name=name, kind=WHO[name], user=driver.cast.contributor, now=NOON)


def work(driver: Driver, name: str, key: str = "A1") -> None:
    """Claim, say something, declare a blocker and resolve it, complete, all over REST."""
    machine, attempt = Machine.of(member(driver, name)), driver.attempt(key).pk
    status, claim = machine.post(f"/api/attempts/{attempt}/claim")
    assert status == 200, claim
    token, task = claim["token"], driver.task(key).pk
    assert (
        machine.post(f"/api/attempts/{attempt}/report", {"token": token, "breadcrumb": "Half of it."})[0]
        == 200
    )
    declared = machine.post(
        f"/api/tasks/{task}/blockers", {"kind": "external", "note": "Bank closed.", "owner": "carl"}
    )
    assert declared[0] in {200, 201}, declared
    assert machine.post(f"/api/blockers/{declared[1]['id']}/resolve", {"resolution": "It is open."})[0] == 200
    evidence = {str(one["id"]): "Seen." for one in claim["criteria"] if one["kind"] == "exit"}
    body = {"token": token, "outcome": "Done.", "evidence": evidence}
    assert machine.post(f"/api/attempts/{attempt}/complete", body)[0] == 200
    driver.advance()


@each
def test_fr011_history_pages_cards_and_files_name_account_and_kind(
    driver: Driver, files: Files, name: str
) -> None:
    driver.start()
    work(driver, name)
    said, uuid = SAID[name], driver.reload().uuid
    for action in (
        "attempt claimed",
        "breadcrumb left",
        "blocker declared",
        "blocker resolved",
        "attempt completed",
    ):
        entry = HistoryEntry.objects.get(action=action)
        assert (entry.actor, entry.kind, entry.executor, entry.account) == (said, WHO[name], name, "carl"), (
            action
        )
        leaf = json.loads(entry.leaf)
        assert [leaf[one] for one in ("actor", "kind", "executor", "account")] == [
            said,
            WHO[name],
            name,
            "carl",
        ]
    rita = signed_in(driver.cast.reviewer)
    task = words(rita.get(f"/workstreams/{uuid}/tasks/A1/"))
    assert f"{said}, claimed" in task
    assert f"checked by {said}" in task
    assert f"Half of it. {said}, A1 attempt 1" in task
    assert f"{said} · Attempt completed" in words(rita.get(f"/workstreams/{uuid}/history/"))
    rows = b"".join(rita.get(f"/workstreams/{uuid}/history/?format=csv")).decode()
    assert f",{said},carl,{WHO[name]},attempt completed," in rows
    assert f",{said}," in b"".join(rita.get("/blockers/?state=all&format=csv")).decode()
    artifact = HandoffArtifact.objects.get(event="attempt-completed")
    told = json.loads(files.git("show", f"{artifact.commit}:{artifact.path}"))
    assert [told[one] for one in ("actor", "executor", "account", "actorKind")] == [
        said,
        name,
        "carl",
        WHO[name],
    ]


@each
def test_fr011_whoever_holds_a_task_is_named_in_full(driver: Driver, files: Files, name: str) -> None:
    driver.start()
    machine = Machine.of(member(driver, name))
    assert machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")[0] == 200
    driver.advance()
    said, uuid = SAID[name], driver.reload().uuid
    carl = signed_in(driver.cast.contributor)
    assert f"running on {said}" in words(carl.get(f"/workstreams/{uuid}/"))
    page = carl.post(f"/workstreams/{uuid}/tasks/A1/claim", {"attempt": driver.attempt("A1").pk})
    if WHO[name] == "person":
        assert page.status_code == 302, "what carl holds with his token is his in the browser too"
    else:
        assert page.status_code == 409
        assert f"is held by your {WHO[name]} {name} since " in words(page)
    folder = f"workstreams/{driver.workstream.slug}"
    assert f"running on {said}" in files.git("show", f"HEAD:{folder}/EXECUTION-DASHBOARD.md")
    (task, *_) = json.loads(files.git("show", f"HEAD:{folder}/tasks.json"))["tasks"]
    assert [task[one] for one in ("assigned_agent", "agent_account", "agent_kind")] == [
        name,
        "carl",
        WHO[name],
    ]
    (stream,) = json.loads(files.git("show", "HEAD:workstreams/index.json"))["streams"]
    held = stream["assignments"][0]
    assert [held[one] for one in ("agent", "account", "kind")] == [name, "carl", WHO[name]]
    told = machine.get(f"/api/tasks/{driver.task('A1').pk}/")[1]["task"]["attempt"]
    assert [told[one] for one in ("executor", "claimed_as")] == [name, said]


def test_fr011_a_person_in_the_browser_acts_as_themselves(driver: Driver) -> None:
    driver.start()
    carl, uuid = signed_in(driver.cast.contributor), driver.reload().uuid
    attempt, page = driver.attempt("A1"), f"/workstreams/{uuid}/tasks/A1/"
    assert carl.post(f"{page}claim", {"attempt": attempt.pk}).status_code == 302
    held = {"attempt": attempt.pk, "token": Assignment.objects.get().token}
    assert carl.post(f"{page}report", held | {"breadcrumb": "Half of it."}).status_code == 302
    (criterion,) = driver.task("A1").step.criteria.all()
    done = {"outcome": "Done.", f"evidence-{criterion.pk}": "Seen."}
    assert carl.post(f"{page}complete", held | done).status_code == 302
    mine = HistoryEntry.objects.filter(account="carl").exclude(action="executor registered")
    assert {(entry.actor, entry.kind) for entry in mine} == {("carl", "person")}
    assert {entry.action for entry in mine} >= {"attempt claimed", "breadcrumb left", "attempt completed"}
    assert Executor.objects.get().name == "carl-in-person"
    assert "checked by carl " in words(carl.get(page)) + " "


def test_fr011_a_signature_with_a_token_says_so_at_the_gate(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    own = register_executor(name="rita-laptop", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    gate = driver.task("MP1").pk
    assert Machine.of(own).post(f"/api/gates/{gate}/approve", {"reason": "Fine."})[0] == 200
    rita = signed_in(driver.cast.reviewer)
    for address in (reverse("gate", args=[gate]), "/gates/"):
        assert "rita with a token" in words(rita.get(address)), address
    assert HistoryEntry.objects.get(action="gate approved").actor == "rita with a token"


def test_fr011_a_plan_that_an_agent_submits_is_said_to_be_the_agents(
    driver: Driver, planner: Machine
) -> None:
    assert planner.post("/api/plans/", {"source": PLAN.decode(), "source_name": "refunds.md"})[0] == 201
    rita, said = signed_in(driver.cast.reviewer), "planner (agent of ines)"
    assert f"submitted by {said} on" in words(rita.get("/plans/card-refunds/v1/"))
    for address in ("/plans/", "/plans/card-refunds/"):
        assert said in words(rita.get(address)), address
    assert f"Submitted by {said}" in words(signed_in(driver.cast.approver).get("/"))


def test_fr011_what_the_operator_does_for_somebody_is_said_to_be_a_command(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    call_command("sign_gate", driver.reload().slug, "MP1", "--as", "rita", stdout=StringIO())
    assert HistoryEntry.objects.get(action="gate approved").actor == "rita by command"
    assert "rita by command" in words(signed_in(driver.cast.reviewer).get("/gates/"))


def test_fr011_what_was_recorded_stays_as_it_was(driver: Driver) -> None:
    driver.start()
    work(driver, "scout")
    driver.cast.contributor.username = "carla"
    driver.cast.contributor.save()
    entry = HistoryEntry.objects.get(action="attempt completed")
    assert (entry.actor, entry.account) == (AGENT, "carl")
    assert AGENT in words(
        signed_in(driver.cast.reviewer).get(f"/workstreams/{driver.reload().uuid}/history/")
    )
    call_command("verify_history", stdout=StringIO())
