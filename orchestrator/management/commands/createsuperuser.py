"""`manage.py createsuperuser`: Django's own, with a name that nobody can take for another one's; the new
administrator stands in the history (FR-011)."""

import os
from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from orchestrator.core.errors import Refusal
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.accounts import COMMAND_LINE, record_changes
from orchestrator.services.people.names import claim_account_name


class Command(createsuperuser.Command):
    help = "Make an administrator."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> str | None:
        """In one transaction, so that the name looked for is still free when the account is made."""
        if options["interactive"]:
            # Nobody waits behind the names lock while a person types a password.
            return self._make(True, *args, **options)
        self._check_password()
        with unit_of_work():
            return self._make(False, *args, **options)

    def _check_password(self) -> None:
        """The one from the environment, which Django takes as it is."""
        if password := os.environ.get("DJANGO_SUPERUSER_PASSWORD"):
            try:
                validate_password(password)
            except ValidationError as problem:
                raise CommandError(f"DJANGO_SUPERUSER_PASSWORD: {' '.join(problem.messages)}") from problem

    def _make(self, typed: bool, *args: Any, **options: Any) -> str | None:
        """Who types the password is taken for the one who will sign in with it."""
        before = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
        said: str | None = super().handle(*args, **options)
        with unit_of_work():
            for account in User.objects.filter(is_superuser=True).exclude(pk__in=before):
                record_changes(
                    account=account,
                    before=None,
                    actor=COMMAND_LINE,
                    now=timezone.now(),
                    own_password=typed,
                )
        return said

    def _validate_username(self, username: str, verbose_field_name: str, database: str) -> str | None:
        if problem := super()._validate_username(username, verbose_field_name, database):  # type: ignore[misc]
            return str(problem)
        try:
            with unit_of_work():
                claim_account_name(username)
        except Refusal as refusal:
            return f"{refusal.message} {refusal.way_out}"
        return None
