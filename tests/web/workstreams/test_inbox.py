"""One inbox: most urgent first; badge, list and file count the same."""

import csv
import io
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orchestrator.core.terms import ArtifactState, BlockerKind
from orchestrator.models import HandoffArtifact
from orchestrator.services.duties import inbox_of
from orchestrator.services.people import blockers, interventions
from orchestrator.services.review import decisions
from orchestrator.services.work import failures
from orchestrator.services.work.signing import why_not_decide
from tests.cast import NOON, Cast, Driver
from tests.web.rows import workstream

GATE_FIRST = b"""# Plan: Release

## Stages
### Stage 1: Only
##### Batch 01: all
###### Thread 01: lane
- A1: Prepare
### Merge Point MP1
- **Trigger:** A1 complete
- **Action:** Release it
- **Reviewers:** reviewer
"""


def sections(user: User) -> dict[str, list[str]]:
    return {section.title: [entry.title for entry in entries] for section, entries in inbox_of(user).groups}


def busy(cast: Cast) -> Driver:
    """A question, a failure, a blocker, a plan in review, a waiting gate and a finished workstream."""
    asked = Driver(cast)
    asked.start()
    interventions.flag_for_human(
        task_id=asked.task("A1").pk,
        note="Keep the column?",
        actor=cast.actor("contributor"),
        now=asked.tick(),
    )
    asked.claim("B1")
    asked.fail("B1", "The vendor said no.")
    blockers.declare_blocker(
        task_id=asked.task("D1").pk,
        kind=BlockerKind.EXTERNAL,
        note="No licence.",
        actor=cast.actor("contributor"),
        now=asked.tick(),
    )
    Driver(cast).submit()
    waiting = Driver(cast)
    waiting.start(GATE_FIRST)
    waiting.do("A1")
    workstream(cast.initiator, NOON, title="Login copy", tasks=(0, 3, 0))
    return asked


def test_the_approver_sees_what_is_urgent_first(cast: Cast) -> None:
    busy(cast)
    found = sections(cast.approver)
    assert list(found) == [
        "Needs a human",
        "Blocks others",
        "Waits for your approval",
        "Ready for acceptance",
    ]
    assert found["Needs a human"] == ["A1: Ledger entries for refunds"]
    assert found["Blocks others"] == ["B1: Gateway call", "D1: Write the manual"]
    assert found["Waits for your approval"] == ["Plan “Card refunds”, version 1"]
    assert found["Ready for acceptance"] == ["Login copy"]


def test_the_gate_waits_for_whom_the_plan_names(cast: Cast) -> None:
    """The plan names the role reviewer, so only reviewers may sign.

    The inbox and the service say the same.
    """
    driver = busy(cast)
    assert "Waits for your sign-off" in sections(cast.reviewer)
    assert "Waits for your sign-off" not in sections(cast.approver)
    for user, role in ((cast.reviewer, "reviewer"), (cast.approver, "approver")):
        may = why_not_decide(driver.task("MP1"), cast.actor(role)) is None
        assert may == ("Waits for your sign-off" in sections(user))


def test_an_observer_has_nothing_to_do(cast: Cast, client: Client) -> None:
    busy(cast)
    assert sections(cast.observer) == {}
    client.force_login(cast.observer)
    text = client.get("/").content.decode()
    assert "Nothing waits for you" in text
    assert 'class="badge" hidden>0<' in text


def test_a_filter_that_nothing_matches_does_not_say_that_nothing_waits(cast: Cast, client: Client) -> None:
    busy(cast)
    client.force_login(cast.approver)
    text = client.get("/?kind=gate&sort=waiting").content.decode()
    assert "Nothing waits for you" not in text
    assert "Nothing here matches the filter" in text
    assert 'href="?sort=waiting"' in text, "the way to everything"


def test_a_plan_that_was_sent_back_returns_to_its_author(cast: Cast, driver: Driver) -> None:
    version = driver.submit().version
    decisions.send_back_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        reason="Name a reviewer.",
        actor=cast.actor("approver"),
        now=driver.tick(),
    )
    ((section, (entry,)),) = inbox_of(cast.initiator).groups
    assert section.title == "Returned to you"
    assert entry.why == "Name a reviewer."
    driver.submit()
    assert sections(cast.initiator) == {"Returned to you": ["Plan “Card refunds”, version 1"]}


def test_authors_do_not_approve_their_own_plan(cast: Cast, driver: Driver) -> None:
    version = driver.submit(role="approver").version
    assert "Waits for your approval" not in sections(cast.approver)
    version.workflow.allow_self_approval = True
    version.workflow.save()
    assert "Waits for your approval" in sections(cast.approver)


def test_a_damaged_artifact_names_its_file(cast: Cast, driver: Driver) -> None:
    driver.start()
    artifact = HandoffArtifact.objects.order_by("pk")[0]
    HandoffArtifact.objects.filter(pk=artifact.pk).update(
        state=ArtifactState.DAMAGED, problem="The file is missing."
    )
    assert sections(cast.contributor)["Blocks others"] == [artifact.path]


def test_a_failure_leaves_the_inbox_once_it_is_queued_again(cast: Cast, driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    driver.fail("A1")
    assert sections(cast.contributor)["Blocks others"] == ["A1: Ledger entries for refunds"]
    failures.requeue(
        task_id=driver.task("A1").pk, reason="Fixed.", actor=cast.actor("contributor"), now=driver.tick()
    )
    assert "Blocks others" not in sections(cast.contributor)


def test_badge_list_and_file_count_the_same(cast: Cast, client: Client) -> None:
    busy(cast)
    for user in (cast.approver, cast.reviewer, cast.contributor, cast.admin):
        client.force_login(user)
        text = client.get("/").content.decode()
        badge = re.search(r'class="badge" ?>(\d+)<', text)
        listed = len(re.findall(r"<tr [^>]*data-row>", text))
        file = b"".join(client.get("/?format=csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        assert badge
        assert int(badge[1]) == listed == len(list(csv.DictReader(io.StringIO(file)))) > 0


def test_every_entry_leads_to_a_page(cast: Cast, client: Client) -> None:
    busy(cast)
    client.force_login(cast.admin)
    for href in re.findall(r'<th scope="row"><a href="([^"]+)"', client.get("/").content.decode()):
        assert client.get(href).status_code == 200, href


def test_the_badge_is_one_query(cast: Cast, django_assert_num_queries) -> None:
    busy(cast)
    with django_assert_num_queries(2):  # the roles, then the count
        assert inbox_of(cast.approver).total > 0


def test_a_list_that_was_shown_before_has_its_statements_already(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django takes longer to make them than the database to answer them; what is new is shown."""
    busy(cast)
    client.force_login(cast.approver)
    assert "Fresh work" not in client.get("/").content.decode()

    def made(*_: object) -> None:
        raise AssertionError("a statement was made anew")

    monkeypatch.setattr("orchestrator.queries.workstreams.inbox.PersonalInbox.narrowed", made)
    workstream(cast.initiator, NOON, title="Fresh work", tasks=(0, 1, 0))
    assert "Fresh work" in client.get("/").content.decode()


def test_the_count_beside_the_inbox_ends_where_it_says_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    """Every page asks for it, so it stops at a number instead of growing with the list."""
    busy(cast)
    waiting = inbox_of(cast.approver).total
    client = Client()
    client.force_login(cast.approver)
    assert f">{waiting}<span" in client.get("/flow/").content.decode()
    monkeypatch.setattr("orchestrator.web.chrome.MOST_WAITING", waiting - 1)
    assert f">{waiting - 1}+<span" in client.get("/flow/").content.decode()
    monkeypatch.setattr("orchestrator.web.chrome.MOST_WAITING", waiting)
    assert f">{waiting}<span" in client.get("/flow/").content.decode()
