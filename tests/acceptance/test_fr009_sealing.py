"""FR-009, F7, F8, F31, F33: the history is signed as it grows, and a kill or a wrong key leaves one
history."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django_q.models import OrmQ

from orchestrator.core.errors import WorkspaceUnavailable, WrongState
from orchestrator.core.sealing.notes import read_head, read_note
from orchestrator.models import HandoffArtifact, HistoryCheckpoint, HistoryEntry, HistoryTile
from orchestrator.models.base.guards import drop_guards, install_guards
from orchestrator.processes import queue_watch, tasks
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.queries.base.sealed import unsealed
from orchestrator.services.base import history
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.publishing import publish
from orchestrator.services.sealing import anchors, keys, seals, verifying
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.keys import is_right, key_file, key_ring, new_key
from orchestrator.services.sealing.rotation import replace_key, rotate_key
from tests.acceptance.workspace_files import Files
from tests.cast import NOON, Driver
from tests.web.pages import signed_in, words


class Killed(BaseException):
    """What a test ends a process with."""


@pytest.fixture
def files(settings) -> Files:
    return Files(Path(settings.WORKSPACE_DIR))


def write(count: int = 1) -> None:
    with unit_of_work():
        for number in range(count):
            history.record(workstream=None, actor=ORCHESTRATOR, action="x", subject=f"{number}", now=NOON)


def newest() -> HistoryCheckpoint:
    return HistoryCheckpoint.objects.latest("size")


def anchored(files: Files) -> int:
    return read_head(read_note(files.git("show", "history:checkpoint") + "\n").text).size


def kill_at(monkeypatch: pytest.MonkeyPatch, point: str) -> Callable[[], None]:
    """Have the sealer die at a point, once; answers with what lets it live."""

    def here(name: str) -> None:
        if name == point:
            raise Killed

    for module in (seals, anchors):
        monkeypatch.setattr(module, "crash_point", here)
    return lambda: [
        monkeypatch.setattr(module, "crash_point", lambda _name: None) for module in (seals, anchors)
    ]


def test_fr009_a_checkpoint_is_signed_over_every_entry_and_stands_in_the_workspace(
    driver: Driver, files: Files
) -> None:
    driver.start()
    driver.finish()
    seal_and_anchor(now=driver.tick())
    row, ring = newest(), key_ring()
    note = read_note(row.note)
    head = read_head(note.text)
    assert (head.size, head.origin) == (HistoryEntry.objects.count(), ring.origin)
    assert note.signed_by(ring.public, is_right) == [ring.private.public]
    assert unsealed() == 0
    assert files.git("show", "history:checkpoint") == row.note.strip()
    assert f"tile/0/000.p/{head.size}" in files.git("ls-tree", "-r", "--name-only", "history")
    assert key_file().stat().st_mode & 0o777 == 0o600


def test_fr009_nothing_that_was_decided_is_published_before_it_is_sealed(driver: Driver) -> None:
    """When the gate's artifact is committed, a checkpoint covers the signature."""
    driver.start()
    driver.finish()
    gates = HandoffArtifact.objects.filter(event="gate-approved")
    assert gates.exists()
    signed = HistoryEntry.objects.filter(action="gate approved").order_by("-sequence")[0]
    approved = HistoryEntry.objects.get(action="plan approved")
    assert approved.sequence <= HistoryCheckpoint.objects.order_by("size")[0].size
    assert newest().size >= signed.sequence


def test_fr009_what_cannot_be_sealed_is_not_published(driver: Driver, settings) -> None:
    driver.start()
    driver.do("A1")
    before = HandoffArtifact.objects.filter(state="committed").count()
    key_file().write_text(f"{new_key('another')}\n")
    with unit_of_work():
        history.record(workstream=None, actor=ORCHESTRATOR, action="gate approved", subject="x", now=NOON)
    with pytest.raises(WorkspaceUnavailable, match=r"cannot be sealed: .* is not this history's"):
        publish(now=driver.tick())
    assert HandoffArtifact.objects.filter(state="committed").count() == before


@pytest.mark.parametrize("point", ["before-signing", "before-seal", "before-anchor"])
def test_f7_f8_a_killed_sealer_ends_in_the_same_history(
    driver: Driver, files: Files, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    driver.start()
    seal_and_anchor(now=driver.tick())
    sizes, commits = (newest().size, anchored(files)), int(files.git("rev-list", "--count", "history"))
    write(300)
    alive = kill_at(monkeypatch, point)
    with pytest.raises(Killed):
        seal_and_anchor(now=driver.tick())
    assert anchored(files) == sizes[1]
    assert (newest().size == sizes[0]) is (point != "before-anchor")
    alive()
    seal_and_anchor(now=driver.tick())
    assert newest().size == anchored(files) == sizes[0] + 300
    assert int(files.git("rev-list", "--count", "history")) == commits + 1
    call_command("verify_history")


@pytest.mark.django_db(transaction=True)
def test_f31_of_two_sealers_the_second_finds_nothing_to_do(cast) -> None:
    write(5)
    problems: list[Exception] = []

    def run() -> None:
        try:
            seal_and_anchor(now=NOON)
        except Exception as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert problems == []
    assert HistoryCheckpoint.objects.count() == 1


def test_f33_another_key_signs_nothing_and_the_right_one_goes_on(driver: Driver) -> None:
    driver.start()
    seal_and_anchor(now=driver.tick())
    write()
    right = key_file().read_text()
    for wrong in (f"{new_key('another')}\n", f"{new_key(key_ring().origin)}\n", "nonsense", ""):
        key_file().write_text(wrong)
        with pytest.raises(WrongState, match="key"):
            seal_and_anchor(now=driver.tick())
    key_file().unlink()
    with pytest.raises(WrongState, match="cannot be read"):
        seal_and_anchor(now=driver.tick())
    assert not key_file().exists(), "no other one is made"
    key_file().write_text(right)
    key_file().chmod(0o644)
    with pytest.raises(WrongState, match="Others than its owner") as refused:
        seal_and_anchor(now=driver.tick())
    assert "chmod 600" in refused.value.way_out
    key_file().chmod(0o600)
    assert seal_and_anchor(now=driver.tick()) == newest()
    assert unsealed() == 0


def test_f33_after_a_rotation_both_keys_verify(driver: Driver) -> None:
    driver.start()
    seal_and_anchor(now=driver.tick())
    old = key_ring()
    keys.replace_file(keys.rotated(old))
    write()
    seal_and_anchor(now=driver.tick())
    ring = key_ring()
    assert ring.retired == (old.private.public,)
    signers = [
        read_note(row.note).signed_by(ring.public, is_right)[0] for row in HistoryCheckpoint.objects.all()
    ]
    assert signers == [*[old.private.public] * (len(signers) - 1), ring.private.public]


def test_fr009_a_history_that_was_changed_is_not_signed(driver: Driver) -> None:
    driver.start()
    seal_and_anchor(now=driver.tick())
    write()
    for change, problem in (
        (
            "UPDATE orchestrator_historyentry SET leaf = leaf || ' ' WHERE sequence = %s",
            "does not match its hash",
        ),
        ("DELETE FROM orchestrator_historyentry WHERE sequence = %s", "is missing"),
    ):
        write()
        drop_guards()
        with connection.cursor() as cursor:
            cursor.execute(change, [newest().size + 1])
        install_guards()
        with pytest.raises(WrongState, match=problem):
            seal_and_anchor(now=driver.tick())


def test_fr009_the_watch_has_sealed_what_is_not(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second after an entry at most; nothing new, nothing asked."""

    def asked() -> int:
        return sum(one.task["func"] == "orchestrator.processes.tasks.seal" for one in OrmQ.objects.all())

    clock = [100.0]
    driver.start()
    tasks.seal()
    watch = QueueWatch(1e9, clock=lambda: clock[0])
    for _ in range(3):
        clock[0] += queue_watch.EFFECT_EVERY
        watch.look()
    assert asked() == 0
    write()
    for _ in range(3):
        clock[0] += queue_watch.EFFECT_EVERY
        watch.look()
    assert asked() == 1, "one message for each checkpoint"
    clock[0] += queue_watch.SEAL_LOST
    watch.look()
    assert asked() == 2, "it may have got lost"


@pytest.mark.django_db(transaction=True)
def test_fr009_many_entries_are_sealed_at_once(cast) -> None:
    write(history.SEAL_EVERY - 1)
    assert not OrmQ.objects.exists()
    write()
    assert [one.task["func"] for one in OrmQ.objects.all()] == ["orchestrator.processes.tasks.seal"]


@pytest.mark.parametrize("table", ["historycheckpoint", "historytile"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_fr009_seals_are_append_only_too(driver: Driver, table: str, change: str) -> None:
    from django.db import DatabaseError, transaction

    write(300)
    seal_and_anchor(now=NOON)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(f"orchestrator_{table}"))


@pytest.mark.parametrize("table", ["historyentry", "historycheckpoint", "historytile"])
def test_fr009_replacing_is_refused_even_where_triggers_do_not_recurse(driver: Driver, table: str) -> None:
    """Another program opens the database without our pragma."""
    from django.db import DatabaseError

    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    write(300)
    seal_and_anchor(now=NOON)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = 0")
        try:
            with pytest.raises(DatabaseError, match="append-only"):
                cursor.execute(
                    f"INSERT OR REPLACE INTO orchestrator_{table} SELECT * FROM orchestrator_{table} LIMIT 1"
                )
        finally:
            cursor.execute("PRAGMA recursive_triggers = 1")


def older(size: int) -> None:
    """The database as it was restored from a backup, while the workspace went on."""
    drop_guards()
    HistoryCheckpoint.objects.filter(size__gt=size)._raw_delete("default")
    HistoryTile.objects.all()._raw_delete("default")
    HistoryEntry.objects.filter(sequence__gt=size)._raw_delete("default")
    install_guards()


def test_fr009_f23_seals_of_a_newer_database_are_set_aside_by_a_person(driver: Driver, files: Files) -> None:
    driver.start()
    first = seal_and_anchor(now=driver.tick())
    assert first is not None
    write(3)
    seal_and_anchor(now=driver.tick())
    older(first.size)
    write()
    with pytest.raises(WrongState, match="an older database was restored"):
        seal_and_anchor(now=driver.tick())
    with pytest.raises(WrongState, match="an older database was restored"):
        rotate_key(reason="Old.", actor=driver.cast.actor("approver"), now=driver.tick())
    shown = words(signed_in(driver.cast.approver).get("/workspace/"))
    assert "seals of a history that the database does not have" in shown
    assert "Set the seals aside" in shown
    given = {"reason": "The backup counts."}
    assert signed_in(driver.cast.approver).post("/workspace/acts/set-back", given).status_code == 302
    entry = HistoryEntry.objects.get(action="branch set back")
    assert (entry.subject, entry.reason) == ("seals newer", "The backup counts.")
    assert anchored(files) == HistoryEntry.objects.count() == newest().size
    assert "history-until-" in files.git("branch", "--list", "history*"), "the others are kept"
    call_command("verify_history")
    assert "belong together" in words(signed_in(driver.cast.approver).get("/workspace/"))


def test_fr009_f33_a_rotated_key_stands_in_the_workspace_at_once(driver: Driver, files: Files) -> None:
    driver.start()
    seal_and_anchor(now=driver.tick())
    rotate_key(reason="A year is over.", actor=driver.cast.actor("approver"), now=driver.tick())
    assert anchored(files) == newest().size
    call_command("verify_history")


def test_fr009_f33_a_stranger_named_first_replaces_nothing(driver: Driver) -> None:
    driver.start()
    seal_and_anchor(now=driver.tick())
    right, stranger = str(key_ring().private.public), str(new_key("stranger").public)
    key_file().unlink()
    who = driver.cast.actor("approver")
    replace_key(old=[stranger, right], reason="Lost.", actor=who, now=driver.tick())
    seal_and_anchor(now=driver.tick())
    call_command("verify_history")


def test_f7_a_kill_while_the_first_key_is_written_leaves_none(
    tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HISTORY_KEY_FILE = tmp_path / "keys" / "history.key"

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(keys.os, "fsync", killed)
        with pytest.raises(Killed):
            key_ring(make=True)
    assert not key_file().exists()
    assert key_ring(make=True) == key_ring()
    assert [path.name for path in key_file().parent.iterdir()] == ["history.key"], "the key lies there once"
    assert key_file().stat().st_nlink == 1
    keys.replace_file(keys.rotated(key_ring()))
    assert [path.name for path in key_file().parent.iterdir()] == ["history.key"]


@pytest.mark.parametrize("act", ["seals", "works"])
def test_fr009_people_work_on_while_the_history_is_verified(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """What is written between the walk and the looks behind it is no breach."""
    driver.start()
    seal_and_anchor(now=driver.tick())
    walk, left = verifying.recorded, [True]

    def and_then(after: int = 0):
        yield from walk(after=after)
        if left.pop() if left else False:
            driver.do("A1")
            if act == "seals":
                seal_and_anchor(now=driver.tick())

    monkeypatch.setattr(verifying, "recorded", and_then)
    call_command("verify_history")
    assert not left
