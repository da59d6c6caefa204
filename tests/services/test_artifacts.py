"""Announcing and publishing artifacts (FR-014, AS-7, F6, F12, F13, F31)."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, WorkspaceUnavailable
from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import Attempt, HandoffArtifact, HistoryEntry
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff import publishing
from orchestrator.services.handoff.artifacts import announce, output_files
from orchestrator.services.handoff.known_branch import note_head
from orchestrator.services.handoff.publishing import publish
from orchestrator.services.work.attempts import locked_attempt
from tests.cast import NOON, Driver

#: One thread after another, so every step has one step before it.
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
LATER = NOON + timedelta(days=1)


@pytest.fixture
def held(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A1 is complete and handed over, and no queue runs: what was announced waits."""
    driver.start(PLAN)
    driver.claim("A1")
    monkeypatch.setattr(driver, "advance", lambda: None)
    driver.complete("A1", outputs={"notes/api.md": b"# API\n"})
    return driver


def handover(driver: Driver, key: str) -> HandoffArtifact:
    return HandoffArtifact.objects.get(attempt=driver.attempt(key), event=EventType.ATTEMPT_COMPLETED)


def git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", root, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def announced(attempt: Attempt, outputs: dict[str, bytes]) -> HandoffArtifact:
    with unit_of_work():
        situation = locked_attempt(attempt.pk)
        record(
            workstream=attempt.task.workstream,
            actor=ORCHESTRATOR,
            action=Action.ATTEMPT_COMPLETED,
            subject="what is announced is recorded",
            now=NOON,
        )
        return announce(
            attempt=situation.attempt,
            event=EventType.ATTEMPT_COMPLETED,
            actor=ORCHESTRATOR,
            outcome="Done.",
            next_action="Go on.",
            now=LATER,
            situation=situation,
            files=output_files(situation, outputs),
        )


def test_publish_commits_artifacts_and_outputs_in_one_commit(held: Driver, settings: Settings) -> None:
    root, workstream = settings.WORKSPACE_DIR, held.reload()
    before = git(root, "rev-parse", "HEAD")

    assert publish(now=LATER, workstream_id=workstream.pk) == 2

    artifact = handover(held, "A1")
    assert artifact.state == ArtifactState.COMMITTED
    assert (artifact.commit, artifact.committed_at) == (git(root, "rev-parse", "HEAD"), LATER)
    assert git(root, "rev-parse", "HEAD~1") == before
    assert artifact.path == "workstreams/login/handoffs/0000/000003-A1-attempt-completed.json"
    assert (
        git(root, "show", f"{artifact.commit}:{artifact.path}")
        == (root / artifact.path).read_text()
        == artifact.body
    )
    assert (
        root / "workstreams/login/files/stage-1-build/01-setup" / "a-auth/notes/api.md"
    ).read_bytes() == b"# API\n"
    assert git(root, "status", "--porcelain") == ""


def test_f13_publishing_again_commits_nothing(held: Driver, settings: Settings) -> None:
    publish(now=LATER, workstream_id=held.reload().pk)
    head = git(settings.WORKSPACE_DIR, "rev-parse", "HEAD")
    assert publish(now=LATER, workstream_id=held.reload().pk) == 0
    assert publish(now=LATER) == 0
    assert git(settings.WORKSPACE_DIR, "rev-parse", "HEAD") == head


def test_f12_a_sweep_publishes_what_a_lost_message_left(held: Driver) -> None:
    assert publish(now=LATER) == 2
    assert not HandoffArtifact.objects.exclude(state=ArtifactState.COMMITTED).exists()


def test_an_artifact_links_to_what_its_step_works_from(held: Driver) -> None:
    Driver.advance(held)
    held.claim("B1")
    queued, started = HandoffArtifact.objects.filter(attempt=held.attempt("B1")).order_by("sequence")
    first = handover(held, "A1")
    assert json.loads(queued.body)["links"] == [{"path": first.path, "sha256": first.sha256}]
    assert [link["path"] for link in json.loads(started.body)["links"]] == [first.path, queued.path]


def test_sequences_have_no_gaps(held: Driver) -> None:
    Driver.advance(held)
    sequences = list(HandoffArtifact.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, held.reload().last_artifact + 1)) == [1, 2, 3, 4]


def test_an_act_that_fails_announces_nothing(held: Driver) -> None:
    before = held.reload().last_artifact
    with pytest.raises(InvalidInput, match="outputs"):
        announced(held.attempt("A1"), {"../escape": b""})
    assert held.reload().last_artifact == before


def test_announcing_outside_a_transaction_is_a_mistake(transactional_db: None, driver: Driver) -> None:
    driver.start(PLAN)
    with pytest.raises(RuntimeError):
        announce(
            attempt=driver.attempt("A1"),
            event=EventType.ATTEMPT_FAILED,
            actor=ORCHESTRATOR,
            outcome="",
            next_action="",
            now=LATER,
        )


def test_outputs_of_a_later_attempt_replace_earlier_ones_and_both_are_in_git(
    held: Driver, settings: Settings
) -> None:
    second = announced(held.attempt("A1"), {"notes/api.md": b"# Better\n"})
    publish(now=LATER)
    second.refresh_from_db()
    path = second.outputs.get().path
    first = handover_of(1, path)
    assert git(settings.WORKSPACE_DIR, "show", f"{first.commit}:{path}") == "# API"
    assert git(settings.WORKSPACE_DIR, "show", f"{second.commit}:{path}") == "# Better"
    assert (settings.WORKSPACE_DIR / path).read_bytes() == b"# Better\n"


def handover_of(place: int, path: str) -> HandoffArtifact:
    """The artifact that wrote an output for the n-th time."""
    return HandoffArtifact.objects.filter(outputs__path=path).order_by("sequence")[place - 1]


def test_large_outputs_are_not_gathered_in_one_commit(
    held: Driver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "COMMIT_BYTES", 1000)
    rows = [announced(held.attempt("A1"), {f"{n}.bin": b"x" * 600}) for n in range(3)]
    publish(now=LATER)
    assert len({HandoffArtifact.objects.get(pk=row.pk).commit for row in rows}) == 3


@pytest.mark.parametrize("name", ["notes", "notes/api.md/more"])
def test_an_output_never_needs_a_folder_where_a_file_stands(held: Driver, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot stand beside"):
        announced(held.attempt("A1"), {name: b""})


def test_b7_an_output_never_goes_through_a_symbolic_link(
    held: Driver, settings: Settings, tmp_path: Path
) -> None:
    publish(now=LATER)
    folder = settings.WORKSPACE_DIR / "workstreams/login/files/stage-1-build/01-setup/a-auth"
    (folder / "linked").symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match="symbolic link"):
        announced(held.attempt("A1"), {"linked/file": b""})


def test_f14_a_workspace_that_cannot_be_written_holds_one_item_and_not_the_others(
    held: Driver, settings: Settings, tmp_path: Path
) -> None:
    """The reason stands at the item, what was announced stays, and the next run delivers it."""
    other = Driver(held.cast, LATER)
    other.submit(PLAN.replace(b"Login", b"Search"))
    blocked = settings.WORKSPACE_DIR / "workstreams" / "login"
    blocked.rename(tmp_path / "aside")
    blocked.symlink_to(tmp_path / "aside")

    with pytest.raises(WorkspaceUnavailable) as refusal:
        publish(now=LATER)

    assert str(refusal.value.details["path"]).startswith("workstreams/login/")
    waiting = handover(held, "A1")
    assert waiting.state == ArtifactState.PENDING
    assert "workstreams/login/" in waiting.problem
    assert (settings.WORKSPACE_DIR / "workstreams/search/PLAN.md").exists()

    blocked.unlink()
    (tmp_path / "aside").rename(blocked)
    assert publish(now=LATER) == 2
    delivered = handover(held, "A1")
    assert (delivered.state, delivered.problem) == (ArtifactState.COMMITTED, "")


def test_f23_an_artifact_never_writes_over_another_one(held: Driver, settings: Settings) -> None:
    """Even on a branch that the database knows, evidence in the workspace stays."""
    taken = handover(held, "A1").path
    file = settings.WORKSPACE_DIR / taken
    file.write_text('{"other": "evidence"}')
    git(settings.WORKSPACE_DIR, "add", taken)
    git(
        settings.WORKSPACE_DIR,
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@x",
        "commit",
        "-qm",
        "restored from elsewhere",
    )

    note_head(git(settings.WORKSPACE_DIR, "rev-parse", "HEAD"))

    publish(now=LATER)

    refused = handover(held, "A1")
    assert refused.state == ArtifactState.DAMAGED
    assert taken in refused.problem
    assert HistoryEntry.objects.get(action="artifact damaged").subject == taken
    assert file.read_text() == '{"other": "evidence"}'


def publisher(point: str, root: Path) -> "subprocess.Popen[bytes]":
    """Another process on the same database and workspace; killed at the point, or "" to run through."""
    name = str(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "tests.services.publisher", name, str(root), point]
    return subprocess.Popen(command, env=os.environ | {"PYTHONWARNINGS": "ignore"})


def assert_one_commit_each(root: Path) -> None:
    artifacts = HandoffArtifact.objects.all()
    assert {artifact.state for artifact in artifacts} == {ArtifactState.COMMITTED}
    for artifact in artifacts:
        assert git(root, "rev-list", "HEAD", "--", artifact.path) == artifact.commit
        assert (root / artifact.path).read_text() == artifact.body
    assert git(root, "status", "--porcelain") == ""


@pytest.mark.parametrize("point", ["before-blob", "before-ref", "before-files", "before-mark"])
def test_f4_f5_f6_a_killed_publisher_leaves_one_commit_per_artifact(
    transactional_db: None, held: Driver, settings: Settings, point: str
) -> None:
    root = settings.WORKSPACE_DIR
    dying = publisher(point, root)
    assert dying.wait(60) == -signal.SIGKILL
    assert HandoffArtifact.objects.filter(state=ArtifactState.PENDING).count() == 2

    assert publish(now=LATER + timedelta(hours=1)) == 2

    assert_one_commit_each(root)


def test_f31_two_publishers_at_once_leave_one_commit_per_artifact(
    transactional_db: None, held: Driver, settings: Settings
) -> None:
    both = [publisher("", settings.WORKSPACE_DIR) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert_one_commit_each(settings.WORKSPACE_DIR)
