"""FR-016, FR-001: several workstreams follow one workflow, each its own version, until it is migrated."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import InvalidInput, NotAllowed, WrongState
from orchestrator.core.terms import ExecutorKind, VersionStatus, WorkstreamStatus
from orchestrator.models import Migration, WorkflowVersion, Workstream
from orchestrator.services.plans.amendments import propose_stage
from orchestrator.services.plans.starting import start_workstream
from orchestrator.services.review.decisions import approve_version
from orchestrator.services.workstreams.workstreams import sign_prehandoff
from tests.acceptance.test_ec4_mapping import RENAMED
from tests.acceptance.versions import GROWN, ONE, approve, next_version
from tests.cast import Driver
from tests.machines import Machine
from tests.verified import state_problems
from tests.web.pages import signed_in, words


@pytest.fixture
def first(driver: Driver) -> Driver:
    driver.start(ONE)
    return driver


def start(driver: Driver, title: str) -> Workstream:
    """Another workstream; at the real time, because the driver's pages approved the version then."""
    actor = driver.cast.actor("initiator")
    return start_workstream(workflow="card-refunds", title=title, actor=actor, now=timezone.now())


def other(driver: Driver, title: str = "Refunds for Spain") -> Driver:
    """Another workstream of the same workflow, signed and under way."""
    second = type(driver)(driver.cast, driver.now)
    second.workstream = start(driver, title)
    approver = driver.cast.actor("approver")
    sign_prehandoff(
        workstream_id=second.workstream.pk, rationale="Another market.", actor=approver, now=second.tick()
    )
    second.advance()
    return second


def test_fr001_a_workflow_is_used_again(first: Driver) -> None:
    workstream = start(first, "Refunds for Spain")
    assert (workstream.slug, workstream.status) == ("refunds-for-spain", WorkstreamStatus.ACTIVE)
    assert workstream.tasks.count() == first.reload().tasks.count()
    second = type(first)(first.cast, first.now)
    second.workstream = workstream
    second.advance()
    assert second.ready() == [], "its pre-handoff review is not signed"
    assert state_problems(workstream) == []


def test_fr001_titles_may_be_equal_and_addresses_are_not(first: Driver) -> None:
    one, two = start(first, "Refunds for Spain"), start(first, "Refunds for Spain")
    assert (one.slug, two.slug) == ("refunds-for-spain", "refunds-for-spain-2")


def test_fr001_a_workflow_without_a_version_in_effect_starts_nothing(driver: Driver) -> None:
    driver.submit(ONE)
    actor = driver.cast.actor("initiator")
    with pytest.raises(WrongState, match="in effect"):
        start_workstream(workflow="card-refunds", title="Spain", actor=actor, now=driver.tick())
    with pytest.raises(InvalidInput):
        start_workstream(workflow="card-refunds", title=" ", actor=actor, now=driver.tick())
    with pytest.raises(NotAllowed):
        start_workstream(
            workflow="card-refunds", title="Spain", actor=driver.cast.actor("contributor"), now=driver.tick()
        )


def test_fr016_approval_migrates_the_workstream_it_was_submitted_for_and_no_other(first: Driver) -> None:
    second = other(first)
    approve(first, next_version(first, GROWN))
    assert (first.reload().version.number, second.reload().version.number) == (2, 1)
    assert WorkflowVersion.objects.get(number=1).status == VersionStatus.SUPERSEDED
    assert second.finish().finished_at is not None, "it goes on under its own version"
    assert first.finish().finished_at is not None


def test_fr016_a_version_submitted_for_a_later_workstream_is_decided_for_it(first: Driver) -> None:
    second = other(first)
    approve(second, next_version(second, GROWN))
    assert (first.reload().version.number, second.reload().version.number) == (1, 2)
    assert (first.reload().title, second.reload().title) == ("Card refunds", "Refunds for Spain")


def test_fr016_several_are_migrated_from_the_page_each_on_its_own(first: Driver) -> None:
    second, third = other(first), other(first, "Refunds for Italy")
    second.do("A1")
    approve(first, next_version(first, RENAMED))
    approver = signed_in(first.cast.approver)
    page = approver.get("/plans/card-refunds/workstreams/")
    assert "Refunds for Spain v1" in words(page)
    assert "Needs a mapping: A1 ." in words(page).replace("A1.", "A1 .")
    body = {"version": "2", "workstream": [second.reload().slug, third.reload().slug]}
    assert approver.post("/plans/card-refunds/workstreams/migrate", body).status_code == 422
    done = words(approver.post("/plans/card-refunds/workstreams/migrate", body | {"reason": "Better names."}))
    assert "Refunds for Italy goes on under version 2." in done
    assert "Refunds for Spain was not migrated." in done
    assert (second.reload().version.number, third.reload().version.number) == (1, 2)
    for one in (first, second, third):
        assert state_problems(one.reload()) == []


def test_fr016_start_from_the_page(first: Driver) -> None:
    initiator = signed_in(first.cast.initiator)
    answer = initiator.post("/plans/card-refunds/workstreams/start", {"title": "Refunds for Spain"})
    assert answer.status_code == 302
    assert Workstream.objects.filter(slug="refunds-for-spain").exists()
    assert initiator.post("/plans/card-refunds/workstreams/start", {"title": ""}).status_code == 422


def boss(driver: Driver) -> Machine:
    executor = driver.cast.builder("boss")
    executor.user, executor.kind = driver.cast.approver, ExecutorKind.PERSON
    executor.save()
    return Machine.of(executor)


def test_fr016_start_check_and_migrate_over_rest(first: Driver) -> None:
    machine = boss(first)
    status, begun = machine.post(
        "/api/workflows/card-refunds/workstreams", {"title": "Refunds for Spain"}, key="k1"
    )
    assert (status, begun["slug"], begun["version"]) == (201, "refunds-for-spain", 1)
    assert (
        machine.post("/api/workflows/card-refunds/workstreams", {"title": "Refunds for Spain"}, key="k1")[1]
        == begun
    )
    version = next_version(first, RENAMED)
    approval = {"sha256": version.source_sha256, "mapping": [{"old": ["A1"], "new": ["A7"]}]}
    status, answer = machine.post("/api/workflows/card-refunds/versions/2/approve", approval)
    assert (status, answer["version"]) == (200, 2), answer
    address = f"/api/workstreams/{begun['uuid']}/migrations/2"
    mapping = {"mapping": [{"old": ["A1"], "new": ["A7"]}], "reason": "Better names."}
    status, dry = machine.post(f"{address}/check", mapping)
    assert (status, dry["applies"]) == (200, True)
    assert (dry["workstream"], dry["workstream_slug"]) == (begun["uuid"], "refunds-for-spain")
    assert ("A1", "A7", "renamed") in {(v["old"], v["new"], v["outcome"]) for v in dry["verdicts"]}
    assert not Migration.objects.filter(workstream__slug="refunds-for-spain").exists()
    both = {"workstreams": [begun["uuid"], str(first.reload().uuid)]} | mapping
    status, results = machine.post("/api/workflows/card-refunds/versions/2/migrations", both)
    assert status == 200
    assert results[0]["migration"] is not None
    assert [one["workstream"] for one in results] == both["workstreams"]
    assert "already" in results[1]["refusal"]
    assert machine.post(address, mapping)[0] == 409, "it follows that version already"


def test_fr016_several_are_paired_as_the_page_suggests_when_rest_says_so(first: Driver) -> None:
    second = other(first)
    version = next_version(first, RENAMED)
    approve(first, version, StepMapping(("A1",), ("A7",)))
    body = {"workstreams": [str(second.reload().uuid)], "reason": "Better names."}
    address = "/api/workflows/card-refunds/versions/2/migrations"
    status, results = boss(first).post(address, body | {"suggested": True})
    assert (status, results[0]["refusal"]) == (200, "")
    mapped = Migration.objects.get(pk=results[0]["migration"]).mapped_steps.get(old_step__key="A1")
    assert (mapped.new_step.key, mapped.outcome) == ("A7", "renamed")


def test_fr016_a_version_that_is_not_in_effect_is_no_target(first: Driver) -> None:
    next_version(first, RENAMED)
    status, answer = boss(first).post(
        f"/api/workstreams/{first.reload().uuid}/migrations/2", {"reason": "Now."}
    )
    assert (status, answer["code"]) == (409, "wrong-state")


def test_fr016_the_command_says_what_would_happen_and_does_it(first: Driver) -> None:
    second = other(first)
    approve(first, next_version(first, GROWN))
    said = StringIO()
    call_command("migrate_workstreams", "card-refunds", "2", "--dry-run", "--as", "anna", stdout=said)
    assert "refunds-for-spain: can be migrated" in said.getvalue()
    assert "added  E1: is added" in said.getvalue()
    assert second.reload().version.number == 1
    with pytest.raises(CommandError, match="Say why"):
        call_command("migrate_workstreams", "card-refunds", "2", "--as", "anna")
    call_command(
        "migrate_workstreams", "card-refunds", "2", "--as", "anna", "--reason", "One more step.", stdout=said
    )
    assert second.reload().version.number == 2
    with pytest.raises(CommandError, match="nothing-like-it"):
        call_command(
            "migrate_workstreams", "card-refunds", "2", "--workstream", "nothing-like-it", "--as", "anna"
        )


def test_wf5_a_fix_stage_grows_the_text_that_its_own_workstream_follows(first: Driver) -> None:
    second = other(first)
    approve(first, fix(first))
    approver = first.cast.actor("approver")
    grown = fix(second)
    assert "FIX1" in grown.source
    assert "FIX2" not in grown.source, "the other workstream's fix is none of this one's work"
    approve_version(version_id=grown.pk, seen_sha256=grown.source_sha256, actor=approver, now=timezone.now())
    assert second.reload().version.number == 3
    assert second.task("FIX1").step.title == "Lock the token row"


def test_fr016_a_version_that_waits_for_one_workstream_is_not_replaced_by_another_ones(first: Driver) -> None:
    second = other(first)
    waiting = next_version(first, GROWN)
    with pytest.raises(WrongState, match="waits for a decision") as refused:
        fix(second)
    assert "approved or sent back" in refused.value.way_out
    waiting.refresh_from_db()
    assert waiting.status == VersionStatus.IN_REVIEW
    fix(first)
    waiting.refresh_from_db()
    assert waiting.status == VersionStatus.SUPERSEDED, "a newer one for the same workstream takes its place"


def fix(driver: Driver) -> WorkflowVersion:
    return propose_stage(
        workstream=driver.reload(),
        name="fix auth race",
        tasks="Lock the token row | the race test passes",
        reason="Two tokens are accepted at once.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    ).version


def test_wf3_a_version_is_sent_back_over_rest_and_approved_by_a_person_only(first: Driver) -> None:
    version = next_version(first, RENAMED)
    address = "/api/workflows/card-refunds/versions/2"
    agent = first.cast.builder("robot")
    agent.user = first.cast.approver
    agent.save()
    status, answer = Machine.of(agent).post(f"{address}/approve", {"sha256": version.source_sha256})
    assert (status, answer["code"]) == (403, "not-allowed")
    machine = boss(first)
    assert machine.post(f"{address}/send-back", {"sha256": version.source_sha256, "reason": " "})[0] == 422
    assert machine.post(f"{address}/send-back", {"sha256": "0" * 64, "reason": "Unclear."})[0] == 409
    body = {"sha256": version.source_sha256, "reason": "A7 says nothing."}
    status, answer = machine.post(f"{address}/send-back", body, key="back")
    assert (status, answer["version"]) == (200, 1), "work goes on under version 1"
    assert machine.post(f"{address}/send-back", body, key="back") == (status, answer)
    version.refresh_from_db()
    assert (version.status, version.decision_reason) == (VersionStatus.SENT_BACK, "A7 says nothing.")
