"""FR-016, FR-022: with one more line in front a list has other keys, and the work stays with its step.

The page, REST and what changed since a version pair the steps in the same way.
"""

import pytest

from orchestrator.core.changes.pairing import old_keys
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.compare import compare_plans
from orchestrator.core.terms import ExecutorKind, TaskStatus
from orchestrator.models import Migration
from orchestrator.queries.changes.migrations import with_suggestions
from orchestrator.queries.plans.readings import plan_of
from orchestrator.services.people.executors import register_executor
from tests.acceptance.versions import approve, next_version
from tests.cast import NOON, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

OLD = b"# Wall\n\n- [ ] Sand the wall\n- [ ] Paint it white\n- [ ] Hang the lamp\n"
NEW = OLD.replace(b"- [ ] Sand", b"- [ ] Buy the paint\n- [ ] Sand")


def test_fr022_what_changed_is_one_step_more_and_no_other_titles() -> None:
    old, new = (read(source, frozenset()).plan for source in (OLD, NEW))
    assert old
    assert new
    changes = compare_plans(old, new, old_keys(old, new))
    assert [(step.kind, step.key) for step in changes.steps if step.kind != "changed"] == [("added", "1")]
    fields = {step.key: [field.name for field in step.fields] for step in changes.steps}
    assert fields == {"1": [], "2": ["key"], "3": ["key"], "4": ["key"]}


def test_fr022_dependencies_that_only_name_new_numbers_are_no_change() -> None:
    head = "# Plan: Wall\n### Stage 1: x\n##### Batch 01: y\n"
    old = read(
        f"{head}###### Thread 01: z\n- A1: Sand\n###### Thread 02: w\n- B1: Paint (needs A1)\n", frozenset()
    )
    new = read(
        f"{head}###### Thread 01: z\n- A7: Sand\n###### Thread 02: w\n- B1: Paint (needs A7)\n", frozenset()
    )
    assert old.plan
    assert new.plan
    changes = compare_plans(old.plan, new.plan, old_keys(old.plan, new.plan))
    assert [(step.key, [field.name for field in step.fields]) for step in changes.steps] == [("A7", ["key"])]


@pytest.fixture
def under_way(driver: Driver) -> Driver:
    """The first of three steps is done."""
    driver.start(OLD)
    driver.do("1")
    driver.advance()
    return driver


def test_fr016_the_review_says_which_steps_are_the_same_under_other_keys(under_way: Driver) -> None:
    version = next_version(under_way, NEW)
    page = words(signed_in(under_way.cast.approver).get(f"/plans/{version.workflow.slug}/v2/"))
    assert "Is this the same work under another key?" in page
    assert "1 looks like 2" in page
    assert "changes the key of 2, 3 and 4" in page.lower()


def test_fr016_rest_shows_the_pairs_and_applies_them_when_it_is_told(under_way: Driver) -> None:
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=under_way.cast.approver, now=NOON
    )
    machine = Machine.of(executor)
    next_version(under_way, NEW)
    address = f"/api/workstreams/{under_way.reload().uuid}/migrations/2/check"
    status, plain = machine.post(address, {})
    assert status == 200
    assert [(one["old"], one["new"]) for one in plain["pairs"]] == [
        (["1"], ["2"]),
        (["2"], ["3"]),
        (["3"], ["4"]),
    ]
    _, told = machine.post(address, {"suggested": True})
    assert told["applies"]
    kept = {one["old"]: one["new"] for one in told["verdicts"] if one["outcome"] in {"kept", "renamed"}}
    assert kept == {"1": "2", "2": "3", "3": "4"}
    assert not Migration.objects.exists()
    page = words(signed_in(under_way.cast.approver).get(f"/workstreams/{under_way.reload().uuid}/migrate/2/"))
    assert "This mapping can be applied as it is suggested" in page


def test_fr016_an_approval_with_the_suggested_pairs_keeps_the_work(under_way: Driver) -> None:
    version = next_version(under_way, NEW)
    lines = with_suggestions(under_way.reload(), version, plan_of(version), ())
    approve(under_way, version, *lines)
    assert under_way.task("2").status == TaskStatus.COMPLETE
    assert under_way.task("1").status == TaskStatus.PENDING
