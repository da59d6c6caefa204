"""Plans in the browser: list, submission, review, decision (WF-2, WF-3, DC-5)."""

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from orchestrator.core.terms import VersionStatus
from orchestrator.models import HistoryEntry, PreHandoffReview, Task, WorkflowVersion, Workstream
from tests.cast import PLAN, Cast, Driver
from tests.web.pages import control, htmx, signed_in, words

QUESTION = b"#### Stage Questions\n- [ ] Who owns the ledger?\n\n##### Batch 01"
OPEN_PLAN = PLAN.replace(b"##### Batch 01", QUESTION)
CYCLE = PLAN.replace(b"- A1: Ledger entries for refunds", b"- A1: Ledger entries for refunds (needs C1)")


def submit(cast: Cast, source: str = PLAN.decode(), **more: str):
    return signed_in(cast.initiator).post("/plans/submit/", {"act": "submit", "source": source, **more})


def decide(client, version: WorkflowVersion, decision: str, reason: str = "", sha: str = "", **headers):
    return client.post(
        f"/plans/{version.workflow.slug}/v{version.number}/decide",
        {
            "decision": decision,
            "reason": reason,
            "version_id": version.pk,
            "seen_sha256": sha or version.source_sha256,
        },
        **headers,
    )


def test_plans_that_wait_stand_first(driver: Driver) -> None:
    driver.submit(PLAN.replace(b"Card refunds", b"Waiting plan"))
    driver.start(PLAN.replace(b"Card refunds", b"Approved plan"))
    text = words(signed_in(driver.cast.observer).get("/plans/"))
    assert text.index("Waiting plan") < text.index("Approved plan")
    assert "Waiting for review" in text


def test_the_list_costs_the_same_for_any_number_of_plans(
    driver: Driver, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    client = signed_in(driver.cast.observer)
    driver.submit()
    client.get("/plans/")
    with django_assert_max_num_queries(12) as few:
        client.get("/plans/")
    for n in range(5):
        driver.submit(PLAN.replace(b"Card refunds", b"Plan %d" % n))
    with django_assert_num_queries(len(few.captured_queries)):
        client.get("/plans/")


def test_an_empty_list_names_the_next_step(cast: Cast) -> None:
    assert "No plans yet" in words(signed_in(cast.initiator).get("/plans/"))


def test_pages_are_for_people_who_signed_in(client, db) -> None:
    assert client.get("/plans/").headers["Location"].startswith("/accounts/login/")


def test_submitting_stores_a_version_for_review(cast: Cast) -> None:
    response = submit(cast)
    version = WorkflowVersion.objects.get()
    assert response.headers["Location"] == f"/plans/{version.workflow.slug}/v1/"
    assert (version.status, version.author, version.source) == (
        VersionStatus.IN_REVIEW,
        cast.initiator,
        PLAN.decode(),
    )
    assert HistoryEntry.objects.get(action="plan submitted").user == cast.initiator


def test_an_uploaded_file_wins_over_the_text(cast: Cast) -> None:
    upload = SimpleUploadedFile("refunds.md", PLAN)
    signed_in(cast.initiator).post("/plans/submit/", {"act": "submit", "source": "# other", "file": upload})
    version = WorkflowVersion.objects.get()
    assert (version.source_name, version.source) == ("refunds.md", PLAN.decode())


def test_check_shows_findings_and_preview_and_stores_nothing(cast: Cast) -> None:
    response = signed_in(cast.initiator).post(
        "/plans/submit/", {"act": "check", "source": OPEN_PLAN.decode()}
    )
    text = words(response)
    line = OPEN_PLAN.decode().splitlines().index("- [ ] Who owns the ledger?") + 1
    assert f"Line {line}" in text
    assert "1 thing blocks approval" in text
    assert "Creates 6 tasks in 4 batches and starts A1 and B1 at once" in text
    assert not WorkflowVersion.objects.exists()


def test_check_says_that_steps_in_a_circle_never_start(cast: Cast) -> None:
    response = signed_in(cast.initiator).post("/plans/submit/", {"act": "check", "source": CYCLE.decode()})
    assert "5 steps can never start as the plan stands." in words(response)


def test_check_answers_htmx_with_the_form_alone(cast: Cast) -> None:
    data = {"act": "check", "source": PLAN.decode()}
    response = signed_in(cast.initiator).post("/plans/submit/", data, **htmx("submission"))
    assert response.content.strip().startswith(b'<div id="submission"')
    assert "HX-Target" in response.headers["Vary"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("   ", "There is no plan yet"),
        (CYCLE.decode(), "C1"),
        (PLAN.decode().replace("- B1:", "- A1:"), "A1"),
        (PLAN.decode().replace("entries for refunds", "entries (needs Z9)"), "Z9"),
    ],
    ids=["empty", "cycle", "duplicate", "unknown"],
)
def test_a_plan_that_cannot_be_scheduled_is_422_with_what_was_typed(
    cast: Cast, source: str, said: str
) -> None:
    response = submit(cast, source)
    assert response.status_code == 422
    assert said in words(response)
    assert " ".join(source.split()) in words(response)
    assert not WorkflowVersion.objects.exists()


@pytest.mark.parametrize("content", [b"\x00\x01\x02\xff\xfe", b"x" * 3_000_000], ids=["binary", "large"])
def test_a_file_that_is_no_plan_is_422(cast: Cast, content: bytes) -> None:
    upload = SimpleUploadedFile("plan.md", content)
    response = signed_in(cast.initiator).post("/plans/submit/", {"act": "submit", "file": upload})
    assert response.status_code == 422
    assert not WorkflowVersion.objects.exists()


def test_an_observer_cannot_submit(cast: Cast) -> None:
    client = signed_in(cast.observer)
    page = client.get("/plans/submit/")
    assert 'id="submit"' not in page.content.decode()
    assert "You need the role initiator or approver" in words(page)
    response = client.post("/plans/submit/", {"act": "submit", "source": PLAN.decode()})
    assert response.status_code == 403
    assert "You need the role initiator or approver" in words(response)
    assert not WorkflowVersion.objects.exists()


def test_the_review_shows_structure_source_and_effect(driver: Driver) -> None:
    version = driver.submit().version
    response = signed_in(driver.cast.approver).get(f"/plans/{version.workflow.slug}/v1/")
    text = words(response)
    for part in (
        "Stage 1: Build",
        "Thread 01: ledger",
        "owns ledger/**",
        "unit tests pass",
        "signed by reviewer",
        "MP1 holds 2 steps until it is signed: C1, D1",
        "Creates 6 tasks in 4 batches and starts A1 and B1 at once",
        "A1 → A2 → MP1 → C1 → D1",
        "Nothing starts before the pre-handoff review is signed",
    ):
        assert part in text
    line = PLAN.decode().splitlines().index("- A1: Ledger entries for refunds") + 1
    assert f'id="L{line}"' in response.content.decode()
    assert f'<a href="#L{line}">A1</a>' in response.content.decode()
    assert "disabled" not in control(response, "approve")


def test_what_blocks_approval_stands_first_and_switches_approve_off(driver: Driver) -> None:
    version = driver.submit(OPEN_PLAN).version
    client = signed_in(driver.cast.approver)
    response = client.get(f"/plans/{version.workflow.slug}/v1/")
    text = words(response)
    assert text.index("1 thing blocks approval") < text.index("Structure")
    assert " disabled" in control(response, "approve")
    refused = decide(client, version, "approve")
    assert refused.status_code == 409
    assert "Who owns the ledger?" in words(refused)
    assert not Task.objects.exists()


def test_approval_creates_tasks_and_opens_the_workstream(driver: Driver) -> None:
    version = driver.submit().version
    response = decide(signed_in(driver.cast.approver), version, "approve", "Good plan.")
    workstream = Workstream.objects.get()
    assert response.headers["Location"] == f"/workstreams/{workstream.uuid}/"
    assert (workstream.status, Task.objects.count()) == ("active", 6)
    entry = HistoryEntry.objects.get(action="plan approved")
    assert (entry.user, entry.reason) == (driver.cast.approver, "Good plan.")


def test_sending_back_needs_a_reason(driver: Driver) -> None:
    version = driver.submit().version
    client = signed_in(driver.cast.approver)
    assert decide(client, version, "send-back").status_code == 422
    response = decide(client, version, "send-back", "Split batch 1.")
    assert response.status_code == 302
    version.refresh_from_db()
    assert (version.status, version.decision_reason) == (VersionStatus.SENT_BACK, "Split batch 1.")
    assert "Split batch 1." in words(client.get(f"/plans/{version.workflow.slug}/v1/"))


def test_a_decision_on_an_older_version_shows_the_newer_one_and_keeps_the_reason(driver: Driver) -> None:
    old = driver.submit().version
    source = PLAN.decode().replace("Ledger report", "Ledger report in EUR")
    submit(driver.cast, source, of=old.workflow.slug, change_reason="Currency named.")
    client = signed_in(driver.cast.approver)
    response = decide(client, old, "send-back", "Name the currency & more.", **htmx("decision"))
    assert response.status_code == 409
    text = words(response)
    assert "Version 2 is newer than the one you read" in text
    assert "added: - A2: Ledger report in EUR" in text
    assert "Name the currency & more." in text
    assert "?reason=Name%20the%20currency%20%26%20more." in response.content.decode()
    assert WorkflowVersion.objects.get(number=2).status == VersionStatus.IN_REVIEW
    carried = client.get(f"/plans/{old.workflow.slug}/v2/", {"reason": "Name the currency & more."})
    assert "Name the currency & more." in words(carried)


def test_a_text_that_was_not_read_is_not_approved(driver: Driver) -> None:
    version = driver.submit().version
    assert decide(signed_in(driver.cast.approver), version, "approve", sha="0" * 64).status_code == 409
    assert not Task.objects.exists()


def test_a_new_version_says_why_and_is_compared(driver: Driver) -> None:
    old = driver.submit().version
    source = PLAN.decode().replace("Ledger report", "Ledger report in EUR")
    assert submit(driver.cast, source, of=old.workflow.slug).status_code == 422
    submit(driver.cast, source, of=old.workflow.slug, change_reason="Currency named.")
    text = words(signed_in(driver.cast.approver).get(f"/plans/{old.workflow.slug}/v2/"))
    assert "Changes since version 1" in text
    assert "Why: Currency named." in text


def test_authors_do_not_approve_their_own_plan(driver: Driver) -> None:
    version = driver.submit(role="approver").version
    client = signed_in(driver.cast.approver)
    response = client.get(f"/plans/{version.workflow.slug}/v1/")
    assert " disabled" in control(response, "approve")
    assert "You wrote this version" in words(response)
    assert decide(client, version, "approve").status_code == 403


def test_a_reviewer_cannot_approve_and_is_told_why(driver: Driver) -> None:
    version = driver.submit().version
    response = signed_in(driver.cast.reviewer).get(f"/plans/{version.workflow.slug}/v1/")
    assert " disabled" in control(response, "approve")
    assert "You need the role approver" in words(response)
    assert "disabled" not in control(response, "send-back")


def test_the_prehandoff_review_lists_suspects_and_is_signed_with_a_rationale(driver: Driver) -> None:
    driver.submit(PLAN.replace(b"Card refunds", b"Card refund"))
    version = driver.submit().version
    client = signed_in(driver.cast.approver)
    page = f"/plans/{version.workflow.slug}/v1/"
    text = words(client.get(page))
    assert "Suspected duplicates Card refund Planning title 96 % alike" in text
    refused = client.post(page + "prehandoff", {"rationale": "Looked."})
    assert refused.status_code == 409
    assert "Suspected duplicates are undecided: Card refund (title 96 % alike)." in words(refused)
    decision = {"other": "card-refund", "outcome": "override", "rationale": "That one was a trial."}
    client.post(page + "prehandoff/decide", decision)
    assert "Override title 96 % alike That one was a trial." in words(client.get(page))
    refused = client.post(page + "prehandoff", {"rationale": "  "})
    assert refused.status_code == 422
    client.post(page + "prehandoff", {"rationale": "The other one was a trial."})
    signature = PreHandoffReview.objects.get()
    assert (signature.reviewer, signature.rationale) == (driver.cast.approver, "The other one was a trial.")
    assert "Signed by anna" in words(client.get(page))


def test_unlike_titles_are_no_suspects(driver: Driver) -> None:
    driver.submit(PLAN.replace(b"Card refunds", b"Warehouse robots"))
    version = driver.submit().version
    text = words(signed_in(driver.cast.approver).get(f"/plans/{version.workflow.slug}/v1/"))
    assert "No other workstream has a similar title or owns the same files." in text


def test_markup_in_a_plan_is_shown_as_text(driver: Driver) -> None:
    source = PLAN.replace(b"Ledger report", b"<script>alert(1)</script>")
    version = driver.submit(source).version
    body = signed_in(driver.cast.approver).get(f"/plans/{version.workflow.slug}/v1/").content
    assert b"<script>alert" not in body
    assert b"&lt;script&gt;alert(1)" in body


def test_an_unknown_plan_is_404(cast: Cast) -> None:
    client = signed_in(cast.observer)
    assert client.get("/plans/nothing/v1/").status_code == 404
    assert client.get("/plans/nothing/").status_code == 404


def test_a_decision_needs_the_form_of_our_own_page(driver: Driver) -> None:
    version = driver.submit().version
    assert decide(signed_in(driver.cast.approver, strict=True), version, "approve").status_code == 403
    assert not Task.objects.exists()


def test_a_file_over_the_limit_is_refused_without_being_sent_back(cast: Cast) -> None:
    """A browser takes minutes over a field of many megabytes."""
    upload = SimpleUploadedFile("PLAN.md", b"# Plan: Long\n" + b"a" * (settings.PLAN_LIMIT + 1))
    page = signed_in(cast.initiator).post("/plans/submit/", {"file": upload, "act": "check"})
    assert "4 MB" in words(page) or "too large" in words(page) or str(settings.PLAN_LIMIT) in words(page)
    assert len(page.content) < 100_000
