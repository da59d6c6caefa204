"""Making a backup while everybody works on: database, workspace and repositories as of one checkpoint
(FR-009).

The history is sealed first, and nobody moves the workspace's branch until the database is copied and the
branches are read: so both belong together, and the manifest says the checkpoint that they go to. The packs
are written afterwards, because objects never change.
"""

import hashlib
import hmac
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import pydantic
from django.conf import settings
from django.db import connection

import orchestrator
from orchestrator.adapters.leftovers import repositories
from orchestrator.core.errors import InvalidInput, WrongState
from orchestrator.core.files.backup import FORMAT, MANIFEST, FileFacts, Manifest, is_file_name
from orchestrator.services.base.locks import outside_transactions
from orchestrator.services.handoff.known_branch import diverged, known_branch, look
from orchestrator.services.operation.databases import Copied, write_database
from orchestrator.services.sealing.anchors import seal_in
from orchestrator.services.sealing.keys import key_file, key_ring
from orchestrator.workspace import Workspace
from orchestrator.workspace.packs import head_of, object_of, refs_of, write_pack
from orchestrator.workspace.store import BRANCH

WORKSPACE: Final = "workspace"
REPOSITORIES: Final = "repositories"
#: What the two keys are called in the folder that keeps them.
HISTORY_KEY: Final = "history.key"
SECRET_KEY: Final = "secret-key"  # noqa: S105 - a file's name


class Backup(NamedTuple):
    """A finished backup; `left_out` names repositories in which a producer's broken branch was left out."""

    manifest: Manifest
    left_out: tuple[str, ...]


def make_backup(folder: Path, *, now: datetime) -> Backup:
    """Write a backup into a folder that is not there yet, or is empty. Call it outside a transaction.

    InvalidInput for another folder; WrongState and WorkspaceUnavailable when the history cannot be sealed,
    or database and workspace do not belong together: then the folder has no manifest, and is no backup.
    """
    outside_transactions()
    _make_room(folder)
    space = Workspace(settings.WORKSPACE_DIR)
    if look(space, now):
        raise diverged(space, known_branch(), space.head())
    with space.locked():
        seal_in(space, now=now)
        copied = write_database(folder)
        refs = {WORKSPACE: refs_of(space.root)}
    places = {WORKSPACE: space.root}
    (folder / REPOSITORIES).mkdir(mode=0o700)
    for repository in repositories(Path(settings.REPOSITORIES_DIR)):
        name = f"{REPOSITORIES}/{repository.name}"
        places[name], refs[name] = repository, refs_of(repository)
    left_out = tuple(name for name in places if not _write_repository(folder, name, places[name], refs[name]))
    manifest = _manifest(folder, copied, places, object_of(refs[WORKSPACE], BRANCH), now)
    _write_manifest(folder, manifest)
    return Backup(manifest, left_out)


def _make_room(folder: Path) -> None:
    if folder.resolve().is_relative_to(Path(settings.DATA_DIR).resolve()):
        raise InvalidInput(
            f"{folder} is inside {settings.DATA_DIR}, with which it would be lost.",
            recovery="Name a folder elsewhere, on another disk if there is one.",
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidInput(
                f"{folder} is not empty.",
                recovery="Name a folder that is not there yet, for each backup.",
            )
    except OSError as problem:
        raise InvalidInput(f"{folder} cannot be written: {problem.strerror}.") from problem


def _write_repository(folder: Path, name: str, root: Path, refs: bytes) -> bool:
    """Its pack and its refs; false where a producer's broken branch was left out."""
    packed = write_pack(root, refs, folder / f"{name}.pack")
    (folder / f"{name}.refs").write_bytes(packed)
    return packed == refs


def _manifest(folder: Path, copied: Copied, places: dict[str, Path], branch: str, now: datetime) -> Manifest:
    return Manifest(
        format=FORMAT,
        made_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        version=orchestrator.__version__,
        database=connection.vendor,
        migrations=copied.migrations,
        tables=copied.tables,
        history=copied.history,
        keys=tuple(str(key) for key in key_ring().public) if copied.history.sealed else (),
        secret=secret_mark(settings.SECRET_KEY),
        workspace=branch,
        heads={name: head_of(root) for name, root in places.items()},
        files=dict(sorted(_files(folder))),
    )


def _files(folder: Path) -> Iterator[tuple[str, FileFacts]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), facts_of(path)


def facts_of(path: Path) -> FileFacts:
    """What the manifest says of a file."""
    with path.open("rb") as file:
        return FileFacts(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    """Last of all, and whole: a folder without it is no backup."""
    fresh = folder / f"{MANIFEST}.new"
    fresh.write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    fresh.replace(folder / MANIFEST)


def secret_mark(secret: str) -> str:
    """Whether a secret key is the one of the backup, without saying what it is."""
    return hmac.new(secret.encode(), b"orchestrator backup", hashlib.sha256).hexdigest()[:16]


def read_backup(folder: Path) -> Manifest:
    """The manifest of a backup whose files are all there and as they were written. InvalidInput names the
    first that is not."""
    try:
        value = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = pydantic.TypeAdapter(Manifest).validate_python(value)
    except OSError as problem:
        raise InvalidInput(
            f"{folder} is no backup: it has no {MANIFEST} ({problem.strerror}).",
            recovery="Name the folder that manage.py backup wrote; one that was interrupted has no manifest.",
        ) from problem
    except (ValueError, RecursionError) as problem:
        said = " ".join(str(problem).split())[:300]
        raise InvalidInput(f"{MANIFEST} of {folder} cannot be read: {said}", recovery=ANOTHER) from problem
    if manifest.format != FORMAT:
        raise InvalidInput(f"{folder} has the format {manifest.format}, not {FORMAT}.", recovery=ANOTHER)
    for name, facts in manifest.files.items():
        path = folder / name
        if not is_file_name(name) or not path.is_file():
            raise InvalidInput(f"The backup lacks its file {name}.", recovery=ANOTHER)
        if facts_of(path) != facts:
            raise InvalidInput(f"The file {name} is not as the backup wrote it.", recovery=ANOTHER)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    keys = {name for name in there if Path(name).name in (HISTORY_KEY, SECRET_KEY)}
    if more := sorted(there - manifest.files.keys() - keys - {MANIFEST}):
        raise InvalidInput(f"The file {more[0]} is none that the backup wrote.", recovery=ANOTHER)
    return manifest


ANOTHER: Final = "Take another backup; nothing was changed."


def save_keys(folder: Path) -> list[str]:
    """Copy the keys into a folder of their own; the names of those that are files here."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    saved = []
    for name, path in key_files().items():
        if path.is_file():
            if (folder / name).exists():
                raise InvalidInput(f"{folder / name} is there already.", recovery="Name another folder.")
            shutil.copyfile(path, folder / name)
            (folder / name).chmod(0o600)
            saved.append(name)
    return saved


def key_files() -> dict[str, Path]:
    """The files of this installation that hold keys, by the names that they have in a folder of keys."""
    return {HISTORY_KEY: key_file(), SECRET_KEY: Path(settings.DATA_DIR) / "secret-key"}


def refuse_other_tables(manifest: Manifest, migrations: set[str]) -> None:
    """WrongState where this version makes other tables than those of the backup, or another database."""
    if manifest.database != connection.vendor:
        raise WrongState(
            f"The backup is of a {manifest.database} database, and this one is {connection.vendor}.",
            recovery="Set DATABASE_URL as it was when the backup was made.",
        )
    if foreign := sorted(set(manifest.migrations) - migrations):
        raise WrongState(
            f"The backup was made by another version ({manifest.version}; it knows {foreign[0]}).",
            recovery="Restore it with that version, then start this one. If this one made it, it is damaged: "
            "take another backup.",
        )
