"""`manage.py setup_demo`.

Roles, one account per role, executors, sample repository, policy and demo workstreams.
"""

import os
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.utils import timezone

from orchestrator.core.terms import Role
from orchestrator.management import accounts, demo


class Command(BaseCommand):
    help = "Set up accounts and the demo; what is there already stays as it is."
    # The operator sees the system checks when everything starts; here they would bury the answer.
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        self._accounts()
        now = timezone.now()
        accounts.ensure_executors(3, now)
        if demo.make_sample_repository():
            self.stdout.write("Made the sample repository.")
        people = {role: User.objects.get(username=role.value) for role in (Role.INITIATOR, Role.APPROVER)}
        demo.write_policy(people[Role.APPROVER], now)
        for title in demo.submit_demo_plans(people[Role.INITIATOR], people[Role.APPROVER], now):
            self.stdout.write(f"Submitted “{title}”.")
        if demo.name_stub_agent():
            self.stdout.write("Named the stub agent in executors.toml: it does the first step of its plan.")

    def _accounts(self) -> None:
        """Passwords are printed when an account is made and never again.

        DEMO_PASSWORD gives all of them one.
        """
        given = os.environ.get("DEMO_PASSWORD", "")
        made = False
        wanted: list[tuple[str, tuple[Role, ...]]] = [(role.value, (role,)) for role in Role]
        for name, roles in [*wanted, ("admin", ())]:
            password = accounts.add_account(
                name, *roles, password=given, superuser=name == "admin", demo=True
            )
            if password is not None:
                made = True
                shown = "the one in DEMO_PASSWORD" if given else password
                self.stdout.write(f"Account {name:<12} password {shown}")
        if made and not given:
            self.stdout.write("Lost a password? `python manage.py changepassword NAME` sets a new one.")
