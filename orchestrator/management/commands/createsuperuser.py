"""`manage.py createsuperuser`: Django's own command; the new administrator stands in the history."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User
from django.utils import timezone

from orchestrator.services.accounts import COMMAND_LINE, record_changes
from orchestrator.services.unit_of_work import unit_of_work


class Command(createsuperuser.Command):
    help = "Make an administrator."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> str | None:
        before = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
        said: str | None = super().handle(*args, **options)
        with unit_of_work():
            for account in User.objects.filter(is_superuser=True).exclude(pk__in=before):
                record_changes(account=account, before=None, actor=COMMAND_LINE, now=timezone.now())
        return said
