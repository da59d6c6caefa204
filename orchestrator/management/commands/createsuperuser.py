"""`manage.py createsuperuser`: Django's own, with a name that nobody can take for another one's (FR-011)."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db import transaction

from orchestrator.core.errors import Refusal
from orchestrator.services.names import claim_account_name


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """In one transaction, so that the name which was looked for is still free when the account is made."""
        if options["interactive"]:
            # Nobody waits behind the names lock while a person types a password.
            super().handle(*args, **options)
            return
        with transaction.atomic():
            super().handle(*args, **options)

    def _validate_username(self, username: str, verbose_field_name: str, database: str) -> str | None:
        if problem := super()._validate_username(username, verbose_field_name, database):  # type: ignore[misc]
            return str(problem)
        try:
            with transaction.atomic():
                claim_account_name(username)
        except Refusal as refusal:
            return f"{refusal.message} {refusal.way_out}"
        return None
