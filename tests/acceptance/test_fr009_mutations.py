"""FR-009: whatever single thing somebody changes behind the program's back, `verify_history` finds it.

A history with everything in it (approvals, gates, evidence, outputs, seals) is changed in one place, chosen
at random by kind, and has to be found bad; what changes nothing has to be found good. Every day a few of
each kind, the same ones; a thousand in `make nightly`.
"""

import json
import random
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from django.core.management import call_command
from django.db import connection, transaction

from orchestrator.core.sealing.chain import leaf_hash
from orchestrator.core.sealing.merkle import root_of
from orchestrator.core.sealing.notes import Head, SignedNote
from orchestrator.models import HistoryCheckpoint, WorkspaceBranch
from orchestrator.models.base.guards import drop_guards
from orchestrator.services.base import history
from orchestrator.services.base.actor import ORCHESTRATOR
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.keys import key_ring, new_key, signed
from tests.acceptance.workspace_files import Files
from tests.cast import NOON, Driver

Rng = random.Random
TABLE = {name: f"orchestrator_{name}" for name in ("historyentry", "historycheckpoint", "historytile")}
#: Columns of an entry, each with what somebody would write there.
COLUMNS = (
    "actor",
    "executor",
    "account",
    "action",
    "subject",
    "reason",
    "previous_hash",
    "leaf_hash",
    "leaf",
)
#: Tables that follow from the history.
STATE = (("task", "status", "blocked"), ("task", "breadcrumb", "x"), ("workstream", "status", "archived"))


@pytest.fixture
def files(settings) -> Files:
    return Files(Path(settings.WORKSPACE_DIR))


@pytest.fixture
def full(driver: Driver) -> Driver:
    """Work from its plan to its end, sealed several times, with enough entries for a full tile."""
    driver.start()
    seal_and_anchor(now=driver.tick())
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table t"})
    seal_and_anchor(now=driver.tick())
    driver.finish()
    write(260)
    seal_and_anchor(now=driver.tick())
    assert verified() == ""
    drop_guards()
    return driver


def write(count: int) -> None:
    with unit_of_work():
        for number in range(count):
            history.record(
                workstream=None, actor=ORCHESTRATOR, action="workspace mended", subject=f"{number}", now=NOON
            )


def verified() -> str:
    """What `verify_history` says of a bad history; nothing of a good one."""
    said = StringIO()
    try:
        call_command("verify_history", stdout=said)
    except SystemExit:
        return said.getvalue()
    return ""


def sql(statement: str, *values: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def rows(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def other(value: object, rng: Rng) -> object:
    """Another value of the same type."""
    if isinstance(value, str):
        place = rng.randrange(len(value) + 1)
        return f"{value[:place]}{rng.choice('xyz')}{value[place:]}"[: max(len(value), 1)] if value else "x"
    if isinstance(value, bytes | memoryview):
        content = bytearray(bytes(value))
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        return bytes(content)
    if isinstance(value, int):
        return next(pk for (pk,) in rows("SELECT id FROM auth_user ORDER BY id") if pk != value)
    return "x"


def change(table: str, column: str, rng: Rng) -> str:
    """Another value in one column of one row."""
    found = rows(f"SELECT id, {column} FROM {table} ORDER BY id")
    pk, value = rng.choice(found)
    new = other(value, rng)
    while new == value:
        new = other(value, rng)
    assert sql(f"UPDATE {table} SET {column} = %s WHERE id = %s", new, pk) == 1
    return f"{table}.{column} of {pk}"


def sequence(rng: Rng) -> int:
    return rng.randint(1, rows("SELECT MAX(sequence) FROM orchestrator_historyentry")[0][0])


def a_column(rng: Rng) -> str:
    return change(TABLE["historyentry"], rng.choice(COLUMNS), rng)


def a_leaf_with_its_hash(rng: Rng) -> str:
    return rewritten(sequence(rng), chain=False)


def a_chain_written_anew(rng: Rng) -> str:
    return rewritten(sequence(rng), chain=True)


def a_chain_written_anew_and_signed(rng: Rng) -> str:
    """With a key of their own, over the new root; the key file is out of reach."""
    said = rewritten(sequence(rng), chain=True)
    hashes = [
        bytes.fromhex(one)
        for (one,) in rows("SELECT leaf_hash FROM orchestrator_historyentry ORDER BY sequence")
    ]
    key = new_key(key_ring().origin)
    for size, pk in rows("SELECT size, id FROM orchestrator_historycheckpoint"):
        head = Head(key.public.name, size, root_of(hashes[:size]))
        note = SignedNote(head.text, (signed(head.text, key),))
        sql(
            "UPDATE orchestrator_historycheckpoint SET root = %s, note = %s WHERE id = %s",
            head.root.hex(),
            str(note),
            pk,
        )
    return f"{said}, signed"


def rewritten(start: int, *, chain: bool) -> str:
    """Another reason in an entry, with its hash; and the entries behind it in its chain, where asked."""
    tip = ""
    chosen = rows("SELECT workstream_id FROM orchestrator_historyentry WHERE sequence = %s", start)[0][0]
    for pk, number, leaf, workstream in rows(
        "SELECT id, sequence, leaf, workstream_id FROM orchestrator_historyentry "
        "WHERE sequence >= %s ORDER BY sequence",
        start,
    ):
        if workstream != chosen or (number > start and not chain):
            continue
        read = json.loads(leaf)
        read["reason"] = "forged" if number == start else read["reason"]
        read["previous"] = tip or read["previous"]
        written = rfc8785.dumps(read).decode()
        previous, tip = read["previous"], leaf_hash(written.encode())
        sql(
            "UPDATE orchestrator_historyentry SET leaf = %s, leaf_hash = %s, reason = %s, previous_hash = %s "
            "WHERE id = %s",
            written,
            tip,
            read["reason"],
            previous,
            pk,
        )
    return f"entry {start} forged{', chain written anew' if chain else ''}"


def two_swapped(rng: Rng) -> str:
    first = rng.randint(1, rows("SELECT MAX(sequence) FROM orchestrator_historyentry")[0][0] - 1)
    for old, new in ((first, 0), (first + 1, first), (0, first + 1)):
        sql("UPDATE orchestrator_historyentry SET sequence = %s WHERE sequence = %s", new, old)
    return f"entries {first} and {first + 1} swapped"


def one_removed(rng: Rng) -> str:
    gone = sequence(rng)
    sql("UPDATE orchestrator_historyentry SET corrects_id = NULL")
    sql("DELETE FROM orchestrator_historyentry WHERE sequence = %s", gone)
    return f"entry {gone} removed"


def the_tail_cut_off(rng: Rng) -> str:
    kept = sequence(rng) - 1
    sql("DELETE FROM orchestrator_historyentry WHERE sequence > %s", kept)
    return f"entries behind {kept} removed"


def the_tail_cut_off_with_its_seals(rng: Rng) -> str:
    said = the_tail_cut_off(rng)
    sql(
        "DELETE FROM orchestrator_historycheckpoint WHERE size > "
        "(SELECT COALESCE(MAX(sequence), 0) FROM orchestrator_historyentry)"
    )
    return f"{said}, checkpoints too"


def a_checkpoint(rng: Rng) -> str:
    return change(TABLE["historycheckpoint"], rng.choice(("root", "note")), rng)


def a_checkpoint_removed(rng: Rng) -> str:
    (pk,) = rng.choice(rows("SELECT id FROM orchestrator_historycheckpoint ORDER BY id"))
    sql("DELETE FROM orchestrator_historycheckpoint WHERE id = %s", pk)
    return f"checkpoint {pk} removed"


def a_tile(rng: Rng) -> str:
    return change(TABLE["historytile"], rng.choice(("hashes", "root")), rng)


def a_tile_above_the_tree(rng: Rng) -> str:
    level = rng.randint(2, 9)
    sql(
        "INSERT INTO orchestrator_historytile (level, number, hashes, root) VALUES (%s, 7, %s, %s)",
        level,
        bytes(8192),
        bytes(32),
    )
    return f"a tile of level {level} made up"


def an_account_removed(rng: Rng) -> str:
    (pk,) = rng.choice(rows("SELECT DISTINCT user_id FROM orchestrator_historyentry WHERE user_id > 0"))
    sql("DELETE FROM auth_user WHERE id = %s", pk)
    return f"account {pk} removed"


def a_tile_removed(rng: Rng) -> str:
    sql("DELETE FROM orchestrator_historytile")
    return "the tiles removed"


def a_row_removed(rng: Rng) -> str:
    table = rng.choice(("approval", "gatereview", "criterioncheck", "outputfile"))
    (pk,) = rng.choice(rows(f"SELECT id FROM orchestrator_{table} ORDER BY id"))
    sql(f"DELETE FROM orchestrator_{table} WHERE id = %s", pk)
    return f"{table} {pk} removed"


def an_approval_made_up(rng: Rng) -> str:
    """By somebody who never gave it."""
    version, sha, signed_at = rows("SELECT version_id, sha256, signed_at FROM orchestrator_approval")[0]
    person = other(rows("SELECT person_id FROM orchestrator_approval")[0][0], rng)
    sql(
        "INSERT INTO orchestrator_approval (version_id, sha256, person_id, signed_as, note, signed_at) "
        "VALUES (%s, %s, %s, 'x', '', %s)",
        version,
        sha,
        person,
        signed_at,
    )
    return "an approval made up"


def a_table_behind_the_history(rng: Rng) -> str:
    table, column, value = rng.choice(STATE)
    pk = rng.choice(rows(f"SELECT id FROM orchestrator_{table} WHERE {column} <> %s ORDER BY id", value))[0]
    sql(f"UPDATE orchestrator_{table} SET {column} = %s WHERE id = %s", value, pk)
    return f"{table}.{column} of {pk}"


IN_THE_DATABASE: tuple[Callable[[Rng], str], ...] = (
    *(a_column, a_leaf_with_its_hash, a_chain_written_anew, a_chain_written_anew_and_signed),
    *(two_swapped, one_removed, the_tail_cut_off, the_tail_cut_off_with_its_seals),
    *(a_checkpoint, a_checkpoint_removed, a_tile, a_tile_removed),
    *(a_tile_above_the_tree, an_account_removed),
    *(a_row_removed, an_approval_made_up, a_table_behind_the_history),
)


def try_all(rng: Rng, times: int) -> Iterator[str]:
    """Do each kind so many times, each on the whole history; those that were not found."""
    for kind in IN_THE_DATABASE:
        for _ in range(times):
            with transaction.atomic():
                if connection.vendor == "sqlite":
                    sql("PRAGMA defer_foreign_keys = ON")
                else:
                    sql("SET CONSTRAINTS ALL DEFERRED")
                said = kind(rng)
                if not verified():
                    yield f"{kind.__name__}: {said}"
                transaction.set_rollback(True)


def test_fr009_every_single_change_in_the_database_is_found(full: Driver) -> None:
    assert list(try_all(random.Random(20261130), 3)) == []
    assert verified() == ""


@pytest.mark.nightly
def test_fr009_a_thousand_changes_are_found(full: Driver) -> None:
    rng = random.Random()
    state = rng.getrandbits(32)
    assert list(try_all(random.Random(state), 65)) == [], f"seed {state}"


def commit_on(files: Files, branch: str, path: str, content: bytes) -> None:
    """A commit that somebody made with git itself."""
    blob = files.root / ".git" / "forged"
    blob.write_bytes(content)
    name = files.git("hash-object", "-w", str(blob))
    index = f"GIT_INDEX_FILE={files.root}/.git/forged-index"
    import subprocess

    def git(*words: str) -> str:
        done = subprocess.run(
            ["env", index, "git", "-C", files.root, "-c", "user.name=x", "-c", "user.email=x@y", *words],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    git("read-tree", branch)
    git("update-index", "--add", "--cacheinfo", f"100644,{name},{path}")
    commit = git("commit-tree", git("write-tree"), "-p", branch, "-m", "forged")
    files.git("update-ref", f"refs/heads/{branch}", commit)


def test_fr009_every_single_change_in_the_workspace_is_found(full: Driver, files: Files) -> None:
    branch, main = files.git("rev-parse", "history"), files.git("rev-parse", "main")
    older = HistoryCheckpoint.objects.order_by("size")[0]
    artifact = next(path for path in files.names() if "/handoffs/" in path)
    output = next(path for path in files.names() if path.endswith("schema.sql"))

    def back() -> None:
        files.git("update-ref", "refs/heads/history", branch)
        files.git("update-ref", "refs/heads/main", main)

    def forged(text: bytes) -> Callable[[], None]:
        return lambda: commit_on(files, "history", "checkpoint", text)

    changes = {
        "a tile": lambda: commit_on(files, "history", "tile/0/000", bytes(8192)),
        "a checkpoint of another key": forged(str(forged_note(older.size, bytes(32), new_key("x"))).encode()),
        "an older checkpoint": forged(older.note.encode()),
        "no checkpoint": forged(b"nothing\n"),
        "the branch set back": lambda: files.git("update-ref", "refs/heads/history", f"{branch}~1"),
        "no branch": lambda: files.git("update-ref", "-d", "refs/heads/history"),
        "an artifact": lambda: commit_on(files, "main", artifact, b"{}"),
        "an output": lambda: commit_on(files, "main", output, b"forged"),
        "a foreign file": lambda: commit_on(files, "main", "workstreams/notes.md", b"x"),
        "the branch of the work set back": lambda: files.git("update-ref", "refs/heads/main", f"{main}~1"),
    }
    for what, act in changes.items():
        act()
        assert verified() != "", what
        if files.git("rev-parse", "main") != main:
            known = WorkspaceBranch.objects.get()
            known.head = known.meant = files.git("rev-parse", "main")
            known.save()  # whoever has the database makes the foreign commit its own
            assert verified() != "" or what == "the branch of the work set back", what
        back()
        WorkspaceBranch.objects.update(head=main, meant=main)
        assert verified() == "", what


def forged_note(size: int, root: bytes, key: Any) -> SignedNote:
    head = Head(key.public.name, size, root)
    return SignedNote(head.text, (signed(head.text, key),))


UNREADABLE = {
    "a workstream's row deleted": (
        "DELETE FROM orchestrator_workstream",
        "belongs to is gone",
    ),
    "an entry given to no workstream": (
        "UPDATE orchestrator_historyentry SET workstream_id = 999 WHERE sequence = 3",
        "Entry 3 is bad: the workstream with the id 999",
    ),
    "entries that are no entries": ("ALTER TABLE orchestrator_historyentry RENAME TO x", "cannot be read"),
    "tables that are gone": (
        "ALTER TABLE orchestrator_approval RENAME TO x",
        "another one than it speaks of",
    ),
    "checkpoints that are gone": ("ALTER TABLE orchestrator_historycheckpoint RENAME TO x", "cannot be read"),
}
#: SQLite lets a column hold any type.
UNREADABLE_TYPES = {
    "an id that is none": ("workstream", "uuid = 'zz'", "cannot be read"),
    "a moment that is none": ("historyentry", "recorded_at = 'x'", "its columns do not say"),
    "a leaf of bytes": ("historyentry", "leaf = CAST(leaf AS BLOB)", "its columns do not say"),
    "a number of words": ("historyentry", "number = 'x'", "its columns do not say"),
    "a place of words": ("historyentry", "sequence = 'x'", "entry 1 is missing"),
    "a note of bytes": ("historycheckpoint", "note = CAST(note AS BLOB)", "The note of the checkpoint over"),
    "a size of words": ("historycheckpoint", "size = 'x'", "cannot be read"),
    "hashes of words": ("historytile", "hashes = 'x'", "Tile 0 of level 0 has other hashes"),
    "a signature's moment": ("approval", "signed_at = 'x'", "the approval with the id"),
    "a step's status": ("task", "rework = 'x'", "rework is 'x' in the tables"),
    "an artifact of bytes": ("handoffartifact", "body = CAST(body AS BLOB)", "artifact"),
}


def found_after(statement: str) -> str:
    """What is said after a statement past every constraint, as whoever owns the database can run it."""
    with transaction.atomic():
        unchecked(statement)
        said = verified()
        transaction.set_rollback(True)
    if connection.vendor == "sqlite":
        sql("PRAGMA ignore_check_constraints = OFF")
    return said


def unchecked(statement: str) -> None:
    if connection.vendor == "sqlite":
        sql("PRAGMA defer_foreign_keys = ON")
        sql("PRAGMA ignore_check_constraints = ON")
    else:
        sql("SET LOCAL session_replication_role = replica")
    sql(statement)


@pytest.mark.parametrize(("statement", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_fr009_what_cannot_be_read_is_a_sentence(full: Driver, statement: str, said: str) -> None:
    assert said in found_after(statement)


@pytest.mark.parametrize("what", UNREADABLE_TYPES)
def test_fr009_a_column_of_another_type_is_a_sentence(full: Driver, what: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps the types of columns.")
    table, change, said = UNREADABLE_TYPES[what]
    unchecked(
        f"UPDATE orchestrator_{table} SET {change} WHERE id = (SELECT MIN(id) FROM orchestrator_{table})"
    )
    assert said in verified()


def test_fr009_checkpoints_that_are_gone_are_named(full: Driver) -> None:
    sql("DELETE FROM orchestrator_historycheckpoint")
    assert "is gone from the database" in verified()


def test_fr009_f21_a_flipped_object_of_an_artifact_is_found(full: Driver, files: Files) -> None:
    artifact = next(path for path in files.names() if "/handoffs/" in path)
    name = files.git("rev-parse", f"main:{artifact}")
    loose = files.root / ".git" / "objects" / name[:2] / name[2:]
    content = bytearray(loose.read_bytes())
    content[-1] ^= 1
    loose.chmod(0o644)
    loose.write_bytes(content)
    assert verified() != ""


def test_fr009_what_changes_nothing_is_no_alarm(full: Driver, settings) -> None:
    """Renames, another time zone, a restored copy of the same rows, more work behind it."""
    sql("UPDATE auth_user SET username = username || '2', first_name = 'New'")
    settings.PROJECT_TIME_ZONE = "Pacific/Auckland"
    assert verified() == ""
    write(3)
    assert verified() == "", "what waits for its seal is whole"
    seal_and_anchor(now=NOON)
    assert verified() == ""
