"""How work stands, on the command line (FR-015)."""

import json
from pathlib import Path

from tests.cast import PLAN, Driver
from tests.client.conftest import Call


def test_status_lists_and_tree_explains(call: Call, driver: Driver) -> None:
    slug = driver.start().slug
    assert f"  {slug}: " in call("status").out
    told = call("tree", slug).out
    for task in driver.reload().tasks.all():
        assert task.step.key in told


def test_why_goes_to_the_root(call: Call, driver: Driver) -> None:
    slug = driver.start().slug
    facts = json.loads(call("why", slug, "--json").out)
    assert call("why", slug).out.startswith(facts["sentence"])
    assert call("why", slug, "MP1").code == 0
    assert call("why", slug, "nothing").code == 1


def test_an_unknown_workstream_is_named(call: Call, driver: Driver) -> None:
    told = call("tree", "no-such-work")
    assert (told.code, "'no-such-work'" in told.err) == (2, True)


def test_gates_that_wait_are_listed(call: Call, driver: Driver) -> None:
    driver.start()
    assert call("gates").code == 3
    driver.do("A1", "B1")
    told = call("gates")
    assert told.code == 0 or driver.ready() != []


def test_watching_ends_when_the_work_is_finished(call: Call, driver: Driver) -> None:
    driver.start()
    slug = driver.finish().slug
    told = call("watch", slug)
    assert (told.code, told.out.splitlines()[-1]) == (0, f"{slug} is finished.")


def test_a_plan_is_checked_and_submitted(call: Call, driver: Driver, tmp_path: Path) -> None:
    plan = tmp_path / "PLAN.md"
    plan.write_bytes(PLAN)
    assert call("plan", "check", str(plan)).out.splitlines()[-1] == "It can be approved as it is."
    plan.write_text("Nothing of a plan.")
    refused = call("plan", "check", str(plan))
    assert refused.code == 1


def test_a_file_that_is_missing_is_a_sentence(call: Call, driver: Driver) -> None:
    told = call("plan", "check", "no-such-file.md")
    assert told.code == 2
    assert "no-such-file.md" in told.err


def test_a_text_is_compared_with_the_plan_that_is_followed(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    work, plan = driver.start(), tmp_path / "PLAN.md"
    plan.write_text(work.version.source)
    assert (call("plan", "diff", work.slug, str(plan)).code) == 0
    plan.write_text(work.version.source + "\nOne line more.\n")
    told = call("plan", "diff", work.slug, str(plan))
    assert told.code == 1
    assert "+One line more." in told.out
