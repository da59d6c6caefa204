"""`manage.py history_key`: the key that signs the history: show it, rotate it, replace a lost one (FR-009,
F33)."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.services.base.actor import Actor
from orchestrator.services.sealing.keys import key_ring
from orchestrator.services.sealing.rotation import replace_key, rotate_key


class Command(BaseCommand):
    help = "Show the public keys of the history, sign with another one from now on, or replace a lost one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--rotate", action="store_true", help="sign with a new key; the old one still verifies"
        )
        what.add_argument(
            "--replace", metavar="OLD", action="append", help="begin anew after the loss of this public key"
        )
        parser.add_argument("--as", dest="user", metavar="ACCOUNT", help="who does it: an approver")
        parser.add_argument("--reason", default="", help="why")

    def handle(
        self, *, rotate: bool, replace: list[str] | None, user: str | None, reason: str, **_options: Any
    ) -> None:
        try:
            if rotate or replace:
                self._change(replace or [], user or "", reason)
            for key in key_ring().public:
                self.stdout.write(f"{key}")
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal

    def _change(self, old: list[str], user: str, reason: str) -> None:
        account = User.objects.filter(username=user, is_active=True).first()
        if account is None:
            raise CommandError(f"There is no active account {user}; name one with --as.")
        actor, now = Actor.person(account), timezone.now()
        if old:
            replace_key(old=old, reason=reason, actor=actor, now=now)
        else:
            rotate_key(reason=reason, actor=actor, now=now)
        self.stdout.write("The first of these keys signs from now on. Keep them elsewhere:")
