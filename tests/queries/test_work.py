"""The order in which executors take what is queued (design section 3), and what a task builds on."""

from orchestrator.queries.work.commits_before import commits_before
from orchestrator.queries.work.work import queued_attempts
from orchestrator.services.work import completions, failures
from tests.cast import PLAN, Driver

TOOLED = PLAN.replace(b"  - Exit: unit tests pass", b"  - Tool: pytest\n  - Exit: unit tests pass").replace(
    b"  - Exit: contract test passes", b"  - Tool: ruff\n  - Exit: contract test passes"
)


def keys(tools=("pytest", "ruff")) -> list[tuple[str, str]]:
    return [(a.task.workstream.slug, a.task.step.key) for a in queued_attempts(tools)]


def test_priority_comes_before_registration_and_launch_order(cast):
    for priority in (b"0", b"5", b"0"):
        Driver(cast).start(TOOLED.replace(b"domain: payments", b"domain: payments\npriority: " + priority))
    assert keys() == [
        ("card-refunds-2", "A1"),
        ("card-refunds-2", "B1"),
        ("card-refunds", "A1"),
        ("card-refunds", "B1"),
        ("card-refunds-3", "A1"),
        ("card-refunds-3", "B1"),
    ]


def test_only_steps_with_one_of_the_tools_are_offered(driver):
    driver.start(TOOLED)
    assert keys(["ruff"]) == [("card-refunds", "B1")]
    assert keys([]) == []


def test_a_step_that_was_queued_again_comes_after_what_waited_longer(driver, cast):
    driver.start(TOOLED)
    held = driver.claim("A1")
    failures.fail(
        attempt_id=held.attempt_id, token=held.token, executor=held.executor, error="no", now=driver.tick()
    )
    failures.requeue(
        task_id=held.attempt.task_id, reason="again", actor=cast.actor("contributor"), now=driver.tick()
    )
    driver.advance()
    assert keys() == [("card-refunds", "B1"), ("card-refunds", "A1")]


def test_a_task_builds_on_the_latest_commits_of_completed_steps(driver, cast):
    driver.start(TOOLED)
    for key, commit in (("A1", "a" * 40), ("B1", "b" * 40)):
        held = driver.claim(key)
        criteria = held.attempt.task.step.criteria.values_list("pk", flat=True)
        completions.complete(
            attempt_id=held.attempt_id,
            token=held.token,
            executor=held.executor,
            outcome="Done.",
            evidence=dict.fromkeys(criteria, "seen"),
            commit=commit,
            now=driver.tick(),
        )
        driver.advance()
    assert [one.commit for one in commits_before(driver.task("C1"))] == ["a" * 40, "b" * 40]
    assert [one.commit for one in commits_before(driver.task("A2"))] == ["a" * 40]
    assert [one.commit for one in commits_before(driver.task("A1"))] == []
