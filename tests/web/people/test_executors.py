"""The page of an executor: its tokens and its retirement, and who may do what there (FR-027)."""

import io
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from orchestrator.core.errors import NotAllowed
from orchestrator.core.terms import ExecutorKind, Role, Scope
from orchestrator.models import AccessToken, Executor, HistoryEntry
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import every_act
from orchestrator.services.people.executors import issue_token, register_executor
from orchestrator.services.sealing.anchors import seal_and_anchor
from tests.cast import NOON, Cast, Driver
from tests.web.pages import signed_in, words

PAGE = "/operating/executors/hands/"


@pytest.fixture
def hands(cast: Cast) -> Executor:
    made = register_executor(name="hands", kind=ExecutorKind.AGENT, user=cast.contributor, now=NOON)
    for label in ("one", "two"):
        actor = Actor.person(cast.contributor)
        issue_token(executor=made, label=label, scopes=frozenset({"work"}), actor=actor, now=NOON)
    return made


def administrator(cast: Cast) -> Client:
    cast.approver.is_superuser = True
    cast.approver.save()
    return signed_in(cast.approver)


def test_an_administrator_makes_and_revokes_tokens_and_retires_an_executor(
    hands: Executor, cast: Cast
) -> None:
    client = administrator(cast)
    assert 'href="/operating/executors/hands/"' in client.get("/operating/").content.decode()
    made = client.post(PAGE, {"label": "three", "days": "7", "scopes": ["read"]})
    assert "Copy the token of hands now" in words(made)
    assert hands.tokens.filter(revoked_at=None).count() == 3
    token = AccessToken.objects.get(label="one")
    client.post(f"{PAGE}revoke", {"token": token.pk})
    assert "hands is retired: 2 tokens revoked." in words(client.post(f"{PAGE}retire", follow=True))
    assert not hands.tokens.filter(revoked_at=None).exists()
    assert HistoryEntry.objects.filter(action="token revoked").count() == 3
    assert "hands is retired: 0 tokens revoked." in words(client.post(f"{PAGE}retire", follow=True))


def test_its_owner_may_and_an_approver_only_looks(hands: Executor, cast: Cast) -> None:
    approver = signed_in(cast.approver)
    assert "carl and administrators manage it." in words(approver.get(PAGE))
    assert approver.post(f"{PAGE}retire").status_code == 403
    assert approver.post(PAGE, {"label": "x", "days": "7", "scopes": ["read"]}).status_code == 403
    assert signed_in(cast.initiator).get(PAGE).status_code == 404, "neither operates nor owns it"
    assert "hands is retired" in words(signed_in(cast.contributor).post(f"{PAGE}retire", follow=True))


def test_the_checkpoint_is_a_file_that_the_command_compares(driver: Driver, cast: Cast, tmp_path) -> None:
    driver.start()
    seal_and_anchor(now=driver.tick())
    assert "Download the checkpoint" in words(signed_in(cast.approver).get("/operating/"))
    answer = signed_in(cast.approver).get("/log/checkpoint")
    kept = tmp_path / "checkpoint.txt"
    kept.write_bytes(answer.content)
    assert kept.read_text().split("\n")[1] == str(HistoryEntry.objects.count())
    call_command("verify_history", "--checkpoint", str(kept), stdout=io.StringIO())
    said = io.StringIO()
    for text in (answer.content.decode().replace("orchestrator", "other", 1), "[]"):
        kept.write_text(text)
        with pytest.raises(SystemExit):
            call_command("verify_history", "--checkpoint", str(kept), stdout=said)
        assert "is not valid" in said.getvalue()


def test_the_page_says_which_tools_there_are(cast: Cast) -> None:
    shown = words(signed_in(cast.approver).get("/operating/"))
    assert "pytest ruff script" in shown


def test_who_may_make_no_token_of_an_executor_sees_no_form_for_it(cast: Cast) -> None:
    """A person's executor acts as that person."""
    register_executor(name="carl-himself", kind=ExecutorKind.PERSON, user=cast.contributor, now=NOON)
    address = "/operating/executors/carl-himself/"
    shown = administrator(cast).get(address)
    assert "acts as the person carl, who alone can make it" in words(shown)
    assert b"Make the token" not in shown.content
    assert b"Make the token" in signed_in(cast.contributor).get(address).content


def offered(page: Any) -> list[str]:
    return re.findall(r'name="scopes" value="(\w+)"', page.content.decode())


def test_fr011_a_token_of_an_observer_reads_and_is_offered_nothing_else(cast: Cast) -> None:
    client = signed_in(cast.observer)
    page = client.get("/tokens/")
    assert "Its account only looks on" in words(page)
    assert offered(page) == ["read"]
    assert re.findall(r'value="(\w+)"[^>]*checked', page.content.decode()) == ["read"]
    form = {"executor": "olgas-eyes", "kind": "agent", "label": "x", "scopes": ["read", "work"], "days": "7"}
    refused = client.post("/tokens/", form)
    assert refused.status_code == 422
    assert "“work” is none of what such a token can be used for." in words(refused)
    assert not AccessToken.objects.exists()
    assert client.post("/tokens/", form | {"scopes": ["read"]}).status_code == 200
    assert AccessToken.objects.get().scopes == "read"
    page = signed_in(cast.contributor).get("/tokens/")
    assert "Its account only looks on" not in words(page)
    assert offered(page) == ["manage", "read", "work"]
    assert re.findall(r'value="(\w+)"[^>]*checked', page.content.decode()) == ["read", "work"]


def test_fr011_an_administrator_is_offered_what_the_account_of_the_executor_can_use(cast: Cast) -> None:
    """Not what the administrator could: the token acts with the roles of that account."""
    eyes = register_executor(name="eyes", kind=ExecutorKind.AGENT, user=cast.observer, now=NOON)
    address, client = "/operating/executors/eyes/", administrator(cast)
    assert offered(client.get(address)) == ["read"]
    assert client.post(address, {"label": "x", "scopes": ["manage"], "days": "7"}).status_code == 422
    boss = Actor.person(cast.approver)
    boss.account.is_superuser = True
    with pytest.raises(NotAllowed, match=r"only looks on, .* cannot have the scope manage or work"):
        issue_token(executor=eyes, label="x", scopes=frozenset(Scope), actor=boss, now=NOON)
    assert not AccessToken.objects.exists()


def test_fr011_the_command_makes_what_the_account_can_use(cast: Cast) -> None:
    new = ("create_token", "--executor", "eyes", "--user", cast.observer.username)
    with pytest.raises(CommandError, match="cannot have the scope work"):
        call_command(*new, "--scope", "work", stdout=io.StringIO())
    call_command(*new, stdout=io.StringIO())
    assert AccessToken.objects.get().scopes == "read"


def test_fr011_no_act_that_works_or_manages_is_left_to_observers_but_what_names_the_person() -> None:
    """So what their tokens cannot be used for is what they could not do with them."""
    open_to_them = {
        one.name
        for one in every_act()
        if one.declaration.scope in {Scope.WORK, Scope.MANAGE} and one.is_open_to([Role.OBSERVER])
    }
    assert open_to_them == {
        "gates.approve_gate",
        "gates.reject_gate",
        "signatures.withdraw_signature",
        "subscriptions.subscribe",
        "subscriptions.unsubscribe",
    }
