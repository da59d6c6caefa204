"""Policies with their change log; approvers change them (LC-11)."""

import pytest
from django.test import Client

from orchestrator.models import HistoryEntry, Policy, PolicyChange
from orchestrator.services.workstreams.policies import change_policy
from orchestrator.web.markdown import LIMIT, to_html
from tests.cast import NOON, Cast

CHANGE = {
    "title": "Done",
    "body": "# Done\n\n- *tests* pass",
    "reason": "Tests were missing.",
    "impact": "None.",
}


@pytest.fixture
def policy(cast: Cast) -> Policy:
    return change_policy(
        slug="workstream-dod",
        title="Done",
        body="Old text\nin two lines",
        reason="First.",
        impact="None.",
        actor=cast.actor("approver"),
        now=NOON,
    )


def test_an_approver_changes_it_and_the_log_says_why(client: Client, cast: Cast, policy: Policy) -> None:
    client.force_login(cast.approver)
    assert client.post("/policies/workstream-dod/", CHANGE).status_code == 302
    text = client.get("/policies/workstream-dod/").content.decode()
    assert "<em>tests</em> pass" in text
    assert "Tests were missing." in text
    assert "Old text" in text  # the change before, in the log
    assert HistoryEntry.objects.filter(action="policy changed", reason="Tests were missing.").count() == 1


def test_a_reason_is_needed_and_what_was_typed_stays(client: Client, cast: Cast, policy: Policy) -> None:
    client.force_login(cast.approver)
    response = client.post("/policies/workstream-dod/", CHANGE | {"reason": " "})
    assert response.status_code == 422
    assert "tests* pass" in response.content.decode()
    assert PolicyChange.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"impact": " "}, "This field is required"),
        ({"body": "Old text\nin two lines"}, "The policy says exactly this already"),
        # A browser ends the lines of what it sends in its own way.
        ({"body": "Old text\r\nin two lines"}, "The policy says exactly this already"),
    ],
)
def test_fr022_a_change_says_what_it_means_and_an_identical_text_is_none(
    client: Client, cast: Cast, policy: Policy, changed: dict[str, str], said: str
) -> None:
    client.force_login(cast.approver)
    response = client.post("/policies/workstream-dod/", CHANGE | changed)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert PolicyChange.objects.count() == 1


def test_others_read_only(client: Client, cast: Cast, policy: Policy) -> None:
    client.force_login(cast.contributor)
    assert "An approver can change it" in client.get("/policies/workstream-dod/").content.decode()
    assert client.post("/policies/workstream-dod/", CHANGE).status_code == 403
    policy.refresh_from_db()
    assert policy.body == "Old text\nin two lines"


def test_an_approver_writes_the_first_one(client: Client, cast: Cast) -> None:
    client.force_login(cast.observer)
    assert client.post("/policies/", CHANGE | {"slug": "workstream-dod"}).status_code == 403
    client.force_login(cast.approver)
    assert client.post("/policies/", CHANGE | {"slug": "workstream-dod"}).status_code == 302
    assert Policy.objects.get().title == "Done"
    again = client.post("/policies/", CHANGE | {"slug": "workstream-dod"})
    assert again.status_code == 422
    assert "open it and change it there" in again.content.decode()
    assert PolicyChange.objects.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "<svg onload=alert(1)>",
        "![x](data:image/svg+xml;base64,AAAA)",
        '[x](https://a.example "\' onmouseover=alert(1)")',
        "<a href=`javascript:alert(1)`>x</a>",
    ],
)
def test_b19_markdown_is_inert(text: str) -> None:
    html = to_html(text)
    assert not any(tag in html for tag in ("<script", "<svg", "<img", 'href="javascript'))
    assert " onmouseover=" not in html.replace("' onmouseover=alert(1)", "")


@pytest.mark.parametrize("text", ["*" * 20_000, "![[" * 6_600, "> " * 10_000, "- " * 10_000, "**x" * 6_600])
def test_b22_deep_nesting_is_inert(text: str) -> None:
    html = to_html(text)
    assert html
    assert "<script" not in html


def test_b22_a_text_beyond_the_limit_is_shown_as_it_stands() -> None:
    assert to_html("*" * LIMIT + "<script>") == f"<pre>{'*' * LIMIT}&lt;script&gt;</pre>"
