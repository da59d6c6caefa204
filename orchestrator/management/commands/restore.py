"""`manage.py restore FOLDER`: put a backup back, never silently over what came later (FR-009, F23, F24)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.core.files.backup import Manifest
from orchestrator.processes.supervisor import only_supervisor
from orchestrator.services.operation.backups import read_backup, refuse_other_tables
from orchestrator.services.operation.databases import history_here, others_connected
from orchestrator.services.operation.restores import Restored, Ways, restore_backup


class Command(BaseCommand):
    help = "Put a backup back, while the orchestrator does not run; says what would be lost and then stops."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="what manage.py backup wrote")
        parser.add_argument("--keys", type=Path, metavar="FOLDER", help="where the keys were saved to")
        parser.add_argument(
            "--key-is-lost", action="store_true", help="go on without the key that signed the history"
        )
        parser.add_argument("--over-newer", action="store_true", help="give up what came after the backup")
        parser.add_argument("--reason", default="", help="why")

    def handle(
        self,
        *,
        folder: Path,
        keys: Path | None,
        key_is_lost: bool,
        over_newer: bool,
        reason: str,
        **_options: Any,
    ) -> None:
        lock = only_supervisor(settings.DATA_DIR / "run")
        if lock is None:
            raise CommandError(
                f"The orchestrator is running with the data in {settings.DATA_DIR}. Stop it, then restore."
            )
        with lock:
            try:
                manifest = read_backup(folder)
                self._prepare(manifest)
                ways = Ways(keys, key_is_lost, over_newer, reason)
                done = restore_backup(folder, manifest, ways, now=timezone.now())
            except Refusal as refusal:
                raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        self._say(manifest, done)

    def _prepare(self, manifest: Manifest) -> None:
        """The tables of PostgreSQL have to be there; SQLite's file brings its own."""
        refuse_other_tables(manifest, _migrations())
        if connection.vendor != "sqlite" and history_here() is None:
            call_command("migrate", verbosity=0, interactive=False)
        if others := others_connected():
            said = "Another connection uses" if others == 1 else f"{others} other connections use"
            raise CommandError(f"{said} the database. Stop what has them, then restore.")

    def _say(self, manifest: Manifest, done: Restored) -> None:
        self.stdout.write(
            f"The backup of {manifest.made_at} is back: {manifest.history.entries} entries of the history, "
            "all in order and unchanged."
        )
        for said in done.given_up:
            self.stdout.write(f"Given up: {said}")
        if done.kept.is_dir():
            self.stdout.write(f"What stood there before is kept in {done.kept}.")
        for said in done.notes:
            self.stdout.write(said)


def _migrations() -> set[str]:
    """Those of this version, as a manifest names them."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {f"{app}.{name}" for app, name in loader.disk_migrations}
