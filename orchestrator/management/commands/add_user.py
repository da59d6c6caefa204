"""`manage.py add_user NAME --role ROLE`: an account for a person; the password is printed once."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import Role
from orchestrator.management.accounts import add_account


class Command(BaseCommand):
    help = "Make an account with one or more roles."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", action="append", required=True, choices=[role.value for role in Role])

    def handle(self, *, name: str, role: list[str], **_options: Any) -> None:
        try:
            password = add_account(name, *(Role(word) for word in role))
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        if password is None:
            raise CommandError(f"There is an account {name} already; give it roles in the admin.")
        hours = settings.FIRST_PASSWORD_HOURS
        self.stdout.write(f"Within {hours} hours somebody signs in with this and chooses another password:")
        self.stdout.write(f"Account {name} ({', '.join(role)}), password {password}")
