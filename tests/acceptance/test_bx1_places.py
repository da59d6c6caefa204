"""BX-1, WF-4, FR-028: every step of a plan with a repository has a worktree and a branch, made at the claim,
with the work before it; and what stands in it is never thrown away."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.terms import PlaceState, TaskStatus
from orchestrator.models import Attempt, WorkPlace
from orchestrator.services.work import failures, releases
from tests.acceptance.lanes import LANES, Agent, command, make_repository, working, write
from tests.cast import PLAN, Driver
from tests.mcp.connection import joined
from tests.services.test_cost_of_an_advance import processes
from tests.web.pages import signed_in


@pytest.fixture
def repository(settings: Settings) -> Path:
    return make_repository(settings.REPOSITORIES_DIR / "sample")


@pytest.fixture
def started(driver: Driver, repository: Path) -> Driver:
    driver.start(LANES)
    return driver


def files_in(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".git"
    }


def again(driver: Driver, key: str) -> Agent:
    """The step failed and was queued once more, and another agent claims it."""
    driver.fail(key)
    actor = driver.cast.actor("contributor")
    failures.requeue(task_id=driver.task(key).pk, reason="Again.", actor=actor, now=driver.tick())
    driver.advance()
    return working(driver, key)


def test_bx1_a_claim_gives_worktree_branch_base_and_the_plan_around_the_step(
    started: Driver, repository: Path, settings: Settings
) -> None:
    place = working(started, "A1").place
    assert place["worktree"] == ".worktrees/WS-A", "as the plan says"
    assert place["path"] == str(Path(settings.WORKTREES_DIR) / "shop-front" / ".worktrees" / "WS-A")
    assert (place["state"], place["branch"]) == ("ready", "ws/shop-front/WS-A")
    assert place["base"] == place["start"] == command(repository, "rev-parse", "main")
    assert command(place["path"], "branch", "--show-current") == place["branch"]
    assert (place["plan"]["file"], place["plan"]["address"]) == (
        "workstreams/shop-front/PLAN.md",
        "/plans/shop-front/v1/",
    )
    assert "- A1: Price model\n  - Exit: prices are right\n- A2: Discounts" in place["plan"]["text"]
    assert "A1: Price model" in LANES.decode().split("\n")[started.task("A1").step.line - 1]


def test_bx1_the_dashboard_names_the_same_worktrees(started: Driver, settings: Settings) -> None:
    board = (Path(settings.WORKSPACE_DIR) / "workstreams/shop-front/EXECUTION-DASHBOARD.md").read_text()
    for key in ("A1", "B1", "C1"):
        assert f"`{working(started, key).place['worktree']}`" in board


def test_wf4_a_step_has_the_work_of_every_step_before_it(started: Driver) -> None:
    first = working(started, "A1").write("prices/model.py", "price = 1\n").done()
    other = working(started, "B1").write("pages/shop.html", "<p>\n").done()
    second = working(started, "A2")
    assert files_in(second.folder) == {"README", "prices/model.py"}, "not what runs beside it"
    discounts = second.write("prices/discount.py", "off = 0\n").done()
    words = working(started, "C1").write("words/shop.txt", "Shop\n").done()
    last = working(started, "D1")
    assert {one["commit"] for one in last.place["commits"]} == {first, other, discounts, words}
    handed_over = last.place["workspace_commits"]
    assert {one["key"] for one in handed_over} == {"A1", "A2", "B1", "C1"}
    assert not {one["commit"] for one in handed_over} & {first, other, discounts, words}, "of the workspace"
    assert {"prices/model.py", "prices/discount.py", "pages/shop.html", "words/shop.txt"} <= files_in(
        last.folder
    )


def test_bx1_lanes_that_share_a_file_see_each_others_work(driver: Driver, repository: Path) -> None:
    """They are serialised because of it, and nothing else puts one before the other."""
    driver.start(LANES.replace(b"`pages/**`", b"`pages/**`, `prices/shared.py`"))
    assert driver.ready() == ["A1", "C1"]
    made = working(driver, "A1").write("prices/shared.py", "one = 1\n").done()
    assert driver.ready() == ["B1", "C1"]
    other = working(driver, "B1")
    assert (other.folder / "prices/shared.py").read_text() == "one = 1\n"
    assert other.place["commits"] == [{"key": "A1", "commit": made, "same_files": True}]
    other.write("prices/shared.py", "one = 1\ntwo = 2\n").done()
    last = working(driver, "A2")
    assert (last.folder / "prices/shared.py").read_text() == "one = 1\ntwo = 2\n"
    assert [(one["key"], one["same_files"]) for one in last.place["commits"]] == [("A1", False), ("B1", True)]


def test_bx1_a_second_call_prepares_nothing_again(started: Driver) -> None:
    agent = working(started, "A1").write("prices/draft.py", "half =\n")
    agent.git("add", "--all")
    agent.write("prices/draft.py", "half = 1\n")
    before = agent.place
    for call in (agent.claim, agent.take_place):
        call()
        assert agent.place == before
        assert (agent.folder / "prices/draft.py").read_text() == "half = 1\n"
        assert agent.git("status", "--porcelain") == "AM prices/draft.py"


def test_bx1_a_new_attempt_starts_afresh_and_what_was_left_is_kept(started: Driver, repository: Path) -> None:
    first = working(started, "A1").write("prices/model.py", "committed = 1\n")
    first.commit()
    first.write("prices/model.py", "uncommitted = 1\n").write("prices/new.py", "new = 1\n")
    second = again(started, "A1")
    assert second.folder == first.folder
    assert files_in(second.folder) == {"README"}
    (kept,) = second.place["kept"]
    assert kept["kept"].startswith("refs/kept/ws/shop-front/WS-A/a1-1-")
    assert command(repository, "show", f"{kept['kept']}:prices/model.py") == "uncommitted = 1"
    assert command(repository, "show", f"{kept['kept']}:prices/new.py") == "new = 1"
    assert command(repository, "show", f"{kept['kept']}~:prices/model.py") == "committed = 1"
    assert command(repository, "stash", "list") == "", "worktrees share it"


def test_bx1_a_given_back_step_loses_nothing_either(started: Driver, repository: Path) -> None:
    first = working(started, "A1").write("prices/model.py", "half = 1\n")
    releases.release(
        attempt_id=first.attempt.pk,
        token=first.token,
        executor=first.executor,
        breadcrumb="Half.",
        now=started.tick(),
    )
    started.advance()
    second = working(started, "A1")
    assert command(repository, "show", f"{second.place['kept'][0]['kept']}:prices/model.py") == "half = 1"


def test_bx1_what_git_cannot_read_is_moved_aside(started: Driver) -> None:
    first = working(started, "A1").write("inner/file.txt", "of another repository\n")
    command(first.folder / "inner", "init", "--quiet")
    second = again(started, "A1")
    kept = Path(second.place["kept"][0]["kept"])
    assert (kept / "inner/file.txt").read_text() == "of another repository\n"
    assert files_in(second.folder) == {"README"}


def test_bx1_commits_are_kept_wherever_they_were_left(started: Driver, repository: Path) -> None:
    """On the branch, on a detached head, and when somebody took the folder away."""
    first = working(started, "A1").write("prices/model.py", "on the branch = 1\n")
    on_branch = first.commit()
    first.git("checkout", "--quiet", "--detach", "HEAD~")
    detached = first.write("prices/other.py", "beside it = 1\n").commit()
    second = again(started, "A1")
    kept = set(command(repository, "for-each-ref", "--format=%(objectname)", "refs/kept/").split())
    assert kept == {on_branch, detached}
    last = second.write("prices/third.py", "third = 1\n").commit()
    shutil.rmtree(second.folder)
    third = again(started, "A1")
    assert third.place["kept"][-1]["kept"].endswith(last[:12])
    assert files_in(third.folder) == {"README"}


def test_bx1_a_folder_that_was_taken_away_comes_back_on_its_branch(started: Driver) -> None:
    agent = working(started, "A1").write("prices/model.py", "price = 1\n")
    made = agent.commit()
    shutil.rmtree(agent.folder)
    agent.take_place()
    assert agent.git("rev-parse", "HEAD") == made
    assert agent.git("status", "--porcelain") == ""


def test_fr028_a_disk_that_says_no_never_undoes_the_claim(
    started: Driver, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("where a folder should be\n")
    settings.WORKTREES_DIR = tmp_path / "a file"
    agent = Agent(started, "A1").claim()
    assert agent.place["state"] == "failed"
    assert "The worktree could not be written: Not a directory." in agent.place["said"]
    status, told = agent.call("place")
    assert (status, told["code"]) == (409, "git-failed")


def test_bx1_lanes_with_one_worktree_in_the_plan_never_share_it(driver: Driver, repository: Path) -> None:
    driver.start(LANES.replace(b"`.worktrees/WS-B`", b"`.worktrees/WS-A`"))
    first = working(driver, "A1").write("prices/model.py", "mine = 1\n")
    other = working(driver, "B1")
    assert other.folder != first.folder
    assert (first.folder / "prices/model.py").exists()
    assert other.place["worktree"] == ".worktrees/WS-A-b1"


def test_wf4_people_get_one_too(started: Driver, repository: Path) -> None:
    task = started.task("A1")
    address = reverse("task-act", args=[task.workstream.uuid, "A1", "claim"])
    signed_in(started.cast.contributor).post(address, {"attempt": started.attempt("A1").pk})
    place = WorkPlace.objects.get(attempt=started.attempt("A1"))
    assert (place.state, place.start) == (PlaceState.READY, command(repository, "rev-parse", "main"))
    page = signed_in(started.cast.contributor).get(reverse("task", args=[task.workstream.uuid, "A1"]))
    assert ".worktrees/WS-A" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_wf4_an_agent_over_mcp_and_one_with_an_idempotency_key_get_one(
    driver: Driver, repository: Path, settings: Settings, tmp_path: Path
) -> None:
    driver.start(LANES)
    agent = Agent(driver, "A1")
    attempt = agent.attempt.pk

    async def claim() -> dict[str, object]:
        async with joined(agent.machine.secret) as session:
            told = await session.ok("claim_task", attempt_id=attempt)
            return dict(told["brief"]["place"])

    place = asyncio.run(claim())
    assert place["state"] == "ready"
    assert Path(str(place["path"]), "README").exists()
    keyed = Agent(driver, "B1").claim(key="once")
    assert keyed.place["said"] == "It is being made: ask for it once more."
    told = keyed.machine.get(f"/api/attempts/{keyed.attempt.pk}/place")[1]
    assert told["state"] == "ready", "by whoever served the claim"
    assert (Path(told["path"]) / "README").exists()
    assert keyed.take_place().place == told


def test_bx1_an_agent_on_another_machine_checks_it_out_and_pushes(
    started: Driver, repository: Path, tmp_path: Path
) -> None:
    working(started, "A1").write("prices/model.py", "price = 1\n").done()
    agent = working(started, "A2")
    clone = tmp_path / "elsewhere"
    clone.mkdir()
    command(clone, "init", "--quiet")
    for line in agent.place["checkout"]:
        subprocess.run(line, shell=True, cwd=clone, check=True, capture_output=True)
    assert command(clone, "rev-parse", "HEAD") == agent.place["start"]
    write(clone, "prices/discount.py", "off = 1\n")
    command(clone, "add", "--all")
    command(clone, "commit", "--quiet", "--message", "A2: Discounts")
    command(clone, "push", "--quiet", str(repository), f"HEAD:{agent.place['push_to']}")
    assert agent.done(command(clone, "rev-parse", "HEAD")) == command(
        repository, "rev-parse", agent.place["push_to"]
    )


def test_bx1_a_completion_without_a_commit_commits_what_stands_in_the_worktree(
    started: Driver, repository: Path
) -> None:
    agent = working(started, "A1").write("prices/model.py", "price = 1\n")
    status, told = agent.complete()
    assert (status, told["committed"]) == (200, True)
    assert command(repository, "show", f"{told['commit']}:prices/model.py") == "price = 1"
    assert command(repository, "log", "-1", "--format=%s", told["commit"]) == "A1: Price model"
    agent = working(started, "B1").write("pages/shop.html", "<p>\n")
    made = agent.commit()
    assert (agent.done(), WorkPlace.objects.get(attempt=started.attempt("B1")).committed) == (made, False)
    assert working(started, "C1").done() == "", "nothing was done in it"


def test_bx1_whoever_does_not_hold_the_attempt_commits_nothing(started: Driver) -> None:
    first = working(started, "A1")
    second = again(started, "A1").write("prices/model.py", "half =\n")
    exits = {str(one.pk): "seen" for one in started.task("A1").step.criteria.all()}
    late = first.machine.post(
        f"/api/attempts/{second.attempt.pk}/complete", {"token": first.token, "evidence": exits}
    )
    assert late[0] == 409
    assert second.git("status", "--porcelain") == "?? prices/"


def test_bx5_files_of_others_are_accepted_and_told(started: Driver) -> None:
    agent = working(started, "A1").write("prices/model.py", "p = 1\n").write("pages/shop.html", "<p>\n")
    assert agent.complete()[1]["touched"] == ["pages/shop.html"]
    assert started.task("A1").status == TaskStatus.COMPLETE
    working(started, "B1").write("pages/shop.html", "<p>2\n").done()
    assert not started.attempt("B1").touched.exists(), "its own, and none of what came before"


def test_bx1_a_commit_of_another_lane_is_not_taken_for_the_step_s_own(started: Driver) -> None:
    foreign = working(started, "A1").write("prices/model.py", "").commit()
    agent = working(started, "B1").write("README", "Pages.\n")
    status, refusal = agent.complete(foreign)
    assert (status, refusal["details"]["field"]) == (422, "commit")
    assert "nothing but prices/model.py, which other steps own; B1 owns pages/**" in refusal["message"]
    assert agent.done(agent.commit()), "what nobody owns is a finding at the gate"
    assert [one.path for one in agent.attempt.touched.all()] == ["README"]


def test_fr028_a_place_that_cannot_be_made_says_why_and_is_made_afterwards(
    driver: Driver, repository: Path
) -> None:
    driver.start(LANES)
    command(repository, "checkout", "--quiet", "--detach")
    agent = Agent(driver, "A1").claim()
    WorkPlace.objects.filter(attempt=agent.attempt).delete()
    command(repository, "branch", "-m", "main", "old")
    status, told = agent.call("place")
    assert (status, told["code"]) == (409, "repository-missing")
    place = agent.machine.get(f"/api/attempts/{agent.attempt.pk}/place")[1]
    assert place["state"] == "failed"
    assert "has no branch “main”" in place["said"]
    command(repository, "branch", "-m", "old", "main")
    assert agent.take_place().place["state"] == "ready"


def test_fr028_a_plan_without_a_repository_has_no_place_and_pays_nothing(driver: Driver) -> None:
    driver.start(PLAN)
    with processes() as started:
        agent = working(driver, "A1")
    assert started == []
    assert agent.place["state"] is None
    assert agent.place["said"] == "The plan names no repository, so no worktree is made."
    assert not WorkPlace.objects.exists()


#: Processes of git: lists and checks, the worktree with its branch, its files, and one for each merge.
AT_A_CLAIM, A_MERGE = 14, 2


def test_fr028_the_processes_of_a_claim_are_counted(started: Driver) -> None:
    with processes() as first:
        working(started, "A1").write("prices/model.py", "p = 1\n")
    assert len(first) <= AT_A_CLAIM, first
    for key in ("A1", "B1", "C1"):
        agent = working(started, key) if key != "A1" else Agent(started, "A1", "agent-A1-1")
        agent.claim().write(f"{key}.txt", "x\n").done()
    working(started, "A2").write("prices/two.py", "x\n").done()
    with processes() as last:
        working(started, "D1")
    assert len(last) <= AT_A_CLAIM + 3 * A_MERGE + 2, last
    assert Attempt.objects.filter(place__state=PlaceState.READY).count() == 5
