"""FR-010, BX-3: what would be merged is shown as a diff, and a person may merge it, or have the operator's
program do what it does; off unless the operator says so."""

from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from orchestrator.core.errors import BaselineIntegrated
from orchestrator.core.terms import IntegrationSource
from orchestrator.models import BaselineIntegration, HistoryEntry
from orchestrator.services.handoff.baseline import integrate, look_everywhere, revert
from orchestrator.services.work import rework
from tests.acceptance.lanes import LANES, command, make_repository, working, write
from tests.cast import Driver
from tests.machines import Machine
from tests.services.test_cost_of_an_advance import processes
from tests.web.pages import signed_in, words

#: A merge point between the lanes and what joins them.
PLAN = LANES.replace(
    b"##### Batch 02: together",
    b"### Merge Point MP1\n- **Trigger:** A2 + B1 complete\n- **Action:** Look\n- **Reviewers:** reviewer\n\n"
    b"##### Batch 02: together",
)


@pytest.fixture
def repository(settings: Settings) -> Path:
    return make_repository(settings.REPOSITORIES_DIR / "sample", **{"pages/old.html": "<p>\nold\n"})


@pytest.fixture
def done(driver: Driver, repository: Path) -> Driver:
    """Everything before the merge point."""
    driver.start(PLAN)
    working(driver, "A1").write("prices/model.py", "price = 1\n").done()
    working(driver, "B1").write("pages/old.html", "<p>\nnew\nlines\n").done()
    working(driver, "C1").write("words/logo.png", b"\x89PNG\x00\x01").done()
    working(driver, "A2").write("prices/model.py", "price = 2\n").done()
    return driver


def address(driver: Driver) -> str:
    return reverse("workstream-merge", args=[driver.reload().uuid])


def preview(driver: Driver, query: str = "") -> dict[str, object]:
    status, told = Machine.of(driver.cast.builder("looker")).get(
        f"/api/workstreams/{driver.reload().uuid}/merge{query}"
    )
    assert status == 200, told
    return dict(told)


def merge(driver: Driver, seen: object) -> str:
    """What the page says after an approver pressed the button."""
    answer = signed_in(driver.cast.approver).post(
        reverse("workstream-merge-act", args=[driver.reload().uuid]), {"seen": str(seen)}, follow=True
    )
    return words(answer)


def test_fr010_what_would_be_merged_is_shown_as_a_diff(done: Driver, repository: Path) -> None:
    told = preview(done)
    assert told["said"] == "3 files would change in main."
    assert [(one["path"], one["added"], one["removed"], one["binary"]) for one in told["files"]] == [  # type: ignore[attr-defined]
        ("pages/old.html", 2, 1, False),
        ("prices/model.py", 1, 0, False),
        ("words/logo.png", 0, 0, True),
    ]
    assert [one["key"] for one in told["steps"]] == ["B1", "C1", "A2"], "A1 is in A2"  # type: ignore[attr-defined]
    page = words(signed_in(done.cast.observer).get(address(done)))
    assert "3 files would change in main." in page
    assert "-old +new +lines" in page
    assert "Merge this into the base branch" not in page
    assert command(repository, "status", "--porcelain") == ""


def test_bx3_the_gate_leads_to_what_came_to_it(done: Driver) -> None:
    gate = signed_in(done.cast.reviewer).get(reverse("gate", args=[done.task("MP1").pk]))
    assert f"{address(done)}?gate=MP1" in gate.content.decode()
    page = words(signed_in(done.cast.reviewer).get(f"{address(done)}?gate=MP1"))
    assert "What came to MP1" in page
    assert preview(done, "?gate=MP1")["said"] == "3 files would change in main."


def test_bx5_the_gate_tells_which_files_nobody_gave_a_step(driver: Driver, repository: Path) -> None:
    driver.start(PLAN)
    working(driver, "A1").write("prices/model.py", "price = 1\n").write("pages/mine.html", "<p>\n").done()
    for key in ("B1", "C1", "A2"):
        working(driver, key).done()
    page = words(signed_in(driver.cast.reviewer).get(reverse("gate", args=[driver.task("MP1").pk])))
    assert "The commit of A1 touches 1 file that the step does not own. Which ones pages/mine.html" in page


def test_fr010_work_that_does_not_fit_is_told_with_its_files(done: Driver, repository: Path) -> None:
    write(repository, "pages/old.html", "<p>\nothers\n")
    command(repository, "commit", "--quiet", "--all", "--message", "Meanwhile")
    told = preview(done)
    assert (told["commit"], told["clashes"]) == ("", ["pages/old.html"])
    assert told["said"] == (
        "The work of B1 does not fit to the rest in pages/old.html; it cannot be merged as it is."
    )


def test_fr010_merging_is_off_unless_the_operator_says_so(done: Driver, repository: Path) -> None:
    before = command(repository, "rev-parse", "main")
    assert "Merging from here is switched off." in merge(done, preview(done)["seal"])
    assert command(repository, "rev-parse", "main") == before


def test_fr010_a_person_merges_and_the_boundary_follows(
    done: Driver, repository: Path, settings: Settings
) -> None:
    settings.INTEGRATION = "merge"
    page = signed_in(done.cast.approver).get(address(done))
    assert "Merge this into the base branch" in words(page)
    said = merge(done, preview(done)["seal"])
    assert "The integration is recorded" in said
    assert (repository / "pages/old.html").read_text() == "<p>\nnew\nlines\n", "the checkout went along"
    assert command(repository, "status", "--porcelain") == ""
    assert command(repository, "log", "-1", "--format=%s", "main").startswith("Merge shop-front")
    row = BaselineIntegration.objects.get()
    assert row.commit == command(repository, "rev-parse", "main")
    with pytest.raises(BaselineIntegrated):
        rework.send_back(
            task_id=done.task("A1").pk, reason="Again.", actor=done.cast.actor("reviewer"), now=done.tick()
        )
    assert preview(done)["said"] == "Nothing that the base branch does not have already."
    assert "integrated already" in merge(done, preview(done)["seal"])


def test_fr010_a_merge_after_a_revert_is_recorded_too(
    done: Driver, repository: Path, settings: Settings
) -> None:
    """The results are older than the revert decision; the branch is moved all the same."""
    settings.INTEGRATION = "merge"
    person = done.cast.actor("approver")
    found = done.reload()
    integrate(
        workstream_id=found.pk, source=IntegrationSource.API, actor=person, now=done.tick(), note="Squashed."
    )
    revert(workstream_id=found.pk, reason="It is not there.", actor=person, now=timezone.now())
    assert "The integration is recorded" in merge(done, preview(done)["seal"])
    row = BaselineIntegration.objects.get(reverted_at=None)
    assert row.commit == command(repository, "rev-parse", "main")
    assert HistoryEntry.objects.filter(action="baseline integrated").count() == 2


def test_fr010_an_integration_that_says_nothing_is_refused(done: Driver, repository: Path) -> None:
    machine = Machine.of(done.cast.builder("pipeline"))
    address = f"/api/workstreams/{done.reload().uuid}/integration"
    status, told = machine.post(address, {})
    assert (status, told["message"]) == (422, "Nothing says where the work stands on main.")
    assert not BaselineIntegration.objects.exists()
    assert machine.post(address, {"note": "Squashed by hand."})[0] == 200


def test_fr010_only_what_was_seen_is_merged_and_only_by_a_person(
    done: Driver, repository: Path, settings: Settings
) -> None:
    settings.INTEGRATION = "merge"
    seal = preview(done)["seal"]
    write(repository, "other.txt", "Meanwhile\n")
    command(repository, "add", "--all")
    command(repository, "commit", "--quiet", "--message", "Meanwhile")
    assert "have changed since the merge was shown" in merge(done, seal)
    agent = Machine.of(done.cast.builder("looker-2"))
    status, told = agent.post(f"/api/workstreams/{done.reload().uuid}/merge", {"seen": seal})
    assert (status, told["code"]) == (403, "not-allowed")
    write(repository, "pages/old.html", "in the way\n")
    assert "git merge failed" in merge(done, preview(done)["seal"])
    assert (repository / "pages/old.html").read_text() == "in the way\n"
    assert not BaselineIntegration.objects.exists()


def test_fr010_the_operators_program_gets_the_merge_on_a_branch(
    done: Driver, repository: Path, settings: Settings, tmp_path: Path
) -> None:
    program = tmp_path / "ask.sh"
    program.write_text('#!/bin/sh\necho "asked to merge $MERGE_BRANCH into $BASE_BRANCH, $SECRET_KEY."\n')
    program.chmod(0o755)
    settings.INTEGRATION = str(program)
    said = merge(done, preview(done)["seal"])
    assert "asked to merge integration/shop-front into main, ." in said
    assert "does not hold all of the work yet" in said
    assert not BaselineIntegration.objects.exists()
    command(repository, "merge", "--quiet", "integration/shop-front")
    assert look_everywhere(now=done.tick()) == 1, "the sweep finds it"


def test_fr010_the_merge_is_made_without_a_worktree_and_counted(done: Driver) -> None:
    with processes() as started:
        preview(done)
    assert len(started) <= 20, started
