"""FR-009, FR-011: accounts in the history: made, renamed, closed, roles, rights.

What was recorded stays true.
"""

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from orchestrator.core.terms import Role
from orchestrator.models import HistoryEntry
from orchestrator.models.base.guards import drop_guards, install_guards
from tests.acceptance.signing_in import PASSWORD, at, enrol, is_in, sign_in
from tests.cast import Cast, Driver, UserFactory
from tests.management.test_verify_history import verified
from tests.web.pages import signed_in

TWO_SIGNATURES = b"""# Plan: Two look at it

## Stages

### Stage 1: Build

##### Batch 01: parts

###### Thread 01: part
- Role: contributor
- A1: Build the part
  - Exit: it is there

##### Gate G1: Looked at
- Reviewers: reviewer
- Approvals: 2

##### Batch 02: document

###### Thread 01: manual
- Role: contributor
- D1: Describe it
  - Exit: it is described
"""


#: What is noted of a password that somebody else chose.
OWES = {"owes": "a password of its own"}


def said() -> list[tuple[str, str, str, dict[str, Any]]]:
    found = HistoryEntry.objects.filter(workstream=None).exclude(action="signed in").order_by("sequence")
    return [(one.actor, one.action, one.subject, json.loads(one.leaf)["data"]) for one in found]


def form(user: User, **changed: Any) -> dict[str, Any]:
    """The administration's form as it would be sent, with what is changed in it."""
    flags = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    groups = list(user.groups.values_list("pk", flat=True))
    given = {"username": user.username, "first_name": "", "last_name": "", "email": "", "groups": groups}
    return {name: value for name, value in (given | flags | changed).items() if value is not None}


def save(root: Client, user: User, **changed: Any) -> None:
    answer = root.post(f"/admin/auth/user/{user.pk}/change/", form(user, **changed))
    assert answer.status_code == 302, answer.context["errors"]


@pytest.fixture
def root(cast: Cast) -> Client:
    return signed_in(cast.admin)


def test_fr009_an_account_that_is_renamed_leaves_the_history_whole(driver: Driver, root: Client) -> None:
    driver.start()
    driver.do("A1")
    save(root, driver.cast.approver, username="anna-maria")
    assert verified() == (0, verified()[1])
    assert verified()[0] == 0
    approved = HistoryEntry.objects.get(action="plan approved")
    assert (approved.actor, approved.account, approved.user.get_username()) == ("anna", "anna", "anna-maria")
    assert said() == [
        *said()[:-1],
        ("root", "account renamed", "anna-maria", {"from": "anna", "to": "anna-maria"}),
    ]


def test_fr009_signatures_of_an_open_gate_are_known_under_a_new_name(driver: Driver, root: Client) -> None:
    driver.start(TWO_SIGNATURES)
    driver.do("A1")
    driver.sign("G1")
    assert driver.task("G1").status == "review", "another signature is due"
    save(root, driver.cast.reviewer, username="rita-maria")
    assert verified()[0] == 0


def test_fr009_an_account_that_was_put_into_an_entry_afterwards_is_found(driver: Driver) -> None:
    driver.start()
    entry = HistoryEntry.objects.get(action="plan approved")
    drop_guards()
    HistoryEntry.objects.filter(pk=entry.pk).update(user=driver.cast.observer)
    install_guards()
    code, told = verified()
    assert (code, f"Entry {entry.sequence} is bad" in told) == (1, True)


def test_fr009_the_administration_records_what_it_does_with_accounts(cast: Cast, root: Client) -> None:
    reviewers = Group.objects.get(name="reviewer").pk
    for changed in ({"groups": [reviewers], "is_staff": "on"}, {"is_active": None}, {"is_active": "on"}):
        save(root, User.objects.get(username="otto"), **changed)
    assert said() == [
        ("root", "role given", "otto", {"role": "reviewer"}),
        ("root", "role taken", "otto", {"role": "observer"}),
        ("root", "right given", "otto", {"right": "is_staff"}),
        ("root", "account deactivated", "otto", {}),
        ("root", "account activated", "otto", {}),
    ]


def test_fr009_an_account_made_in_the_administration_is_an_entry(cast: Cast, root: Client) -> None:
    given = {
        "username": "nora",
        "usable_password": "true",
        "password1": "three grey geese",
        "password2": "short",
    }
    assert root.post("/admin/auth/user/add/", given | {"password1": "short"}).status_code == 200, (
        "a weak password"
    )
    assert said() == []
    assert root.post("/admin/auth/user/add/", given | {"password2": "three grey geese"}).status_code == 302
    assert said() == [("root", "account made", "nora", OWES)]


def test_fr009_a_password_given_in_the_administration_ends_sessions(
    client: Client, cast: Cast, root: Client
) -> None:
    sign_in(client, "otto")
    given = {"usable_password": "true", "password1": "three grey geese", "password2": "three grey geese"}
    assert root.post(f"/admin/auth/user/{cast.observer.pk}/password/", given).status_code == 302
    assert said() == [("root", "password changed", "otto", OWES)]
    assert not is_in(client)
    assert sign_in(client, "otto", "three grey geese").status_code == 302


def test_nobody_but_an_administrator_changes_accounts(cast: Cast) -> None:
    """The right to change accounts would be the right to become an administrator."""
    stan = UserFactory(username="stan", is_staff=True, roles=[Role.OBSERVER])
    stan.user_permissions.set(
        stan.user_permissions.model.objects.filter(codename__in=["change_user", "view_user"])
    )
    client = signed_in(stan)
    page = f"/admin/auth/user/{stan.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, form(stan, is_superuser="on")).status_code == 403
    stan.refresh_from_db()
    assert not stan.is_superuser


def test_fr009_accounts_made_by_a_command_are_entries(db) -> None:
    call_command("add_user", "nora", "--role", "reviewer", "--role", "observer", stdout=io.StringIO())
    assert said() == [
        ("command line", "account made", "nora", OWES),
        ("command line", "role given", "nora", {"role": "observer"}),
        ("command line", "role given", "nora", {"role": "reviewer"}),
    ]


def test_fr009_an_administrator_made_by_a_command_is_an_entry(db, monkeypatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "three grey geese")
    options = ["--noinput", "--username", "boss", "--email", "boss@example.org"]
    call_command("createsuperuser", *options, stdout=io.StringIO())
    assert ("command line", "account made", "boss", OWES) in said()
    assert ("command line", "right given", "boss", {"right": "is_superuser"}) in said()


def test_fr009_a_password_given_by_a_command_is_an_entry_and_ends_sessions(
    client: Client, cast: Cast, monkeypatch
) -> None:
    sign_in(client, "anna")
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_named: "three grey geese")
    call_command("changepassword", "anna", stdout=io.StringIO())
    assert said() == [("command line", "password changed", "anna", OWES)]
    assert not is_in(client)


def test_an_account_is_signed_out_by_a_command(client: Client, cast: Cast) -> None:
    with at():
        sign_in(client, "anna")
        enrol(client)
    out = io.StringIO()
    with at(minutes=1):
        call_command("sign_out", "anna", stdout=out)
        assert not is_in(client)
        assert sign_in(client, "anna", PASSWORD)["Location"] == "/accounts/login/code/"
    with at(minutes=2):
        call_command("sign_out", "anna", "--reset-second-factor", stdout=out)
        assert sign_in(client, "anna", PASSWORD)["Location"] == "/"
    with pytest.raises(CommandError, match="has no authenticator app"):
        call_command("sign_out", "anna", "--reset-second-factor", stdout=out)
    assert [entry[:3] for entry in said()][1:] == [
        ("command line", "signed out everywhere", "anna"),
        ("command line", "second factor reset", "anna"),
    ]


def test_fr009_the_demo_may_give_a_short_password_and_its_accounts_are_entries(db, monkeypatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "demo")
    call_command("setup_demo", stdout=io.StringIO())
    made = [entry[2] for entry in said() if entry[1] == "account made"]
    assert made == [*(role.value for role in Role), "admin", "builders"]
    assert User.objects.get(username="approver").check_password("demo")
    assert verified()[0] == 0
