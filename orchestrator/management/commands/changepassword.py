"""`manage.py changepassword NAME`: Django's own command, whose effect stands in the history as well."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import User
from django.utils import timezone

from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.people.accounts import COMMAND_LINE, account_state, record_password


class Command(changepassword.Command):
    help = "Give an account a new password; wherever it was signed in, it is signed out."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> str | None:
        account = User.objects.filter(username=options["username"]).first()
        before = account_state(account.pk) if account else None
        # The question for the password is asked outside any transaction: somebody may take long over it.
        said: str | None = super().handle(*args, **options)
        if account is not None:
            with unit_of_work():
                account.refresh_from_db()
                record_password(account=account, before=before, actor=COMMAND_LINE, now=timezone.now())
        return said
