"""Putting a backup back, whole or not at all, and never silently over what came later (FR-009, F23, F24).

Everything is made aside and checked there: files against the manifest, the history against its keys and its
checkpoint, the workspace against the database. Only then does it take the place of what is there, which is
moved into `before-restore` and never deleted.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection

from orchestrator.adapters.repository import REPOSITORY_NAME
from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, MissingReason, WorkspaceUnavailable, WrongState
from orchestrator.core.files.backup import HistoryEnd, Manifest, Present, losses
from orchestrator.core.sealing.notes import BadNote, PublicKey, read_public
from orchestrator.models import HistoryEntry, WorkspaceBranch
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import outside_transactions
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.operation.backups import (
    ANOTHER,
    HISTORY_KEY,
    REPOSITORIES,
    SECRET_KEY,
    WORKSPACE,
    key_files,
    secret_mark,
)
from orchestrator.services.operation.databases import (
    SQLITE,
    database_at,
    entry_hash,
    filled,
    history_here,
    put_sqlite,
    write_database,
)
from orchestrator.services.people.accounts import COMMAND_LINE
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.keys import key_ring, ring_in
from orchestrator.services.sealing.named_keys import unnamed_keys
from orchestrator.services.sealing.verifying import Disproved, claim_of, verify
from orchestrator.workspace import Workspace
from orchestrator.workspace.packs import (
    add_refs,
    make_repository,
    named,
    object_of,
    put_refs,
    read_pack,
    refs_of,
)
from orchestrator.workspace.store import BRANCH

#: Folders of DATA_DIR: what is made aside, and what was there before.
ASIDE: Final = "restoring"
BEFORE: Final = "before-restore"
#: Workstreams that a refusal names at most, and one more to say that there are more.
NAMED: Final = 50


class Ways(NamedTuple):
    """What the operator allows: a folder with the keys, that the key of the history is lost, and that what
    came later is given up, with the reason."""

    keys: Path | None = None
    key_is_lost: bool = False
    over_newer: bool = False
    reason: str = ""


class Restored(NamedTuple):
    """What became of it: sentences for what was given up and for what is left to do, and where that is kept
    which stood there before."""

    given_up: Sequence[str]
    notes: Sequence[str]
    kept: Path


def restore_backup(folder: Path, manifest: Manifest, ways: Ways, *, now: datetime) -> Restored:
    """Put a backup back that `read_backup` has read. Nothing else may use the data meanwhile. Call it
    outside a transaction.

    WrongState says what would be lost, or what does not fit; then nothing was changed. After a kill in
    between, the same call ends in the same: what is in place already is no loss.
    """
    outside_transactions()
    keys = _right_keys(manifest, ways)
    aside, kept = Path(settings.DATA_DIR) / ASIDE, Path(settings.DATA_DIR) / BEFORE / f"{now:%Y%m%dT%H%M%SZ}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700, parents=True)
    try:
        space = _workspace_aside(folder, manifest, aside / WORKSPACE)
        before = history_here()
        given_up = losses(manifest, _present(folder, manifest, before, space))
        _refuse_losing(given_up, ways)
        notes = _put_database(folder, manifest, keys, aside, kept, before)
        _put_workspace(space, kept)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    notes += _put_keys(manifest, ways, kept)
    notes += _key_told(manifest)
    notes += _put_repositories(folder, manifest, now)
    _record(manifest, before, given_up, ways.reason, now)
    notes += _sealed(now)
    return Restored(given_up, notes, kept)


def _refuse_losing(given_up: Sequence[str], ways: Ways) -> None:
    if given_up and not ways.over_newer:
        raise WrongState(
            f"What came later would be lost. {' '.join(given_up)}",
            recovery="Take a newer backup, or say --over-newer --reason WHY: then it goes on, the history "
            "says so, and what is there now is kept in DATA_DIR/before-restore.",
        )
    if given_up and not ways.reason.strip():
        raise MissingReason(
            f"What came later is given up with a reason. {' '.join(given_up)}", recovery="Add --reason WHY."
        )


def _right_keys(manifest: Manifest, ways: Ways) -> tuple[PublicKey, ...]:
    """The public keys that verify the backup's history: those of the file that is here, or is given; where
    the key is lost, the manifest's own word has to do. WrongState otherwise."""
    try:
        wanted = tuple(read_public(one) for one in manifest.keys)
        if not wanted or ways.key_is_lost:
            return wanted
        known = (ring_in(ways.keys / HISTORY_KEY) if ways.keys else key_ring()).public
    except (BadNote, WrongState) as problem:
        raise WrongState(f"The key of the backup's history is not here: {problem}", recovery=KEY) from problem
    if wanted[0] not in known:
        raise WrongState("The key that is here did not sign the backup's history.", recovery=KEY)
    return known


KEY: Final = (
    "Name the folder that the keys were saved to with --keys. Is the key lost for ever, say --key-is-lost, "
    "and afterwards manage.py history_key --replace."
)


def _workspace_aside(folder: Path, manifest: Manifest, root: Path) -> Workspace:
    refs = (folder / f"{WORKSPACE}.refs").read_bytes()
    if object_of(refs, BRANCH) != manifest.workspace:
        raise InvalidInput("The manifest names another commit than the workspace has.", recovery=ANOTHER)
    space = Workspace(root)
    with space.locked():
        read_pack(root, folder / f"{WORKSPACE}.pack")
        put_refs(root, refs, manifest.heads.get(WORKSPACE, ""))
    return space


def _present(folder: Path, manifest: Manifest, here: HistoryEnd | None, backup: Workspace) -> Present:
    """What is there now, compared with the backup."""
    commits, pushed = _unknown_commits(backup)
    if here is None or not here.entries:
        return Present(0, True, "", "", (), commits, pushed)
    known = manifest.history.entries
    if here.entries >= known:
        own = HistoryEntry.objects.filter(sequence=known).values_list("leaf_hash", flat=True).first() or ""
        common = own == manifest.history.last
    else:
        common = entry_hash(folder, manifest, here.entries) == here.last
    later = HistoryEntry.objects.filter(sequence__gt=known)
    times = later.order_by("sequence").values_list("recorded_at", flat=True)
    slugs = later.exclude(workstream=None).order_by("workstream__slug")
    names = tuple(slugs.values_list("workstream__slug", flat=True).distinct()[:NAMED])
    return Present(here.entries, common, _told(times.first()), _told(times.last()), names, commits, pushed)


def _told(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _unknown_commits(backup: Workspace) -> tuple[int, tuple[str, ...]]:
    """Commits of the present branch, and producers' branches, that the backup does not have. A repository
    that git cannot read has nothing that can be told; it is kept all the same."""
    space = Workspace(settings.WORKSPACE_DIR)
    if not (space.root / ".git").is_dir():
        return 0, ()
    try:
        head, known = space.head(), backup.head()
        commits = 0
        if head and not (head == known or backup.goes_on(head, known)):
            without = [f"^{known}"] if known and space.holds_commit(known) else []
            commits = int(space.git.line("rev-list", "--count", head, *without))
        inbox = [(one.decode(), name) for one, name in named(refs_of(space.root)) if b"refs/inbox/" in name]
        pushed = [name.decode(errors="replace") for one, name in inbox if not backup.holds_commit(one)]
        return commits, tuple(name.removeprefix("refs/inbox/") for name in pushed)
    except WorkspaceUnavailable:
        return 0, ()


def _put_database(
    folder: Path,
    manifest: Manifest,
    keys: tuple[PublicKey, ...],
    aside: Path,
    kept: Path,
    before: HistoryEnd | None,
) -> list[str]:
    """Verify the backup's history, then have it be the database; what the tables say otherwise than it."""
    if connection.vendor == "sqlite":
        copy = aside / SQLITE
        shutil.copyfile(folder / SQLITE, copy)
        with database_at(copy):
            said = _verified(manifest, keys)
        put_sqlite(copy, kept)
        return said
    if before is not None and before.entries:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_database(kept)
    with filled(folder, manifest):
        return _verified(manifest, keys)


def _verified(manifest: Manifest, keys: tuple[PublicKey, ...]) -> list[str]:
    """Sentences of what the tables say otherwise than the history. WrongState where the history was changed,
    or is not the one of the manifest, or the workspace's commit is another one."""
    try:
        note = manifest.history.note
        claims = [claim_of(note, keys, "the backup's checkpoint")] if note else []
        found = verify(keys, claims)
        breach = found.breach
    except Disproved as problem:
        breach = problem.breach
    if breach is not None:
        raise WrongState(f"The history of the backup does not verify. {breach}", recovery=ANOTHER)
    if history_here() != manifest.history:
        raise WrongState("The history of the backup is not the manifest's.", recovery=ANOTHER)
    branch = WorkspaceBranch.objects.filter(pk=WorkspaceBranch.ONLY).first() or WorkspaceBranch()
    if manifest.workspace not in (branch.head, branch.meant):
        raise WrongState("Database and workspace of the backup do not belong together.", recovery=ANOTHER)
    return [f"Tables and history differ: {said}." for said in found.differences]


def _put_workspace(space: Workspace, kept: Path) -> None:
    place = Path(settings.WORKSPACE_DIR)
    if place.exists():
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(place, kept / WORKSPACE)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(space.root, place)


def _put_keys(manifest: Manifest, ways: Ways, kept: Path) -> list[str]:
    notes = []
    for name, place in key_files().items():
        saved = ways.keys / name if ways.keys else None
        if saved is None or not saved.is_file():
            continue
        if place.is_file() and place.read_bytes() == saved.read_bytes():
            continue
        if place.is_file():
            kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(place, kept / name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(saved, place)
        place.chmod(0o600)
    secret = key_files()[SECRET_KEY]
    now = secret.read_text(encoding="utf-8").strip() if secret.is_file() else ""
    if manifest.secret not in (secret_mark(settings.SECRET_KEY), secret_mark(now)):
        notes.append(
            "The secret key is not the one of the backup: everybody signs in anew, and every token is "
            "unknown, until it is back (SECRET_KEY, SECRET_KEY_FALLBACKS or --keys)."
        )
    return notes


def _key_told(manifest: Manifest) -> list[str]:
    """After a backup from before a rotation: the key that belongs to its history, when another one signs."""
    try:
        ring = key_ring()
    except WrongState:
        return []  # sealing says what is wrong with it
    if not unnamed_keys(ring.public, ring.private.public):
        return []
    return [
        f"To this history belongs the key {manifest.keys[0]}. The key file signs with {ring.private.public}, "
        "which no entry of it names: manage.py history_key --rotate does; until then verify_history says so."
    ]


def _put_repositories(folder: Path, manifest: Manifest, now: datetime) -> list[str]:
    """Repositories that plans work on: one that is missing is made; of one that is there nothing is taken
    away, only what it lacks is added."""
    notes = []
    for name in manifest.heads:
        part, _, own = name.partition("/")
        if part != REPOSITORIES or not REPOSITORY_NAME.fullmatch(own):
            continue
        root, refs = Path(settings.REPOSITORIES_DIR) / own, (folder / f"{name}.refs").read_bytes()
        if not (root / ".git").is_dir():
            make_repository(root)
            read_pack(root, folder / f"{name}.pack")
            put_refs(root, refs, manifest.heads[name])
            notes.append(f"The repository {own} was made again.")
            continue
        read_pack(root, folder / f"{name}.pack")
        under = f"restored/{now:%Y%m%dT%H%M%SZ}"
        missing, differing = add_refs(root, refs, under)
        if missing:
            notes.append(f"The repository {own} has {missing} branches and tags again that it lacked.")
        if differing:
            notes.append(
                f"In the repository {own} {differing} branches and tags stay where they are; where the "
                f"backup had them stands below refs/{under}."
            )
    return notes


def _record(
    manifest: Manifest, before: HistoryEnd | None, given_up: Sequence[str], reason: str, now: datetime
) -> None:
    """The history that was given up is named by its end, so that whoever kept a checkpoint of it finds it."""
    data: dict[str, object] = {"made_at": manifest.made_at, "entries": manifest.history.entries}
    if given_up and before is not None:
        data["given_up"] = {
            "said": list(given_up),
            "entries": before.entries,
            "last": before.last,
            "sealed": before.sealed,
            "root": before.root,
        }
    with unit_of_work():
        record(
            workstream=None,
            actor=COMMAND_LINE,
            action=Action.BACKUP_RESTORED,
            subject=f"the backup of {manifest.made_at}",
            reason=reason,
            now=now,
            data=data,
        )


def _sealed(now: datetime) -> list[str]:
    """Sign at once what holds now; the next sweep does it otherwise."""
    try:
        seal_and_anchor(now=now)
    except (WrongState, WorkspaceUnavailable) as problem:
        return [f"Nothing is signed yet: {problem.message} {problem.way_out}"]
    return []
