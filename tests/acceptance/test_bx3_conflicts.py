"""BX-1, BX-3, FR-028: work of two lanes that does not fit together is merged, or in the hands of whoever
takes the join; never in a loop, and nobody's side is lost. With real git throughout."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.adapters.merging import MergeConflict
from orchestrator.core.terms import AttemptStatus, PlaceState, TaskStatus
from orchestrator.models import WorkPlace
from orchestrator.queries.work.places import CONFLICT
from orchestrator.services.people import interventions
from orchestrator.services.work import failures
from tests.acceptance.lanes import LANES, Agent, command, make_repository, working, write
from tests.cast import Driver
from tests.management.test_local_executor import local, stop_after

#: No lane owns what both change, so nothing keeps them from doing it at once.
PLAN = LANES.replace(b"- Files: `prices/**`\n", b"").replace(b"- Files: `pages/**`\n", b"")
TEXT = "".join(f"line {number}\n" for number in range(20))
IMAGE = b"\x89PNG\x00" + bytes(range(200))


@pytest.fixture
def repository(settings: Settings) -> Path:
    path = make_repository(
        settings.REPOSITORIES_DIR / "sample", **{"shop.txt": TEXT, "old.txt": TEXT.upper()}
    )
    write(path, "logo.png", IMAGE)
    command(path, "add", "--all")
    command(path, "commit", "--quiet", "--message", "A logo")
    return path


@pytest.fixture
def started(driver: Driver, repository: Path) -> Driver:
    driver.start(PLAN)
    return driver


Work = Callable[[Agent], object]


def joining(driver: Driver, one: Work, other: Work, third: Work | None = None) -> Agent:
    """Three lanes did their work at once; the agent that takes the join."""
    lanes = [working(driver, key) for key in ("A1", "B1", "C1")]
    for agent, work in zip(lanes, (one, other, third), strict=True):
        if work:
            work(agent)
        agent.done()
    working(driver, "A2").done()
    return working(driver, "D1")


def says(file: str, content: str | bytes) -> Work:
    return lambda agent: agent.write(file, content)


def conflict_of(agent: Agent) -> dict[str, str]:
    """Path -> how it does not fit, as the agent is told; the merge stands open."""
    assert agent.place["state"] == "conflict", agent.place["said"]
    assert agent.git("rev-parse", "MERGE_HEAD") == agent.place["conflict"]["theirs"]
    return {one["path"]: one["said"] for one in agent.place["conflict"]["files"]}


def merged(driver: Driver, agent: Agent, repository: Path) -> str:
    """The join is complete and holds every lane's commit; its commit."""
    commit = agent.done()
    assert driver.task("D1").status == TaskStatus.COMPLETE
    for one in agent.place["commits"]:
        command(repository, "merge-base", "--is-ancestor", one["commit"], commit)
    return commit


def test_bx3_the_same_file_in_two_lanes(started: Driver, repository: Path) -> None:
    agent = joining(
        started,
        says("shop.txt", TEXT.replace("line 3\n", "ours 3\n")),
        says("shop.txt", TEXT.replace("line 3\n", "theirs 3\n")),
    )
    assert conflict_of(agent) == {"shop.txt": "changed on both sides"}
    told = agent.place["conflict"]
    assert (told["our_steps"], told["their_steps"]) == (["A1"], ["B1"])
    file = told["files"][0]
    assert "ours 3" in command(repository, "show", file["ours"])
    assert "theirs 3" in command(repository, "show", file["theirs"])
    assert "<<<<<<< HEAD\nours 3\n=======\ntheirs 3\n>>>>>>>" in (agent.folder / "shop.txt").read_text()

    status, refusal = agent.complete()
    assert (status, refusal["code"]) == (409, "merge-conflict")
    agent.write("shop.txt", TEXT.replace("line 3\n", "both 3\n")).git("add", "shop.txt")
    assert agent.take_place().place["state"] == "ready"
    commit = merged(started, agent, repository)
    assert "both 3" in command(repository, "show", f"{commit}:shop.txt")


def test_bx3_what_does_not_touch_is_merged_without_anybody(started: Driver, repository: Path) -> None:
    agent = joining(
        started,
        says("shop.txt", TEXT.replace("line 3\n", "ours 3\n")),
        says("shop.txt", TEXT.replace("line 15\n", "theirs 15\n")),
    )
    assert agent.place["state"] == "ready"
    merged(started, agent, repository)
    assert {"ours 3", "theirs 15"} <= set((agent.folder / "shop.txt").read_text().split("\n"))


def test_bx3_fan_in_of_several(started: Driver, repository: Path) -> None:
    """Each merge that does not fit is resolved in turn; what was resolved stays."""
    agent = joining(
        started,
        *(says("shop.txt", TEXT.replace("line 3\n", f"{who} 3\n")) for who in ("one", "two", "three")),
    )
    assert agent.place["conflict"]["their_steps"] == ["B1"]
    agent.write("shop.txt", TEXT.replace("line 3\n", "one two 3\n"))
    agent.commit("Merge B1")
    agent.take_place()
    assert conflict_of(agent) == {"shop.txt": "changed on both sides"}
    told = agent.place["conflict"]
    assert (told["our_steps"], told["their_steps"]) == (["A1", "B1"], ["C1"])
    status, refusal = agent.complete(agent.git("rev-parse", "HEAD"))
    assert (status, refusal["code"]) == (409, "merge-conflict"), "C1 is not in it"
    agent.write("shop.txt", TEXT.replace("line 3\n", "one two three 3\n")).git("add", "--all")
    merged(started, agent, repository)


def test_bx3_deleted_in_one_lane_and_changed_in_another(started: Driver, repository: Path) -> None:
    agent = joining(
        started, lambda one: one.git("rm", "--quiet", "shop.txt"), says("shop.txt", TEXT + "one more\n")
    )
    assert conflict_of(agent) == {"shop.txt": "deleted on our side, changed on the other"}
    assert agent.complete()[0] == 409
    agent.git("rm", "--quiet", "shop.txt")
    commit = merged(started, agent, repository)
    assert "shop.txt" not in command(repository, "ls-tree", "--name-only", commit)


def test_bx3_renamed_in_one_lane_and_changed_in_another_is_merged(started: Driver, repository: Path) -> None:
    agent = joining(
        started, lambda one: one.git("mv", "shop.txt", "store.txt"), says("shop.txt", TEXT + "one more\n")
    )
    assert agent.place["state"] == "ready"
    commit = merged(started, agent, repository)
    assert command(repository, "show", f"{commit}:store.txt").endswith("one more")


def test_bx3_renamed_differently_in_two_lanes(started: Driver, repository: Path) -> None:
    agent = joining(
        started,
        lambda one: one.git("mv", "shop.txt", "store.txt"),
        lambda other: other.git("mv", "shop.txt", "market.txt"),
    )
    assert set(conflict_of(agent)) == {"shop.txt", "store.txt", "market.txt"}
    agent.git("rm", "--quiet", "--ignore-unmatch", "shop.txt", "market.txt")
    agent.git("add", "store.txt")
    commit = merged(started, agent, repository)
    assert command(repository, "ls-tree", "--name-only", commit).split() == [
        "README",
        "logo.png",
        "old.txt",
        "store.txt",
    ]


def test_bx3_a_binary_file_in_two_lanes(started: Driver, repository: Path) -> None:
    agent = joining(started, says("logo.png", IMAGE + b"\x00one"), says("logo.png", IMAGE + b"\x00two"))
    assert conflict_of(agent) == {"logo.png": "changed on both sides, and binary"}
    assert agent.complete()[0] == 409
    agent.git("checkout", "--quiet", "--theirs", "logo.png")
    agent.git("add", "logo.png")
    merged(started, agent, repository)
    assert (agent.folder / "logo.png").read_bytes() == IMAGE + b"\x00two"


def both_change(driver: Driver) -> Agent:
    return joining(driver, says("shop.txt", "ours\n"), says("shop.txt", "theirs\n"))


def test_bx3_marks_that_were_committed_are_no_resolution(started: Driver, repository: Path) -> None:
    agent = both_change(started)
    commit = agent.commit("All done")
    for named in ("", commit):
        status, refusal = agent.complete(named)
        assert (status, refusal["code"]) == (409, "merge-conflict"), named
        assert "shop.txt" in refusal["message"]
    agent.write("shop.txt", "both\n")
    agent.commit("Really")
    merged(started, agent, repository)


def test_fr025_the_way_on_that_is_told_works(started: Driver, repository: Path, tmp_path: Path) -> None:
    """Both of the ways: in the worktree, and on another machine."""
    agent = both_change(started)
    assert "`git add`" in agent.place["conflict"]["way_on"]
    assert "push the merge commit" in MergeConflict.recovery
    clone = tmp_path / "elsewhere"
    command(tmp_path, "clone", "--quiet", str(repository), str(clone))
    command(clone, "checkout", "--quiet", agent.place["start"])
    told = agent.place["conflict"]
    with pytest.raises(subprocess.CalledProcessError):
        command(clone, "merge", "--quiet", told["theirs"])
    write(clone, "shop.txt", "both\n")
    command(clone, "commit", "--quiet", "--all", "--no-edit")
    command(clone, "push", "--quiet", "origin", f"HEAD:{agent.place['push_to']}")
    made = command(clone, "rev-parse", "HEAD")
    status, told = agent.complete(made)
    assert (status, told.get("code")) == (200, None), told
    assert started.task("D1").status == TaskStatus.COMPLETE


def test_bx3_nobody_resolves_the_same_conflict_twice(started: Driver, repository: Path) -> None:
    agent = both_change(started)
    agent.write("shop.txt", "both\n").git("add", "shop.txt")
    agent.take_place()
    started.fail("D1")
    actor = started.cast.actor("contributor")
    failures.requeue(task_id=started.task("D1").pk, reason="Again.", actor=actor, now=started.tick())
    started.advance()
    again = working(started, "D1")
    assert again.place["state"] == "ready"
    assert (again.folder / "shop.txt").read_text() == "both\n"


def test_bx3_a_tool_asks_a_person_who_resolves_it_in_the_worktree(driver: Driver, repository: Path) -> None:
    """The tool cannot: the question names the files and the place, and the tool goes on behind the answer."""
    write(repository, "scripts/look.py", "print('fits')\n")
    command(repository, "add", "--all")
    command(repository, "commit", "--quiet", "--message", "A tool")
    driver.start(PLAN.replace(b"A2, B1, C1)\n", b"A2, B1, C1)\n  - Tool: script\n  - Run: `look.py`\n"))
    lanes = [working(driver, key) for key in ("A1", "B1", "C1")]
    for agent in lanes:
        agent.write("shop.txt", f"{agent.key}\n").done()
    working(driver, "A2").done()
    for number in range(2):  # B1, then C1: a person is asked again, and only about what is left
        assert local(driver, "tool-1", stop_after(3)).turn()
        task = driver.task("D1")
        assert (task.needs_human, task.intervention_note.startswith(CONFLICT)) == (True, True)
        assert driver.attempt("D1").status == AttemptStatus.RUNNING
        place = WorkPlace.objects.get(attempt=driver.attempt("D1"))
        folder = Path(task.intervention_note.split("Resolve them in ")[1].split(",")[0])
        write(folder, "shop.txt", f"resolved {number}\n")
        command(folder, "add", "shop.txt")
        assert place.state == PlaceState.CONFLICT
        interventions.clear_human_flag(
            task_id=task.pk, answer="resolved", actor=driver.cast.actor("contributor"), now=driver.tick()
        )
    assert local(driver, "tool-1").turn()
    assert driver.attempt("D1").status == AttemptStatus.COMPLETED, driver.attempt("D1").error
    assert command(repository, "show", f"{driver.attempt('D1').commit}:shop.txt") == "resolved 1"
