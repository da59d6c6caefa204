"""WF-8: work in progress is adopted with its state, through page, REST and command; only the rest is done."""

import json
import os
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Attempt, Blocker, HandoffArtifact, HistoryEntry, Task, Workstream
from orchestrator.queries.flow.rebuilt import flow_problems
from orchestrator.queries.work.projection import projected_files
from orchestrator.services.people.executors import register_executor
from tests.acceptance.public import PublicDriver
from tests.acceptance.versions import decide
from tests.cast import NOON, Cast
from tests.machines import Machine
from tests.verified import first_breach, state_problems
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db
SHARED = Path(os.environ.get("ORCHESTRATOR_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
STREAM = SHARED / "corpus" / "plans"

#: Two phases done, the second behind a checkpoint; the third begun.
TASKS = """# Tasks: Lending

## Phase 1: Setup

- [x] T001 Create shelf.py
- [x] T002 Create card.py

**Checkpoint**: the shelf stands

## Phase 2: Loans

- [x] T003 Lend a book
- [ ] T004 Return a book
- [x] T005 Remind the reader
"""
#: A stage of three threads in seed 000's own words, each task in another state.
STATE = {
    "version": "1.0.0",
    "stream_id": "lending",
    "tasks": [
        {
            "id": "01.01.01.01",
            "name": "Shelf",
            "status": "completed",
            "report": "Shelf built.",
            "assigned_agent": "web",
        },
        {
            "id": "01.01.01.02",
            "name": "Card",
            "status": "in_progress",
            "breadcrumb": "Half of the card is drawn.",
        },
        {
            "id": "01.01.02.01",
            "name": "Gate of the yard",
            "status": "blocked",
            "report": "The key is missing.",
        },
        {"id": "01.01.03.01", "name": "Old index", "status": "cancelled"},
        {"id": "01.02.01.01", "name": "Open the shop", "status": "completed"},
    ],
}
for one in STATE["tasks"]:  # type: ignore[attr-defined]
    stage, batch, thread, _ = one["id"].split(".")
    one |= {"stage_name": f"Stage {stage}", "batch_name": f"Batch {batch}", "thread_name": f"Thread {thread}"}


#: One is complete and one skipped; what is blocked counts among the others.
LEFT = (
    "2 of them were done before: launches and lengths count the other 3, blocked ones as if nothing "
    "were in their way."
)


@pytest.fixture
def driver(cast: Cast) -> PublicDriver:
    return PublicDriver(cast)


def tasks_json() -> bytes:
    return json.dumps(STATE, indent=2).encode()


def statuses(driver: PublicDriver) -> dict[str, str]:
    rows = Task.objects.filter(workstream=driver.workstream)
    return dict(rows.values_list("step__key", "status"))


def approved(driver: PublicDriver) -> Workstream:
    """Signed and approved on the pages, then what the queue does."""
    workstream = driver.reload()
    version, approver = workstream.version, signed_in(driver.cast.approver)
    driver.override_suspects()
    place = f"/plans/{version.workflow.slug}/v{version.number}"
    approver.post(f"{place}/prehandoff", {"rationale": "No similar work."})
    body = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    answer = approver.post(f"{place}/decide", body)
    assert answer.status_code == 302, words(answer)
    driver.advance()
    return driver.reload()


def sound(driver: PublicDriver) -> None:
    """History is whole, and says what the tables say; the counters are right."""
    workstream = driver.reload()
    assert first_breach() is None
    assert state_problems(workstream) == []
    assert flow_problems(workstream) == []
    found = list(statuses(driver).values())
    assert workstream.done_tasks == sum(status in ("complete", "skipped") for status in found)
    assert workstream.blocked_tasks == found.count("blocked")
    assert workstream.open_tasks == len(found) - workstream.done_tasks


def in_workspace(driver: PublicDriver) -> dict[str, dict[str, object]]:
    files = projected_files(driver.reload())
    text = next(data for path, data in files.items() if path.endswith("/tasks.json"))
    return {task["id"]: task for task in json.loads(text)["tasks"]}


def test_wf8_a_tracker_with_every_state_is_adopted_on_the_page(driver: PublicDriver) -> None:
    client = signed_in(driver.cast.initiator)
    assert 'name="adopt"' in client.get("/plans/submit/").content.decode()
    checked = words(
        client.post("/plans/submit/", {"act": "check", "source": tasks_json().decode(), "adopt": "yes"})
    )
    assert "1 task stands as complete" in checked
    assert LEFT in checked
    whole = words(client.post("/plans/submit/", {"act": "check", "source": tasks_json().decode()}))
    assert "5 with one" in whole
    assert HistoryEntry.objects.count() == 0
    client.post("/plans/submit/", {"act": "submit", "source": tasks_json().decode(), "adopt": "yes"})
    driver.workstream = Workstream.objects.get()
    page = words(signed_in(driver.cast.approver).get(f"/plans/{driver.workstream.slug}/v1/"))
    for said in (
        "1 task stands as complete",
        "1 task starts again, with what was done last",
        "1 task is blocked",
        "1 task is skipped",
        "1 task is done again",
        "01.01.01.02, which comes before it, is not done",
        LEFT,
        "2 steps with 3 executors, 3 with one",
        "01.01.01.02 → 01.02.01.01",
    ):
        assert said in page, said
    assert LEFT in words(client.get(f"/plans/{driver.workstream.slug}/v1/runs?executors=1"))
    approved(driver)
    assert statuses(driver) == {
        "01.01.01.01": "complete",
        "01.01.01.02": "pending",
        "01.01.02.01": "blocked",
        "01.01.03.01": "skipped",
        "01.02.01.01": "pending",
    }
    sound(driver)
    assert driver.ready() == ["01.01.01.02"]
    adopted = HistoryEntry.objects.filter(action="work adopted").order_by("sequence")
    assert [(entry.subject, entry.actor) for entry in adopted] == [(key, "anna") for key in statuses(driver)]
    assert "The source says complete, line" in adopted[0].reason
    handed = HandoffArtifact.objects.get(attempt__task__step__key="01.01.01.01")
    body = json.loads(handed.body)
    assert body["eventType"] == "attempt-completed"
    assert body["outcome"].endswith("Shelf built. Done by web.")
    assert body["actor"] == "anna"
    blocker = Blocker.objects.get()
    assert (blocker.note, blocker.owner.username) == ("The key is missing.", "ines")
    shown = in_workspace(driver)
    assert (shown["01.01.01.01"]["status"], shown["01.01.01.02"]["status"]) == ("complete", "pending")
    assert shown["01.01.01.02"]["breadcrumb"] == "Half of the card is drawn."
    person = signed_in(driver.cast.contributor)
    text = person.get(f"/workstreams/{driver.reload().uuid}/tasks/01.01.01.02/")
    assert "Half of the card is drawn." in words(text)
    assert (
        "taken over" in words(person.get(f"/workstreams/{driver.reload().uuid}/tasks/01.01.01.01/")).lower()
    )
    machine = Machine.of(driver.cast.builder("builder-9"))
    brief = machine.get(f"/api/tasks/{driver.task('01.01.01.02').pk}/continue")[1]
    assert "Half of the card is drawn." in brief["markdown"]


def test_wf8_the_rest_runs_to_its_end_after_the_blocker_is_resolved(driver: PublicDriver) -> None:
    submit_over_rest(driver, tasks_json().decode(), "tasks.json")
    approved(driver)
    answer = Machine.of(driver.cast.builder("builder-9")).post(
        f"/api/blockers/{Blocker.objects.get().pk}/resolve", {"resolution": "The key was found."}
    )
    assert answer[0] == 200
    driver.advance()
    workstream = driver.finish()
    assert set(statuses(driver).values()) == {"complete", "skipped"}
    assert workstream.finished_at
    sound(driver)
    assert Attempt.objects.filter(task__step__key="01.01.01.01").count() == 1


def submit_over_rest(
    driver: PublicDriver, source: str, name: str, *, adopt: bool = True
) -> dict[str, object]:
    planner = Machine.of(
        register_executor(name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON)
    )
    status, checked = planner.post("/api/plans/check", {"source": source, "adopt": adopt})
    assert status == 200
    status, answer = planner.post("/api/plans/", {"source": source, "source_name": name, "adopt": adopt})
    assert (status, answer["adopts"]) == (201, adopt)
    driver.workstream = Workstream.objects.get(uuid=answer["workstream"])
    return checked


def test_wf8_work_behind_a_gate_is_held_until_a_person_signs_it(driver: PublicDriver) -> None:
    checked = submit_over_rest(driver, TASKS, "tasks.md")
    shown = {one["key"]: (one["becomes"], one["because"]) for one in checked["adoption"]["tasks"]}  # type: ignore[index]
    assert shown["T003"] == ("held", "It stands as complete once CP1 is signed.")
    assert (shown["T001"][0], shown["T005"][0]) == ("complete", "again")
    assert checked["adoption"]["counts"] == {"complete": 2, "held": 1, "again": 1}  # type: ignore[index]
    rest = checked["preview"]
    assert (rest["tasks"], rest["taken_over"], rest["launches"]) == (6, 3, [["CP1"], ["T004"], ["T005"]])  # type: ignore[index]
    assert rest["critical_path"] == ["CP1", "T004", "T005"]  # type: ignore[index]
    approved(driver)
    assert driver.ready() == ["CP1"]
    assert statuses(driver)["T003"] == "pending"
    sound(driver)
    driver.sign("CP1")
    assert statuses(driver)["T003"] == "complete"
    assert HistoryEntry.objects.get(action="work adopted", subject="T003").actor == "rita"
    sound(driver)
    assert driver.ready() == ["T004"]
    workstream = driver.finish()
    assert workstream.finished_at
    assert Attempt.objects.filter(task__step__key="T003").count() == 1
    assert Attempt.objects.get(task__step__key="T005").adopted is False
    sound(driver)


def test_wf8_a_rejected_gate_ends_what_was_held_behind_it(driver: PublicDriver) -> None:
    submit_over_rest(driver, TASKS, "tasks.md")
    approved(driver)
    body = {"decision": "reject", "reason": "The card is wrong.", "return_key": "T002"}
    answer = signed_in(driver.cast.reviewer).post(f"/gates/{driver.task('CP1').pk}/decide", body)
    assert answer.status_code == 302, words(answer)
    driver.advance()
    driver.do("T002")
    driver.sign("CP1")
    # T003 was built on another card.
    assert driver.ready() == ["T003"]
    assert driver.finish().finished_at
    sound(driver)


def test_wf8_whoever_submitted_the_state_does_not_sign_off_what_it_says_was_done(
    driver: PublicDriver,
) -> None:
    driver.cast.initiator.groups.add(*driver.cast.reviewer.groups.all())
    submit_over_rest(driver, TASKS, "tasks.md")
    approved(driver)
    answer = signed_in(driver.cast.initiator).post(
        f"/gates/{driver.task('CP1').pk}/decide", {"decision": "approve"}
    )
    assert answer.status_code == 403
    assert "did work that CP1 reviews" in words(answer)


def test_wf8_nobody_is_asked_for_a_state_that_was_submitted(driver: PublicDriver) -> None:
    source = b"# Wall\n\n- [x] Sand the wall\n- [ ] Paint it\n"
    planner = Machine.of(
        register_executor(name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON)
    )
    for adopt, said in ((True, "Approval takes that over"), (False, "Submit the plan with its state")):
        made = planner.post("/api/plans/", {"source": source.decode(), "adopt": adopt})[1]
        (fix,) = [one["fix"] for one in made["findings"] if one["code"] == "work-in-progress"]
        assert fix.startswith(said)
        page = words(signed_in(driver.cast.approver).get(made["review"]))
        assert said in page


def test_wf8_without_adopting_all_tasks_start_as_open_and_the_review_says_so(driver: PublicDriver) -> None:
    submit_over_rest(driver, TASKS, "tasks.md", adopt=False)
    page = words(signed_in(driver.cast.approver).get(f"/plans/{driver.reload().slug}/v1/"))
    assert "submitted without its state" in page
    assert "6 with one" in page
    approved(driver)
    assert set(statuses(driver).values()) == {"pending"}
    assert driver.ready() == ["T001"]
    assert HistoryEntry.objects.filter(action="work adopted").count() == 0


def test_wf8_a_later_version_adopts_nothing_again(driver: PublicDriver) -> None:
    submit_over_rest(driver, TASKS, "tasks.md")
    workstream = approved(driver)
    planner = Machine.of(workstream.version.author.executors.get())
    body = {
        "source": TASKS + "- [x] T006 Close the shop\n",
        "workstream": str(workstream.uuid),
        "change_reason": "More.",
    }
    status, answer = planner.post("/api/plans/", body | {"adopt": True})
    assert (status, answer["code"], answer["details"]["field"]) == (409, "wrong-state", "adopt")
    status, answer = planner.post("/api/plans/", body)
    assert (status, answer["adopts"]) == (201, False)
    workstream = driver.reload()
    version = workstream.version.workflow.versions.get(number=2)
    seen = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    assert (
        signed_in(driver.cast.approver).post(f"/plans/{workstream.slug}/v2/decide", seen).status_code == 302
    )
    assert statuses(driver) | {"T006": "pending", "T001": "complete"} == statuses(driver)
    # What the first version held behind the gate still counts: the step is defined as it was.
    driver.advance()
    driver.sign("CP1")
    assert statuses(driver)["T003"] == "complete"
    sound(driver)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("submit_plan", *arguments, "--as", "ines", stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("status", ["completed", "in_progress", "blocked"])
def test_wf8_three_times_the_work_is_adopted_with_hardly_more_queries(
    driver: PublicDriver, status: str
) -> None:
    queries = []
    for count in (25, 75):
        rows = [{"id": f"T{n}", "name": f"T{n}", "status": status} for n in range(count)]
        source = json.dumps({"stream_id": f"stream-{count}", "tasks": rows})
        body = {"act": "submit", "source": source, "adopt": "yes"}
        assert signed_in(driver.cast.initiator).post("/plans/submit/", body).status_code == 302
        driver.workstream = Workstream.objects.latest("pk")
        version = driver.reload().version
        with CaptureQueriesContext(connection) as captured:
            decide(driver, version)
        assert (
            HistoryEntry.objects.filter(action="work adopted", workstream=driver.workstream).count() == count
        )
        queries.append(len(captured))
        sound(driver)
    assert queries[1] - queries[0] < 10, queries


@pytest.mark.skipif(not STREAM.is_dir(), reason="the corpus is not beside the checkout")
def test_wf8_a_real_workstream_is_adopted_by_the_command(driver: PublicDriver, tmp_path: Path) -> None:
    names = (
        "workstream-session-tracking.PLAN.md",
        "workstream-session-tracking.tasks.json",
        "workstreams-index.json",
    )
    for name, own in zip(names, ("PLAN.md", "tasks.json", "index.json"), strict=True):
        (tmp_path / own).write_bytes((STREAM / name).read_bytes())
    state = json.loads((tmp_path / "tasks.json").read_text())
    for task in state["tasks"][40:]:
        task["status"] = "pending"
    (tmp_path / "tasks.json").write_text(json.dumps(state))
    assert len(sources_of({p.name: p.read_bytes() for p in tmp_path.iterdir()}).plans) == 1
    printed = run(str(tmp_path), "--each", "--adopt")
    driver.workstream = Workstream.objects.get()
    assert "adopts" in printed
    approved(driver)
    found = statuses(driver)
    assert list(found.values()).count("complete") == 40
    sound(driver)
    assert driver.ready()
    assert driver.finish().finished_at
    assert Attempt.objects.filter(adopted=True).count() == 40
    assert Attempt.objects.count() == 56
    sound(driver)
    assert {task["status"] for task in in_workspace(driver).values()} == {"complete"}


def test_wf8_one_file_is_adopted_by_the_command_and_only_when_it_is_asked(
    driver: PublicDriver, tmp_path: Path
) -> None:
    (tmp_path / "tasks.md").write_text(TASKS)
    run(str(tmp_path / "tasks.md"))
    run(str(tmp_path / "tasks.md"), "--adopt")
    first, second = Workstream.objects.order_by("pk")
    assert (first.version.adopts, second.version.adopts) == (False, True)
    with pytest.raises(CommandError):
        run(str(tmp_path / "nothing.md"), "--adopt")


def test_wf8_state_is_adopted_when_an_approval_that_can_be_undone_takes_effect(
    driver: PublicDriver, settings
) -> None:
    settings.WITHDRAW_SECONDS = 10
    with time_machine.travel(timezone.now(), tick=False) as clock:
        body = {"act": "submit", "source": TASKS, "adopt": "yes"}
        signed_in(driver.cast.initiator).post("/plans/submit/", body)
        driver.workstream = Workstream.objects.get()
        decide(driver, driver.workstream.version)
        assert not Task.objects.exists()
        clock.shift(10)
        driver.advance()
    assert statuses(driver)["T001"] == statuses(driver)["T002"] == "complete"
    adopted = HistoryEntry.objects.filter(action="work adopted")
    assert {entry.actor for entry in adopted} == {driver.cast.approver.get_username()}
    assert state_problems(driver.reload()) == []
