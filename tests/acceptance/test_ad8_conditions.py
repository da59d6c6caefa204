"""AD-8: a step with a condition runs or is skipped by how the steps before it ended.

The reason is always said.
"""

import json

import pytest
from django.urls import reverse

from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import TaskStatus
from orchestrator.models import HistoryEntry, Task
from orchestrator.queries.engine.explanations import explain
from orchestrator.services.people import blockers, interventions
from orchestrator.services.work import rework
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import signed_in, words

PLAN = b"""---
domain: quality
parameters:
  browser: chromium
---
# Plan: Test, fix, verify

### Stage 1: Check

##### Batch 01: test

###### Thread 01: test
- Role: contributor
- T1: Test it
  - Outcomes: passed, failed
  - Exit: the tests ran
- F1: Fix it
  - When: T1 is failed
  - Exit: the fix is committed
- V1: Verify it
  - Exit: it works

###### Thread 02: beside
- Role: contributor
- B1: Look at it in the browser
  - When: parameter browser is firefox
  - Exit: it is looked at

##### Gate: Release
- Kind: release
- Reviewers: reviewer

##### Batch 02: after

###### Thread 01: after
- Role: contributor
- N1: Tell that nothing was fixed
  - When: F1 is skipped and not (T1 is reworked)
  - Exit: it is told
- Y1: Tell what was fixed
  - When: F1 is complete
  - Exit: it is told
"""

SKIPPED = "skipped: its condition “T1 is failed” is false, because T1 is passed"


def sentence(driver: Driver, key: str) -> str:
    return explain(driver.reload())[driver.task(key).pk].sentence


def statuses(driver: Driver) -> dict[str, str]:
    return dict(Task.objects.filter(workstream=driver.workstream).values_list("step__key", "status"))


def test_ad8_a_false_condition_skips_the_step_and_says_why(driver: Driver) -> None:
    driver.start(PLAN)
    assert driver.task("B1").status == TaskStatus.SKIPPED, "a parameter decides at once"
    assert driver.ready() == ["T1"]
    assert sentence(driver, "F1") == "waits for T1: ready, waits for an executor to claim it"
    driver.do("T1")
    assert statuses(driver)["F1"] == TaskStatus.SKIPPED
    assert driver.ready() == ["V1"], "what stands behind a skipped step goes on"
    assert sentence(driver, "F1") == SKIPPED
    page = words(signed_in(driver.cast.observer).get(reverse("task", args=[driver.reload().uuid, "F1"])))
    assert "its condition “T1 is failed” is false, because T1 is passed" in page
    entry = HistoryEntry.objects.get(action="step skipped", subject="F1")
    assert (entry.reason, json.loads(entry.leaf)["data"]["skipped"]) == (SKIPPED, ["F1"])


def test_ad8_a_true_condition_runs_the_step(driver: Driver) -> None:
    driver.start(PLAN)
    driver.claim("T1")
    driver.complete("T1", result="failed")
    assert driver.ready() == ["F1"]
    driver.do("F1", "V1")
    driver.finish()
    assert statuses(driver)["N1"] == TaskStatus.SKIPPED
    assert statuses(driver)["Y1"] == TaskStatus.COMPLETE
    assert "because F1 is complete, T1 is failed" in sentence(driver, "N1")


def test_ad8_a_skipped_step_counts_as_done_and_blocks_nobody(driver: Driver, files: Files) -> None:
    driver.start(PLAN)
    workstream = driver.finish()
    assert (workstream.open_tasks, workstream.done_tasks, workstream.finished_at is not None) == (0, 7, True)
    assert not driver.task("F1").attempts.exists()
    folder = f"workstreams/{workstream.slug}"
    listed = {task["id"]: task["status"] for task in json.loads(files.text(f"{folder}/tasks.json"))["tasks"]}
    assert (listed["F1"], listed["N1"], listed["Y1"]) == ("skipped", "complete", "skipped")
    assert SKIPPED in files.text(f"{folder}/EXECUTION-DASHBOARD.md")
    assert state_problems(workstream) == []


def test_ad8_rework_before_a_condition_judges_it_again(driver: Driver) -> None:
    driver.start(PLAN)
    driver.do("T1")
    assert statuses(driver)["F1"] == TaskStatus.SKIPPED
    rework.send_back(
        task_id=driver.task("T1").pk, reason="Flaky.", actor=driver.cast.actor("reviewer"), now=driver.tick()
    )
    assert statuses(driver)["F1"] == TaskStatus.PENDING
    assert driver.task("F1").rework == 0, "nothing was done that could be done again"
    driver.advance()
    driver.claim("T1")
    driver.complete("T1", result="failed")
    assert driver.ready() == ["F1"]
    driver.finish()
    assert statuses(driver)["N1"] == TaskStatus.SKIPPED
    assert state_problems(driver.reload()) == []


SKIPPED_LAST = b"""# Plan: Skip the last step

### Stage 1: Check

##### Batch 01: test

###### Thread 01: test
- Role: contributor
- T1: Test it
  - Outcomes: passed, failed
  - Exit: the tests ran

##### Batch 02: tell

###### Thread 01: tell
- Role: contributor
- N1: Tell it
  - Exit: it is told

##### Batch 03: fix

###### Thread 01: fix
- Role: contributor
- F1: Fix it
  - When: T1 is failed
  - Exit: the fix is committed
"""


def test_ad8_a_step_is_skipped_again_for_the_same_reason(driver: Driver) -> None:
    """Nothing else changes in the round that skips it, and what is said of it is what was said the first
    time.
    """
    driver.start(SKIPPED_LAST)
    driver.do("T1", "N1")
    assert statuses(driver)["F1"] == TaskStatus.SKIPPED
    rework.send_back(
        task_id=driver.task("N1").pk,
        reason="Unclear.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    assert statuses(driver)["F1"] == TaskStatus.PENDING
    driver.advance()
    driver.do("N1")
    assert statuses(driver)["F1"] == TaskStatus.SKIPPED
    assert driver.reload().finished_at is not None


def test_ad8_a_step_that_ran_and_is_then_skipped_hands_nothing_on(driver: Driver) -> None:
    driver.start(PLAN)
    driver.claim("T1")
    driver.complete("T1", result="failed")
    driver.do("F1")
    rework.send_back(
        task_id=driver.task("T1").pk,
        reason="Wrong test.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    driver.advance()
    driver.do("T1")
    assert statuses(driver)["F1"] == TaskStatus.SKIPPED
    status, brief = Machine.of(driver.cast.builder()).get(f"/api/tasks/{driver.task('V1').pk}/")
    assert status == 200
    assert [artifact["step"] for artifact in brief["upstream"]] == ["T1"], (
        "the result before the skipped step"
    )


def test_ad8_a_word_that_is_not_declared_is_refused_and_nothing_is_stored(driver: Driver) -> None:
    driver.start(PLAN)
    driver.claim("T1")
    with pytest.raises(InvalidInput, match="T1 does not end with “broken”"):
        driver.complete("T1", result="broken")
    assert driver.task("T1").status == TaskStatus.ACTIVE
    assert driver.attempt("T1").checks.count() == 0
    driver.complete("T1")
    assert driver.attempt("T1").result == "passed", "the usual word when none is given"


def test_ad8_the_page_offers_the_declared_words(driver: Driver) -> None:
    driver.start(PLAN)
    carl = signed_in(driver.cast.contributor)
    page = reverse("task", args=[driver.reload().uuid, "T1"])
    carl.post(f"{page}claim", {"attempt": driver.attempt("T1").pk})
    assert "Choose a result Passed Failed" in words(carl.get(page))
    held = driver.attempt("T1")
    exit_id = driver.task("T1").step.criteria.get(kind="exit").pk
    typed = {
        "attempt": held.pk,
        "token": held.assignment.token,
        f"evidence-{exit_id}": "ran",
        "result": "failed",
    }
    done = carl.post(f"{page}complete", typed, follow=True)
    assert "Result: failed" in words(done)
    assert driver.attempt("T1").result == "failed"


def test_ad8_machines_read_the_words_and_the_result(driver: Driver) -> None:
    driver.start(PLAN)
    machine = Machine.of(driver.cast.builder())
    assert machine.get(f"/api/tasks/{driver.task('T1').pk}/")[1]["outcomes"] == ["passed", "failed"]
    assert machine.get(f"/api/tasks/{driver.task('F1').pk}/")[1]["condition"] == "T1 is failed"
    driver.claim("T1")
    driver.complete("T1", result="failed")
    again = machine.get(f"/api/tasks/{driver.task('T1').pk}/")[1]["earlier_attempts"]
    assert [attempt["result"] for attempt in again] == ["failed"]


def test_ad8_a_question_or_a_blocker_on_a_step_that_is_skipped(driver: Driver) -> None:
    driver.start(PLAN)
    carl = driver.cast.actor("contributor")
    task = driver.task("F1")
    interventions.flag_for_human(task_id=task.pk, note="Who fixes it?", actor=carl, now=driver.tick())
    blocker = blockers.declare_blocker(
        task_id=task.pk, kind="defect", note="No access.", actor=carl, now=driver.tick()
    )
    driver.do("T1")
    assert driver.task("F1").status == TaskStatus.BLOCKED, "a question is answered first"
    interventions.clear_human_flag(task_id=task.pk, answer="Nobody.", actor=carl, now=driver.tick())
    driver.advance()
    assert driver.task("F1").status == TaskStatus.SKIPPED
    blockers.resolve_blocker(blocker_id=blocker.pk, resolution="Moot.", actor=carl, now=driver.tick())
    assert driver.task("F1").status == TaskStatus.SKIPPED
    assert state_problems(driver.reload()) == []


def test_ad8_the_preview_assumes_the_usual_and_marks_what_depends_on_it(driver: Driver) -> None:
    status, checked = Machine.of(driver.cast.builder()).post("/api/plans/check", {"source": PLAN.decode()})
    assert status == 200
    effect = checked["preview"]
    assert [c["key"] for c in effect["conditional"] if not c["runs"]] == ["F1", "B1", "Y1"]
    assert effect["launches"] == [["T1"], ["V1"], ["G-release"], ["N1"]]
    page = signed_in(driver.cast.initiator).post(
        reverse("plan-submit"), {"act": "check", "source": PLAN.decode()}
    )
    assert (
        "F1 runs only when “T1 is failed”: it is skipped when every step before it ends as usual."
        in words(page)
    )
    assert "can never start" not in words(page)


def test_ad8_a_plan_whose_condition_cannot_be_judged_is_not_stored(driver: Driver) -> None:
    source = PLAN.replace(b"T1 is failed", b"T1 is broken").decode()
    status, refusal = Machine.of(driver.cast.builder()).post("/api/plans/check", {"source": source})
    assert status == 200
    assert [(f["code"], f["line"]) for f in refusal["findings"] if f["severity"] == "blocks"] == [
        ("condition-unknown", 18)
    ]
    page = signed_in(driver.cast.initiator).post(reverse("plan-submit"), {"act": "submit", "source": source})
    assert page.status_code == 422
    assert "whether T1 is broken, which it never is" in words(page)


def test_ad8_conditional_steps_of_a_thread_go_one_after_the_other(driver: Driver) -> None:
    """AS-3: a round that looks at a step because of its condition sees who stands before it in the thread."""
    steps = "".join(f"- B{n}: step\n  - When: A1 is complete\n" for n in (1, 2))
    lanes = (
        f"##### Batch 01: a\n###### Thread 01: a\n- A1: step\n##### Batch 02: b\n###### Thread 01: b\n{steps}"
    )
    driver.start(f"# Plan: Row\n## Stages\n### Stage 1: all\n{lanes}".encode())
    driver.do("A1")
    for _ in range(3):
        driver.advance()
        assert driver.ready() == ["B1"]
    driver.do("B1")
    assert driver.ready() == ["B2"]


def test_ad8_a_long_chain_of_skipped_steps_comes_to_its_end(driver: Driver) -> None:
    steps = "".join(f"- S{n}: Step {n}\n  - When: S{n - 1} is complete\n" for n in range(2, 40))
    plan = (
        "# Plan: Chain\n\n##### Batch 01: all\n\n###### Thread 01: all\n- S1: One\n  - When: "
        "parameter go is yes\n"
    )
    source = f"---\nparameters:\n  go: no way\n---\n{plan}{steps}- Z1: Last\n"
    driver.start(source.encode())
    for _ in range(2):
        driver.advance()
    assert driver.ready() == ["Z1"]
