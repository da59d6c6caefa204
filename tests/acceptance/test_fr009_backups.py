"""FR-009, FR-025, F23, F24: a backup is as of a checkpoint, and is put back whole, verified, and never
silently over what came later."""

import io
import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from orchestrator.core.sealing.notes import read_head, read_note
from orchestrator.models import HistoryEntry, Workstream
from orchestrator.processes import queue_broker
from orchestrator.processes.supervisor import only_supervisor
from orchestrator.services.handoff.divergence import workspace_facts
from orchestrator.services.operation import backups, databases
from tests.cast import Driver
from tests.conftest import drop_guards

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "The disk of the old machine is gone."


@pytest.fixture(autouse=True)
def data(settings, tmp_path: Path) -> None:
    """The folder of the installation: what stood there before a restore is kept in it."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    if queue_broker._listener_of.cache_info().currsize:  # another test's queue is still connected
        queue_broker._listener().close()
        queue_broker._listener_of.cache_clear()


def run(command: str, *words: object) -> str:
    said = io.StringIO()
    call_command(command, *map(str, words), stdout=said)
    return said.getvalue()


def refused(command: str, *words: object) -> str:
    with pytest.raises(CommandError) as told:
        run(command, *words)
    return str(told.value)


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    return subprocess.run(
        ["git", *who, *words], cwd=root, capture_output=True, text=True, check=True
    ).stdout.strip()


def repository(name: str) -> Path:
    root = Path(settings.REPOSITORIES_DIR) / name
    root.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Begun")
    git(root, "branch", "ws/card-refunds/A")
    return root


@pytest.fixture
def worked(driver: Driver) -> Driver:
    driver.start()
    driver.do("A1")
    driver.advance()
    return driver


def lost() -> None:
    """The machine is gone, but for the key: nothing but the empty tables of a new one."""
    shutil.rmtree(settings.WORKSPACE_DIR)
    shutil.rmtree(settings.REPOSITORIES_DIR, ignore_errors=True)
    drop_guards()
    call_command("flush", verbosity=0, interactive=False)


def test_fr009_what_was_lost_is_back_with_history_and_work(worked: Driver, tmp_path: Path) -> None:
    root = repository("shop")
    base = git(root, "rev-parse", "ws/card-refunds/A")
    said = run("backup", tmp_path / "backup", "--keys", tmp_path / "safe")
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    head = read_head(read_note(manifest["history"]["note"]).text)
    assert head.size == manifest["history"]["sealed"] == HistoryEntry.objects.count()
    assert head.root.hex() in said, "the checkpoint that the backup goes to is said and kept"
    secret = Path(settings.HISTORY_KEY_FILE).read_bytes().split()[0]
    files = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert not [path for path in files if secret in path.read_bytes()], "the keys are apart"
    assert {path.name for path in (tmp_path / "safe").iterdir()} >= {"history.key"}
    known = HistoryEntry.objects.order_by("-sequence").values_list("leaf_hash", flat=True).first()

    lost()
    Path(settings.HISTORY_KEY_FILE).unlink()
    assert "name the folder" in refused("restore", tmp_path / "backup").lower()
    assert not HistoryEntry.objects.exists(), "what is refused changes nothing"
    said = run("restore", tmp_path / "backup", "--keys", tmp_path / "safe")
    assert "in order and unchanged" in said
    assert "The repository shop was made again." in said
    assert git(root, "rev-parse", "ws/card-refunds/A") == base
    assert HistoryEntry.objects.filter(leaf_hash=known).exists()
    assert HistoryEntry.objects.latest("sequence").action == "backup restored"
    worked.reload()
    assert workspace_facts(now=worked.tick()).agrees
    run("verify_history")
    worked.do("A2")
    worked.advance()
    assert worked.task("A2").status == "complete", "work goes on from there"
    run("verify_history")


def test_f23_f24_nothing_that_came_later_is_given_up_silently(worked: Driver, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup")
    before = HistoryEntry.objects.count()
    worked.do("A2")
    worked.advance()
    newer = HistoryEntry.objects.order_by("-sequence").values_list("sequence", "leaf_hash").first()
    told = refused("restore", tmp_path / "backup")
    assert f"{newer[0] - before} entries of the history came after the backup" in told
    assert "(card-refunds)" in told
    assert "The workspace's branch has" in told
    assert "--over-newer --reason" in told
    assert "with a reason" in refused("restore", tmp_path / "backup", "--over-newer")
    assert HistoryEntry.objects.count() == newer[0], "nothing was changed"

    said = run("restore", tmp_path / "backup", "--over-newer", "--reason", WHY)
    kept = next((Path(settings.DATA_DIR) / "before-restore").iterdir())
    assert f"kept in {kept}" in said
    assert (kept / "workspace" / ".git").is_dir()
    entry = HistoryEntry.objects.latest("sequence")
    assert (entry.sequence, entry.action, entry.reason) == (before + 1, "backup restored", WHY)
    given_up = json.loads(entry.leaf)["data"]["given_up"]
    assert (given_up["entries"], given_up["last"]) == newer, "the end of what was given up is named"
    assert worked.task("A2").status != "complete"
    assert workspace_facts(now=worked.tick()).agrees
    run("verify_history")
    if connection.vendor == "sqlite":
        old = kept / Path(str(connection.settings_dict["NAME"])).name
        with sqlite3.connect(old) as there:
            assert there.execute("SELECT COUNT(*) FROM orchestrator_historyentry").fetchone()[0] == newer[0]


def test_f24_an_older_backup_under_the_same_history_loses_nothing(worked: Driver, tmp_path: Path) -> None:
    """The backup is newer than what is there: an older copy was put back by hand, and now the right one."""
    run("backup", tmp_path / "older")
    worked.do("A2")
    worked.advance()
    run("backup", tmp_path / "newer")
    run("restore", tmp_path / "older", "--over-newer", "--reason", WHY)
    # The older one was put in force and went on by one entry, that of the restore: another history by now.
    assert "another history" in refused("restore", tmp_path / "newer")
    run("restore", tmp_path / "newer", "--over-newer", "--reason", "The first one was the wrong one.")
    assert worked.task("A2").status == "complete"
    run("verify_history")


def test_fr009_a_restore_of_what_is_there_is_no_loss(worked: Driver, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup")
    assert "Given up" not in run("restore", tmp_path / "backup")
    run("verify_history")


def test_fr009_a_backup_that_was_changed_is_refused_and_nothing_is_touched(
    worked: Driver, tmp_path: Path
) -> None:
    run("backup", tmp_path / "backup")
    entries = HistoryEntry.objects.count()
    victim = next(path for path in (tmp_path / "backup").rglob("*.pack"))
    whole = victim.read_bytes()
    victim.chmod(0o600)
    victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert f"{victim.name} is not as the backup wrote it" in refused("restore", tmp_path / "backup")
    victim.unlink()
    assert f"lacks its file {victim.name}" in refused("restore", tmp_path / "backup")
    (tmp_path / "backup" / "manifest.json").write_text('{"format": 7}')
    assert "cannot be read" in refused("restore", tmp_path / "backup")
    (tmp_path / "backup" / "manifest.json").unlink()
    assert "is no backup" in refused("restore", tmp_path / "backup")
    assert HistoryEntry.objects.count() == entries
    assert not (Path(settings.DATA_DIR) / "before-restore").exists()


def test_fr009_a_history_that_was_rewritten_in_the_backup_is_found(worked: Driver, tmp_path: Path) -> None:
    """Digests of files are no proof: whoever changes the database in a backup changes the manifest too."""
    run("backup", tmp_path / "backup")
    if connection.vendor == "sqlite":
        forge_sqlite(tmp_path / "backup")
    else:
        forge_tables(tmp_path / "backup")
    assert "does not verify" in refused("restore", tmp_path / "backup")
    assert HistoryEntry.objects.filter(actor="mallory").count() == 0
    assert workspace_facts(now=worked.tick()).agrees
    run("verify_history")


def forge_sqlite(folder: Path) -> None:
    with sqlite3.connect(folder / databases.SQLITE) as copy:
        for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            copy.execute(f"DROP TRIGGER {name}")
        copy.execute("UPDATE orchestrator_historyentry SET actor = 'mallory' WHERE sequence = 3")
    copy.close()
    write_digest_anew(folder, databases.SQLITE)


def forge_tables(folder: Path) -> None:
    table = folder / databases.TABLES / "orchestrator_historyentry.copy"
    manifest = json.loads((folder / "manifest.json").read_text())
    column = manifest["tables"]["orchestrator_historyentry"].index("actor")
    lines = [line.split(b"\t") for line in table.read_bytes().splitlines(keepends=True)]
    lines[2][column] = b"mallory"
    table.write_bytes(b"".join(b"\t".join(cells) for cells in lines))
    write_digest_anew(folder, f"{databases.TABLES}/orchestrator_historyentry.copy")


def write_digest_anew(folder: Path, name: str) -> None:
    facts = backups.facts_of(folder / name)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": facts.sha256, "bytes": facts.bytes}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_fr009_a_repository_that_is_there_keeps_what_it_has(worked: Driver, tmp_path: Path) -> None:
    root = repository("shop")
    run("backup", tmp_path / "backup")
    before = git(root, "rev-parse", "main")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Later")
    git(root, "branch", "-D", "ws/card-refunds/A")
    later = git(root, "rev-parse", "main")
    said = run("restore", tmp_path / "backup")
    assert "In the repository shop 1 branches and tags stay where they are" in said
    assert git(root, "rev-parse", "main") == later
    assert git(root, "rev-parse", "ws/card-refunds/A") == before
    beside = git(root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/restored")
    assert beside.startswith(before)
    assert beside.endswith("/heads/main")


def test_fr025_restore_is_refused_while_the_orchestrator_runs(worked: Driver, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup")
    running = only_supervisor(Path(settings.DATA_DIR) / "run")
    assert running is not None
    with running:
        assert "Stop it, then restore" in refused("restore", tmp_path / "backup")
        run("backup", tmp_path / "second")
    assert (tmp_path / "second" / "manifest.json").is_file(), "a backup is made all the same"


def test_fr009_what_is_done_while_the_backup_is_made_costs_it_nothing(
    worked: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody claims between the seal and the copy, and somebody completes before the packs are written."""
    write, pack = backups.write_database, backups.write_pack

    def claimed_first(folder: Path) -> databases.Copied:
        worked.claim("B1")
        return write(folder)

    def completed_then(root: Path, refs: bytes, into: Path) -> bytes:
        worked.complete("B1")
        worked.advance()
        return pack(root, refs, into)

    monkeypatch.setattr(backups, "write_database", claimed_first)
    monkeypatch.setattr(backups, "write_pack", completed_then)
    run("backup", tmp_path / "backup")
    monkeypatch.undo()
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    assert manifest["history"]["entries"] > manifest["history"]["sealed"]
    worked.advance()
    run("restore", tmp_path / "backup", "--over-newer", "--reason", WHY)
    assert worked.task("B1").status == "active", "claimed, and not complete yet"
    assert workspace_facts(now=worked.tick()).agrees
    run("verify_history")


def test_fr009_keys_are_never_beside_the_backup_unasked(worked: Driver, tmp_path: Path) -> None:
    told = refused("backup", tmp_path / "backup", "--keys", tmp_path / "backup" / "keys")
    assert "sign another history" in told
    run("backup", tmp_path / "backup", "--keys", tmp_path / "backup" / "keys", "--keys-beside")
    assert (tmp_path / "backup" / "keys" / "history.key").stat().st_mode & 0o077 == 0
    assert "is not empty" in refused("backup", tmp_path / "backup")
    assert "with which it would be lost" in refused("backup", Path(settings.DATA_DIR) / "backup")
    (tmp_path / "backup" / "extra").write_text("x")
    assert "extra is none that the backup wrote" in refused("restore", tmp_path / "backup")


def test_f33_a_lost_key_holds_up_no_restore_when_it_is_said(worked: Driver, tmp_path: Path) -> None:
    run("backup", tmp_path / "backup")
    Path(settings.HISTORY_KEY_FILE).unlink()
    assert "--key-is-lost" in refused("restore", tmp_path / "backup")
    said = run("restore", tmp_path / "backup", "--key-is-lost")
    assert "Nothing is signed yet" in said
    assert Workstream.objects.filter(slug="card-refunds").exists()
