"""AD-1, FR-016: a dependency of open work that can never hold is dropped by its reviewer, with a reason.

The text of no version changes: the next one has the same text and is read without that dependency.
"""

import json

import pytest

from orchestrator.core.errors import (
    BundleRejected,
    InvalidInput,
    MissingReason,
    PlanHasBlockers,
    PlanRejected,
    VersionMoved,
)
from orchestrator.core.terms import ExecutorKind, VersionStatus
from orchestrator.models import HistoryEntry, WorkflowVersion, Workstream
from orchestrator.queries.plans.readings import plan_text, reading_of
from orchestrator.services.people.executors import register_executor
from orchestrator.services.plans.bundles import PlanFile, submit_bundle
from orchestrator.services.plans.plans import Submission, submit_plan
from orchestrator.services.plans.submissions import submit_each
from orchestrator.services.review import decisions
from orchestrator.services.review.dropped_needs import drop_dependency
from orchestrator.services.workstreams.workstreams import sign_prehandoff
from tests.cast import NOON, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db


def tasks(**needs: list[str]) -> bytes:
    listed = [{"id": key, "title": f"Do {key}", "dependencies": wanted} for key, wanted in needs.items()]
    return json.dumps({"tasks": listed}, indent=1).encode()


UNKNOWN = tasks(a=["z9"], b=["a"])
CIRCLE = tasks(a=["c"], b=["a"], c=["b"])
NATIVE = (
    b"# Plan: Wall\n### Stage 1: x\n##### Batch 01: y\n###### Thread 01: z\n- A1: one (needs Z9)\n- A2: two\n"
)


def left_to_reviewer(driver: Driver, source: bytes, *, leave_needs: bool = True) -> Submission:
    done = submit_plan(
        source=source,
        source_name="shop.tasks.json",
        actor=driver.cast.actor("initiator"),
        now=driver.tick(),
        leave_needs=leave_needs,
    )
    driver.workstream = done.workstream
    return done


def drop(
    driver: Driver, version: WorkflowVersion, step: str, need: str, reason: str = "It was a typo."
) -> WorkflowVersion:
    return drop_dependency(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        step=step,
        need=need,
        reason=reason,
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )


def approve(driver: Driver, version: WorkflowVersion) -> Workstream:
    return decisions.approve_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )


@pytest.mark.parametrize(
    ("source", "step", "need", "starts"),
    [(UNKNOWN, "a", "z9", ["a"]), (CIRCLE, "a", "c", ["a"]), (NATIVE, "A1", "Z9", ["A1"])],
    ids=["unknown", "circle", "our own form"],
)
def test_ad1_the_reviewer_drops_it_and_the_work_runs_to_its_end(
    driver: Driver, source: bytes, step: str, need: str, starts: list[str]
) -> None:
    first = left_to_reviewer(driver, source).version
    with pytest.raises(PlanHasBlockers):
        approve(driver, first)
    second = drop(driver, first, step, need)
    first.refresh_from_db()
    assert (first.status, first.dropped_needs) == (VersionStatus.SUPERSEDED, [])
    assert (second.number, second.source, second.dropped_needs) == (2, first.source, [[step, need]])
    assert second.author == first.author, "whoever reviews it did not write it"
    assert "It was a typo." in second.change_reason
    assert [f.code for f in reading_of(first).blockers] != []
    assert not reading_of(second).blockers
    assert f"needs {need}" not in plan_text(second)
    sign_prehandoff(
        workstream_id=driver.workstream.pk,  # type: ignore[union-attr]
        rationale="No similar work.",
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    approve(driver, second)
    driver.advance()
    assert driver.ready() == starts
    driver.finish()
    assert driver.reload().finished_at is not None


def test_ad1_it_is_recorded_with_who_and_why(driver: Driver) -> None:
    drop(driver, left_to_reviewer(driver, UNKNOWN).version, "a", "z9", "z9 was never written.")
    entry = HistoryEntry.objects.filter(action="dependency dropped").get()
    data = json.loads(entry.leaf)["data"]
    assert (entry.reason, data["step"], data["need"]) == ("z9 was never written.", "a", "z9")


def test_ad1_what_can_hold_is_not_the_reviewers_to_drop(driver: Driver) -> None:
    version = left_to_reviewer(driver, UNKNOWN).version
    for step, need in (("b", "a"), ("a", "b"), ("nobody", "z9")):
        with pytest.raises(InvalidInput):
            drop(driver, version, step, need)
    with pytest.raises(MissingReason):
        drop(driver, version, "a", "z9", " ")
    second = drop(driver, version, "a", "z9")
    with pytest.raises(VersionMoved):
        drop(driver, version, "a", "z9")
    with pytest.raises(InvalidInput):
        drop(driver, second, "a", "z9")


def test_ad1_unless_it_is_left_to_the_reviewer_such_a_plan_is_refused(driver: Driver) -> None:
    with pytest.raises(PlanRejected):
        left_to_reviewer(driver, UNKNOWN, leave_needs=False)
    with pytest.raises(PlanRejected):
        left_to_reviewer(driver, NATIVE.replace(b"- A2: two", b"- A1: two"))
    assert not Workstream.objects.exists()


def test_ad1_several_plans_are_left_to_the_reviewer_too(driver: Driver) -> None:
    files = {"one.tasks.json": UNKNOWN, "two.tasks.json": CIRCLE}
    actor = driver.cast.actor("initiator")

    def plans(*, leave_needs: bool) -> list[PlanFile]:
        return [PlanFile(name, source, leave_needs=leave_needs) for name, source in files.items()]

    with pytest.raises(BundleRejected) as refused:
        submit_bundle(name="Shop", files=plans(leave_needs=False), actor=actor, now=driver.tick())
    assert "leave_needs" in refused.value.way_out
    done = submit_bundle(name="Shop", files=plans(leave_needs=True), actor=actor, now=driver.tick())
    assert len(done.members) == 2
    (alone, _) = submit_each(files=plans(leave_needs=False), actor=actor, now=driver.tick())
    assert alone.refusal
    assert "leave_needs" in alone.refusal.way_out
    each = submit_each(files=plans(leave_needs=True), actor=actor, now=driver.tick())
    assert all(one.submission for one in each)


def test_ad1_several_plans_on_the_page_and_over_rest(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    typed = {
        "act": "submit",
        "plan-name": ["a.tasks.json", "b.tasks.json"],
        "plan-source": [UNKNOWN.decode(), CIRCLE.decode()],
        "together": "each",
    }
    refused = client.post("/plans/submit/", typed)
    assert "Let the reviewer drop dependencies that cannot hold" in words(refused)
    client.post("/plans/submit/", typed | {"leave_needs": "yes"})
    assert WorkflowVersion.objects.count() == 2
    planner = Machine.of(
        register_executor(name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON)
    )
    body = {"name": "Shop", "files": [{"name": "c.tasks.json", "source": CIRCLE.decode()}]}
    status, answer = planner.post("/api/bundles", body)
    assert (status, "leave_needs" in answer["recovery"]) == (422, True)
    assert planner.post("/api/bundles", body | {"leave_needs": True})[0] == 201
    files = {"files": [{"name": "d.tasks.json", "source": CIRCLE.decode()}]}
    status, answer = planner.post("/api/plans/files", files | {"leave_needs": True})
    assert (status, bool(answer["plans"][0]["submission"])) == (201, True)


def test_ad1_on_the_page(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    typed = {"act": "submit", "source": UNKNOWN.decode(), "format": "task-master"}
    refused = client.post("/plans/submit/", typed)
    assert refused.status_code == 422
    assert "Let the reviewer drop dependencies that cannot hold" in words(refused)
    client.post("/plans/submit/", typed | {"leave_needs": "yes"})
    version = WorkflowVersion.objects.get()
    address = f"/plans/{version.workflow.slug}/v1/"
    reviewer = signed_in(driver.cast.reviewer)
    page = words(reviewer.get(address))
    assert "a waits for z9 line 4: nothing in the plan is called “z9”" in page
    body = {"version_id": version.pk, "seen_sha256": version.source_sha256, "pair": "0"}
    assert reviewer.post(f"{address}drop", body | {"reason": ""}).status_code == 422
    answer = reviewer.post(f"{address}drop", body | {"reason": "A typo."}, follow=True)
    assert "Version 2 has the same text, without the dependency of a on “z9”." in words(answer)
    assert "The review dropped that a waits for “z9”." in words(answer)
    assert "Dependencies that cannot hold" not in words(answer)
    observer = signed_in(driver.cast.observer)
    assert observer.post(f"{address}drop", body | {"reason": "A typo."}).status_code == 403


def test_ad1_over_rest(driver: Driver) -> None:
    def machine(name: str, role: str) -> Machine:
        account = getattr(driver.cast, role)
        return Machine.of(register_executor(name=name, kind=ExecutorKind.AGENT, user=account, now=NOON))

    planner, judge = machine("planner", "initiator"), machine("judge", "reviewer")
    status, refused = planner.post("/api/plans/", {"source": CIRCLE.decode()})
    assert (status, "leave_needs" in refused["recovery"]) == (422, True)
    status, made = planner.post("/api/plans/", {"source": CIRCLE.decode(), "leave_needs": True})
    assert (status, made["approvable"]) == (201, False)
    address = f"/api/workflows/{made['workstream_slug']}/versions/1/drop-dependency"
    body = {"sha256": made["sha256"], "step": "a", "need": "c", "reason": "c comes last."}
    status, answer = judge.post(address, body)
    assert (status, answer["version"], answer["approvable"]) == (201, 2, True)
    assert planner.post(address, body)[0] == 403
