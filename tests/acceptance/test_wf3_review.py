"""WF-3: a plan is reviewed in the browser: comments, changes since the last decision, sections that were
viewed.
"""

import re

import pytest
from django.test import Client

from orchestrator.models import Comment, Discussion, HistoryEntry, WorkflowVersion
from orchestrator.queries.plans.plans import find_version
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review.decisions import send_back_version
from tests.cast import PLAN, Driver
from tests.web.pages import signed_in, words

GROWN = PLAN.replace(
    b"- A2: Ledger report", b"- A3: Ledger archive\n  - Exit: archive is kept\n- A2: Ledger report"
)
#: The line of `- B1: Gateway call`.
LINE = PLAN.decode().splitlines().index("- B1: Gateway call") + 1


@pytest.fixture
def version(driver: Driver) -> WorkflowVersion:
    return driver.submit().version


def page(version: WorkflowVersion, query: str = "") -> str:
    return f"/plans/{version.workflow.slug}/v{version.number}/{query}"


def comment(client: Client, version: WorkflowVersion, act: str = "add", **fields: object):
    return client.post(page(version, f"comments/{act}"), fields)


def decide(client: Client, version: WorkflowVersion, decision: str, reason: str = ""):
    seen = {"version_id": version.pk, "seen_sha256": version.source_sha256}
    return client.post(page(version, "decide"), {"decision": decision, "reason": reason} | seen)


def next_version(driver: Driver, source: bytes) -> WorkflowVersion:
    return submit_plan(
        source=source,
        source_name="PLAN.md",
        actor=driver.cast.actor("initiator"),
        now=driver.tick(),
        workstream=driver.reload(),
        change_reason="What was asked for.",
    ).version


def test_wf3_a_draft_is_its_authors_own_until_the_decision_sends_it(
    driver: Driver, version: WorkflowVersion
) -> None:
    rita, anna = signed_in(driver.cast.reviewer), signed_in(driver.cast.approver)
    answer = comment(rita, version, line=LINE, body="Which gateway?")
    discussion = Discussion.objects.get()
    assert answer.headers["Location"].endswith(f"#discussion-{discussion.pk}")
    assert "Which gateway?" in words(rita.get(page(version)))
    assert "Which gateway?" not in words(anna.get(page(version)))
    decide(rita, version, "send-back", "See my comment.")
    text = words(anna.get(page(version)))
    assert "Which gateway?" in text
    assert f"rita on v1, line {LINE}" in text
    assert f"Line {LINE} : Which gateway?" in text, "the notice lists what is open"
    entries = list(HistoryEntry.objects.filter(user=driver.cast.reviewer).values_list("action", flat=True))
    assert sorted(entries) == ["comments sent", "plan sent back"]


def test_wf3_a_decision_that_is_refused_sends_nothing(driver: Driver, version: WorkflowVersion) -> None:
    rita = signed_in(driver.cast.reviewer)
    comment(rita, version, line=LINE, body="Which gateway?")
    assert decide(rita, version, "send-back").status_code == 422, "a reason is missing"
    assert Comment.objects.get().sent_at is None


def test_wf3_comments_follow_to_the_next_version_or_are_outdated(
    driver: Driver, version: WorkflowVersion
) -> None:
    rita = signed_in(driver.cast.reviewer)
    exits = PLAN.decode().splitlines().index("  - Exit: contract test passes") + 1
    comment(rita, version, line=LINE, body="About the call")
    comment(rita, version, line=exits, body="About the test")
    comment(rita, version, step="A2", body="About the report", then="send")
    new = next_version(driver, GROWN.replace(b"contract test passes", b"contract tests pass"))
    text = words(signed_in(driver.cast.initiator).get(page(new, "?since=0")))
    assert f"rita on v1, line {LINE} · still applies to v2" in text
    assert f"rita on v1, line {exits} · outdated" in text
    assert "rita on v1, step A2 · still applies to v2" in text
    body = signed_in(driver.cast.initiator).get(page(new, "?since=0")).content.decode()
    assert body.index(f'id="L{LINE + 2}"') < body.index("About the call") < body.index(f'id="L{LINE + 3}"')


def test_wf3_a_step_that_was_changed_says_so_beside_its_comment(
    driver: Driver, version: WorkflowVersion
) -> None:
    comment(signed_in(driver.cast.reviewer), version, step="A2", body="About the report", then="send")
    new = next_version(driver, PLAN.replace(b"report shows refunds", b"report shows every refund"))
    assert "step A2 · the step changed since" in words(signed_in(driver.cast.observer).get(page(new)))


def test_wf3_threads_are_answered_resolved_and_opened_again(driver: Driver, version: WorkflowVersion) -> None:
    rita, ines = signed_in(driver.cast.reviewer), signed_in(driver.cast.initiator)
    comment(rita, version, line=LINE, body="Which gateway?", then="send")
    discussion = Discussion.objects.get()
    comment(ines, version, "reply", discussion=discussion.pk, body="The new one.", then="send")
    assert "1 open comment" in words(rita.get(page(version)))
    comment(ines, version, "resolve", discussion=discussion.pk)
    text = words(rita.get(page(version)))
    assert "Resolved by ines" in text
    assert "open comment" not in text
    comment(rita, version, "reopen", discussion=discussion.pk)
    assert "1 open comment" in words(rita.get(page(version)))
    actions = HistoryEntry.objects.filter(action__startswith="discussion").values_list(
        "action", "user__username"
    )
    assert sorted(actions) == [("discussion re-opened", "rita"), ("discussion resolved", "ines")]
    again = comment(rita, version, "reopen", discussion=discussion.pk)
    assert (again.status_code, "open already" in words(again)) == (409, True)


def test_wf3_a_draft_is_changed_or_thrown_away_and_a_sent_one_is_neither(
    driver: Driver, version: WorkflowVersion
) -> None:
    rita, anna = signed_in(driver.cast.reviewer), signed_in(driver.cast.approver)
    comment(rita, version, line=LINE, body="Hm")
    draft = Comment.objects.get()
    assert comment(anna, version, "change", comment=draft.pk, body="Mine now").status_code == 404
    comment(rita, version, "change", comment=draft.pk, body="Which gateway?")
    assert Comment.objects.get().body == "Which gateway?"
    comment(rita, version, "discard", comment=draft.pk)
    assert "Which gateway?" not in words(rita.get(page(version)))
    comment(rita, version, line=LINE, body="Which gateway?", then="send")
    sent = Comment.objects.get(sent_at__isnull=False)
    assert comment(rita, version, "change", comment=sent.pk, body="Never said").status_code == 409
    assert comment(rita, version, "discard", comment=sent.pk).status_code == 409
    assert Comment.objects.get(pk=sent.pk).body == "Which gateway?"
    assert comment(rita, version, "change", comment=draft.pk, body="Back").status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"line": 5, "body": " "}, 422, "says nothing"),
        ({"line": 9999, "body": "x"}, 422, "no line 9999"),
        ({"line": 5, "step": "A1", "body": "x"}, 422, "not on both"),
        ({"line": "five", "body": "x"}, 422, "whole number"),
    ],
)
def test_wf3_a_comment_that_cannot_stand_is_refused_and_what_was_typed_is_kept(
    driver: Driver, version: WorkflowVersion, fields: dict, status: int, said: str
) -> None:
    answer = comment(signed_in(driver.cast.reviewer), version, **fields)
    assert (answer.status_code, said in words(answer)) == (status, True)
    assert fields["body"].strip() in answer.content.decode()
    assert not Discussion.objects.exists()


def test_wf3_observers_read_comments_and_write_none(driver: Driver, version: WorkflowVersion) -> None:
    otto = signed_in(driver.cast.observer)
    assert comment(otto, version, line=LINE, body="Hello").status_code == 403
    assert "Keep as draft" not in words(otto.get(page(version)))


def test_wf3_changes_since_the_readers_own_last_decision_come_first(
    driver: Driver, version: WorkflowVersion
) -> None:
    rita = driver.cast.actor("reviewer")
    send_back_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        reason="Archive.",
        actor=rita,
        now=driver.tick(),
    )
    next_version(driver, PLAN.replace(b"manual exists", b"manual is read"))
    newest = next_version(driver, GROWN)
    mine = words(signed_in(driver.cast.reviewer).get(page(newest)))
    assert "Changes since version 1" in mine
    assert "Version 3 adds 1 task." in mine
    assert "Tasks 6 → 7" in mine
    assert "2 added, 0 removed" in mine
    others = words(signed_in(driver.cast.approver).get(page(newest)))
    assert "Changes since version 2" in others
    assert "changes the exit criteria of D1" in others


def test_wf3_any_two_versions_are_compared(driver: Driver, version: WorkflowVersion) -> None:
    for text in (b"manual is read", b"manual is printed"):
        next_version(driver, PLAN.replace(b"manual exists", text))
    client = signed_in(driver.cast.observer)
    answer = client.get(f"/plans/{version.workflow.slug}/compare/?from=3&to=1")
    assert answer.headers["Location"] == page(find_version(version.workflow.slug, 3), "?since=1")
    body = client.get(answer.headers["Location"]).content.decode()
    assert re.search(r"<mark>exists</mark>.*<mark>is printed</mark>", body, re.DOTALL)
    assert client.get(f"/plans/{version.workflow.slug}/compare/?from=1&to=9").status_code == 404
    assert client.get(f"/plans/{version.workflow.slug}/compare/?from=x&to=1").status_code == 422


def test_wf3_a_viewed_section_opens_again_when_it_changes(driver: Driver, version: WorkflowVersion) -> None:
    rita = signed_in(driver.cast.reviewer)
    body = rita.get(page(version)).content.decode()
    numbers = re.findall(r'name="number" value="(\d+)"', body)
    for number in numbers:
        comment(rita, version, "viewed", number=number, viewed="yes")
    total = len(numbers)
    assert f"{total} of {total} sections viewed" in words(rita.get(page(version)))
    assert f"0 of {total} sections viewed" in words(signed_in(driver.cast.approver).get(page(version)))
    new = next_version(driver, PLAN.replace(b"manual exists", b"manual is read"))
    assert f"{total - 1} of {total} sections viewed" in words(rita.get(page(new)))
    comment(rita, new, "viewed", number=1, viewed="no")
    assert f"{total - 2} of {total} sections viewed" in words(rita.get(page(new)))


def test_wf3_a_long_plan_loads_a_section_when_it_is_opened(driver: Driver) -> None:
    batches = "\n".join(
        f"##### Batch {n:02}: part {n}\n\n###### Thread 01: t\n- Role: contributor\n"
        + "\n".join(f"- S{n}x{m}: step\n  - Exit: done {n}.{m}" for m in range(10))
        for n in range(30)
    )
    version = driver.submit(f"# Plan: Long\n\n## Stages\n\n### Stage 1: all\n\n{batches}\n".encode()).version
    client = signed_in(driver.cast.observer)
    whole = client.get(page(version)).content.decode()
    assert "done 20.5" not in whole
    assert len(whole) < 150_000
    number = re.search(r'id="section-(\d+)"[^>]*>\s*<summary>\s*<h3>Stage 1 · Batch 20', whole)
    assert number
    assert "done 20.5" in client.get(page(version, f"?section={number[1]}")).content.decode(), (
        "without a script"
    )
    part = client.get(page(version, f"sections/{number[1]}"), headers={"HX-Request": "true"})
    assert "done 20.5" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert client.get(page(version, "sections/999")).status_code == 404


def test_wf3_the_page_asks_the_database_the_same_for_any_number_of_comments(
    driver: Driver, version: WorkflowVersion, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    rita = signed_in(driver.cast.reviewer)
    comment(rita, version, line=LINE, body="First", then="send")
    rita.get(page(version))
    with django_assert_max_num_queries(40) as few:
        rita.get(page(version))
    asked = len(few.captured_queries)
    for line in range(1, 8):
        comment(rita, version, line=line, body="More", then="send")
    rita.get(page(version))
    with django_assert_num_queries(asked):
        rita.get(page(version))
