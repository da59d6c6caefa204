"""`manage.py backup FOLDER`: database, workspace and repositories as of one checkpoint, while work goes on
(FR-009)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.services.operation.backups import make_backup, save_keys


class Command(BaseCommand):
    help = "Write a backup into a new folder; it may be done while the orchestrator runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder that is not there yet")
        parser.add_argument(
            "--keys",
            type=Path,
            metavar="FOLDER",
            help="also save the keys, in a folder apart from the backup",
        )
        parser.add_argument(
            "--keys-beside",
            action="store_true",
            help="the folder of the keys may be inside that of the backup: whoever has the backup has all",
        )

    def handle(self, *, folder: Path, keys: Path | None, keys_beside: bool, **_options: Any) -> None:
        folder = folder.expanduser().resolve()
        keys = keys.expanduser().resolve() if keys else None
        if keys and keys.is_relative_to(folder) and not keys_beside:
            raise CommandError(
                f"{keys} is inside the backup: whoever has both can sign another history. "
                "Name another folder, or say --keys-beside."
            )
        try:
            made = make_backup(folder, now=timezone.now())
            saved = save_keys(keys) if keys else []
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        facts = made.manifest
        self.stdout.write(
            f"{folder}: {facts.history.entries} entries of the history, checkpoint over "
            f"{facts.history.sealed} with root {facts.history.root}."
        )
        for name in made.left_out:
            self.stdout.write(f"{name}: a branch that a producer pushed is broken and was left out.")
        if keys:
            self.stdout.write(f"{keys}: {', '.join(saved) or 'no key is a file here'}.")
        else:
            self.stdout.write("The keys are not in it: keep copies of them elsewhere (--keys FOLDER).")
