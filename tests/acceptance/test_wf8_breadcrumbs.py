"""WF-8, WF-9: status words and breadcrumbs stand in `tasks.json`, so whoever continues knows the
last action.
"""

from orchestrator.core.terms import TaskStatus
from orchestrator.models import HistoryEntry
from orchestrator.services.people.interventions import flag_for_human
from orchestrator.services.work import claims, failures
from tests.acceptance.workspace_files import Files
from tests.cast import Driver

TASKS = "workstreams/card-refunds/tasks.json"


def entry(files: Files, key: str) -> dict[str, object]:
    return next(task for task in files.json(TASKS)["tasks"] if task["id"] == key)


def leave(driver: Driver, key: str, breadcrumb: str) -> None:
    held = driver.attempt(key).assignment
    claims.report(
        attempt_id=held.attempt_id,
        token=held.token,
        executor=held.executor,
        breadcrumb=breadcrumb,
        now=driver.tick(),
    )


def test_wf8_the_last_action_is_in_the_file_and_every_one_in_the_history(
    driver: Driver, files: Files
) -> None:
    driver.start()
    driver.claim("A1")
    leave(driver, "A1", "Finished API routes.")
    leave(driver, "A1", "Starting validation.")
    driver.advance()

    told = entry(files, "A1")

    assert told["status"] == "active"
    assert told["breadcrumb"] == "Starting validation."
    assert told["assigned_agent"] == "builder-A1"
    said = (
        HistoryEntry.objects.filter(action="breadcrumb left")
        .order_by("sequence")
        .values_list("reason", flat=True)
    )
    assert list(said) == ["Finished API routes.", "Starting validation."]


def test_wf8_a_breadcrumb_outlives_the_attempt_that_left_it(driver: Driver, files: Files) -> None:
    driver.start()
    driver.claim("A1")
    leave(driver, "A1", "Wrote half of the tables.")
    driver.fail("A1")
    assert entry(files, "A1") | {"status": "blocked", "breadcrumb": "Wrote half of the tables."} == entry(
        files, "A1"
    )


def test_wf8_the_file_uses_the_seeds_status_words(driver: Driver, files: Files) -> None:
    driver.start()
    seen: set[object] = set()

    def look() -> None:
        driver.advance()
        seen.update(task["status"] for task in files.json(TASKS)["tasks"])

    look()
    driver.claim("A1")
    look()
    driver.fail("A1")
    look()
    failures.requeue(
        task_id=driver.task("A1").pk,
        reason="Again.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()
    second = driver.cast.builder("builder-second")
    driver.claim("A1", second)
    driver.complete("A1")
    driver.do("B1", "A2")
    look()
    assert seen == {"pending", "active", "blocked", "review", "complete"}
    assert seen <= {status.value for status in TaskStatus}


def test_wf9_a_question_for_a_person_stands_in_the_file(driver: Driver, files: Files) -> None:
    driver.start()
    driver.claim("A1")
    flag_for_human(
        task_id=driver.task("A1").pk,
        note="Which ledger account?",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()
    told = entry(files, "A1")
    assert (told["needs_human"], told["intervention_note"]) == (True, "Which ledger account?")
