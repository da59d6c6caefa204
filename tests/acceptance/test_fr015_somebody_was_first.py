"""FR-002, FR-006, FR-015, LC-7: a blank answer is none; what was written for one question, failure or result
is not taken for the next one; who was first is named, with the time."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse

from orchestrator.core.terms import BlockerKind, ExecutorKind
from orchestrator.models import Blocker, GateReview, Intervention
from orchestrator.services.people import blockers, interventions
from orchestrator.services.people.executors import register_executor
from orchestrator.services.review import gates
from orchestrator.services.work import failures
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import htmx, signed_in, words

pytestmark = pytest.mark.django_db


def asked(driver: Driver, note: str = "Which currency?") -> Intervention:
    return interventions.flag_for_human(
        task_id=driver.task("A1").pk, note=note, actor=driver.cast.actor("contributor"), now=driver.tick()
    )


def answer(driver: Driver, card: Intervention, text: str) -> HttpResponse:
    client = signed_in(driver.cast.contributor)
    return client.post(f"/interventions/{card.pk}/done", {"answer": text}, **htmx("cards"))


def act(driver: Driver, person: User, name: str, **fields: object) -> HttpResponse:
    return signed_in(person).post(f"/workstreams/{driver.reload().uuid}/tasks/A1/{name}", fields)


def is_said_in(response: HttpResponse, *parts: str) -> None:
    shown = words(response)
    assert response.status_code in {409, 422}
    for part in parts:
        assert part in shown


@pytest.mark.parametrize("blank", ["", "   ", "\n\t\u00a0"])
def test_lc7_a_blank_answer_is_refused_on_both_pages(driver: Driver, blank: str) -> None:
    driver.start()
    card = asked(driver)
    for response in (
        answer(driver, card, blank),
        act(driver, driver.cast.contributor, "answer", question=card.pk, answer=blank),
    ):
        assert response.status_code == 422
        is_said_in(response, "There is no answer yet.")
    assert driver.task("A1").needs_human


def test_lc7_a_blank_answer_is_refused_over_rest(driver: Driver) -> None:
    driver.start()
    asked(driver)
    agent = driver.cast.builder("answering")
    status, body = Machine.of(agent).patch(f"/api/tasks/{driver.task('A1').pk}/", {"needs_human": False})
    assert (status, body["code"]) == (422, "reason-missing")
    assert "answer" in str(body)
    assert driver.task("A1").needs_human


def test_lc7_an_answer_is_for_the_question_that_was_read(driver: Driver) -> None:
    """The second tab stands on a question that was answered; meanwhile another one was asked."""
    driver.start()
    first = asked(driver)
    interventions.clear_human_flag(
        task_id=driver.task("A1").pk, answer="Euro.", actor=driver.cast.actor("reviewer"), now=driver.tick()
    )
    is_said_in(answer(driver, first, "Yen."), "answered already, by rita: Euro.", "That was at")
    second = asked(driver, "Which gateway?")
    is_said_in(answer(driver, first, "Yen."), "answered already, by rita: Euro.")
    stale = act(driver, driver.cast.contributor, "answer", question=first.pk, answer="Yen.")
    is_said_in(stale, "answered already, by rita: Euro.")
    second.refresh_from_db()
    assert second.cleared_at is None
    assert answer(driver, second, "The new one.").status_code == 200


def test_fr015_a_failure_that_nobody_has_read_is_not_queued_again(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    first = driver.fail("A1", "No key.")
    rita = driver.cast.actor("reviewer")
    failures.requeue(task_id=first.task_id, reason="The key is there.", actor=rita, now=driver.tick())
    again = {"attempt": first.pk, "reason": "Once more."}
    named = ("re-queued already, by rita: The key is there.", "That was at")
    is_said_in(act(driver, driver.cast.contributor, "requeue", **again), *named)
    driver.advance()
    driver.claim("A1")
    driver.fail("A1", "The key is wrong.")
    is_said_in(act(driver, driver.cast.contributor, "requeue", **again), *named)
    assert driver.attempt("A1").followed_up_at is None


def test_fr006_what_came_in_anew_is_not_signed_unread(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    read = driver.attempt("MP1")
    gates.reject_gate(
        task_id=read.task_id,
        return_key="A2",
        reason="No.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    driver.advance()
    driver.do("A2")
    rita = signed_in(driver.cast.reviewer)
    assert (
        f'name="attempt" value="{driver.attempt("MP1").pk}"'
        in rita.get(f"/gates/{read.task_id}/").content.decode()
    )
    for decision in ("approve", "reject"):
        stale = {"decision": decision, "attempt": read.pk, "reason": "Seen.", "return_key": "A1"}
        response = rita.post(f"/gates/{read.task_id}/decide", stale, **htmx("decision"))
        is_said_in(
            response, "What you read was rejected by rita already", "as attempt 2", "Read what came in now"
        )
        assert response["HX-Retarget"] == "#content"
    assert GateReview.objects.count() == 1


def test_fr015_who_resolved_signed_and_accepted_is_named(driver: Driver) -> None:
    driver.start()
    rita = driver.cast.actor("reviewer")
    blocker = blockers.declare_blocker(
        task_id=driver.task("A1").pk, kind=BlockerKind.EXTERNAL, note="No key.", actor=rita, now=driver.tick()
    )
    blockers.resolve_blocker(blocker_id=blocker.pk, resolution="It came.", actor=rita, now=driver.tick())
    late = act(
        driver, driver.cast.contributor, "resolve-blocker", blocker=blocker.pk, resolution="I have it."
    )
    is_said_in(late, "resolved already, by rita: It came. That was at")
    page = f"/workstreams/{driver.reload().uuid}/"
    signed = signed_in(driver.cast.approver).post(f"{page}prehandoff/sign", {"rationale": "Looked."})
    is_said_in(signed, "signed already, by anna.", "That was at")
    driver.finish()
    anna = signed_in(driver.cast.approver)
    assert anna.post(f"{page}acts/accept", {"note": "Looked."}).status_code == 302
    is_said_in(anna.post(f"{page}acts/accept", {"note": "Looked again."}), "accepted already, by anna.")
    assert Blocker.objects.get().resolution == "It came."


def asked_again(driver: Driver) -> tuple[Intervention, Intervention]:
    """A question that rita answered, and the next one of the same task."""
    first = asked(driver)
    rita = driver.cast.actor("reviewer")
    interventions.clear_human_flag(task_id=first.task_id, answer="Euro.", actor=rita, now=driver.tick())
    return first, asked(driver, "Which gateway?")


def test_fr015_machines_answer_the_question_that_they_read(driver: Driver) -> None:
    driver.start()
    first, second = asked_again(driver)
    agent, task = Machine.of(driver.cast.builder("answering")), f"/api/tasks/{first.task_id}/"
    for send in (
        lambda **body: agent.patch(task, {"needs_human": False, **body}),
        lambda **body: agent.post(f"{task}clear", body),
    ):
        status, body = send(answer="Yen.", question=first.note)
        assert (status, body["code"]) == (409, "already-decided")
        assert "answered already, by rita: Euro." in body["message"]
        assert "T" in body["details"]["at"]
        status, body = send(answer="Yen.", question="Which colour?")
        assert (status, body["code"]) == (409, "wrong-state")
        assert "asks something else: Which gateway?" in body["message"]
    second.refresh_from_db()
    assert second.cleared_at is None
    assert agent.post(f"{task}clear", {"answer": "The new one.", "question": second.note})[0] == 200


def test_fr015_machines_decide_about_the_attempt_that_they_read(driver: Driver) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    person = Machine.of(
        register_executor(
            name="rita-token", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=driver.tick()
        )
    )
    gate = f"/api/gates/{driver.task('MP1').pk}/"
    read = person.get(gate)[1]["attempt_id"]
    assert read == driver.attempt("MP1").pk
    assert person.post(f"{gate}reject", {"reason": "No.", "return_to": "A2", "attempt_id": read})[0] == 200
    assert person.get(gate)[1]["attempt_id"] == 0
    driver.advance()
    driver.do("A2")
    for act, more in (("approve", {}), ("reject", {"return_to": "A2"})):
        status, body = person.post(f"{gate}{act}", {"reason": "Seen.", "attempt_id": read, **more})
        assert (status, body["code"]) == (409, "already-decided")
        assert "What you read was rejected by rita" in body["message"]
    late = call_and_fail("sign_gate", driver.reload().slug, "MP1", "--as", "rita", "--attempt", "1")
    assert "What you read was rejected by rita" in late
    assert "no attempt 9" in call_and_fail(
        "sign_gate", driver.reload().slug, "MP1", "--as", "rita", "--attempt", "9"
    )
    assert GateReview.objects.count() == 1
    newest = person.get(gate)[1]["attempt_id"]
    assert person.post(f"{gate}approve", {"reason": "Seen.", "attempt_id": newest})[0] == 200


def test_fr015_machines_queue_the_failure_that_they_read_again(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    first = driver.fail("A1", "No key.")
    rita = driver.cast.actor("reviewer")
    failures.requeue(task_id=first.task_id, reason="The key is there.", actor=rita, now=driver.tick())
    driver.advance()
    driver.claim("A1")
    second = driver.fail("A1", "The key is wrong.")
    agent, to = Machine.of(driver.cast.builder("queueing")), f"/api/tasks/{first.task_id}/requeue"
    status, body = agent.post(to, {"reason": "Once more.", "attempt_id": first.pk})
    assert (status, body["code"]) == (409, "already-decided")
    assert "re-queued already, by rita: The key is there." in body["message"]
    assert agent.post(to, {"reason": "Once more.", "attempt_id": second.pk})[0] == 200


def test_fr015_many_are_decided_as_the_list_showed_them(driver: Driver) -> None:
    """The list was opened before rita answered and rejected; another result waits now."""
    driver.start()
    driver.do("A1", "B1", "A2")
    rita, box = driver.cast.actor("reviewer"), signed_in(driver.cast.reviewer)
    gate = driver.attempt("MP1")
    chosen = choices(box.get("/?kind=gate"))
    assert chosen == [f"gate:{gate.task_id}@{gate.pk}"]
    gates.reject_gate(task_id=gate.task_id, return_key="A2", reason="No.", actor=rita, now=driver.tick())
    driver.advance()
    driver.do("A2")
    said = box.post("/inbox/sign", {"item": chosen, "note": "Looked."}, follow=True)
    assert "Not signed MP1" in words(said)
    assert "What you read was rejected by rita already" in words(said)
    assert GateReview.objects.count() == 1


def choices(page: HttpResponse) -> list[str]:
    return re.findall(r'name="item" value="([^"]+)"', page.content.decode())


def call_and_fail(*words: str) -> str:
    with pytest.raises(CommandError) as failed:
        call_command(*words)
    return str(failed.value)


def test_fr015_who_archived_and_re_opened_is_named(driver: Driver) -> None:
    driver.start()
    driver.finish()
    page, anna = f"/workstreams/{driver.reload().uuid}/acts/", signed_in(driver.cast.approver)
    anna.post(f"{page}accept", {"note": "Looked."})
    anna.post(f"{page}reopen", {"reason": "A gap."})
    is_said_in(
        anna.post(f"{page}reopen", {"reason": "A gap!"}), "open again already, by anna: A gap.", "That"
    )
    assert anna.post(f"{page}archive", {"reason": "Over."}).status_code == 302
    is_said_in(anna.post(f"{page}archive", {"reason": "Over!"}), "archived already, by anna: Over.", "That")
    is_said_in(anna.post(f"{page}reopen", {"reason": "Again."}), "It is archived, by anna: Over.")


def test_fr015_who_ended_the_attempt_is_named(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    declared = {"attempt": driver.attempt("A1").pk, "reason": "It is silent."}
    assert act(driver, driver.cast.reviewer, "declare-failure", **declared).status_code == 302
    late = act(driver, driver.cast.contributor, "declare-failure", **declared)
    is_said_in(late, "A1 attempt 1 ended already: it is failed, by rita: It is silent.", "That was at")
