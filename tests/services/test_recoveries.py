"""Damaged artifacts stop their successors and there are four ways out (EC-3, F32, FR-025)."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.core.actions import Action
from orchestrator.core.errors import (
    ArtifactDamaged,
    MissingReason,
    NotAllowed,
    WorkspaceUnavailable,
    WrongState,
)
from orchestrator.core.terms import ArtifactState, EventType, Reason, TaskStatus
from orchestrator.models import HandoffArtifact, HistoryEntry
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.queries.engine.explanations import explain
from orchestrator.services.handoff import publishing
from orchestrator.services.handoff.restoring import restore_consistency
from orchestrator.services.work.recoveries import (
    republish_artifact,
    republish_workstream,
    restore_artifact,
    retry_artifact,
    withdraw_artifact,
)
from tests.cast import Driver

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
def done(driver: Driver) -> Driver:
    """A1 is handed over and committed.

    B1 is not launched yet, because the round after the commit has not run.
    """
    driver.start(PLAN)
    driver.claim("A1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "advance", lambda: None)
        driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    publishing.publish(now=driver.tick())
    return driver


def handover(driver: Driver) -> HandoffArtifact:
    found = HandoffArtifact.objects.filter(attempt__task=driver.task("A1"), event=EventType.ATTEMPT_COMPLETED)
    return found.latest("sequence")


def damage(driver: Driver, root: Path, how: str) -> str:
    """Break the file of A1's handover, advance, and answer with the path."""
    artifact = handover(driver)
    path = artifact.outputs.get().path if how == "output" else artifact.path
    file = root / path
    match how:
        case "deleted":
            file.unlink()
        case "chmod 000":
            file.chmod(0)
        case "no JSON":
            file.write_text("{")
        case "replaced by a link":
            file.rename(root / "elsewhere")
            file.symlink_to(root / "elsewhere")
        case _:
            file.write_text('{"altered": true}')
    driver.advance()
    return path


def git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", root, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def last_entry() -> HistoryEntry:
    return HistoryEntry.objects.order_by("-sequence")[0]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("deleted", "is missing"),
        ("chmod 000", "cannot be read: its permissions forbid it"),
        ("no JSON", "has been altered and is no longer JSON"),
        ("altered", "has been altered: its content is not what was handed over"),
        ("output", "has been altered: its content is not what was handed over"),
        ("replaced by a link", "is a symbolic link"),
    ],
)
def test_f32_ec3_a_damaged_file_stops_its_successors_by_name(
    done: Driver, settings: Settings, how: str, said: str
) -> None:
    path = damage(done, settings.WORKSPACE_DIR, how)

    assert done.ready() == []
    artifact = handover(done)
    assert artifact.state == ArtifactState.DAMAGED
    assert artifact.problem.startswith(f"{path} {said}")
    entry = HistoryEntry.objects.get(action="artifact damaged")
    assert (entry.subject, entry.reason) == (artifact.path, artifact.problem)
    verdict = explain(done.reload())[done.task("B1").pk]
    assert (verdict.reason, verdict.holder) == (Reason.ARTIFACT, "A1")
    assert artifact.problem in verdict.sentence


def test_a_deleted_artifact_is_not_put_back_silently(done: Driver, settings: Settings) -> None:
    path = damage(done, settings.WORKSPACE_DIR, "deleted")
    done.advance()
    publishing.publish(now=done.tick())
    assert not (settings.WORKSPACE_DIR / path).exists()


def test_a_file_that_came_back_is_noticed_by_itself(done: Driver, settings: Settings) -> None:
    path = damage(done, settings.WORKSPACE_DIR, "chmod 000")
    (settings.WORKSPACE_DIR / path).chmod(0o644)
    done.advance()
    assert handover(done).state == ArtifactState.COMMITTED
    assert HistoryEntry.objects.filter(action="artifact intact again", subject=path).exists()
    assert done.ready() == ["B1"]


def test_retry_says_when_nothing_has_changed(done: Driver, settings: Settings) -> None:
    path = damage(done, settings.WORKSPACE_DIR, "deleted")
    before = HistoryEntry.objects.count()
    with pytest.raises(ArtifactDamaged, match="is missing"):
        retry_artifact(artifact_id=handover(done).pk, actor=done.cast.actor("contributor"), now=done.tick())
    assert HistoryEntry.objects.count() == before

    (settings.WORKSPACE_DIR / path).write_text(handover(done).body)
    retry_artifact(artifact_id=handover(done).pk, actor=done.cast.actor("contributor"), now=done.tick())
    assert last_entry().action == "artifact intact again"
    done.advance()
    assert done.ready() == ["B1"]


@pytest.mark.parametrize("way", [republish_artifact, restore_artifact])
@pytest.mark.parametrize("how", ["deleted", "chmod 000", "altered", "output"])
def test_republish_and_restore_bring_back_the_same_bytes(
    done: Driver, settings: Settings, way, how: str
) -> None:
    artifact = handover(done)
    damage(done, settings.WORKSPACE_DIR, how)

    way(artifact_id=artifact.pk, actor=done.cast.actor("reviewer"), now=done.tick())

    after = handover(done)
    assert (after.state, after.problem, after.commit) == (ArtifactState.COMMITTED, "", artifact.commit)
    assert (settings.WORKSPACE_DIR / artifact.path).read_text() == artifact.body
    assert (settings.WORKSPACE_DIR / artifact.outputs.get().path).read_bytes() == b"create table\n"
    assert last_entry().action in {"artifact republished", "artifact restored"}
    assert (last_entry().actor, last_entry().subject) == ("rita", artifact.path)
    done.advance()
    assert done.ready() == ["B1"]


def completed_with_something_in_the_way(
    driver: Driver, settings: Settings, tmp_path: Path
) -> Callable[[], None]:
    """A1 is complete, and its handover cannot be written until what is returned is called."""
    driver.start(PLAN)
    driver.claim("A1")
    folder = settings.WORKSPACE_DIR / "workstreams/login/handoffs"
    folder.rename(tmp_path / "aside")
    folder.write_text("in the way")
    with pytest.raises(WorkspaceUnavailable):
        driver.complete("A1")

    def clear() -> None:
        folder.unlink()
        (tmp_path / "aside").rename(folder)

    return clear


def recover(way: Callable[..., object], driver: Driver) -> None:
    said = {"actor": driver.cast.actor("approver"), "now": driver.tick()}
    if way is republish_workstream:
        way(workstream_id=driver.reload().pk, **said)
    elif way is restore_consistency:
        way(**said)
    else:
        way(artifact_id=handover(driver).pk, **said)


def decide(driver: Driver) -> int:
    """Approve another plan, of which nothing is published yet; the number of the entry."""
    other = Driver(driver.cast)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other, "advance", lambda: None)
        other.start_afresh(PLAN.replace(b"Login", b"Something else"))
    entry = HistoryEntry.objects.filter(action=Action.PLAN_APPROVED).latest("sequence")
    assert entries_sealed() < entry.sequence
    return entry.sequence


@pytest.mark.parametrize(
    "way", [republish_artifact, restore_artifact, republish_workstream, restore_consistency]
)
def test_what_was_decided_meanwhile_is_sealed_before_files_are_written(
    done: Driver, settings: Settings, way: Callable[..., object]
) -> None:
    path = damage(done, settings.WORKSPACE_DIR, "deleted")
    decided = decide(done)
    recover(way, done)
    assert entries_sealed() >= decided
    assert (settings.WORKSPACE_DIR / path).read_text() == handover(done).body


def test_what_was_decided_meanwhile_is_sealed_before_waiting_files_are_written(
    driver: Driver, settings: Settings, tmp_path: Path
) -> None:
    clear = completed_with_something_in_the_way(driver, settings, tmp_path)
    clear()
    decided = decide(driver)
    recover(retry_artifact, driver)
    assert (handover(driver).state, entries_sealed() >= decided) == (ArtifactState.COMMITTED, True)


def test_republish_commits_again_what_git_lost_and_restore_refuses(done: Driver, settings: Settings) -> None:
    root, artifact = settings.WORKSPACE_DIR, handover(done)
    name = git(root, "rev-parse", f"main:{artifact.path}")
    (root / ".git/objects" / name[:2] / name[2:]).unlink()
    damage(done, root, "deleted")

    with pytest.raises(ArtifactDamaged, match="no longer holds") as refusal:
        restore_artifact(artifact_id=artifact.pk, actor=done.cast.actor("reviewer"), now=done.tick())
    assert "Republish" in refusal.value.way_out

    republish_artifact(artifact_id=artifact.pk, actor=done.cast.actor("reviewer"), now=done.tick())
    after = handover(done)
    assert git(root, "show", f"{after.commit}:{after.path}") == artifact.body


def test_declaring_failure_does_the_step_again(done: Driver, settings: Settings) -> None:
    damage(done, settings.WORKSPACE_DIR, "deleted")
    lost = handover(done)

    withdraw_artifact(
        artifact_id=lost.pk, reason="The file is gone.", actor=done.cast.actor("contributor"), now=done.tick()
    )
    done.advance()

    lost.refresh_from_db()
    assert lost.state == ArtifactState.WITHDRAWN
    assert HistoryEntry.objects.filter(action="artifact withdrawn", reason="The file is gone.").exists()
    assert done.task("A1").status == TaskStatus.PENDING
    assert done.ready() == ["A1"]
    done.do("A1")
    assert done.ready() == ["B1"]
    assert not HandoffArtifact.objects.exclude(pk=lost.pk).filter(state=ArtifactState.DAMAGED).exists()


def test_what_could_not_be_written_is_written_on_retry(
    driver: Driver, settings: Settings, tmp_path: Path
) -> None:
    clear = completed_with_something_in_the_way(driver, settings, tmp_path)
    waiting = handover(driver)
    assert (waiting.state, "handoffs" in waiting.problem) == (ArtifactState.PENDING, True)
    verdict = explain(driver.reload())[driver.task("B1").pk]
    assert verdict.reason == Reason.ARTIFACT
    assert waiting.problem in verdict.sentence
    assert driver.ready() == []
    with pytest.raises(WorkspaceUnavailable):
        retry_artifact(artifact_id=waiting.pk, actor=driver.cast.actor("contributor"), now=driver.tick())

    clear()
    retry_artifact(artifact_id=waiting.pk, actor=driver.cast.actor("contributor"), now=driver.tick())
    assert handover(driver).state == ArtifactState.COMMITTED
    driver.advance()
    assert driver.ready() == ["B1"]


def test_recovering_needs_a_role_a_reason_and_damage(done: Driver, settings: Settings) -> None:
    artifact, cast = handover(done), done.cast
    for way in (retry_artifact, republish_artifact, restore_artifact):
        with pytest.raises(WrongState, match="not damaged"):
            way(artifact_id=artifact.pk, actor=cast.actor("contributor"), now=done.tick())
    damage(done, settings.WORKSPACE_DIR, "deleted")
    with pytest.raises(NotAllowed):
        republish_artifact(artifact_id=artifact.pk, actor=cast.actor("observer"), now=done.tick())
    with pytest.raises(MissingReason):
        withdraw_artifact(
            artifact_id=artifact.pk, reason=" ", actor=cast.actor("contributor"), now=done.tick()
        )
    assert handover(done).state == ArtifactState.DAMAGED
