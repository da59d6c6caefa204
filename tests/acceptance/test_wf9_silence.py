"""WF-9, EC-6: who holds a step and says nothing is asked about once; nothing changes by time alone."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.errors import NotAllowed
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Assignment, HistoryEntry, Intervention
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.blockers import declare_blocker, resolve_blocker
from orchestrator.services.people.interventions import clear_human_flag, flag_for_human
from orchestrator.services.work.claims import claim, report
from orchestrator.services.work.failures import declare_failure
from orchestrator.services.work.silence import ask_about_silence
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.verified import state_problems

pytestmark = pytest.mark.django_db
QUIET = timedelta(minutes=61)


@pytest.fixture
def held(driver: Driver, settings: Settings) -> Assignment:
    settings.SILENCE_MINUTES = 60
    driver.start()
    return driver.claim("A1")


def look(driver: Driver, later: timedelta = QUIET) -> int:
    driver.now = max(driver.now, driver.task("A1").heard_at or driver.now) + later
    return ask_about_silence(driver.now)


def say(driver: Driver, held: Assignment, breadcrumb: str = "Ledger half done.") -> None:
    report(
        attempt_id=held.attempt_id,
        token=held.token,
        executor=held.executor,
        breadcrumb=breadcrumb,
        now=driver.tick(),
    )


def test_wf9_silence_is_asked_about_once_and_changes_no_state(driver: Driver, held: Assignment) -> None:
    say(driver, held)
    assert look(driver, timedelta(minutes=59)) == 0
    before = (driver.task("A1").status, driver.attempt("A1").status, driver.attempt("A1").ended_at)
    assert look(driver, timedelta(minutes=2)) == 1
    card = Intervention.objects.get()
    assert (card.kind, card.cleared_at) == ("silence", None)
    for part in ("builder-A1", "Ledger half done.", "1 h 1 min", "attempt 1", "declare the attempt failed"):
        assert part in card.note
    assert (driver.task("A1").status, driver.attempt("A1").status, driver.attempt("A1").ended_at) == before
    assert look(driver) == 0
    entry = HistoryEntry.objects.filter(action="flagged for a human").get()
    assert entry.actor == "orchestrator"
    assert state_problems(driver.reload()) == []


def test_wf9_the_next_word_answers_and_a_new_silence_is_a_new_question(
    driver: Driver, held: Assignment
) -> None:
    look(driver)
    say(driver, held)
    card = Intervention.objects.get()
    assert "was heard again" in card.answer
    assert not driver.task("A1").needs_human
    assert look(driver) == 1
    assert state_problems(driver.reload()) == []


def test_wf9_a_completion_counts_although_the_question_is_open(driver: Driver, held: Assignment) -> None:
    look(driver)
    driver.complete("A1")
    assert (driver.task("A1").status, driver.task("A1").needs_human) == ("complete", False)
    assert Intervention.objects.get().cleared_at is not None


def test_wf9_a_person_answers_and_is_not_asked_again(driver: Driver, held: Assignment) -> None:
    look(driver)
    task = driver.task("A1").pk
    with pytest.raises(NotAllowed):
        clear_human_flag(task_id=task, answer="Me.", actor=Actor.member(held.executor), now=driver.tick())
    person = driver.cast.actor("contributor")
    clear_human_flag(task_id=task, answer="It takes its time.", actor=person, now=driver.tick())
    assert (look(driver), driver.attempt("A1").status) == (0, "running")


def test_ec6_a_person_takes_the_step_away_from_who_is_silent(driver: Driver, held: Assignment) -> None:
    look(driver)
    person = driver.cast.actor("contributor")
    declare_failure(attempt_id=held.attempt_id, reason="It is gone.", actor=person, now=driver.tick())
    assert (driver.task("A1").status, driver.task("A1").needs_human) == ("blocked", False)
    assert look(driver) == 0


def test_wf9_people_and_installations_without_a_limit_are_left_alone(
    driver: Driver, held: Assignment, settings: Settings
) -> None:
    person = driver.cast.builder("hands", ExecutorKind.PERSON)
    actor = Actor.person(person.user)
    claim(attempt_id=driver.attempt("B1").pk, executor=person, actor=actor, now=driver.tick())
    assert look(driver) == 1
    assert Intervention.objects.get().task == driver.task("A1")
    settings.SILENCE_MINUTES = 0
    assert look(driver) == 0


def test_wf9_start_last_word_and_age_are_told(driver: Driver, held: Assignment, client: Client) -> None:
    say(driver, held)
    machine = Machine.of(held.executor)
    (mine,) = machine.get("/api/mine")[1]["items"]
    assert (mine["breadcrumb"], mine["heard_at"][:16]) == (
        "Ledger half done.",
        f"{driver.now:%Y-%m-%dT%H:%M}",
    )
    client.force_login(driver.cast.observer)
    page = client.get(reverse("task", args=[driver.reload().uuid, "A1"])).content.decode()
    assert "last heard" in page
    assert "ago" in page


def test_wf9_who_waited_for_a_person_was_not_silent(driver: Driver, held: Assignment) -> None:
    """The time in which an answer, or the end of a blocker, was waited for is nobody's silence."""
    task, contributor = held.attempt.task_id, driver.cast.actor("contributor")
    flag_for_human(task_id=task, note="Which rounding?", actor=contributor, now=driver.tick())
    driver.now += timedelta(hours=10)
    clear_human_flag(task_id=task, answer="Half up.", actor=contributor, now=driver.tick())
    assert ask_about_silence(driver.tick()) == 0
    blocker = declare_blocker(
        task_id=task, kind="other", note="No access.", actor=contributor, now=driver.tick()
    )
    driver.now += timedelta(hours=10)
    resolve_blocker(blocker_id=blocker.pk, resolution="Given.", actor=contributor, now=driver.tick())
    assert ask_about_silence(driver.tick()) == 0
    assert look(driver, timedelta(hours=30)) == 1


def test_wf9_a_plan_names_its_own_limit(driver: Driver, settings: Settings) -> None:
    settings.SILENCE_MINUTES = 600
    driver.start(PLAN.replace(b"---\n", b"---\nsilence: 30 min\n", 1))
    driver.claim("A1")
    assert look(driver, timedelta(minutes=29)) == 0
    assert look(driver, timedelta(minutes=2)) == 1


def test_wf9_a_list_names_its_own_limit(driver: Driver, settings: Settings) -> None:
    settings.SILENCE_MINUTES = 600
    driver.start(b"---\nsilence: 1 min\n---\n# Paint\n\n- [ ] Buy the paint\n- [ ] Sand the wall\n")
    driver.claim("1")
    driver.now = (driver.task("1").heard_at or driver.now) + timedelta(seconds=59)
    assert ask_about_silence(driver.now) == 0
    assert ask_about_silence(driver.now + timedelta(seconds=2)) == 1


def test_wf9_a_plan_may_want_nobody_asked(driver: Driver, settings: Settings) -> None:
    settings.SILENCE_MINUTES = 60
    driver.start(PLAN.replace(b"---\n", b"---\nsilence: none\n", 1))
    driver.claim("A1")
    assert look(driver, timedelta(days=9)) == 0
