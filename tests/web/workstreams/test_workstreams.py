"""The workstream page: where it stands, what is in the way, acceptance (FR-002, FR-015, LC-1, LC-3, EC-3)."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from orchestrator.core.terms import ArtifactState, WorkstreamStatus
from orchestrator.models import HandoffArtifact, HistoryEntry, Workstream
from orchestrator.services.people.blockers import declare_blocker
from orchestrator.services.people.interventions import flag_for_human
from orchestrator.services.workstreams.policies import change_policy
from tests.cast import PLAN, Driver
from tests.web.pages import control, htmx, signed_in, words


@pytest.fixture
def started(driver: Driver) -> Driver:
    driver.start()
    return driver


def page_of(driver: Driver) -> str:
    return f"/workstreams/{driver.reload().uuid}/"


def act(driver: Driver, role: str, name: str, **fields: object):
    client = signed_in(getattr(driver.cast, role))
    return client.post(f"{page_of(driver)}acts/{name}", fields, follow=True)


def read(driver: Driver, role: str = "observer") -> str:
    return words(signed_in(getattr(driver.cast, role)).get(page_of(driver)))


def test_fr002_current_next_and_remaining_criteria(started: Driver) -> None:
    started.claim("A1", started.cast.builder("builder-1"))
    started.advance()
    text = read(started)
    assert "Active A1: Ledger entries for refunds running on builder-1" in text
    assert "Next: A2: Ledger report waits for A1: running on builder-1" in text
    assert "A1 : unit tests pass" in text
    started.complete("A1")
    assert "A1 : unit tests pass" not in read(started)


def test_fr015_every_task_says_why_it_stands_where_it_stands(started: Driver) -> None:
    text = read(started)
    assert "Stage 1: Build · Batch 01: foundations" in text
    assert "MP1: Merge point MP1 Pending waits for A2" in text
    assert "1. A1 , 2. B1" in text, "the launch order of the first round"


def test_the_board_alone_answers_the_refresh(started: Driver) -> None:
    response = signed_in(started.cast.observer).get(page_of(started), **htmx("board"))
    assert response.content.strip().startswith(b'<div id="board"')
    assert b'hx-trigger="every 3s"' in response.content
    assert {"HX-Target", "Accept"} <= {name.strip() for name in response.headers["Vary"].split(",")}


def test_going_back_in_the_browser_gets_the_whole_page(started: Driver) -> None:
    headers = {**htmx("board"), "HTTP_HX_HISTORY_RESTORE_REQUEST": "true"}
    response = signed_in(started.cast.observer).get(page_of(started), **headers)
    assert b"<!DOCTYPE html>" in response.content


def test_a_page_costs_the_same_for_any_number_of_tasks(
    started: Driver, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    client = signed_in(started.cast.observer)
    client.get(page_of(started))
    small = page_of(started)
    with django_assert_max_num_queries(54) as few:
        client.get(small)
    more = b"".join(b"- B%d: More\n  - Exit: done\n" % n for n in range(2, 30))
    started.start(
        PLAN.replace(b"Card refunds", b"Large").replace(b"### Merge Point", more + b"\n### Merge Point")
    )
    large = page_of(started)
    with django_assert_num_queries(len(few.captured_queries)):
        client.get(large)


def test_a_workstream_that_is_planned_points_to_its_plan(driver: Driver) -> None:
    driver.submit()
    text = read(driver)
    assert "version 1 of its plan has to be approved first" in text
    assert "The pre-handoff review is not signed." in text
    approver = signed_in(driver.cast.approver).get(page_of(driver))
    assert "Its plan is not approved yet." in words(approver)


def test_what_is_in_the_way_is_listed(started: Driver) -> None:
    actor = started.cast.actor("contributor")
    flag_for_human(task_id=started.task("A1").pk, note="Which currency?", actor=actor, now=started.tick())
    note = "The test system is down."
    declare_blocker(
        task_id=started.task("B1").pk, kind="external", note=note, actor=actor, now=started.tick()
    )
    text = read(started)
    assert "A1: it asks “Which currency?”" in text
    assert "Needs a human A1 :" not in text, "what the page begins with has no card of its own"
    assert f"B1 , external: {note}" in text
    assert "Blocked" in text


def test_a_failed_attempt_is_requeued_from_the_page(started: Driver) -> None:
    started.claim("A1")
    started.fail("A1", "Three tests failed.")
    assert "A1 failed in attempt 1 Three tests failed." in read(started)
    refused = act(started, "contributor", "requeue", key="A1", reason=" ")
    assert refused.status_code == 422
    done = act(started, "contributor", "requeue", key="A1", reason="The test is repaired.")
    assert "A1 is re-queued" in words(done)
    started.advance()
    assert started.attempt("A1").number == 2
    assert HistoryEntry.objects.get(action="task re-queued").reason == "The test is repaired."


def test_an_observer_may_look_but_not_requeue(started: Driver) -> None:
    started.claim("A1")
    started.fail("A1")
    response = signed_in(started.cast.observer).get(page_of(started))
    assert "requeue-button-A1" not in response.content.decode()
    assert act(started, "observer", "requeue", key="A1", reason="Again.").status_code == 403


@pytest.fixture
def damaged(started: Driver) -> tuple[Driver, HandoffArtifact]:
    started.do("A1")
    artifact = HandoffArtifact.objects.get(event="attempt-completed")
    (Path(settings.WORKSPACE_DIR) / artifact.path).unlink()
    started.advance()
    artifact.refresh_from_db()
    return started, artifact


def test_ec3_a_missing_file_is_named_with_four_ways_out(damaged: tuple[Driver, HandoffArtifact]) -> None:
    driver, artifact = damaged
    text = read(driver, "contributor")
    assert artifact.path in text
    assert "is missing" in text
    for button in (
        "Check again",
        "Republish from the record",
        "Restore from git",
        "Declare failure, do A1 again",
    ):
        assert button in text


@pytest.mark.parametrize("way", ["republish", "restore"])
def test_ec3_a_missing_file_is_brought_back(damaged: tuple[Driver, HandoffArtifact], way: str) -> None:
    driver, artifact = damaged
    response = act(driver, "contributor", "recover", artifact=artifact.pk, way=way)
    assert "is usable again" in words(response)
    artifact.refresh_from_db()
    assert artifact.state == ArtifactState.COMMITTED
    assert (Path(settings.WORKSPACE_DIR) / artifact.path).read_text() == artifact.body


def test_ec3_checking_again_says_what_is_still_wrong(damaged: tuple[Driver, HandoffArtifact]) -> None:
    driver, artifact = damaged
    response = act(driver, "contributor", "recover", artifact=artifact.pk, way="retry")
    assert response.status_code == 409
    assert "It still cannot be used" in words(response)


def test_ec3_declaring_failure_needs_a_reason_and_does_the_step_again(
    damaged: tuple[Driver, HandoffArtifact],
) -> None:
    driver, artifact = damaged
    assert act(driver, "contributor", "recover", artifact=artifact.pk, way="declare").status_code == 422
    response = act(
        driver, "contributor", "recover", artifact=artifact.pk, way="declare", reason="The disk is gone."
    )
    assert "A1 and everything after it is done again." in words(response)
    driver.advance()
    assert driver.attempt("A1").number == 2


def test_an_artifact_of_another_workstream_is_not_touched(damaged: tuple[Driver, HandoffArtifact]) -> None:
    driver, artifact = damaged
    driver.start(PLAN.replace(b"Card refunds", b"Other"))
    response = act(driver, "contributor", "recover", artifact=artifact.pk, way="republish")
    assert response.status_code == 404


def test_acceptance_is_off_with_the_reason_until_finished(started: Driver) -> None:
    response = signed_in(started.cast.approver).get(page_of(started))
    assert " disabled" in control(response, "accept")
    assert "It is not finished: 6 open tasks left." in words(response)
    assert act(started, "approver", "accept").status_code == 409
    assert started.reload().status == WorkstreamStatus.ACTIVE


def test_only_an_approver_accepts(started: Driver) -> None:
    started.finish()
    refused = act(started, "contributor", "accept", note="Fine.")
    assert refused.status_code == 403
    assert "Fine." in words(refused)
    assert started.reload().status == WorkstreamStatus.ACTIVE


def test_lc11_the_acceptance_gate_shows_the_policy(started: Driver) -> None:
    change_policy(
        slug="definition-of-done",
        title="Definition of done",
        body="- **Manual** is written.",
        reason="first",
        impact="None.",
        actor=started.cast.actor("approver"),
        now=started.tick(),
    )
    assert "Definition of done Manual is written." in read(started, "approver")


def test_lc10_archiving_keeps_everything(started: Driver) -> None:
    started.do("A1")
    assert act(started, "approver", "archive", reason="").status_code == 422
    response = act(started, "approver", "archive", reason="Superseded by another work.")
    assert "is archived" in words(response)
    workstream = Workstream.objects.get()
    assert workstream.status == WorkstreamStatus.ARCHIVED
    assert HistoryEntry.objects.get(action="workstream archived").reason == "Superseded by another work."
    assert "A1: Ledger entries for refunds 01: ledger Complete" in read(started)


def test_an_unknown_act_or_workstream_is_404(started: Driver) -> None:
    assert act(started, "approver", "explode").status_code == 404
    client = signed_in(started.cast.approver)
    assert client.get("/workstreams/00000000-0000-0000-0000-000000000000/").status_code == 404


def test_wf7_files_are_listed_and_shown_as_plain_text(started: Driver) -> None:
    started.claim("A1")
    started.complete("A1", outputs={"page.html": b"<script>alert(1)</script>"})
    client = signed_in(started.cast.observer)
    listing = client.get(f"{page_of(started)}files/")
    assert "tasks.json" in words(listing)
    path = f"workstreams/{started.reload().slug}/files/stage-1-build/01-foundations/01-ledger/page.html"
    assert path in words(listing)
    response = client.get(f"{page_of(started)}files/{path}")
    assert response.content == b"<script>alert(1)</script>"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    tasks = client.get(f"{page_of(started)}files/workstreams/{started.reload().slug}/tasks.json")
    assert json.loads(tasks.content)["tasks"]


@pytest.mark.parametrize(
    "path",
    [
        "workstreams/card-refunds/../../.git/config",
        "workstreams/card-refunds/%2e%2e/%2e%2e/.git/config",
        "workstreams/index.json",
        ".git/config",
        "/etc/passwd",
        "workstreams/card-refunds/",
        "workstreams/card-refunds/nothing.txt",
        "workstreams/card-refunds/a%00b",
    ],
)
def test_b1_nothing_outside_the_workstream_is_shown(started: Driver, path: str) -> None:
    assert signed_in(started.cast.observer).get(f"{page_of(started)}files/{path}").status_code == 404


def test_bx6_numbered_threads_of_different_batches_are_rows_of_their_own(started: Driver) -> None:
    started.do("A1")
    folder = f"workstreams/{started.reload().slug}"
    response = signed_in(started.cast.observer).get(
        f"{page_of(started)}files/{folder}/EXECUTION-DASHBOARD.md"
    )
    rows = [
        line.split(" | ")[:2] for line in response.content.decode().splitlines() if line.startswith("| 1/")
    ]
    assert rows == [
        ["| 1/01/01", "ledger"],
        ["| 1/01/02", "gateway"],
        ["| 1/02/01", "refunds"],
        ["| 1/99/01", "docs"],
    ]
