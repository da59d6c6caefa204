"""FR-016: the page with every version: why, impact, decision, effective date, who works by it.

Revise from any.
"""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.utils import timezone

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.web.moments import as_typed
from tests.acceptance.test_ec4_mapping import RENAMED
from tests.acceptance.versions import GROWN, ONE, approve, decide, next_version
from tests.cast import Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import control, signed_in, words

PAGE = "/plans/card-refunds/"


def submitted(driver: Driver, source: bytes = GROWN, **fields: object) -> HttpResponse:
    """Press Submit in the editor of a new version."""
    body = {
        "act": "submit",
        "of": "card-refunds",
        "source": source.decode(),
        "change_reason": "One more step.",
    }
    return signed_in(driver.cast.initiator).post("/plans/submit/", body | fields)


def newest() -> WorkflowVersion:
    return WorkflowVersion.objects.order_by("-number")[0]


def test_fr016_the_page_lists_every_version_with_its_reason_impact_and_decision(driver: Driver) -> None:
    driver.start(ONE)
    submitted(driver, change_impact="Team B waits one more day.")
    body = {"decision": "send-back", "version_id": newest().pk, "seen_sha256": newest().source_sha256}
    signed_in(driver.cast.approver).post(f"{PAGE}v2/decide", body | {"reason": "E1 says nothing."})
    submitted(driver, RENAMED, change_reason="Better names.")
    page = words(signed_in(driver.cast.observer).get(PAGE))
    for said in (
        "First version",
        "One more step. Impact: Team B waits one more day. 1 added",
        "Sent back by anna on",
        ": E1 says nothing.",
        "Better names. Impact: Changes the key of A7 and drops 1 task.",
        "Waits for a decision",
        "Card refunds",
    ):
        assert said in page, said
    assert page.index("v3 ") < page.index("v2 ") < page.index("First version"), "newest first"
    raw = signed_in(driver.cast.observer).get(PAGE).content.decode()
    assert "Revise from this version" not in raw, "an observer submits nothing"
    assert f"{PAGE}v2/?since=1" in raw


def test_fr016_without_an_impact_the_version_says_what_its_steps_show(driver: Driver) -> None:
    driver.start(ONE)
    submitted(driver)
    assert newest().change_impact == "Adds 1 task."
    assert "Impact: Adds 1 task." in words(signed_in(driver.cast.approver).get(f"{PAGE}v2/"))


def test_fr016_an_old_version_is_revised_in_the_editor_and_what_was_typed_is_kept(driver: Driver) -> None:
    driver.start(ONE)
    approve(driver, next_version(driver, GROWN))
    ines = signed_in(driver.cast.initiator)
    assert "/plans/submit/?of=card-refunds&amp;from=1" in ines.get(PAGE).content.decode()
    editor = words(ines.get("/plans/submit/?of=card-refunds&from=1"))
    assert "Starts from the text of version 1." in editor
    assert "One more" not in editor
    broken = ONE.replace(b"C1: Refund end to end", b"C1: Refund end to end (needs NOPE)")
    typed = {
        "change_reason": "Back.",
        "change_impact": "Nobody waits.",
        "wanted_effective_at": "2199-01-01T08:00",
    }
    refused = submitted(driver, broken, **typed)
    assert refused.status_code == 422
    assert 'value="Back."' in control(refused, "change-reason")
    assert 'value="2199-01-01T08:00"' in control(refused, "wanted-effective-at")
    said = words(refused)
    assert "Nobody waits." in said
    assert f"Line {broken.decode()[: broken.index(b'NOPE')].count(chr(10)) + 1}" in said
    assert "needs NOPE" in said, "the text is still there"
    assert newest().number == 2
    assert submitted(driver, ONE, **typed).status_code == 302
    assert (newest().number, newest().source, newest().change_impact) == (3, ONE.decode(), "Nobody waits.")


def test_fr016_a_sent_back_version_is_answered_from_its_own_text(driver: Driver) -> None:
    driver.start(ONE)
    submitted(driver)
    body = {
        "decision": "send-back",
        "version_id": newest().pk,
        "seen_sha256": newest().source_sha256,
        "reason": "No.",
    }
    signed_in(driver.cast.approver).post(f"{PAGE}v2/decide", body)
    ines = signed_in(driver.cast.initiator)
    assert "?of=card-refunds&amp;from=2" in ines.get(f"{PAGE}v2/").content.decode()
    assert "One more" in words(ines.get("/plans/submit/?of=card-refunds")), (
        "the newest text, not the one in force"
    )


def test_fr016_a_file_of_any_format_is_a_new_version(driver: Driver) -> None:
    driver.start(ONE)
    tasks = (
        b"# Tasks: Card refunds\n\n## Phase 1: Build\n\n- [ ] T001 Ledger entries in "
        b"ledger/a.py\n- [ ] T002 Report\n"
    )
    assert submitted(driver, file=SimpleUploadedFile("tasks.md", tasks)).status_code == 302
    assert (newest().format, newest().source_name) == ("spec-kit", "tasks.md")
    assert "2 changed" in words(signed_in(driver.cast.observer).get(PAGE))


def test_fr016_the_wanted_date_is_prefilled_and_the_approver_decides(driver: Driver) -> None:
    driver.start(ONE)
    wanted, other = (as_typed(timezone.now() + timedelta(days=days)) for days in (3, 5))
    submitted(driver, wanted_effective_at=wanted)
    anna = signed_in(driver.cast.approver)
    for address in (f"{PAGE}v2/", f"/workstreams/{driver.reload().uuid}/migrate/2/"):
        assert f'value="{wanted}"' in control(anna.get(address), "effective_at")
    assert "Wanted from" in words(anna.get(PAGE))
    refused = decide(driver, newest(), effective_at="2001-01-01T00:00")
    assert 'value="2001-01-01T00:00"' in control(refused, "effective_at"), (
        "what was typed, not what was wanted"
    )
    decide(driver, newest(), effective_at=other)
    assert as_typed(newest().effective_at) == other
    assert "Effective from" in words(anna.get(PAGE))


def test_fr016_a_wanted_date_that_is_over_is_refused(driver: Driver) -> None:
    driver.start(ONE)
    refused = submitted(driver, wanted_effective_at="2001-01-01T00:00")
    assert refused.status_code == 422
    assert "The wanted effective date is over." in words(refused)
    assert newest().number == 1


def test_fr016_work_in_flight_is_migrated_and_rolled_back_from_the_page(driver: Driver) -> None:
    first = driver.start(ONE)
    anna = signed_in(driver.cast.approver)
    started = {"title": "Refunds for Spain"}
    signed_in(driver.cast.initiator).post("/plans/card-refunds/workstreams/start", started)
    spain = Workstream.objects.get(slug="refunds-for-spain")
    driver.do("A1")
    approve(driver, next_version(driver, RENAMED), StepMapping(("A1",), ("A7",)))
    address = f"/workstreams/{spain.uuid}/migrate/2/"
    page = anna.get(PAGE).content.decode()
    assert address in page
    assert f"/workstreams/{first.uuid}/roll-back/" in page
    assert f"/workstreams/{first.uuid}/migrate/" not in page, "it follows version 2 already"
    form = anna.get(address)
    assert "a guess from titles, keys and criteria" in words(form)
    assert "A1 → A7" not in words(form)
    anna.post(
        address,
        {"act": "apply", "to-A1": "A7", "to-A2": "A2", "to-B1": "B1", "to-C1": "C1", "reason": "Same."},
    )
    spain.refresh_from_db()
    assert spain.version.number == 2
    assert state_problems(spain) == []
    page = anna.get(PAGE).content.decode()
    assert f"/workstreams/{spain.uuid}/roll-back/" in page
    assert address not in page


@pytest.mark.parametrize("asked", ["from=1&to=2", "from=2&to=1"])
def test_fr016_any_two_versions_are_compared(driver: Driver, asked: str) -> None:
    driver.start(ONE)
    submitted(driver)
    shown = signed_in(driver.cast.observer).get(f"{PAGE}compare/?{asked}", follow=True)
    assert "Version 2 adds 1 task." in words(shown)


def test_fr016_impact_and_wanted_date_over_rest(driver: Driver) -> None:
    driver.start(ONE)
    machine = Machine.of(driver.cast.builder())
    driver.cast.contributor.groups.add(*driver.cast.initiator.groups.all())
    body = {
        "source": GROWN.decode(),
        "workstream": str(driver.reload().uuid),
        "change_reason": "More.",
        "change_impact": "Team B waits.",
        "wanted_effective_at": "2199-01-01T08:00:00Z",
    }
    status, answer = machine.post("/api/plans/", body)
    assert (status, answer["version"]) == (201, 2), answer
    log = machine.get("/api/workflows/card-refunds/changes")[1]
    entry = next(one for one in log if one["what"] == "submitted" and one["version"] == 2)
    assert (entry["reason"], entry["note"], entry["impact"]) == ("More.", "Team B waits.", "added: E1")
    assert entry["wanted_at"] == "2199-01-01T08:00:00Z"
    over = body | {"wanted_effective_at": "2001-01-01T08:00:00Z", "source": ONE.decode() + "\nMore.\n"}
    status, refusal = machine.post("/api/plans/", over)
    assert (status, refusal["details"]["field"]) == (422, "wanted_effective_at")
