"""BX-1, FR-028: worktrees and branches of work that is over go with the sweep, and nothing that was in them
is lost."""

import threading
import time
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.adapters.repository import locked
from orchestrator.core.errors import WrongState
from orchestrator.core.terms import PlaceState
from orchestrator.models import WorkPlace, Workstream
from orchestrator.processes.tasks import sweep
from orchestrator.services.work.clearing import clear_places
from orchestrator.services.work.places import tree_of
from orchestrator.services.workstreams import workstreams
from tests.acceptance.lanes import LANES, Agent, command, make_repository, working
from tests.cast import Driver


@pytest.fixture
def repository(settings: Settings) -> Path:
    return make_repository(settings.REPOSITORIES_DIR / "sample")


def archive(driver: Driver) -> Workstream:
    workstreams.archive_workstream(
        workstream_id=driver.reload().pk,
        reason="Over.",
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    return driver.reload()


def branches(repository: Path) -> set[str]:
    return set(command(repository, "branch", "--format=%(refname:short)").split())


def accepted(driver: Driver) -> list[Agent]:
    """Every step was done in its worktree, and the work was accepted."""
    agents = []
    for key in ("A1", "B1", "C1", "A2", "D1"):
        agent = working(driver, key).write(f"{key}.txt", key)
        agent.done()
        agents.append(agent)
    workstreams.accept_workstream(
        workstream_id=driver.reload().pk, actor=driver.cast.actor("approver"), now=driver.tick()
    )
    return agents


def test_bx1_accepted_work_keeps_its_commits_and_loses_its_worktrees(
    driver: Driver, repository: Path
) -> None:
    driver.start(LANES)
    assert clear_places(now=driver.tick()) == 0
    agents = accepted(driver)
    agents[1].write("afterwards.txt", "nobody committed this\n")
    assert clear_places(now=driver.tick()) == 4
    assert branches(repository) == {"main"}
    assert not any(agent.folder.exists() for agent in agents)
    kept = set(command(repository, "for-each-ref", "--format=%(objectname)", "refs/kept/").split())
    for agent in agents:
        made = agent.attempt.commit
        assert any(command(repository, "merge-base", made, one) == made for one in kept), agent.key
    place = agents[1].machine.get(f"/api/attempts/{agents[1].attempt.pk}/place")[1]
    ref = place["said"].split("kept: ")[1].rstrip(".")
    assert command(repository, "show", f"{ref}:afterwards.txt") == "nobody committed this"
    assert clear_places(now=driver.tick()) == 0


def test_bx1_archived_work_keeps_what_was_not_committed(driver: Driver, repository: Path) -> None:
    driver.start(LANES)
    agent = working(driver, "A1").write("draft.txt", "half\n")
    driver.fail("A1")
    assert clear_places(now=driver.tick()) == 0, "it is queued again, perhaps"
    assert agent.folder.exists()
    archive(driver)
    sweep()
    assert not agent.folder.exists()
    (ref,) = command(repository, "for-each-ref", "--format=%(refname)", "refs/kept/").split()
    assert command(repository, "show", f"{ref}:draft.txt") == "half"
    assert WorkPlace.objects.get(attempt=agent.attempt).state == PlaceState.REMOVED


def test_bx1_work_that_goes_on_gets_its_place_again(driver: Driver, repository: Path) -> None:
    driver.start(LANES)
    agents = accepted(driver)
    clear_places(now=driver.tick())
    workstreams.reopen_workstream(
        workstream_id=driver.reload().pk,
        reason="A gap.",
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
    )
    assert clear_places(now=driver.tick()) == 0
    assert agents[0].machine.get(f"/api/attempts/{agents[0].attempt.pk}/place")[1]["state"] == "removed"


def test_bx1_a_worktree_in_which_a_tool_runs_stays(driver: Driver, repository: Path) -> None:

    driver.start(LANES)
    agent = working(driver, "A1")
    driver.fail("A1")
    archive(driver)
    with locked(tree_of(WorkPlace.objects.select_related("attempt__task__workstream__version").get()).lock):
        assert clear_places(now=driver.tick()) == 0
    assert agent.folder.exists()
    assert clear_places(now=driver.tick()) == 1


def test_bx1_nothing_stays_beside_the_worktrees_that_went(driver: Driver, repository: Path) -> None:
    """Each had a lock file, which nobody needs once it is gone."""
    driver.start(LANES)
    lanes = accepted(driver)[0].folder.parent
    assert list(lanes.glob(".*.lock"))
    clear_places(now=driver.tick())
    assert list(lanes.iterdir()) == []


def test_bx1_who_waited_for_a_lock_that_was_removed_holds_the_one_that_others_find(tmp_path: Path) -> None:
    """Otherwise two hold it: one the file that is gone, one the next."""
    path, waited = tmp_path / ".lane.lock", threading.Event()
    holds = list[bool]()

    def wait() -> None:
        waited.set()
        time.sleep(0.01)

    def later() -> None:
        with locked(path, wait):
            with pytest.raises(WrongState), locked(path, _refuse):
                raise AssertionError("two hold one lock")
            holds.append(True)

    other = threading.Thread(target=later)
    with locked(path):
        other.start()
        assert waited.wait(10)
        path.unlink()
    other.join(10)
    assert holds == [True]


def _refuse() -> None:
    raise WrongState("It is held.")
