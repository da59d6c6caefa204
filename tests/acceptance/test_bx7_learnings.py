"""BX-7: what a batch or merge point taught is written where the next executor reads it."""

from uuid import uuid4

import pytest

from orchestrator.models import HistoryEntry, Learning, Workstream
from orchestrator.queries.work.briefs import brief
from orchestrator.queries.workstreams.learnings import due
from orchestrator.services.duties import inbox_of
from tests.acceptance.workspace_files import Files
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words


def test_bx7_a_learning_reaches_the_file_and_the_next_brief(driver: Driver, files: Files) -> None:
    workstream = driver.start()
    driver.do("A1", "A2", "B1")
    reviewer = signed_in(driver.cast.reviewer)
    act = f"/workstreams/{workstream.uuid}/acts/learn"
    refused = reviewer.post(act, {"after": "Batch 01"})
    assert refused.status_code == 422
    assert not Learning.objects.exists()
    page = reviewer.post(act, {"after": "Batch 01", "went_wrong": "The gateway was mocked."}, follow=True)
    assert "Went wrong The gateway was mocked." in words(page)
    assert (
        HistoryEntry.objects.get(action="learning recorded").reason == "went wrong: The gateway was mocked."
    )
    driver.advance()
    assert "The gateway was mocked." in files.text("workstreams/card-refunds/LEARNINGS.md")
    assert [taught.went_wrong for taught in brief(driver.task("C1").pk).learnings] == [
        "The gateway was mocked."
    ]


def test_bx7_of_workstreams_under_one_version_each_asks_about_its_own(driver: Driver) -> None:
    workstream = driver.start()
    driver.do("A1", "A2", "B1")
    other = Workstream.objects.get(pk=workstream.pk)
    other.pk, other.uuid, other.slug = None, uuid4(), "beside"
    other.save()
    assert due(driver.reload()) == ("Batch 01",)


def asked(driver: Driver, role: str = "contributor") -> list[str]:
    """What the inbox asks this person about lessons."""
    found = inbox_of(getattr(driver.cast, role)).groups
    return [
        entry.title
        for section, entries in found
        for entry in entries
        if section.title == "What did it teach?"
    ]


def test_bx7_a_finished_batch_and_a_merge_point_ask_what_they_taught(driver: Driver) -> None:
    workstream = driver.start()
    driver.do("A1", "A2")
    assert asked(driver) == []
    driver.do("B1")
    assert asked(driver) == asked(driver, "reviewer") == ["What did Batch 01 teach?"]
    assert asked(driver, "observer") == asked(driver, "approver") == []
    driver.sign("MP1")
    assert asked(driver) == ["What did Batch 01 teach?", "What did MP1 teach?"]
    page = signed_in(driver.cast.contributor).get("/")
    assert f"/workstreams/{workstream.uuid}/learnings/Batch%2001/" in page.content.decode()
    assert "What did Batch 01 teach?" in words(
        signed_in(driver.cast.observer).get(f"/workstreams/{workstream.uuid}/")
    )


def test_bx7_the_form_starts_from_what_happened(driver: Driver) -> None:
    workstream = driver.start()
    driver.claim("A1")
    driver.fail("A1", "The ledger schema was wrong.")
    person = signed_in(driver.cast.contributor)
    tasks = f"/workstreams/{workstream.uuid}/tasks"
    person.post(f"{tasks}/A1/requeue", {"reason": "Fixed."})
    person.post(f"{tasks}/B1/declare-blocker", {"kind": "external", "note": "No vendor key."})
    blocker = driver.task("B1").blockers.get()
    person.post(f"{tasks}/B1/resolve-blocker", {"blocker": blocker.pk, "resolution": "It came."})
    driver.advance()
    driver.do("A1", "A2", "B1")
    reviewer = signed_in(driver.cast.reviewer)
    gate = driver.task("MP1").pk
    reviewer.post(
        f"/gates/{gate}/decide", {"decision": "reject", "return_key": "A2", "reason": "Numbers differ."}
    )
    driver.advance()
    driver.do("A2")
    place = f"/workstreams/{workstream.uuid}/learnings/Batch%2001/"
    said = words(person.get(place))
    for fact in (
        "A1 attempt 1 failed: The ledger schema was wrong.",
        "A2 was done again 1 time.",
        "MP1 was rejected by rita: Numbers differ.",
        "B1 was blocked (external): No vendor key. Resolved: It came.",
    ):
        assert fact in said, fact
    assert person.post(place, {"went_wrong": " "}).status_code == 422
    done = person.post(place, {"went_wrong": "Check the schema first."}, follow=True)
    assert "Went wrong Check the schema first." in words(done)
    assert asked(driver) == []


def test_bx7_nothing_to_record_is_an_answer_too(driver: Driver, files: Files) -> None:
    workstream = driver.start()
    driver.do("A1", "A2", "B1")
    place = f"/workstreams/{workstream.uuid}/learnings/Batch%2001/"
    assert signed_in(driver.cast.observer).post(place, {"answer": "nothing"}).status_code == 403
    assert asked(driver) == ["What did Batch 01 teach?"]
    assert signed_in(driver.cast.reviewer).post(place, {"answer": "nothing"}).status_code == 302
    assert asked(driver) == []
    entry = HistoryEntry.objects.get(action="nothing to record")
    assert (entry.actor, entry.subject) == ("rita", "Batch 01")
    driver.advance()
    assert "Nothing to record." in files.text("workstreams/card-refunds/LEARNINGS.md")
    assert brief(driver.task("C1").pk).learnings == ()


def test_bx7_agents_record_over_rest(driver: Driver) -> None:
    workstream = driver.start()
    driver.do("A1", "A2", "B1")
    machine, address = Machine.of(driver.cast.builder()), f"/api/workstreams/{workstream.uuid}/learnings"
    assert machine.get(address)[1] == {"due": ["Batch 01"], "items": []}
    assert machine.post(address, {"after": "Batch 01"})[1]["code"] == "reason-missing"
    assert machine.post(address, {"after": "x" * 81, "worked": "Yes."})[1]["details"] == {"field": "after"}
    status, answer = machine.post(address, {"after": "Batch 01", "worked": "Small commits."})
    assert (status, answer["due"]) == (200, [])
    assert [(item["after"], item["worked"], item["author"]) for item in answer["items"]] == [
        ("Batch 01", "Small commits.", "builder-1 (agent of carl)")
    ]
    driver.sign("MP1")
    assert machine.post(address, {"after": "MP1", "nothing": True})[1]["due"] == []


def test_bx7_a_later_stage_is_named_with_its_number(driver: Driver) -> None:
    second = b"\n### Stage 2: Ship\n\n##### Batch 01: shipping\n\n###### Thread 01: ship\n- S1: Ship it\n"
    workstream = driver.start(PLAN + second)
    driver.finish()
    person = signed_in(driver.cast.contributor)
    assert asked(driver)[-1] == "What did Stage 2, batch 01 teach?"
    assert person.get(f"/workstreams/{workstream.uuid}/learnings/Stage%202,%20batch%2001/").status_code == 200
    assert person.get(f"/workstreams/{workstream.uuid}/learnings/Batch%2077/").status_code == 404


@pytest.mark.parametrize("after", ["Nowhere", "Batch 77", "batch 01", "01"])
def test_bx7_a_learning_stands_at_a_batch_or_step_of_the_plan(driver: Driver, after: str) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder("b-1"))
    address = f"/api/workstreams/{driver.reload().uuid}/learnings"
    for body in ({"after": after, "worked": "Yes."}, {"after": after, "nothing": True}):
        status, refusal = machine.post(address, body)
        assert status == 422, (status, refusal)
        assert (status, refusal["code"], refusal["details"]) == (422, "invalid-input", {"field": "after"})
        assert "Batch 01" in refusal["recovery"], "the names that are there"
    assert not Learning.objects.exists()
    assert machine.post(address, {"after": "A1", "worked": "Yes."})[0] == 200
