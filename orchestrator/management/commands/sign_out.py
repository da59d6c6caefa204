"""`manage.py sign_out NAME`: end every session of an account.

With `--reset-second-factor` for who lost their app.
"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.services.people.accounts import COMMAND_LINE
from orchestrator.services.people.second_factor import reset
from orchestrator.services.people.sessions import sign_out_everywhere


class Command(BaseCommand):
    help = "Sign an account out everywhere."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--reset-second-factor",
            action="store_true",
            help="also take its authenticator app and recovery codes away, so that it signs in "
            "with its password alone",
        )

    def handle(self, *, name: str, reset_second_factor: bool, **_options: Any) -> None:
        account = User.objects.filter(username=name).first()
        if account is None:
            raise CommandError(f"There is no account {name}.")
        try:
            if reset_second_factor:
                reset(account=account, actor=COMMAND_LINE, now=timezone.now())
            else:
                sign_out_everywhere(account=account, actor=COMMAND_LINE, now=timezone.now())
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        self.stdout.write(f"{name} is signed out everywhere.")
