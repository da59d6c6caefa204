"""`manage.py witness`: sign, with a key of one's own, that a log only ever grew (FR-009)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.core.sealing.notes import BadNote
from orchestrator.management.public_keys import keys_given
from orchestrator.services.sealing.witness import reader, witness, witness_key


class Command(BaseCommand):
    help = (
        "Co-sign the newest checkpoint of a log, unless it shows another past than before; run it regularly."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "source", help="a folder in which the branch history is checked out, or the address of /log/"
        )
        parser.add_argument(
            "--key",
            action="append",
            required=True,
            help="a public key of the log, or a file of them, a line each; several times too",
        )
        parser.add_argument(
            "--folder", required=True, type=Path, help="where the witness keeps its key and what it signed"
        )
        parser.add_argument("--name", default="witness", help="the name of its key, the first time")

    def handle(self, *, source: str, key: list[str], folder: Path, name: str, **_options: Any) -> None:
        log = keys_given(key)
        try:
            own = witness_key(folder, name)
            note = witness(read=reader(source), log=log, key=own, folder=folder, now=timezone.now())
        except BadNote as problem:
            raise CommandError(f"{problem}") from problem
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        self.stdout.write(f"{note}")
        self.stdout.write(f"Signed by {own.public}")
