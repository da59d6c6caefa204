"""The sweep packs the workspace when many objects stand alone, and never because of it fails (F21)."""

import subprocess

import pytest
from pytest_django.fixtures import Settings

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.services.handoff.maintenance import maintain
from orchestrator.workspace import Workspace
from tests.cast import Driver


def loose(settings: Settings) -> int:
    words = ["git", "-C", settings.WORKSPACE_DIR, "count-objects"]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0])


def test_nothing_is_packed_before_it_is_due(driver: Driver, settings: Settings) -> None:
    assert maintain(due=0) is False, "there is no workspace yet"
    driver.start()
    before = loose(settings)
    assert maintain() is False
    assert loose(settings) == before > 0


def test_a_due_workspace_is_packed_and_work_goes_on(
    driver: Driver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    monkeypatch.setattr(Workspace, "loose_objects", lambda _: 6000)
    assert maintain() is True
    assert loose(settings) == 0
    driver.do("A1")
    assert "A2" in driver.ready()


def test_trouble_while_packing_is_logged_only(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    driver.start()

    def fail(_: Workspace) -> None:
        raise WorkspaceUnavailable("git pack-objects failed in the workspace: no space left.")

    monkeypatch.setattr(Workspace, "loose_objects", lambda _: 6000)
    monkeypatch.setattr(Workspace, "pack", fail)
    assert maintain() is False
    assert "no space left" in caplog.text
