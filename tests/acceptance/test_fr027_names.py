"""FR-011, FR-027: nobody takes a name that is read as somebody else's, whichever way the name is made."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.management.accounts import add_account
from orchestrator.models import AccessToken, Executor
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Cast
from tests.races.contest import contest, refused
from tests.web.pages import signed_in, words

TOKEN = {"kind": "agent", "label": "laptop", "scopes": ["read"]}
#: What a name is taken for.
ALIKE = {
    "an account": "anna",
    "an account in capitals": "ANNA",
    "an account with a digit": "car1",
    "a role": "reviewer",
    "a role in capitals": "Approver",
    "a role with a capital I": "Inltlator",
    "the orchestrator": "orchestrator",
    "the orchestrator with a zero": "0rchestrat0r",
    "the orchestrator in capitals": "Orchestrator",
    "an executor": "BUILDER-1",
    "an executor with a letter": "builder-l",
    "an executor with another stroke": "builder_1",
    "an executor with two letters for one": "farrn",
}
#: What no name may hold, with what it would be taken for.
UNFIT = {
    "Cyrillic letters": "\u0430nna",
    "full width": "\uff41nna",
    "zero width": "an\u200bna",
    "a blank": "anna ",
    "an accent": "ann\u00e1",
    "an accent of its own": "anna\u0301",
    "a tag": "anna\U000e0041",
    "the other direction": "\u202eanna",
    "a stroke at its end": "anna-",
    "nothing": "",
    "too much": "a" * 151,
}


@pytest.fixture
def others(cast: Cast) -> Cast:
    cast.builder("builder-1")
    cast.builder("farm")
    return cast


def offer(cast: Cast, name: str) -> tuple[int, str]:
    """The status and the words of the page on which a reviewer asks for an executor of this name."""
    answer = signed_in(cast.reviewer).post("/tokens/", TOKEN | {"executor": name})
    return answer.status_code, words(answer)


@pytest.mark.parametrize("name", (ALIKE | UNFIT).values(), ids=(ALIKE | UNFIT).keys())
def test_fr027_no_executor_is_called_like_somebody_else(others: Cast, name: str) -> None:
    before = Executor.objects.count()
    status, said = offer(others, name)
    # Its very own name belongs to another account.
    assert status == (403 if name == "builder-1" else 422), said
    with pytest.raises(CommandError):
        call_command("create_token", "--executor", name, "--user", "rita", stdout=StringIO())
    assert Executor.objects.count() == before
    assert not AccessToken.objects.exists()


def test_fr027_a_refused_name_says_whom_it_resembles(others: Cast) -> None:
    assert (
        "builder-l looks like the name of the executor builder-1. Choose another name."
        in offer(others, "builder-l")[1]
    )
    assert "anna is the name of the account anna." in offer(others, "anna")[1]
    assert "0rchestrat0r would be taken for the orchestrator itself." in offer(others, "0rchestrat0r")[1]


def test_fr027_a_name_of_ones_own_is_free(others: Cast) -> None:
    assert offer(others, "builder-2")[0] == 200
    assert Executor.objects.get(name="builder-2").kind == ExecutorKind.AGENT


def test_fr027_an_executor_stays_what_it_was_registered_as(others: Cast) -> None:
    page = signed_in(others.contributor).post("/tokens/", TOKEN | {"executor": "builder-1", "kind": "person"})
    assert page.status_code == 422
    assert "The executor builder-1 is registered as agent, not as person." in words(page)
    assert not AccessToken.objects.exists()


# -- accounts

ACCOUNTS = {what: name for what, name in (ALIKE | UNFIT).items() if what != "an account"}


def form(name: str, **more: object) -> dict[str, object]:
    return {
        "username": name,
        "usable_password": "false",
        "date_joined_0": "2026-03-04",
        "date_joined_1": "12:00",
    } | more


@pytest.mark.parametrize("name", ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_fr011_no_account_is_made_that_looks_like_another_name(others: Cast, name: str) -> None:
    before = set(User.objects.values_list("username", flat=True))
    with pytest.raises(CommandError):
        call_command("add_user", name, "--role", "observer", stdout=StringIO())
    with pytest.raises(CommandError):
        call_command("createsuperuser", "--noinput", "--username", name, "--email", "", stdout=StringIO())
    assert signed_in(others.admin).post("/admin/auth/user/add/", form(name)).status_code == 200
    assert set(User.objects.values_list("username", flat=True)) == before


@pytest.mark.parametrize("name", ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_fr011_no_account_is_renamed_to_look_like_another_name(others: Cast, name: str) -> None:
    answer = signed_in(others.admin).post(f"/admin/auth/user/{others.observer.pk}/change/", form(name))
    assert answer.status_code == 200
    assert User.objects.get(pk=others.observer.pk).username == "otto"


def test_fr011_an_account_keeps_its_name_and_gets_a_new_one_that_is_free(others: Cast) -> None:
    address = f"/admin/auth/user/{others.observer.pk}/change/"
    admin = signed_in(others.admin)
    assert admin.post(address, form("otto", first_name="Otto")).status_code == 302
    assert admin.post(address, form("otto.k")).status_code == 302
    assert User.objects.get(pk=others.observer.pk).username == "otto.k"
    assert admin.post("/admin/auth/user/add/", form("olga")).status_code == 302
    call_command("createsuperuser", "--noinput", "--username", "vera", "--email", "", stdout=StringIO())
    assert User.objects.get(username="vera").is_superuser


def test_fr011_the_demos_people_are_called_like_their_roles(db: None) -> None:
    call_command("setup_demo", stdout=StringIO())
    for role in Role:
        assert [group.name for group in User.objects.get(username=role.value).groups.all()] == [role.value]
    with pytest.raises(CommandError, match="would be taken for the role reviewer"):
        call_command("add_user", "Reviewer", "--role", "observer", stdout=StringIO())


# -- at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_fr028_names_alike_that_are_asked_for_at_once_are_given_once(cast: Cast) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("acts overlap on PostgreSQL only: name a server in DATABASE_URL")
    for number in range(8):
        names = [f"Twin{number}", f"tw1n{number}", f"twin{number}"]
        made = contest(
            lambda name=names[0]: add_account(name, Role.OBSERVER),
            lambda name=names[1]: register_executor(
                name=name, kind=ExecutorKind.AGENT, user=cast.reviewer, now=NOON
            ),
            lambda name=names[2]: register_executor(
                name=name, kind=ExecutorKind.AGENT, user=cast.contributor, now=NOON
            ),
        )
        assert sum(not refused(one) for one in made) == 1, made


# -- a person's token


@pytest.fixture
def own(cast: Cast) -> Executor:
    return register_executor(name="rita-laptop", kind=ExecutorKind.PERSON, user=cast.reviewer, now=NOON)


def test_fr027_a_persons_token_is_made_by_that_person_in_the_browser(cast: Cast, own: Executor) -> None:
    form = TOKEN | {"executor": own.name, "kind": "person"}
    assert signed_in(cast.admin).post("/tokens/", form).status_code == 403
    assert signed_in(cast.approver).post("/tokens/", form).status_code == 403
    assert not AccessToken.objects.exists()
    assert signed_in(cast.reviewer).post("/tokens/", form).status_code == 200
    assert AccessToken.objects.get().executor == own


@pytest.mark.parametrize("account", [[], ["--user", "rita"], ["--user", "root"]])
def test_fr027_no_command_makes_a_persons_token(cast: Cast, own: Executor, account: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_token", "--executor", own.name, *account, stdout=StringIO())
    assert not AccessToken.objects.exists()


def test_fr027_no_command_acts_as_a_persons_executor(cast: Cast, own: Executor) -> None:
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("call", "GET", "/api/tasks/", "--executor", own.name, stdout=said)
    assert "acts in the browser or with a token of their own" in said.getvalue()
    with pytest.raises(CommandError, match="acts in the browser or with a token of their own"):
        call_command("mcp", "--executor", own.name)


def test_fr027_the_page_says_what_a_persons_token_is(client: Client, cast: Cast, own: Executor) -> None:
    client.force_login(cast.reviewer)
    assert "the history says “with a token”" in words(client.get("/tokens/"))
