"""AD-6, FR-027: a local executor does attempts with real tools, asks people, and takes up what it held."""

import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.repository import git, locked
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Assignment, CriterionCheck, OutputFile
from orchestrator.processes.local_executor import LocalExecutor
from orchestrator.queries.handoff.worktrees import worktree_of
from orchestrator.sandbox import layers
from orchestrator.sandbox.policy import Layers
from orchestrator.services.base.actor import Actor
from orchestrator.services.people import interventions
from orchestrator.services.work import failures, rework

PLAN = b"""---
domain: tools
repository: sample
---
# Plan: Greetings

## Stages

### Stage 1: Build

##### Batch 01: parts

###### Thread 01: hello
- A1: Write hello
  - Tool: script
  - Run: `write.py hello.txt`
  - Files: `hello.txt`
  - Exit: hello is written
- A2: Look for hello
  - Tool: script
  - Run: `look.py hello.txt`
  - Exit: hello is there

###### Thread 02: question
- B1: Ask how
  - Tool: script
  - Run: `ask.py`
  - Exit: a person has answered

##### Batch 02: together

###### Thread 01: both
- C1: Look for both (needs A1, B1)
  - Tool: script
  - Run: `look.py hello.txt answer.txt`
  - Exit: both are there
"""

SCRIPTS = {
    "write.py": "import pathlib, "
    "sys\npathlib.Path(sys.argv[1]).write_text('hello')\nprint('wrote', sys.argv[1])",
    "look.py": "import pathlib, sys\nmissing = [n for n in sys.argv[1:] if not pathlib.Path(n).exists()]\n"
    "print('missing', missing)\nsys.exit(bool(missing))",
    "ask.py": "import os, pathlib, sys\nif 'ANSWER' not in os.environ:\n    print('ASK: Which "
    "colour?'); sys.exit(75)\n"
    "pathlib.Path('answer.txt').write_text(os.environ['ANSWER'])\nprint('answered')",
}


@pytest.fixture
def repository(settings) -> Path:
    path = settings.REPOSITORIES_DIR / "sample"
    (path / "scripts").mkdir(parents=True)
    for name, text in SCRIPTS.items():
        (path / "scripts" / name).write_text(text)
    git(path, "init", "--quiet", "--initial-branch", "main")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "scripts")
    return path


@pytest.fixture
def started(driver, repository):
    driver.start(PLAN)
    return driver


def stop_after(seconds: float):
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def local(driver, name: str = "builder-1", stopping=None) -> LocalExecutor:
    """An executor that gives up after a while, so that a fault shows as a failure and not as silence."""
    return LocalExecutor(driver.cast.builder(name), driver.tick, stopping or stop_after(20))


def test_attempts_are_taken_in_launch_order_and_completed_with_evidence(started):
    executor = local(started)
    assert executor.turn()
    attempt = started.attempt("A1")
    assert attempt.status == AttemptStatus.COMPLETED
    assert CriterionCheck.objects.get(attempt=attempt).evidence.startswith(
        "scripts/write.py hello.txt: exit code 0; wrote hello.txt (commit "
    )
    names = {Path(path).name for path in OutputFile.objects.values_list("path", flat=True)}
    assert names == {"A1-attempt-1.log", "hello.txt"}
    assert started.task("A1").breadcrumb.startswith("Running write.py hello.txt on ws/greetings/01 from ")


def test_the_commit_of_an_attempt_stands_on_the_lanes_branch(started, repository):
    local(started).turn()
    commit = started.attempt("A1").commit
    assert git(repository, "rev-parse", "ws/greetings/01").strip() == commit
    assert (
        git(repository, "show", "--no-patch", "--format=%an: %s", commit).strip()
        == "orchestrator: A1: Write hello"
    )
    assert git(repository, "show", "main", "--name-only", "--format=").find("hello.txt") == -1


def test_a_question_becomes_an_intervention_and_the_answer_reaches_the_tool(started):
    local(started).turn()
    assert local(started, "builder-2", stop_after(3)).turn()
    task = started.task("B1")
    assert (task.needs_human, task.intervention_note) == (True, "Which colour?")
    assert started.attempt("B1").status == AttemptStatus.RUNNING

    interventions.clear_human_flag(
        task_id=task.pk, answer="blue", actor=started.cast.actor("contributor"), now=started.tick()
    )
    assert local(started, "builder-2").turn()
    assert started.attempt("B1").status == AttemptStatus.COMPLETED
    answer = OutputFile.objects.filter(path__endswith="B1-attempt-1.log").get()
    assert b"answered" in bytes(answer.content)


def test_a_convergence_has_the_work_of_every_lane(started):
    local(started).turn()
    started.advance()
    asking = started.claim("B1", started.cast.builder("builder-2"))
    interventions.flag_for_human(
        task_id=asking.attempt.task_id, note="?", actor=Actor.member(asking.executor), now=started.tick()
    )
    interventions.clear_human_flag(
        task_id=asking.attempt.task_id,
        answer="red",
        actor=started.cast.actor("contributor"),
        now=started.tick(),
    )
    local(started, "builder-2").turn()
    local(started).turn()
    started.advance()
    local(started).turn()
    assert started.attempt("C1").status == AttemptStatus.COMPLETED, started.attempt("C1").error


def test_a_failing_tool_fails_the_attempt_with_what_it_printed(driver, repository):
    driver.start(PLAN.replace(b"`write.py hello.txt`", b"`look.py nowhere.txt`"))
    local(driver).turn()
    failed = driver.attempt("A1")
    assert failed.status == AttemptStatus.FAILED
    assert "scripts/look.py nowhere.txt: exit code 1; missing ['nowhere.txt']" in failed.error
    assert driver.task("A1").status == TaskStatus.BLOCKED


def test_work_that_was_sent_back_starts_without_its_first_result(started, repository):
    started.claim("B1", started.cast.builder("builder-2"))
    local(started).turn()
    first = started.attempt("A1").commit
    started.advance()
    rework.send_back(
        task_id=started.task("A1").pk,
        reason="again",
        actor=started.cast.actor("reviewer"),
        now=started.tick(),
    )
    started.advance()
    local(started).turn()
    again = started.attempt("A1")
    assert (again.number, again.status) == (2, AttemptStatus.COMPLETED)
    assert git(repository, "rev-parse", f"{again.commit}^") == git(repository, "rev-parse", f"{first}^")


def test_arguments_that_are_not_allowed_fail_with_the_way_out(driver, repository):
    driver.start(PLAN.replace(b"`write.py hello.txt`", b"`write.py ../../hello.txt`"))
    local(driver).turn()
    assert "leaves the worktree" in driver.attempt("A1").error
    assert not (repository.parent / "hello.txt").exists()


def test_a_plan_without_a_repository_says_what_to_add(driver):
    driver.start(PLAN.replace(b"repository: sample\n", b""))
    local(driver).turn()
    assert "repository: name" in driver.attempt("A1").error


def test_a_restarted_executor_takes_up_what_it_held_with_the_same_token(started):
    """F9: killed while it held the attempt; nobody declared the failure."""
    held = started.claim("A1", started.cast.builder("builder-1"))
    other = local(started, "builder-2", stop_after(0))
    other.turn()
    assert Assignment.objects.get(attempt=held.attempt).executor.name == "builder-1"
    assert local(started, "builder-1").turn()
    attempt = started.attempt("A1")
    assert (attempt.number, attempt.status) == (1, AttemptStatus.COMPLETED)
    assert Assignment.objects.get(attempt=attempt).token == held.token


def test_work_on_an_attempt_that_was_declared_failed_is_dropped(started, repository):
    """F26: the executor learns it from its next call and goes on with other work."""
    slow = repository / "scripts" / "write.py"
    slow.write_text("import time; time.sleep(60)")
    git(repository, "commit", "--quiet", "--all", "--message", "slow")
    executor = local(started)

    def declare() -> bool:
        attempt = started.attempt("A1")
        if attempt.status == AttemptStatus.RUNNING:
            failures.declare_failure(
                attempt_id=attempt.pk,
                reason="it hangs",
                actor=started.cast.actor("contributor"),
                now=started.now + timedelta(minutes=1),
            )
        return False

    executor.stopping = declare
    assert executor.turn()
    assert started.attempt("A1").status == AttemptStatus.FAILED
    assert started.attempt("A1").error == "it hangs"


def test_a_stopping_executor_leaves_its_attempt_held(started, repository):
    (repository / "scripts" / "write.py").write_text("import time; time.sleep(60)")
    git(repository, "commit", "--quiet", "--all", "--message", "slow")
    assert local(started, stopping=stop_after(0.5)).turn()
    assert started.attempt("A1").status == AttemptStatus.RUNNING


def test_a_lane_in_which_a_frozen_executor_still_works_is_waited_for(started):
    """F26: its attempt was declared failed, but its tool may still write into the worktree."""
    started.claim("B1", started.cast.builder("builder-2"))
    tree = worktree_of(started.attempt("A1"))
    with locked(tree.lock):
        assert local(started, stopping=stop_after(1)).turn()
        assert started.attempt("A1").status == AttemptStatus.RUNNING
    assert local(started).turn()
    assert started.attempt("A1").status == AttemptStatus.COMPLETED


def test_a_plan_may_name_the_worktree_of_a_lane(driver, repository):
    plan = PLAN.replace(
        b"###### Thread 01: hello\n", b"###### Thread 01: hello\n- Worktree: `.worktrees/WS-A`\n"
    )
    driver.start(plan)
    assert worktree_of(driver.attempt("A1")).folder.name == "WS-A"


def test_nothing_is_taken_for_tools_that_are_not_registered(started, settings):
    settings.TOOLS = ["pytest"]
    assert not local(started).turn()
    assert started.attempt("A1").status == AttemptStatus.QUEUED


def test_a_blocker_that_was_declared_meanwhile_holds_the_result(started):
    from orchestrator.services.people import blockers

    held = started.claim("A1", started.cast.builder("builder-1"))
    actor = started.cast.actor("contributor")
    blocker = blockers.declare_blocker(
        task_id=held.attempt.task_id,
        kind="external",
        note="waits for the bank",
        actor=actor,
        now=started.tick(),
    )
    local(started, stopping=stop_after(1.5)).turn()
    assert started.attempt("A1").status == AttemptStatus.RUNNING
    blockers.resolve_blocker(blocker_id=blocker.pk, resolution="done", actor=actor, now=started.tick())
    local(started).turn()
    assert started.attempt("A1").status == AttemptStatus.COMPLETED


JUDGED = (
    PLAN.split(b"- A1:")[0]
    + b"""- T1: Look for the report
  - Tool: script
  - Run: `look.py report.txt`
  - Outcomes: passed, failed
  - Exit: it was looked for
- F1: Write the report
  - When: T1 is failed
  - Tool: script
  - Run: `write.py report.txt`
  - Files: `report.txt`
  - Exit: the report is written
"""
)


def test_ad8_a_failing_tool_ends_a_step_that_says_what_follows(driver, repository):
    driver.start(JUDGED)
    assert local(driver).turn()
    attempt = driver.attempt("T1")
    assert (attempt.status, attempt.result) == (AttemptStatus.COMPLETED, "failed")
    assert attempt.outcome == "scripts/look.py report.txt: exit code 1; missing ['report.txt']"
    assert CriterionCheck.objects.get(attempt=attempt).evidence.startswith(attempt.outcome)
    driver.advance()
    assert driver.ready() == ["F1"]


@pytest.mark.parametrize(("declared", "word"), [("failed, passed", "passed"), ("clean, failed", "clean")])
def test_ad8_a_tool_that_ends_well_names_the_outcome_that_means_so(driver, repository, declared, word):
    plan = JUDGED.replace(b"passed, failed", declared.encode())
    driver.start(plan.replace(b"look.py report.txt", b"write.py report.txt"))
    assert local(driver).turn()
    attempt = driver.attempt("T1")
    assert (attempt.status, attempt.result) == (AttemptStatus.COMPLETED, word)


def test_ad8_a_failing_tool_fails_a_step_that_does_not(driver, repository):
    driver.start(
        JUDGED.replace(b"  - Outcomes: passed, failed\n", b"").replace(b"  - When: T1 is failed\n", b"")
    )
    assert local(driver).turn()
    assert driver.attempt("T1").status == AttemptStatus.FAILED


def test_ad8_a_tool_that_cannot_run_is_a_failure_whatever_the_outcomes(driver, repository):
    driver.start(JUDGED.replace(b"`look.py report.txt`", b"`../look.py`"))
    assert local(driver).turn()
    assert driver.attempt("T1").status == AttemptStatus.FAILED
    driver.advance()
    assert driver.task("F1").status == TaskStatus.PENDING


def test_ad7_a_tool_run_again_on_the_same_inputs_hands_nothing_over_twice(started, repository):
    local(started).turn()
    first = started.attempt("A1")
    branch = git(repository, "rev-parse", "ws/greetings/01").strip()
    again(started)
    second = started.attempt("A1")
    assert (second.number, second.status, second.same_as, second.commit) == (
        2,
        "completed",
        first,
        first.commit,
    )
    assert git(repository, "rev-parse", "ws/greetings/01").strip() == branch
    assert not OutputFile.objects.filter(path__endswith="A1-attempt-2.log").exists()


def test_ad7_a_tool_that_left_other_files_hands_them_over(started, repository):
    local(started).turn()
    (repository / "scripts" / "write.py").write_text(SCRIPTS["write.py"].replace("'hello'", "'good day'"))
    git(repository, "commit", "--quiet", "--all", "--message", "politer")
    again(started)
    second = started.attempt("A1")
    assert (second.number, second.status, second.same_as) == (2, "completed", None)
    assert OutputFile.objects.filter(path__endswith="A1-attempt-2.log").exists()


def again(driver) -> None:
    driver.advance()
    rework.send_back(
        task_id=driver.task("A1").pk,
        reason="Once more.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    driver.advance()
    driver.claim("A1", driver.cast.builder("builder-1"))
    assert local(driver).turn()


ATTACKED = PLAN.replace(b"`write.py hello.txt`", b"`attack.py`").replace(
    b"- Files: `hello.txt`", b"- Files: `*`"
)


def attacked(driver, repository, code: str) -> list[str]:
    """A script that somebody handed in does a step; the names of what the server took from its worktree."""
    (repository / "scripts" / "attack.py").write_text(code)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "an attack")
    driver.start(ATTACKED)
    assert local(driver).turn()
    return sorted(Path(path).name for path in OutputFile.objects.values_list("path", flat=True))


def test_links_out_of_the_worktree_are_never_followed_when_results_are_collected(
    driver, repository, tmp_path
):
    (tmp_path / "secret-key").write_text("the key that signs everything")
    code = f"""
import os, pathlib
pathlib.Path("plain.txt").write_text("plain")
os.symlink({str(tmp_path / "secret-key")!r}, "stolen.txt")
os.symlink({str(tmp_path)!r}, "folder")
pathlib.Path("large.txt").write_text("x" * 300_000)
os.mkfifo("pipe.txt")
"""
    assert attacked(driver, repository, code) == ["A1-attempt-1.log", "plain.txt"]
    kept = [bytes(content) for content in OutputFile.objects.values_list("content", flat=True)]
    assert not any(b"signs everything" in content for content in kept)
    assert any(b"Not handed over" in content and b"stolen.txt" in content for content in kept)


def test_a_tool_step_reads_no_secret_of_the_server(driver, repository, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / "secret-key").write_text("the key that signs everything")
    attacked(driver, repository, f"print(open({str(settings.DATA_DIR / 'secret-key')!r}).read())")
    attempt = driver.attempt("A1")
    assert attempt.status == AttemptStatus.FAILED
    assert "Error" in attempt.error
    assert "signs everything" not in attempt.error


def test_where_tools_cannot_be_shut_in_their_steps_fail_with_the_reason_and_the_way_out(
    driver, repository, monkeypatch
):
    monkeypatch.setattr(layers, "found", Layers)
    driver.start(PLAN)
    assert local(driver).turn()
    attempt = driver.attempt("A1")
    assert attempt.status == AttemptStatus.FAILED
    assert "This machine cannot keep tools from files outside the worktree" in attempt.error
    assert "TOOLS_SANDBOX=off" in attempt.error


def test_the_operator_decides_which_tool_may_use_the_network(driver, repository, settings):
    settings.TOOLS_NETWORK = ["script"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        attacked(
            driver,
            repository,
            f"import socket\nsocket.create_connection({address!r}, 5).close()\nprint('reached')",
        )
    assert driver.attempt("A1").outcome.endswith("reached"), driver.attempt("A1").error


def test_an_error_of_ours_ends_the_attempt_and_not_the_executor(started, repository, monkeypatch):
    """It would be restarted and take the same attempt up again, for ever."""

    def broken(*_: object) -> None:
        raise ValueError("an adapter tripped")

    monkeypatch.setattr("orchestrator.adapters.script.Script.run", broken)
    assert local(started).turn()
    attempt = started.attempt("A1")
    assert attempt.status == AttemptStatus.FAILED
    assert "ValueError: an adapter tripped" in attempt.error


@pytest.mark.parametrize(("look", "status"), [("hello.txt", "completed"), ("gone.txt", "failed")])
def test_bx9_a_tools_own_step_is_verified_by_the_line_of_the_step(
    driver, repository, look: str, status: str
) -> None:
    """Red, it fails: the tool would hand the same in once more."""
    line = f"  - Verify: `script look.py {look}`\n  - Exit: hello is written\n"
    driver.start(PLAN.replace(b"  - Exit: hello is written\n", line.encode()))
    executor = local(driver)
    assert executor.turn()
    assert driver.attempt("A1").status == AttemptStatus.RUNNING
    assert executor.turn(), "the verification comes before anything else"
    if status == "failed":
        assert executor.turn()
        assert "missing ['gone.txt']" in driver.attempt("A1").error
    assert driver.attempt("A1").status == status
