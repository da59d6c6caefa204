"""F1 to F8: a process that is killed at a named point, any commit of the database or of git, and started
again, ends in the very same history, byte for byte.

One piece of work is played to its end by a process of its own. Its clock is how far the history went, so the
same acts have the same times, and what was done twice or lost would show in the hash of the last entry.
"""

import multiprocessing
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orchestrator.core.terms import AttemptStatus, ExecutorKind, TaskStatus
from orchestrator.models import Assignment, Attempt, Executor, HandoffArtifact, HistoryEntry, Task, Workstream
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.services.advance import advance
from orchestrator.services.base.actor import Actor
from orchestrator.services.review import gates
from orchestrator.services.sealing import anchors, seals
from orchestrator.services.work import claims, completions
from orchestrator.workspace import Workspace, repository
from tests.cast import NOON, Driver

pytestmark = pytest.mark.django_db(transaction=True)
processes = multiprocessing.get_context("fork")
PLAN = b"""# Plan: Login

## Stages
### Stage 1: Build
##### Batch 01: setup
###### Thread A: auth
- A1: Tables
- A2: Report
###### Thread B: pages
- B1: Page
### Merge Point MP1
- **Trigger:** A2 + B1 complete
- **Reviewers:** reviewer
- **Unlocks:** C1
##### Batch 02: service
###### Thread C: api
- C1: Service
"""
#: Every commit of the database, and every step of git's and of the sealer's.
POINTS = (
    *("database-before-commit", "database-after-commit"),
    *("before-blob", "before-ref", "before-files", "before-index", "before-memory"),
    *("before-signing", "before-seal", "before-anchor"),
)
KILLS = int(os.environ.get("KILLS") or 20)


def now() -> datetime:
    return NOON + timedelta(minutes=HistoryEntry.objects.count())


def play(workstream_id: int, reviewer_id: int, executors: list[int]) -> None:
    """One act after another, each behind an advance, until nothing is left. Which act is next follows from
    what is there, so whoever begins again goes on."""
    members = list(Executor.objects.filter(pk__in=executors).order_by("pk"))
    going_on = True
    while going_on:
        advance(workstream_id=workstream_id, clock=now)
        anchors.seal_and_anchor(now=now())
        open_tasks = Task.objects.filter(workstream=workstream_id).exclude(status=TaskStatus.COMPLETE)
        going_on = any(act(task, reviewer_id, members) for task in open_tasks.order_by("pk"))


def act(task: Task, reviewer_id: int, members: list[Executor]) -> bool:
    """Do the next act about a task; false where there is none yet."""
    attempt = Attempt.objects.filter(task=task).order_by("-number").first()
    if attempt is None:
        return False
    if task.status == TaskStatus.REVIEW:
        gates.approve_gate(task_id=task.pk, actor=Actor.person(reviewer_of(reviewer_id)), now=now())
        return True
    if attempt.status in (AttemptStatus.QUEUED, AttemptStatus.RUNNING) and task.step.kind == "work":
        return do(attempt, members[task.pk % len(members)])
    return False


def reviewer_of(pk: int) -> Any:
    from django.contrib.auth.models import User

    return User.objects.get(pk=pk)


def do(attempt: Attempt, executor: Executor) -> bool:
    """Claim it, or complete what was claimed; false while the executor holds something else."""
    if Assignment.objects.filter(executor=executor, released_at=None).exclude(attempt=attempt).exists():
        return False
    if attempt.status == AttemptStatus.QUEUED:
        actor = Actor.member(executor)
        claims.claim(attempt_id=attempt.pk, executor=executor, actor=actor, now=now())
        return True
    completions.complete(
        attempt_id=attempt.pk,
        token=Assignment.objects.get(attempt=attempt).token,
        evidence={criterion.pk: "seen" for criterion in criteria_to_prove(attempt.task)},
        outcome="Done.",
        outputs={f"{attempt.pk}.txt": b"made\n"},
        executor=executor,
        now=now(),
    )
    return True


class Place:
    """Database, workspace and key in a folder, as they stood when work could begin. A server's database
    stands beside the one of the tests, and is a copy that the server makes."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder, database

    def copied(self, name: str) -> "Place":
        folder = self.folder.with_name(name)
        shutil.copytree(self.folder, folder, symlinks=True)
        return Place(folder, copied_database(self.database, folder))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """For a process of its own, which ends with it."""
        connections.close_all()
        connection.settings_dict["NAME"] = self.database
        settings.WORKSPACE_DIR = self.folder / "workspace"
        settings.HISTORY_KEY_FILE = self.folder / "history.key"
        put_back_numbers()
        yield
        connections.close_all()

    def removed(self) -> None:
        shutil.rmtree(self.folder)
        if connection.vendor == "postgresql":
            on_the_server(f"DROP DATABASE {connection.ops.quote_name(self.database)} WITH (FORCE)")


def copied_database(database: str, folder: Path) -> str:
    """The name of a copy that belongs to a folder; nobody may be connected with what is copied."""
    if connection.vendor == "sqlite":
        copy = str(folder / "db.sqlite3")
        if copy != database and not Path(copy).exists():
            shutil.copyfile(database, copy)
        return copy
    copy = f"{settings.DATABASES['default']['NAME']}_{folder.name}"
    quoted = connection.ops.quote_name
    on_the_server(f"DROP DATABASE IF EXISTS {quoted(copy)} WITH (FORCE)")
    on_the_server(f"CREATE DATABASE {quoted(copy)} TEMPLATE {quoted(database)}")
    return copy


def on_the_server(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def put_back_numbers() -> None:
    """PostgreSQL gives a number once, whatever becomes of the transaction; what entries say of rows would be
    the same but for those gaps."""
    tables = apps.get_app_config("orchestrator").get_models()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)


def counted(met: Callable[[str], None]) -> None:
    """Have `met` called at every named point."""
    for module in (repository, seals, anchors):
        module.crash_point = met
    commit = BaseDatabaseWrapper.commit

    def committed(self: BaseDatabaseWrapper) -> None:
        met("database-before-commit")
        commit(self)
        met("database-after-commit")

    BaseDatabaseWrapper.commit = committed


def played(place: Place, work: tuple[int, int, list[int]], point: str, which: int, tell: Any) -> None:
    """In a process of its own: to its end, or to the `which`-th time at a point. It tells how it ended."""
    met: Counter[str] = Counter()

    def look(name: str) -> None:
        met[name] += 1
        if name == point and met[name] == which:
            os.kill(os.getpid(), signal.SIGKILL)

    counted(look)
    with place.entered():
        play(*work)
        tree = Workspace(settings.WORKSPACE_DIR).git.line("rev-parse", "HEAD^{tree}")
        last = HistoryEntry.objects.order_by("-sequence").values_list("leaf_hash", flat=True).first()
        events = HandoffArtifact.objects.count()
        assert not Task.objects.exclude(status=TaskStatus.COMPLETE).exists(), "the work came to its end"
        anchored = Workspace(settings.WORKSPACE_DIR).sealed("checkpoint")
    tell.send((last, tree, events, (anchored or b"").split(b"\n")[1:3], dict(met)))


def run(place: Place, work: tuple[int, int, list[int]], point: str = "", which: int = 0) -> Any:
    """How it ended; None when it was killed."""
    here, there = processes.Pipe(duplex=False)
    child = processes.Process(target=played, args=(place, work, point, which, there))
    child.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        return None
    finally:
        child.join(60)
        here.close()


@pytest.fixture
def begun(driver: Driver, tmp_path: Path) -> Iterator[tuple[Place, tuple[int, int, list[int]]]]:
    workstream: Workstream = driver.start(PLAN)
    executors = [driver.cast.builder(f"builder-{one}", ExecutorKind.AGENT).pk for one in range(2)]
    anchors.seal_and_anchor(now=now())
    folder = tmp_path / "begun"
    folder.mkdir()
    connections.close_all()
    shutil.copytree(settings.WORKSPACE_DIR, folder / "workspace", symlinks=True)
    shutil.copy2(settings.HISTORY_KEY_FILE, folder / "history.key")
    place = Place(folder, copied_database(str(connection.settings_dict["NAME"]), folder))
    yield place, (workstream.pk, driver.cast.reviewer.pk, executors)
    place.removed()


def end_after_kills(begun: tuple[Place, Any], point: str, kills: int) -> None:
    place, work = begun
    whole = place.copied("whole")
    last, tree, events, anchored, met = run(whole, work)
    whole.removed()
    assert met[point] > 0, f"nothing passes {point}"
    for kill in range(kills):
        which = 1 + kill * met[point] // kills if kills <= met[point] else 1 + kill % met[point]
        copy = place.copied(f"{point}-{kill}")
        assert run(copy, work, point, which) is None, f"it was not killed at {point}, number {which}"
        again = run(copy, work)
        assert again is not None
        assert again[:4] == (last, tree, events, anchored), f"{point}, number {which}"
        copy.removed()


@pytest.mark.nightly
@pytest.mark.parametrize("point", POINTS)
def test_f1_to_f8_twenty_kills_at_a_named_point_end_in_one_history(
    begun: tuple[Place, Any], point: str
) -> None:
    end_after_kills(begun, point, KILLS)


@pytest.mark.parametrize("point", ["database-after-commit", "before-files"])
def test_f2_f6_a_kill_at_a_named_point_ends_in_the_same_history(begun: tuple[Place, Any], point: str) -> None:
    end_after_kills(begun, point, 1)


def test_every_crash_point_of_the_code_is_among_the_named_ones() -> None:
    root = Path(repository.__file__).resolve().parents[1]
    texts = [path.read_text(encoding="utf-8") for path in root.rglob("*.py")]
    named = {part.split('"')[0] for text in texts for part in text.split('crash_point("')[1:]}
    assert named == set(POINTS) - {"database-before-commit", "database-after-commit"}
