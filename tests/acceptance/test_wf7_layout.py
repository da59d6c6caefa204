"""WF-7, WF-3, WF-6, BX-6: the workspace has seed 000's layout, says what the database says, and is
deterministic.
"""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.models import Task, WorkspaceBranch
from orchestrator.queries.work.briefs import brief
from orchestrator.services.handoff.publishing import publish
from orchestrator.services.review import decisions
from orchestrator.services.work import failures
from tests.acceptance.workspace_files import Files
from tests.cast import PLAN, Cast, Driver

FOLDER = "workstreams/card-refunds"


def test_wf3_before_approval_there_is_a_plan_and_no_task(driver: Driver, files: Files) -> None:
    driver.submit()
    driver.advance()
    assert files.names() == [f"{FOLDER}/PLAN.md", "workstreams/index.json"]
    assert files.text(f"{FOLDER}/PLAN.md") == PLAN.decode()
    (stream,) = files.json("workstreams/index.json")["streams"]
    assert (stream["status"], stream["approval"]["status"]) == ("planning", "in_review")


def test_wf7_a_plan_that_was_sent_back_was_approved_by_nobody(
    driver: Driver, cast: Cast, files: Files
) -> None:
    version = driver.submit().version
    decisions.send_back_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        reason="Who counts the money?",
        actor=cast.actor("approver"),
        now=driver.tick(),
    )
    driver.advance()
    (stream,) = files.json("workstreams/index.json")["streams"]
    assert stream["approval"]["status"] == "sent_back"
    assert not {name for name, value in stream["approval"].items() if name.startswith("approved") and value}


def test_wf7_files_stand_where_the_seed_puts_them(driver: Driver, files: Files) -> None:
    driver.start()
    for key in ("A1", "B1", "A2"):
        driver.claim(key)
        driver.complete(key, outputs={"result.md": b"%s\n" % key.encode()} if key != "A2" else None)
    driver.sign("MP1")
    driver.do("C1")
    driver.claim("D1")
    driver.complete("D1", outputs={"manual.md": b"# Manual\n"})

    others = [name for name in files.names() if "/handoffs/" not in name]
    assert others == [
        "docs/card-refunds/README.md",
        "docs/card-refunds/manual.md",
        f"{FOLDER}/EXECUTION-DASHBOARD.md",
        f"{FOLDER}/LEARNINGS.md",
        f"{FOLDER}/PLAN.md",
        f"{FOLDER}/files/stage-1-build/01-foundations/{thread(driver, 'A1')}/result.md",
        f"{FOLDER}/files/stage-1-build/01-foundations/{thread(driver, 'B1')}/result.md",
        f"{FOLDER}/tasks.json",
        "workstreams/index.json",
    ]
    assert files.git("status", "--porcelain") == ""
    assert brief(driver.task("D1").pk).place.outputs_folder == "docs/card-refunds/"


def thread(driver: Driver, key: str) -> str:
    return driver.task(key).step.thread.slug


def test_wf7_the_registry_names_every_workstream_and_who_works_on_it(
    driver: Driver, cast: Cast, files: Files
) -> None:
    driver.start()
    driver.claim("A1")
    other = type(driver)(cast)
    other.submit(PLAN.replace(b"Card refunds", b"Gift cards"))
    driver.advance()
    other.advance()

    first, second = files.json("workstreams/index.json")["streams"]

    assert [(s["id"], s["order"], s["path"]) for s in (first, second)] == [
        ("card-refunds", 0, FOLDER),
        ("gift-cards", 1, "workstreams/gift-cards"),
    ]
    assert first["approval"]["approved_by"] == "anna"
    assert first["approval"]["plan_hash"] == driver.reload().version.source_sha256
    assert [(a["task"], a["agent"]) for a in first["assignments"]] == [("A1", "builder-A1")]
    assert second["assignments"] == []


def test_wf7_an_ended_assignment_leaves_the_registry(driver: Driver, files: Files) -> None:
    driver.start()
    driver.do("A1")
    (stream,) = files.json("workstreams/index.json")["streams"]
    assert stream["assignments"] == []


def test_bx6_dashboard_and_tasks_follow_every_task(driver: Driver, files: Files) -> None:
    driver.start()
    while ready := driver.ready():
        key = ready[0]
        if driver.task(key).step.is_gate:
            driver.sign(key)
        else:
            driver.claim(key)
            driver.advance()
            assert f"  {key} 🔄  " in files.text(f"{FOLDER}/EXECUTION-DASHBOARD.md")
            driver.complete(key)
        told = {task["id"]: task["status"] for task in files.json(f"{FOLDER}/tasks.json")["tasks"]}
        assert told == dict(Task.objects.values_list("step__key", "status"))
        board = files.text(f"{FOLDER}/EXECUTION-DASHBOARD.md")
        assert f"Merge Point {key}: ✅ DONE" in board or f"  {key} ✅  " in board
    assert "Current bottleneck: none" in files.text(f"{FOLDER}/EXECUTION-DASHBOARD.md")


def test_bx6_the_dashboard_says_what_holds_the_way(driver: Driver, files: Files) -> None:
    driver.start()
    driver.claim("A1")
    driver.fail("A1", error="No such table.")
    board = files.text(f"{FOLDER}/EXECUTION-DASHBOARD.md")
    assert (
        "  A1 ⏸️  Ledger entries for refunds (failed, waits for a person to re-queue it: No such table.)"
        in board
    )
    assert "Current bottleneck: **A1** (Ledger entries for refunds: failed" in board
    failures.requeue(
        task_id=driver.task("A1").pk,
        reason="Fixed.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()
    assert "  A1 ⏳  Ledger entries for refunds\n" in files.text(f"{FOLDER}/EXECUTION-DASHBOARD.md")


def test_wf7_the_same_events_give_the_same_bytes(driver: Driver, settings: Settings, tmp_path: Path) -> None:
    """The state files are a function of the rows: written into an empty workspace they come out the same."""
    driver.start()
    driver.finish()
    first = Files(settings.WORKSPACE_DIR)
    settings.WORKSPACE_DIR = tmp_path / "second"
    WorkspaceBranch.objects.update(head="", meant="")  # as for a database that never had another workspace
    publish(workstream_id=driver.reload().pk, now=driver.tick())
    second = Files(settings.WORKSPACE_DIR)
    assert len(second.names()) == 6
    for name in second.names():
        assert second.text(name) == first.text(name)


@pytest.mark.parametrize("name", ["tasks.json", "EXECUTION-DASHBOARD.md"])
def test_wf7_a_state_file_that_was_removed_is_written_again(driver: Driver, files: Files, name: str) -> None:
    driver.start()
    before = files.text(f"{FOLDER}/{name}")
    (files.root / FOLDER / name).unlink()
    driver.advance()
    assert files.text(f"{FOLDER}/{name}") == before
