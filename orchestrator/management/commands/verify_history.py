"""`manage.py verify_history`: compare the history with everything, and name the first bad thing (FR-009)."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orchestrator.core.errors import WrongState
from orchestrator.core.sealing.notes import PublicKey
from orchestrator.management.public_keys import keys_given
from orchestrator.queries.base.recorded import UNREADABLE
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.services.sealing.exporting import exported
from orchestrator.services.sealing.keys import key_file, key_ring
from orchestrator.services.sealing.verifying import Disproved, Verified, claim_of, in_words, verify
from orchestrator.services.sealing.workspace_copy import Copy, copy_of, workspace_breach


class Command(BaseCommand):
    help = "Check that nothing of the history, and nothing it speaks of, was changed, removed or re-ordered."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--checkpoint",
            metavar="FILE",
            action="append",
            default=[],
            help="also compare with a checkpoint that was kept elsewhere; may be given several times",
        )
        parser.add_argument(
            "--key",
            metavar="KEY",
            action="append",
            default=[],
            help="a public key that may have signed, or a file of them, instead of those of the key file; "
            "several times too",
        )
        parser.add_argument(
            "--export",
            metavar="FILE",
            help="write it, once it is found good, to a file that proofs/verify.py checks",
        )
        parser.add_argument(
            "--no-workspace", action="store_true", help="do not look into the workspace, which is not at hand"
        )

    def handle(
        self,
        *,
        checkpoint: list[str],
        key: list[str],
        no_workspace: bool,
        export: str | None = None,
        **_options: Any,
    ) -> None:
        try:
            self._compare(checkpoint, key, not no_workspace, export)
        except UNREADABLE as problem:
            self._end(f"The database cannot be read: {in_words(problem)}.")

    def _compare(self, checkpoint: list[str], key: list[str], workspace: bool, export: str | None) -> None:
        keys = _keys(key)
        try:
            kept = [claim_of(_text(file), keys, f"the checkpoint {file}") for file in checkpoint]
            copy = copy_of(keys) if workspace else Copy()
        except Disproved as problem:
            self._end(f"{problem.breach}")
        found = verify(keys, [*kept, *copy.claims])
        if found.breach is None and workspace:
            found.breach = workspace_breach(copy)
        if found.breach is not None:
            self._end(f"{found.breach}")
        self._say(found)
        if export:
            self._export(export)

    def _export(self, file: str) -> None:
        try:
            with open(file, "x", encoding="utf-8", newline="") as out:
                out.writelines(exported())
        except OSError as problem:
            raise CommandError(f"{file} cannot be written: {problem}") from problem
        self.stdout.write(f"{file} is written. Check it anywhere: python verify.py {file}")

    def _say(self, found: Verified) -> None:
        self.stdout.write(f"{found.entries} entries, all in order and unchanged.")
        sealed = entries_sealed()
        self.stdout.write(
            f"{found.checkpoints} checkpoints agree; {found.entries - sealed} entries wait for the next one."
        )
        for said in found.differences:
            self.stdout.write(f"{said}.")
        if found.differences:
            self._end("Tables and history differ: were the tables restored from an older backup?")
        self.stdout.write(f"{found.workstreams} workstreams: the tables say what history says.")

    def _end(self, said: str) -> None:
        self.stdout.write(said)
        sys.exit(1)


def _keys(given: list[str]) -> tuple[PublicKey, ...]:
    """Those that were given, else those of the key file; none before anything was signed."""
    if given:
        return keys_given(given)
    try:
        return key_ring().public if entries_sealed() or key_file().exists() else ()
    except WrongState as problem:
        raise CommandError(f"{problem.message} {problem.way_out}") from problem


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise CommandError(f"The checkpoint {file} cannot be read: {problem}") from problem
