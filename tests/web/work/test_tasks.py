"""The task page and the acts of people on it (WF-8, FR-012, FR-027, LC-6)."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from orchestrator.core.terms import AttemptStatus, ExecutorKind, TaskStatus
from orchestrator.models import (
    Assignment,
    Blocker,
    CriterionCheck,
    Executor,
    HistoryEntry,
    Intervention,
    OutputFile,
    Workstream,
)
from tests.cast import Driver
from tests.web.pages import control, htmx, signed_in, words


@pytest.fixture
def started(driver: Driver) -> Driver:
    driver.start()
    return driver


def page_of(driver: Driver, key: str = "A1") -> str:
    return f"/workstreams/{driver.reload().uuid}/tasks/{key}/"


def act(driver: Driver, name: str, key: str = "A1", role: str = "contributor", **fields: object):
    return signed_in(getattr(driver.cast, role)).post(f"{page_of(driver, key)}{name}", fields, follow=True)


def claim(driver: Driver, key: str = "A1", role: str = "contributor"):
    return act(driver, "claim", key, role, attempt=driver.attempt(key).pk)


def held(driver: Driver, key: str = "A1") -> dict[str, int]:
    assignment = Assignment.objects.get(attempt=driver.attempt(key))
    return {"attempt": assignment.attempt_id, "token": assignment.token}


def exit_field(driver: Driver, key: str = "A1") -> str:
    return f"evidence-{driver.task(key).step.criteria.get(kind='exit').pk}"


def test_the_page_shows_definition_needs_and_standing(started: Driver) -> None:
    text = words(signed_in(started.cast.observer).get(page_of(started, "C1")))
    for part in ("C1: Refund end to end", "end-to-end test passes", "Pending MP1", "waits for MP1", "line "):
        assert part in text


def test_a_person_claims_with_an_executor_of_their_own(started: Driver) -> None:
    response = claim(started)
    assert "You hold A1 now." in words(response)
    assignment = Assignment.objects.get(attempt=started.attempt("A1"))
    executor = assignment.executor
    assert (executor.name, executor.kind, executor.user) == (
        "carl-in-person",
        ExecutorKind.PERSON,
        started.cast.contributor,
    )
    assert started.task("A1").status == TaskStatus.ACTIVE


def test_a_name_that_an_agent_has_taken_does_not_stop_a_person(started: Driver) -> None:
    started.cast.builder("carl-in-person")
    claim(started)
    assert (
        Executor.objects.get(kind=ExecutorKind.PERSON).name == f"carl-in-person-{started.cast.contributor.pk}"
    )


def test_a_taken_attempt_names_its_holder(started: Driver) -> None:
    started.claim("A1", started.cast.builder("builder-1"))
    page = signed_in(started.cast.contributor).get(page_of(started))
    assert " disabled" in control(page, "claim")
    assert "builder-1 (agent of carl) holds it until the attempt ends." in words(page)
    response = claim(started)
    assert response.status_code == 409
    assert "is held by your agent builder-1 since " in words(response)


def test_a_person_holds_several_attempts(started: Driver) -> None:
    claim(started, "A1")
    assert claim(started, "B1").status_code == 200
    assert started.attempt("A1").status == started.attempt("B1").status == AttemptStatus.RUNNING


def test_a_task_that_is_not_ready_says_what_it_waits_for(started: Driver) -> None:
    page = signed_in(started.cast.contributor).get(page_of(started, "C1"))
    assert " disabled" in control(page, "claim")
    assert "It is not ready: waits for MP1" in words(page)


def test_wf8_breadcrumbs_are_kept(started: Driver) -> None:
    claim(started)
    act(started, "report", breadcrumb="Models written.", **held(started))
    response = act(started, "report", breadcrumb="Tests half done.", **held(started))
    text = words(response)
    assert started.task("A1").breadcrumb == "Tests half done."
    assert text.index("Tests half done.", text.index("Breadcrumbs")) < text.index("Models written.")


def test_completion_needs_evidence_for_every_exit_criterion_and_keeps_what_was_typed(started: Driver) -> None:
    claim(started)
    response = act(started, "complete", outcome="All green.", **held(started))
    assert response.status_code == 422
    assert "Without evidence: unit tests pass (criterion " in words(response)
    assert "All green." in words(response)
    assert started.attempt("A1").status == AttemptStatus.RUNNING


def test_completion_stores_evidence_and_outputs(started: Driver) -> None:
    claim(started)
    output = SimpleUploadedFile("report.txt", b"42 passed")
    fields = {exit_field(started): "42 tests passed", "outcome": "All green.", "outputs": output}
    text = words(act(started, "complete", **fields, **held(started)))
    assert "A1 is complete" in text
    assert "unit tests pass 42 tests passed Asserted checked by carl" in text
    assert "files/stage-1-build/01-foundations/01-ledger/report.txt" in text
    assert CriterionCheck.objects.get().evidence == "42 tests passed"
    assert bytes(OutputFile.objects.get().content) == b"42 passed"
    assert started.attempt("A1").status == AttemptStatus.COMPLETED


def test_an_output_with_a_path_out_of_the_workspace_is_422(started: Driver) -> None:
    claim(started)
    output = SimpleUploadedFile("x", b"")
    output.name = ".git"
    fields = {exit_field(started): "yes", "outputs": output}
    response = act(started, "complete", **fields, **held(started))
    assert response.status_code == 422
    assert started.attempt("A1").status == AttemptStatus.RUNNING


def test_an_old_token_is_refused(started: Driver) -> None:
    claim(started)
    stale = held(started)
    stale["token"] -= 1
    assert act(started, "report", breadcrumb="Late.", **stale).status_code == 409
    assert started.task("A1").breadcrumb == ""


def test_ec6_failure_and_requeue_keep_every_attempt(started: Driver) -> None:
    claim(started)
    text = words(act(started, "fail", error="Disk full.", **held(started)))
    assert "Attempt 1 failed Disk full." in text
    assert act(started, "requeue", reason="").status_code == 422
    act(started, "requeue", reason="Disk cleaned.")
    waits = words(signed_in(started.cast.contributor).get(page_of(started)))
    assert "It is being queued" in waits
    assert "Pending Waits for the next round, which launches it." in waits
    assert "Launched" not in waits, "nobody can claim it yet"
    started.advance()
    text = words(signed_in(started.cast.contributor).get(page_of(started)))
    assert text.index("Attempt 2") < text.index("Attempt 1")
    assert "Disk full." in text


def test_f9_nobody_is_asked_to_declare_what_does_not_run_failed(started: Driver) -> None:
    client, said = signed_in(started.cast.contributor), "Declare the running attempt failed"
    assert said not in words(client.get(page_of(started)))
    started.claim("A1", started.cast.builder("builder-1"))
    assert said in words(client.get(page_of(started)))


def test_f9_a_person_declares_the_failure_of_a_dead_executor(started: Driver) -> None:
    started.claim("A1", started.cast.builder("builder-1"))
    response = act(started, "declare-failure", reason="Its machine is off.", attempt=started.attempt("A1").pk)
    assert "declared failed" in words(response)
    assert started.attempt("A1").error == "Its machine is off."
    assert HistoryEntry.objects.filter(action="attempt failed").get().user == started.cast.contributor


def test_fr021_work_is_sent_back_with_a_reason(started: Driver) -> None:
    started.do("A1")
    response = act(started, "send-back", reason="Entries are not balanced.")
    assert "Work is sent back: A1" in words(response)
    assert started.task("A1").rework == 1
    assert act(started, "send-back", "C1", reason="Again.").status_code == 409


def test_b36_flagging_without_a_note_is_422(started: Driver) -> None:
    assert act(started, "flag", note="  ").status_code == 422
    assert not Intervention.objects.exists()


def test_lc6_flag_and_answer_on_the_task(started: Driver) -> None:
    text = words(act(started, "flag", note="Which currency?"))
    assert "It waits for a person Needs a human Which currency?" in text
    assert started.task("A1").intervention_note == "Which currency?"
    act(started, "answer", role="initiator", answer="Euro.")
    assert Intervention.objects.get().answer == "Euro."
    assert started.task("A1").needs_human is False


def test_fr012_blockers_are_declared_and_resolved(started: Driver) -> None:
    wrong = act(started, "declare-blocker", kind="weather", note="Rain.")
    assert wrong.status_code == 422
    assert "Rain." in words(wrong)
    act(started, "declare-blocker", kind="external", note="Test system down.")
    blocker = Blocker.objects.get()
    assert (blocker.kind, blocker.owner) == ("external", started.cast.contributor)
    assert started.task("A1").status == TaskStatus.BLOCKED
    act(started, "resolve-blocker", blocker=blocker.pk, resolution="It is up again.")
    blocker.refresh_from_db()
    assert blocker.resolution == "It is up again."
    assert started.task("A1").status == TaskStatus.PENDING


def test_fr012_what_is_blocked_is_not_completed_and_the_button_says_so(started: Driver) -> None:
    claim(started)
    me = signed_in(started.cast.contributor)
    assert "disabled" not in control(me.get(page_of(started)), "complete")
    act(started, "declare-blocker", kind="external", note="The ledger is down.")
    page = me.get(page_of(started))
    assert "disabled" in control(page, "complete")
    assert "The task has an open blocker. Resolve the blocker, then complete the attempt." in words(page)


def test_fr013_nothing_is_claimed_when_the_budget_is_used_up_and_the_button_says_so(started: Driver) -> None:
    me = signed_in(started.cast.contributor)
    assert "disabled" not in control(me.get(page_of(started)), "claim")
    Workstream.objects.update(over_budget="1,000 of 1,000 tokens", over_budget_at=started.tick())
    page = me.get(page_of(started))
    assert "disabled" in control(page, "claim")
    assert "The budget of the plan is used up: 1,000 of 1,000 tokens." in words(page)


def test_a_blocker_of_another_task_is_not_resolved_here(started: Driver) -> None:
    act(started, "declare-blocker", "B1", kind="external", note="Down.")
    response = act(started, "resolve-blocker", "A1", blocker=Blocker.objects.get().pk, resolution="Up.")
    assert response.status_code == 404
    assert Blocker.objects.get().resolved_at is None


@pytest.mark.parametrize("name", ["flag", "declare-blocker", "send-back", "claim"])
def test_observers_see_no_control_and_why(started: Driver, name: str) -> None:
    page = signed_in(started.cast.observer).get(page_of(started))
    assert f'id="{name}"' not in page.content.decode()
    assert "You read here only." in words(page)
    before = HistoryEntry.objects.count()
    fields = {"note": "x", "kind": "other", "reason": "x", "attempt": started.attempt("A1").pk}
    assert act(started, name, role="observer", **fields).status_code == 403
    assert HistoryEntry.objects.count() == before


def test_observers_do_not_declare_a_failure(started: Driver) -> None:
    started.claim("A1")
    page = signed_in(started.cast.observer).get(page_of(started))
    assert 'id="declare-failure"' not in page.content.decode()
    fields = {"reason": "x", "attempt": started.attempt("A1").pk}
    assert act(started, "declare-failure", role="observer", **fields).status_code == 403


def test_a_gate_step_points_to_its_gate(started: Driver) -> None:
    page = signed_in(started.cast.reviewer).get(page_of(started, "MP1"))
    assert f'href="/gates/{started.task("MP1").pk}/"' in page.content.decode()


def test_the_standing_alone_answers_the_refresh(started: Driver) -> None:
    response = signed_in(started.cast.observer).get(page_of(started), **htmx("state"))
    assert response.content.strip().startswith(b'<div id="state"')
    assert "Ready Waits for an executor to claim it." in words(response)


def test_a_page_that_is_older_than_its_task_says_so(started: Driver) -> None:
    page = signed_in(started.cast.observer).get(page_of(started)).content.decode()
    seen = re.search(r'hx-get="[^"]*\?([^"]*seen=[^"]*)"', page)
    assert seen
    client = signed_in(started.cast.observer)
    refresh = f"{page_of(started)}?{html.unescape(seen[1])}"
    assert "load it again" not in words(client.get(refresh, **htmx("state")))
    started.claim("A1")
    assert "load it again" in words(client.get(refresh, **htmx("state")))


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30, "١"])
def test_a_forged_attempt_number_is_422(started: Driver, value: str) -> None:
    assert act(started, "claim", attempt=value).status_code == 422


@pytest.mark.parametrize("text", ["a\x00b", "x" * 20_000])
def test_text_that_no_column_holds_is_422(started: Driver, text: str) -> None:
    assert act(started, "flag", note=text).status_code == 422


def test_the_short_address_leads_to_the_page(started: Driver) -> None:
    client = signed_in(started.cast.observer)
    response = client.get(f"/tasks/{started.task('A1').pk}/")
    assert response.headers["Location"] == page_of(started)
    assert client.get("/tasks/999999/").status_code == 404
