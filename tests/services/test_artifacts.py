"""Announcing and publishing artifacts (FR-014, AS-7, F12, F13)."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import HandoffArtifact, Workstream
from orchestrator.services.actor import ORCHESTRATOR
from orchestrator.services.artifacts import announce, publish
from tests.services.small_workstream import NOW, attempt_at, small_workstream


@pytest.fixture
def root(settings: Settings, tmp_path: Path) -> Path:
    settings.WORKSPACE_DIR = tmp_path / "workspace"
    return settings.WORKSPACE_DIR


@pytest.fixture
def workstream(db: None, root: Path) -> Iterator[Workstream]:
    return small_workstream()


def completed(workstream: Workstream, key: str, number: int = 1, outputs: dict[str, bytes] | None = None):
    with transaction.atomic():
        return announce(
            attempt=attempt_at(workstream, key, number),
            event=EventType.ATTEMPT_COMPLETED,
            actor=ORCHESTRATOR,
            outcome="Done.",
            next_action="Go on.",
            now=NOW,
            outputs=outputs,
        )


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", root, *words], check=True, capture_output=True, text=True).stdout


def test_publish_commits_the_artifact_and_its_outputs(workstream: Workstream, root: Path) -> None:
    artifact = completed(workstream, "A1", outputs={"notes/api.md": b"# API\n"})

    assert publish(now=NOW, workstream_id=workstream.pk) == 1

    artifact.refresh_from_db()
    assert artifact.state == ArtifactState.COMMITTED
    assert artifact.path == "workstreams/login/handoffs/000001-A1-attempt-completed.json"
    assert git(root, "show", f"{artifact.commit}:{artifact.path}") == artifact.body
    assert (root / artifact.path).read_text() == artifact.body
    assert (root / "workstreams/login/files/stage-1-build/01-setup/a-auth/notes/api.md").read_bytes() == b"# API\n"
    assert json.loads(artifact.body)["outputs"][0]["path"].endswith("a-auth/notes/api.md")
    assert git(root, "status", "--porcelain") == ""


def test_publishing_again_commits_nothing(workstream: Workstream, root: Path) -> None:
    completed(workstream, "A1")
    publish(now=NOW, workstream_id=workstream.pk)
    head = git(root, "rev-parse", "HEAD")

    assert publish(now=NOW, workstream_id=workstream.pk) == 0
    assert publish(now=NOW) == 0

    assert git(root, "rev-parse", "HEAD") == head


def test_artifact_of_a_successor_links_to_what_it_works_from(workstream: Workstream) -> None:
    first = completed(workstream, "A1")
    second = completed(workstream, "A2")

    assert json.loads(second.body)["links"] == [{"path": first.path, "sha256": first.sha256}]
    assert [a.sequence for a in HandoffArtifact.objects.all()] == [1, 2]
