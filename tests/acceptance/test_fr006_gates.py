"""FR-006, BX-3, WF-5: several people sign, never who did the work; follow-ups are tasks.

Nothing else passes.
"""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.urls import reverse

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import AttemptStatus, ExecutorKind, Role, TaskStatus, VersionStatus
from orchestrator.models import GateReview, HistoryEntry, Task, Workflow, WorkflowVersion
from orchestrator.services.people import interventions
from orchestrator.services.people.executors import register_executor
from orchestrator.services.work import completions, failures, rework
from tests.cast import NOON, PLAN, Driver, UserFactory
from tests.machines import Machine
from tests.web.pages import control, signed_in, words

TWO = PLAN.replace(
    b"- **Reviewers:** reviewer\n", b"- **Reviewers:** reviewer, approver\n- **Approvals:** 2\n"
)
EACH = PLAN.replace(
    b"- **Reviewers:** reviewer\n", b"- **Reviewers:** reviewer, approver\n- **Approvals:** all\n"
)


def at_gate(driver: Driver, source: bytes = PLAN) -> Driver:
    driver.start(source)
    driver.do("A1", "B1", "A2")
    return driver


def decide(driver: Driver, user: object, decision: str = "approve", **fields: str) -> HttpResponse:
    address = reverse("gate-decide", args=[driver.task("MP1").pk])
    answer = signed_in(user).post(address, {"decision": decision, **fields}, follow=True)  # type: ignore[arg-type]
    driver.advance()
    return answer


def page(driver: Driver, user: object) -> str:
    return words(signed_in(user).get(reverse("gate", args=[driver.task("MP1").pk])))  # type: ignore[arg-type]


def person(name: str, *roles: Role) -> object:
    return UserFactory(username=name, roles=roles)


def test_fr006_a_gate_with_an_open_question_is_not_signed(driver: Driver) -> None:
    at_gate(driver)
    interventions.flag_for_human(
        task_id=driver.task("MP1").pk,
        note="Which customers?",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    assert "MP1 waits for a person: Which customers?" in words(
        decide(driver, driver.cast.reviewer, reason="Seen.")
    )
    assert not GateReview.objects.exists()
    interventions.clear_human_flag(
        task_id=driver.task("MP1").pk, answer="All.", actor=driver.cast.actor("reviewer"), now=driver.tick()
    )
    decide(driver, driver.cast.reviewer, reason="Seen.")
    assert driver.task("MP1").status == TaskStatus.COMPLETE


# -- several signatures


def test_fr006_two_different_people_sign(driver: Driver) -> None:
    at_gate(driver, TWO)
    first = decide(driver, driver.cast.reviewer, reason="Flow tested.")
    assert "waits for sign-off by approver or reviewer, 1 of 2 signed: rita" in words(first)
    assert driver.task("MP1").status == TaskStatus.REVIEW
    assert driver.ready() == ["MP1"]
    assert decide(driver, driver.cast.reviewer).status_code == 409, "nobody signs twice"
    decide(driver, driver.cast.approver)
    assert driver.task("MP1").status == TaskStatus.COMPLETE
    assert driver.ready() == ["C1"]
    actions = HistoryEntry.objects.filter(action__startswith="gate").order_by("sequence")
    assert list(actions.values_list("action", "actor")) == [
        ("gate signed", "rita"),
        ("gate approved", "anna"),
    ]


def test_fr006_page_list_inbox_and_explanation_say_who_is_missing(driver: Driver) -> None:
    at_gate(driver, EACH)
    decide(driver, driver.cast.reviewer)
    assert "approver; 1 of 2 signed: rita" in page(driver, driver.cast.approver)
    assert "approver; 1 of 2 signed: rita" in words(signed_in(driver.cast.observer).get(reverse("gates")))
    assert "waits for sign-off by approver, 1 of 2 signed: rita" in words(
        signed_in(driver.cast.approver).get("/")
    )
    assert "MP1" not in words(signed_in(driver.cast.reviewer).get("/"))
    workstream = signed_in(driver.cast.observer).get(reverse("workstream", args=[driver.workstream.uuid]))
    assert "waits for sign-off by approver, 1 of 2 signed: rita" in words(workstream)


def test_fr006_all_needs_each_name_and_no_second_of_one(driver: Driver) -> None:
    at_gate(driver, EACH)
    decide(driver, driver.cast.reviewer)
    other = person("ralf", Role.REVIEWER)
    assert "is asked of approver now, which ralf is not" in page(driver, other)
    assert decide(driver, other).status_code == 409
    assert GateReview.objects.count() == 1
    decide(driver, driver.cast.approver)
    assert driver.task("MP1").status == TaskStatus.COMPLETE


def test_fr006_one_rejection_ends_the_attempt_and_its_signatures(driver: Driver) -> None:
    at_gate(driver, TWO)
    decide(driver, driver.cast.reviewer)
    decide(driver, driver.cast.approver, "reject", reason="The report is empty.", return_key="A2")
    assert driver.attempt("MP1").status == AttemptStatus.REJECTED
    driver.do("A2")
    assert driver.attempt("MP1").number == 2
    assert "0 of 2 signed" in page(driver, driver.cast.reviewer)
    decide(driver, driver.cast.reviewer)
    assert driver.task("MP1").status == TaskStatus.REVIEW
    decide(driver, driver.cast.approver)
    assert driver.task("MP1").status == TaskStatus.COMPLETE


def test_fr006_signatures_of_a_gate_that_was_sent_back_do_not_count(driver: Driver) -> None:
    at_gate(driver, TWO)
    decide(driver, driver.cast.reviewer)
    rework.send_back(
        task_id=driver.task("A2").pk,
        reason="Again.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()
    driver.do("A2")
    decide(driver, driver.cast.approver)
    assert driver.task("MP1").status == TaskStatus.REVIEW


# -- nobody signs for their own work


def test_fr006_who_did_the_work_does_not_sign(driver: Driver) -> None:
    driver.start()
    both = person("beth", Role.CONTRIBUTOR, Role.REVIEWER)
    own = register_executor(name="beth-agent", kind=ExecutorKind.AGENT, user=both, now=NOON)
    driver.do("A1", "B1")
    driver.claim("A2", own)
    driver.complete("A2")
    assert "You did work that MP1 reviews, and may not sign it off." in page(driver, both)
    assert "MP1" not in words(signed_in(both).get("/"))
    refused = decide(driver, both)
    assert refused.status_code == 403
    assert "allow self-approval on the workflow" in words(refused)
    assert not GateReview.objects.exists()
    decide(driver, driver.cast.reviewer)
    assert driver.task("MP1").status == TaskStatus.COMPLETE


def test_fr006_a_workflow_may_allow_it(driver: Driver) -> None:
    driver.start()
    both = person("beth", Role.CONTRIBUTOR, Role.REVIEWER)
    driver.do("A1", "B1")
    driver.claim("A2", register_executor(name="beth-agent", kind=ExecutorKind.AGENT, user=both, now=NOON))
    driver.complete("A2")
    Workflow.objects.update(allow_self_approval=True)
    assert "MP1" in words(signed_in(both).get("/"))
    decide(driver, both)
    assert driver.task("MP1").status == TaskStatus.COMPLETE


def test_fr006_only_the_result_that_counts_bars_its_worker(driver: Driver) -> None:
    driver.start()
    both = person("beth", Role.CONTRIBUTOR, Role.REVIEWER)
    driver.do("A1", "B1")
    driver.claim("A2", register_executor(name="beth-agent", kind=ExecutorKind.AGENT, user=both, now=NOON))
    driver.complete("A2")
    decide(driver, driver.cast.reviewer, "reject", reason="Empty.", return_key="A2")
    driver.do("A2")
    decide(driver, both)
    assert driver.task("MP1").status == TaskStatus.COMPLETE


# -- follow-ups


def test_fr006_follow_ups_become_tasks_of_a_new_version(driver: Driver) -> None:
    at_gate(driver)
    said = decide(driver, driver.cast.reviewer, follow_ups="Load test | 100 a second\nWrite the runbook")
    version = WorkflowVersion.objects.order_by("-number")[0]
    assert f"The follow-ups are version {version.number} of the plan" in words(said)
    assert GateReview.objects.get().follow_up_version == version
    assert (version.status, version.author) == (VersionStatus.IN_REVIEW, driver.cast.reviewer)
    assert "Follow-ups of MP1" in version.source
    assert driver.task("MP1").status == TaskStatus.COMPLETE
    place = [version.workflow.slug, version.number]
    seen = {"version_id": version.pk, "seen_sha256": version.source_sha256, "decision": "approve"}
    approved = signed_in(driver.cast.approver).post(reverse("plan-decide", args=place), seen)
    assert approved.status_code == 302
    titles = Task.objects.filter(workstream=driver.workstream).values_list("step__title", flat=True)
    assert {"Load test", "Write the runbook"} <= set(titles)
    assert driver.finish().finished_at is not None


def test_fr006_without_the_role_nothing_is_signed(driver: Driver) -> None:
    at_gate(driver, PLAN.replace(b"- **Reviewers:** reviewer\n", b"- **Reviewers:** otto\n"))
    refused = decide(driver, driver.cast.observer, follow_ups="Load test")
    assert refused.status_code == 403
    assert "Sign without follow-ups" in words(refused)
    assert not GateReview.objects.exists()
    assert WorkflowVersion.objects.count() == 1
    decide(driver, driver.cast.observer)
    assert driver.task("MP1").status == TaskStatus.COMPLETE


# -- machines


def test_fr006_a_persons_token_signs_over_rest(driver: Driver) -> None:
    at_gate(driver, TWO)
    own = register_executor(name="rita-token", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    machine = Machine.of(own)
    waiting = machine.get("/api/gates/")[1]
    assert [(one["key"], one["needed"], one["kind"]) for one in waiting["items"]] == [("MP1", 2, "merge")]
    status, facts = machine.post(f"/api/gates/{driver.task('MP1').pk}/approve", {"reason": "Fine."})
    assert (status, facts["signed"], facts["status"]) == (200, ["rita"], "review")
    token = register_executor(
        name="anna-token", kind=ExecutorKind.PERSON, user=driver.cast.approver, now=NOON
    )
    body = {"reason": "The report is empty.", "return_to": "A2"}
    status, facts = Machine.of(token).post(f"/api/gates/{driver.task('MP1').pk}/reject", body)
    assert (status, facts["status"], facts["reviews"][-1]["return_to"]) == (200, "pending", "A2")


def test_fr006_over_rest_an_approval_may_have_a_reason_and_a_rejection_has_to(driver: Driver) -> None:
    at_gate(driver)
    own = register_executor(name="rita-token", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    machine, address = Machine.of(own), f"/api/gates/{driver.task('MP1').pk}"
    status, refusal = machine.post(f"{address}/reject", {"return_to": "A2"})
    assert (status, refusal["code"]) == (422, "invalid-input"), "the member is missing"
    status, refusal = machine.post(f"{address}/reject", {"return_to": "A2", "reason": " "})
    assert (status, refusal["code"]) == (422, "reason-missing")
    assert driver.task("MP1").status == TaskStatus.REVIEW
    status, facts = machine.post(f"{address}/approve", {})
    assert (status, facts["status"]) == (200, "complete")


def test_fr006_on_the_page_an_approval_may_have_a_reason_and_a_rejection_has_to(driver: Driver) -> None:
    at_gate(driver)
    page = signed_in(driver.cast.reviewer).get(f"/gates/{driver.task('MP1').pk}/")
    assert "Reason; a rejection needs one" in words(page)
    refused = decide(driver, driver.cast.reviewer, "reject", return_key="A2")
    assert (refused.status_code, "A gate is rejected with a reason." in words(refused)) == (422, True)
    decide(driver, driver.cast.reviewer)
    review = GateReview.objects.get()
    assert (review.decision, review.reason, driver.task("MP1").status) == ("approved", "", "complete")


@pytest.mark.parametrize("kind", [ExecutorKind.AGENT, ExecutorKind.TOOL])
@pytest.mark.parametrize("act", ["approve", "reject"])
def test_fr006_agents_and_tools_never_decide(driver: Driver, kind: ExecutorKind, act: str) -> None:
    at_gate(driver)
    own = register_executor(name="rita-bot", kind=kind, user=driver.cast.reviewer, now=NOON)
    body = {"reason": "Looks fine."} | ({"return_to": "A2"} if act == "reject" else {})
    status, refusal = Machine.of(own).post(f"/api/gates/{driver.task('MP1').pk}/{act}", body)
    assert (status, refusal["code"]) == (403, "not-allowed")
    assert not GateReview.objects.exists()


def test_bx3_no_act_but_signatures_completes_a_gate(driver: Driver) -> None:
    at_gate(driver)
    own = driver.cast.builder("pusher")
    machine, attempt, task = Machine.of(own), driver.attempt("MP1"), driver.task("MP1")
    for address, body in (
        (f"/api/attempts/{attempt.pk}/claim", {}),
        (f"/api/attempts/{attempt.pk}/complete", {"token": 1, "outcome": "Done."}),
        (f"/api/attempts/{attempt.pk}/fail", {"token": 1, "error": "No."}),
        (f"/api/tasks/{task.pk}/requeue", {"reason": "Go on."}),
        (f"/api/tasks/{task.pk}/send-back", {"reason": "Go on."}),
    ):
        assert machine.post(address, body)[0] == 409, address
    for act in (
        lambda: completions.complete(
            attempt_id=attempt.pk, token=0, executor=own, outcome="", evidence={}, now=driver.tick()
        ),
        lambda: failures.declare_failure(
            attempt_id=attempt.pk, reason="Go on.", actor=driver.cast.actor("approver"), now=driver.tick()
        ),
    ):
        with pytest.raises(Refusal):
            act()
    assert (driver.task("MP1").status, driver.attempt("MP1").status) == (
        TaskStatus.REVIEW,
        AttemptStatus.QUEUED,
    )
    assert not driver.task("C1").attempts.exists()


# -- merge points with an action, kinds

ACTION = (
    b"- **Action:** Integration test ledger and gateway\n- **Tool:** pytest\n- **Run:** `pytest -q tests`\n"
)
WITH_TOOL = PLAN.replace(b"- **Action:** Integration test ledger and gateway\n", ACTION)


def test_bx3_a_merge_point_runs_its_action_and_then_waits_for_the_signature(driver: Driver) -> None:
    at_gate(driver, WITH_TOOL)
    assert driver.ready() == ["MP1.run"]
    assert "waits for MP1.run" in page(driver, driver.cast.reviewer)
    driver.claim("MP1.run")
    driver.fail("MP1.run", "Ledger and gateway disagree.")
    assert driver.ready() == []
    assert not driver.task("MP1").attempts.exists()
    failures.requeue(
        task_id=driver.task("MP1.run").pk,
        reason="Fixed.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    driver.advance()
    driver.do("MP1.run")
    assert driver.ready() == ["MP1"]
    text = page(driver, driver.cast.reviewer)
    for part in ("MP1.run: Action of MP1", "A2: Ledger report", "B1: Gateway call"):
        assert part in text
    decide(driver, driver.cast.reviewer)
    assert driver.ready() == ["C1"]


def test_bx3_rejecting_runs_the_action_again_too(driver: Driver) -> None:
    at_gate(driver, WITH_TOOL)
    driver.do("MP1.run")
    decide(driver, driver.cast.reviewer, "reject", reason="The report is empty.", return_key="A2")
    assert driver.ready() == ["A2"]
    assert driver.task("MP1.run").status == TaskStatus.PENDING
    driver.do("A2", "MP1.run")
    decide(driver, driver.cast.reviewer)
    assert [driver.attempt(key).number for key in ("A2", "MP1.run", "MP1")] == [2, 2, 2]


def test_bx3_who_did_the_lanes_does_not_sign_behind_the_action(driver: Driver) -> None:
    driver.start(WITH_TOOL)
    both = person("beth", Role.CONTRIBUTOR, Role.REVIEWER)
    driver.do("A1", "B1")
    driver.claim("A2", register_executor(name="beth-agent", kind=ExecutorKind.AGENT, user=both, now=NOON))
    driver.complete("A2")
    driver.do("MP1.run")
    assert decide(driver, both).status_code == 403


EVALUATION = PLAN.replace(b"### Merge Point MP1\n", b"##### Gate MP1: Evaluation\n- Kind: evaluation\n")


def test_wf5_a_gate_says_what_its_kind_means(driver: Driver) -> None:
    at_gate(driver)
    assert "Threads come together" in page(driver, driver.cast.reviewer)


def test_wf5_a_rejected_evaluation_offers_the_fix_stage(driver: Driver) -> None:
    at_gate(driver, EVALUATION)
    assert "judged as a whole" in page(driver, driver.cast.reviewer)
    decide(driver, driver.cast.reviewer, "reject", reason="A race in the ledger.", return_key="A2")
    text = page(driver, driver.cast.reviewer)
    assert "The evaluation was rejected." in text
    assert "append a fix stage" in text


def test_fr006_the_approve_button_is_on_for_who_may_sign(driver: Driver) -> None:
    at_gate(driver)
    address = reverse("gate", args=[driver.task("MP1").pk])
    assert "disabled" not in control(signed_in(driver.cast.reviewer).get(address), "approve")


def test_fr006_the_operator_signs_by_command(driver: Driver) -> None:
    at_gate(driver)
    place = (driver.workstream.slug, "MP1")
    with pytest.raises(CommandError, match="A gate is rejected with a reason"):
        call_command("sign_gate", *place, "--as", "rita", "--return-to", "A2")
    with pytest.raises(CommandError, match="carl by command may not sign MP1"):
        call_command("sign_gate", *place, "--as", "carl")
    said = StringIO()
    call_command("sign_gate", *place, "--as", "rita", "--reason", "Fine.", stdout=said)
    assert "MP1 is complete now." in said.getvalue()
    assert GateReview.objects.get().reason == "Fine."


def test_fr009_signatures_and_integrations_are_rebuilt_from_history(driver: Driver) -> None:
    def verified() -> str:
        said = StringIO()
        call_command("verify_history", stdout=said)
        return said.getvalue()

    at_gate(driver, TWO)
    decide(driver, driver.cast.reviewer)
    assert "the tables say what history says" in verified()
    decide(driver, driver.cast.approver, "reject", reason="The report is empty.", return_key="A2")
    assert "the tables say what history says" in verified()
    driver.do("A2")
    decide(driver, driver.cast.reviewer)
    decide(driver, driver.cast.approver)
    client, place = signed_in(driver.cast.reviewer), driver.workstream.uuid
    client.post(reverse("workstream-act", args=[place, "integrate"]), {"note": "Merged."})
    assert "the tables say what history says" in verified()
    client.post(reverse("workstream-act", args=[place, "revert"]), {"reason": "Rolled back."})
    assert "the tables say what history says" in verified()
