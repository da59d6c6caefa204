"""A start that is put back is the one that a real start leaves (see `tests/starts.py`)."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import transaction

from orchestrator.core.terms import TaskStatus
from orchestrator.models import HandoffArtifact, Task
from tests import starts
from tests.acceptance.public import PublicDriver
from tests.cast import PLAN, Cast, Driver, UserFactory
from tests.rolled_back import around_an_example
from tests.verified import first_breach

DRIVERS = pytest.mark.parametrize("kind", [Driver, PublicDriver])


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Each of these tests begins like a new process."""
    kept = dict(starts._starts)
    starts._starts.clear()
    yield
    starts._starts.clear()
    starts._starts.update(kept)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of the workspace, its repository included."""
    found = (folder / "workspace").rglob("*")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder / "workspace"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def undone(settings, folder: Path) -> None:
    """The next start finds no folders."""
    settings.WORKSPACE_DIR = folder / "workspace"
    settings.REPOSITORIES_DIR = folder / "repositories"
    settings.WORKTREES_DIR = folder / "worktrees"


@contextmanager
def taken_back() -> Iterator[None]:
    """Nothing that is written in it stays."""
    with around_an_example():
        yield
        transaction.set_rollback(True)


@DRIVERS
def test_rows_files_and_commits_are_those_of_the_real_start(
    cast: Cast, settings, tmp_path: Path, kind
) -> None:
    real = kind(cast)
    with taken_back():
        real.start(PLAN)
        rows, stands, log = (
            starts.rows_now(),
            files(tmp_path),
            git(tmp_path, "log", "--format=%H %at %s", "--stat"),
        )
        knew = real.now, real.workstream.pk
    assert not any(starts.rows_now().values())
    undone(settings, tmp_path / "again")
    again = kind(cast)
    again.start_afresh = None  # It must not be asked.
    again.start(PLAN)
    assert starts.rows_now() == rows
    assert {table for table, found in rows.items() if found} >= {
        "orchestrator_historyentry",
        "orchestrator_attempt",
    }
    assert files(tmp_path / "again") == stands
    assert git(tmp_path / "again", "log", "--format=%H %at %s", "--stat") == log
    assert (again.now, again.workstream.pk) == knew


@DRIVERS
def test_work_goes_on_from_it_to_the_same_end(cast: Cast, settings, tmp_path: Path, kind) -> None:
    """Later rows take ids of their own, the chain goes on, the repository is whole.

    A real start ends the same.
    """
    ends = []
    for turn in ("real", "put-back"):
        undone(settings, tmp_path / turn)
        with taken_back():
            driver = kind(cast)
            driver.start(PLAN)
            driver.finish()
            assert not Task.objects.exclude(status=TaskStatus.COMPLETE).exists()
            assert first_breach() is None
            call_command("verify_history")
            git(tmp_path / turn, "fsck", "--strict")
            tasks = Task.objects.order_by("step__key").values_list("step__key", "status")
            artifacts = HandoffArtifact.objects.order_by("sequence").values_list("sequence", "path", "state")
            counts = {table: len(found) for table, found in starts.rows_now().items()}
            ends.append((list(tasks), list(artifacts), counts))
    assert ends[0] == ends[1]


def test_later_rows_take_other_ids_even_where_counts_were_set_back(
    cast: Cast, settings, tmp_path: Path
) -> None:
    """PostgreSQL counts beside the rows: what a test sets back stays so."""
    models = [
        *apps.get_app_config("orchestrator").get_models()
    ]  # all of them empty, so they begin with the first id
    starts.count_on(models)
    with taken_back():
        Counting(cast).start(PLAN)
    starts.count_on(models)
    undone(settings, tmp_path / "again")
    driver = Counting(cast)
    driver.start(PLAN)
    assert driver.done == 0
    driver.finish()


class Counting(Driver):
    """Counts what it did really."""

    done = 0

    def start_afresh(self, source: bytes) -> None:
        self.done += 1
        super().start_afresh(source)


def starts_afresh(cast: Cast) -> bool:
    driver = Counting(cast)
    driver.start(PLAN)
    return bool(driver.done)


def rows_beside(cast: Cast, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.builder("somebody")


def another_account(cast: Cast, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    UserFactory(username="zoe")


def another_role(cast: Cast, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.observer.groups.set(cast.approver.groups.all())


def another_setting(cast: Cast, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WITHDRAW_SECONDS = 10


def a_folder(cast: Cast, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(settings.REPOSITORIES_DIR).mkdir(parents=True)


def a_patch(cast: Cast, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOBODY_READS_THIS", "1")


def nothing(cast: Cast, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is put back."""


@pytest.mark.parametrize(
    "change", [nothing, rows_beside, another_account, another_role, another_setting, a_folder, a_patch]
)
def test_a_start_is_real_where_anything_could_make_it_another(
    cast: Cast, settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change
) -> None:
    with taken_back():
        assert starts_afresh(cast)
    undone(settings, tmp_path / "again")
    change(cast, settings, monkeypatch)
    assert starts_afresh(cast) is (change is not nothing)
