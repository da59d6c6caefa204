"""FR-022: the change log of a workflow: author, reason, impact, decisions, migrations and roll backs."""

import csv
import json

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.models import HistoryEntry, Migration
from orchestrator.services.changes.roll_back import roll_back
from tests.acceptance.test_ec4_mapping import REDEFINED, RENAMED
from tests.acceptance.versions import GROWN, ONE, approve, next_version
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words


def changed(driver: Driver) -> None:
    """Version 2 renames a completed step and is rolled back."""
    driver.start(ONE)
    driver.do("A1")
    approve(driver, next_version(driver, RENAMED, "Better names."), StepMapping(("A1",), ("A7",)))
    roll_back(
        migration_id=Migration.objects.get().pk,
        reason="The bank knows the old ones.",
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )


def test_fr022_stakeholders_see_who_changed_what_and_why(driver: Driver) -> None:
    changed(driver)
    observer = signed_in(driver.cast.observer)
    workstream = driver.reload()
    assert "/plans/card-refunds/changes/" in observer.get(f"/workstreams/{workstream.uuid}/").content.decode()
    assert "/plans/card-refunds/changes/" in observer.get("/plans/card-refunds/v2/").content.decode()
    page = words(observer.get("/plans/card-refunds/changes/"))
    for said in (
        "Rolled back Card refunds v1 anna",
        "The bank knows the old ones. changed: A7 → A1",
        "Migrated Card refunds v2 anna",
        "Better names. changed: A1 → A7",
        "Submitted v2 ines",
        "changed: A1 → A7",
        "Approved v1 anna",
    ):
        assert said in page, said


def test_fr022_steps_that_are_done_again_are_named(driver: Driver) -> None:
    driver.start(ONE)
    driver.do("A1")
    approve(driver, next_version(driver, REDEFINED, "All cards."), StepMapping(("A1",), ("A1",), redo=True))
    page = words(signed_in(driver.cast.observer).get("/plans/card-refunds/changes/"))
    assert "All cards. done again: A1, A2" in page
    assert "All cards. Changes the title of A1. changed: A1" in page


def test_fr022_as_csv_and_over_rest(driver: Driver) -> None:
    changed(driver)
    answer = signed_in(driver.cast.observer).get("/plans/card-refunds/changes/?format=csv")
    rows = list(csv.DictReader(b"".join(answer).decode("utf-8-sig").splitlines()))
    migrated = next(row for row in rows if row["what"] == "migrated")
    assert (migrated["who"], migrated["reason"], migrated["workstream"]) == (
        "anna",
        "Better names.",
        "Card refunds",
    )
    status, entries = Machine.of(driver.cast.builder("reader")).get("/api/workflows/card-refunds/changes")
    assert status == 200
    assert {entry["what"] for entry in entries} == {"submitted", "approved", "migrated", "rolled_back"}
    assert len(entries) == len(rows)


def test_fr022_of_no_workflow_there_is_no_log(driver: Driver) -> None:
    assert signed_in(driver.cast.observer).get("/plans/nothing-like-it/changes/").status_code == 404


def test_fr022_the_log_and_the_history_say_the_impact_that_its_author_names(driver: Driver) -> None:
    driver.start(ONE)
    body = {
        "act": "submit",
        "of": "card-refunds",
        "source": GROWN.decode(),
        "change_reason": "One more step.",
        "change_impact": "Team B waits one more day.",
        "wanted_effective_at": "2199-01-01T08:00",
    }
    signed_in(driver.cast.initiator).post("/plans/submit/", body)
    observer = signed_in(driver.cast.observer)
    page = words(observer.get("/plans/card-refunds/changes/"))
    assert "One more step. Team B waits one more day. added: E1" in page
    assert "wanted from 1 Jan 2199" in page
    answer = observer.get("/plans/card-refunds/changes/?format=csv")
    row = next(csv.DictReader(b"".join(answer).decode("utf-8-sig").splitlines()))
    assert (row["what"], row["impact"], row["steps"]) == (
        "submitted",
        "Team B waits one more day.",
        "added: E1",
    )
    assert row["wanted from"].startswith("2199-01-01")
    entry = HistoryEntry.objects.filter(action="plan submitted").order_by("-sequence")[0]
    data = json.loads(entry.leaf)["data"]
    assert (entry.reason, data["impact"]) == ("One more step.", "Team B waits one more day.")
    assert data["wanted_effective"].startswith("2199-01-01T")
