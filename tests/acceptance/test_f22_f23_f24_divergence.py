"""F22 to F24: a rewritten branch, an older database beside a newer workspace, and the reverse stop work
before anything is launched, claimed, completed or published; a person decides, and work goes on."""

import shutil

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus
from orchestrator.models import Assignment, HandoffArtifact, HistoryEntry
from orchestrator.processes import tasks
from orchestrator.queries.engine.explanations import explain
from tests.acceptance.producer import Producer, told
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

#: What the executor of A1, which has no exit criteria, completes it with.
DONE = {"token": 1, "outcome": "Wrote the schema and read it again."}
PLAN = b"""# Plan: Login

## Stages
### Stage 1: Build
##### Batch 01: setup
###### Thread A: auth
- A1: Tables
##### Batch 02: service
###### Thread B: api
- B1: Service
"""


@pytest.fixture
def begun(driver: Driver, files: Files) -> Driver:
    """A1 is claimed; nothing is handed over yet."""
    driver.start(PLAN)
    driver.claim("A1")
    driver.advance()
    return driver


def older_database(driver: Driver) -> None:
    """What a backup from before A1's completion brings back: rows of then, files of now."""
    point = transaction.savepoint()
    driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    driver.claim("B1")
    driver.advance()
    transaction.savepoint_rollback(point)


def older_workspace(driver: Driver, files: Files) -> None:
    copy = files.root.with_name("backup")
    shutil.copytree(files.root, copy, symlinks=True)
    driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    shutil.rmtree(files.root)
    copy.rename(files.root)


def rewritten(driver: Driver, files: Files) -> None:
    """Somebody amended the newest commit."""
    driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    files.git(*who, "commit", "--amend", "--quiet", "--allow-empty", "-m", "tidied up")


def settle(driver: Driver, way: str, role: str = "approver", reason: str = "The database is right.") -> int:
    who = getattr(driver.cast, role)
    return signed_in(who).post(reverse("workspace-act", args=[way]), {"reason": reason}).status_code


def entries(action: str) -> int:
    return HistoryEntry.objects.filter(action=action).count()


def assert_work_is_stopped(driver: Driver, files: Files, executor: Machine, said: str) -> None:
    """Over every interface, and nothing reaches the branch."""
    head = files.git("for-each-ref", "refs/heads/main")
    before = driver.ready()
    tasks.sweep()
    tasks.advance(driver.reload().pk)
    assert files.git("for-each-ref", "refs/heads/main") == head
    assert driver.ready() == before
    assert entries("workspace diverged") == 1, "noted once"
    status, told = executor.get("/api/workspace/")
    assert (status, told["agrees"], told["kind"]) == (200, False, said)
    for address in ("portfolio", "workspace"):
        assert "Work is stopped" in words(signed_in(driver.cast.approver).get(reverse(address)))
    nobody = User.objects.get_or_create(username="without-a-role")[0]
    assert "Work is stopped" not in words(signed_in(nobody).get(reverse("account"))), (
        "it leads where they may not go"
    )
    with pytest.raises(SystemExit):
        call_command("workspace")


def assert_work_goes_on(driver: Driver, files: Files) -> None:
    page = words(signed_in(driver.cast.approver).get(reverse("portfolio")))
    assert "Work is stopped" not in page
    call_command("workspace")
    tasks.sweep()
    driver.finish()
    for artifact in HandoffArtifact.objects.all():
        assert artifact.state == ArtifactState.COMMITTED
        assert files.git("show", f"main:{artifact.path}") == files.text(artifact.path) == artifact.body
        files.git("merge-base", "--is-ancestor", artifact.commit, "main")
    assert files.git("status", "--porcelain") == ""
    call_command("verify_history")


def test_f23_older_database_restored(begun: Driver, files: Files) -> None:
    held = begun.attempt("A1")
    older_database(begun)
    newer = files.git("rev-parse", "main")
    machine = Machine.of(begun.cast.builder("builder-A1"))
    refused, told = machine.post(f"/api/attempts/{held.pk}/complete", DONE, key="again")
    assert (refused, told["code"]) == (503, "workspace-diverged"), "before any look: the act itself compares"
    assert "newer than the database" in told["message"]
    assert_work_is_stopped(begun, files, machine, "database-older")
    machine_says = machine.get("/api/workspace/")[1]
    assert machine_says["commits"][0]["name"] == newer
    assert machine_says["ways"] == ["set-back"]
    assert "1 handoff artifacts" in words(signed_in(begun.cast.observer).get(reverse("workspace")))

    assert settle(begun, "set-back", role="contributor") == 403
    assert settle(begun, "set-back", reason=" ") == 422
    assert settle(begun, "republish") == 409, "the newer commits have paths that this database will use again"
    assert settle(begun, "set-back") == 302
    assert settle(begun, "set-back") == 409, "both agree"
    kept = files.git("for-each-ref", "--format=%(objectname)", "refs/diverged/")
    assert kept == newer
    assert not list(files.root.glob("workstreams/login/files/**/schema.sql")), (
        "files that the database does not know"
    )
    entry = HistoryEntry.objects.get(action="branch set back")
    assert (entry.actor, entry.reason) == ("anna", "The database is right.")

    assert machine.post(f"/api/attempts/{held.pk}/complete", DONE, key="again")[0] == 200
    begun.advance()
    assert_work_goes_on(begun, files)


def test_f23_results_that_only_the_newer_database_took_in_are_taken_in_again(
    begun: Driver, files: Files
) -> None:
    held = Assignment.objects.get(attempt=begun.attempt("A1"))
    producer = Producer(files.root, held.executor.name)
    point = transaction.savepoint()
    producer.push({"result.json": told(held, outcome="Tables")})
    tasks.sweep()
    assert begun.task("A1").status == TaskStatus.COMPLETE
    transaction.savepoint_rollback(point)
    tasks.sweep()
    assert begun.task("A1").status == TaskStatus.ACTIVE, "work is stopped"
    assert settle(begun, "set-back") == 302
    tasks.sweep()
    assert begun.task("A1").status == TaskStatus.COMPLETE, (
        "its producer has handed it over, and does not do so again"
    )


def test_f23_a_fresh_database_beside_an_old_workspace(driver: Driver, files: Files) -> None:
    point = transaction.savepoint()
    driver.start(PLAN)
    transaction.savepoint_rollback(point)
    driver.workstream = None
    assert files.git("rev-parse", "main")
    tasks.sweep()
    assert entries("workspace diverged") == 1
    assert settle(driver, "set-back") == 302
    assert files.names() == []
    driver.start_afresh(PLAN)
    assert_work_goes_on(driver, files)


def test_f24_older_workspace_restored(begun: Driver, files: Files) -> None:
    older_workspace(begun, files)
    machine = Machine.of(begun.cast.builder("other"))
    refused, told = machine.post(f"/api/attempts/{begun.attempt('B1').pk}/claim")
    assert (refused, told["code"]) == (503, "workspace-diverged")
    assert_work_is_stopped(begun, files, machine, "workspace-older")
    assert machine.get("/api/workspace/")[1]["ways"] == ["republish"], (
        "git does not have the known commit any more"
    )
    assert settle(begun, "set-back") == 409
    assert settle(begun, "republish") == 302
    assert files.text(HandoffArtifact.objects.latest("pk").path) == HandoffArtifact.objects.latest("pk").body
    assert HistoryEntry.objects.get(action="branch written again").actor == "anna"
    assert_work_goes_on(begun, files)


def test_f24_an_empty_workspace(begun: Driver, files: Files) -> None:
    begun.complete("A1", outputs={"schema.sql": b"create table\n"})
    shutil.rmtree(files.root)
    assert_work_is_stopped_without_git(begun)
    assert settle(begun, "republish") == 302
    assert_work_goes_on(begun, files)


def assert_work_is_stopped_without_git(driver: Driver) -> None:
    tasks.sweep()
    assert entries("workspace diverged") == 1
    sentences = {verdict.sentence for verdict in explain(driver.reload()).values()}
    assert "complete" in sentences


def test_f24_restoring_the_newer_workspace_needs_no_decision(begun: Driver, files: Files) -> None:
    copy = files.root.with_name("newer")
    shutil.copytree(files.root, files.root.with_name("older"), symlinks=True)
    begun.complete("A1")
    files.root.rename(copy)
    files.root.with_name("older").rename(files.root)
    tasks.sweep()
    assert entries("workspace diverged") == 1
    shutil.rmtree(files.root)
    copy.rename(files.root)
    tasks.sweep()
    assert entries("workspace agrees again") == 1
    assert_work_goes_on(begun, files)


def test_f22_rewritten_branch(begun: Driver, files: Files) -> None:
    rewritten(begun, files)
    machine = Machine.of(begun.cast.builder("other"))
    assert machine.post(f"/api/attempts/{begun.attempt('B1').pk}/claim")[1]["code"] == "workspace-diverged"
    assert_work_is_stopped(begun, files, machine, "rewritten")
    amended = files.git("rev-parse", "main")
    assert machine.get("/api/workspace/")[1]["ways"] == ["set-back", "republish"]
    assert settle(begun, "set-back") == 302
    assert files.git("for-each-ref", "--format=%(objectname)", "refs/diverged/") == amended
    assert_work_goes_on(begun, files)


@pytest.mark.parametrize("cut", ["back to its first commit", "deleted"])
def test_f22_a_branch_that_was_cut_is_set_forward_again(begun: Driver, files: Files, cut: str) -> None:
    begun.complete("A1")
    if cut == "deleted":
        files.git("update-ref", "-d", "refs/heads/main")
    else:
        files.git("update-ref", "refs/heads/main", files.git("rev-list", "--max-parents=0", "main"))
    tasks.sweep()
    assert "B1" in begun.ready()
    assert entries("workspace diverged") == 1
    machine = Machine.of(begun.cast.builder("other"))
    assert machine.get("/api/workspace/")[1]["ways"] == ["set-back", "republish"]
    assert settle(begun, "set-back") == 302
    assert_work_goes_on(begun, files)


def test_f23_a_round_says_why_nothing_is_launched(begun: Driver, files: Files) -> None:
    rewritten_before_the_round(begun, files)
    tasks.sweep()
    verdict = explain(begun.reload())[begun.task("B1").pk]
    assert (verdict.reason, begun.ready()) == ("workspace-diverged", [])
    assert "until an approver has decided" in verdict.sentence
    assert settle(begun, "set-back") == 302
    tasks.sweep()
    assert begun.ready() == ["B1"]


def rewritten_before_the_round(driver: Driver, files: Files) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "advance", lambda: None)
        driver.complete("A1")
    files.git("update-ref", "-d", "refs/heads/main")


def test_f22_what_is_under_way_is_handed_in_afterwards(begun: Driver, files: Files) -> None:
    """A gate, a failure and a result that its producer committed wait as well.

    Nothing is quarantined for it.
    """
    files.git("update-ref", "-d", "refs/heads/main")
    machine = Machine.of(begun.cast.builder("builder-A1"))
    attempt = begun.attempt("A1")
    assert machine.post(f"/api/attempts/{attempt.pk}/fail", {"token": 1, "error": "It broke."})[0] == 503
    assert signed_in(begun.cast.contributor).post(reverse("collect")).status_code == 503
    assert begun.attempt("A1").status == AttemptStatus.RUNNING
    assert settle(begun, "set-back") == 302
    assert machine.post(f"/api/attempts/{attempt.pk}/fail", {"token": 1, "error": "It broke."})[0] == 200


@pytest.mark.parametrize("way", ["set-back", "republish"])
def test_f24_a_decision_that_is_killed_is_taken_again(
    begun: Driver, files: Files, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    from orchestrator.services.handoff import divergence

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    begun.complete("A1")
    files.git("update-ref", "refs/heads/main", files.git("rev-list", "--max-parents=0", "main"))
    with monkeypatch.context() as patch:
        patch.setattr(divergence, "_note_settled", die)
        with pytest.raises(Killed):
            settle(begun, way)
    tasks.sweep()
    agreed = way == "set-back"  # the branch stands at the known commit, so nothing is left to decide
    assert entries("workspace agrees again") == agreed
    if not agreed:
        assert settle(begun, way) == 302
    assert_work_goes_on(begun, files)


def test_f6_a_publisher_killed_behind_the_move_of_the_branch_is_no_divergence(
    begun: Driver, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is one more than the database has marked, and the one that it meant; the real kill of a
    process is in tests/services/test_artifacts.py."""
    from orchestrator.services.handoff import publishing

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    before = files.git("rev-parse", "main")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_mark", die)
        with pytest.raises(Killed):
            begun.complete("A1")
    assert files.git("rev-parse", "main~1") == before
    assert entries("workspace diverged") == 0
    begun.advance()
    assert_work_goes_on(begun, files)
