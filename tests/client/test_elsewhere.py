"""`orchestrator work` on another machine, and where earlier work does not fit (AD-6, BX-1, BX-3)."""

import sys
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.client.elsewhere import hold
from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import Attempt
from tests.acceptance.lanes import LANES, command, make_repository, working
from tests.cast import Driver
from tests.client.conftest import Call

#: Does the step in its folder, or what it is told of a merge.
STUB = """
import pathlib, re, subprocess, sys
brief = sys.stdin.read()
if "merge of the work" in brief:
    if {resolves}:
        pathlib.Path("README").write_text("Both.\\n")
        subprocess.run(["git", "add", "README"], check=True)
    sys.exit()
path = pathlib.Path("{folder}/made.txt")
path.parent.mkdir(exist_ok=True)
path.write_text(str(path.exists()) + "made\\n")
for pk in re.findall(r"^  (\\d+): ", brief, re.M):
    print(f"PROOF {{pk}}: looked at it")
print("Made it.")
"""


@pytest.fixture
def repository(settings: Settings) -> Path:
    return make_repository(settings.REPOSITORIES_DIR / "sample")


def stub(tmp_path: Path, folder: str = "prices", resolves: bool = True) -> list[str]:
    program = tmp_path / "stub.py"
    program.write_text(STUB.format(folder=folder, resolves=resolves))
    return ["work", "--once", "--command", f"{sys.executable} {program}", "--folder", str(tmp_path / "there")]


def test_bx1_work_on_another_machine_checks_out_and_pushes(
    call: Call, driver: Driver, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps of one lane, one after another, with the worktrees out of reach."""
    driver.start(LANES)
    working(driver, "B1").write("pages/shop.html", "<p>\n").done()
    working(driver, "C1").write("words/shop.txt", "Shop\n").done()
    monkeypatch.setattr("orchestrator.queries.work.places._path", lambda *_: "/on/the/server")
    for key in ("A1", "A2"):
        told = call(*stub(tmp_path))
        assert (told.code, told.err) == (0, ""), driver.attempt(key).error
        assert driver.task(key).status == TaskStatus.COMPLETE
        (tmp_path / "there/sample/left.txt").write_text("left by somebody")
        driver.advance()
    first, made = driver.attempt("A1").commit, driver.attempt("A2").commit
    assert command(repository, "ls-tree", "-r", "--name-only", made).split() == ["README", "prices/made.txt"]
    command(repository, "merge-base", "--is-ancestor", first, made)
    kept = command(tmp_path / "there/sample", "log", "--all", "--format=%s", "--", "left.txt")
    assert kept == "Left uncommitted", "what somebody left stays on the branch it was left on"


def clash(driver: Driver) -> None:
    driver.start(LANES)
    working(driver, "A1").write("README", "Prices.\n").done()
    working(driver, "B1").write("README", "Pages.\n").done()
    working(driver, "C1").write("words/shop.txt", "Shop\n").done()
    working(driver, "A2").write("prices/model.py", "p = 1\n").done()


def test_bx3_the_agent_resolves_the_merge_before_it_does_the_step(
    call: Call, driver: Driver, repository: Path, tmp_path: Path
) -> None:
    clash(driver)
    told = call(*stub(tmp_path, "all"))
    assert (told.code, told.err) == (0, "")
    assert driver.task("D1").status == TaskStatus.COMPLETE
    made = driver.attempt("D1").commit
    assert command(repository, "show", f"{made}:README") == "Both."
    for key in ("A2", "B1", "C1"):
        command(repository, "merge-base", "--is-ancestor", driver.attempt(key).commit, made)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_bx3_a_merge_that_is_not_resolved_ends_in_a_persons_hands(
    call: Call,
    driver: Driver,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    elsewhere: bool,
) -> None:
    clash(driver)
    if elsewhere:
        monkeypatch.setattr("orchestrator.queries.work.places._path", lambda *_: "/on/the/server")
    call(*stub(tmp_path, "all", resolves=False))
    attempt = driver.attempt("D1")
    assert (attempt.status, driver.task("D1").status) == (AttemptStatus.FAILED, TaskStatus.BLOCKED)
    assert "README: changed on both sides" in attempt.error
    driver.advance()
    assert call(*stub(tmp_path, "all", resolves=False)).code == 3, "nobody tries it again by itself"


def test_bx3_the_brief_on_the_command_line_tells_of_the_conflict(
    call: Call, driver: Driver, repository: Path
) -> None:
    clash(driver)
    told = call("next").out
    assert "The work before it does not fit together:\n  README: changed on both sides" in told
    assert "git add" in told


def test_bx1_two_workers_never_share_a_clone(
    call: Call, driver: Driver, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second gives its step back; what the first has half done stays as it is."""
    driver.start(LANES)
    monkeypatch.setattr("orchestrator.queries.work.places._path", lambda *_: "/on/the/server")
    with hold(tmp_path / "there", "sample"):
        told = call(*stub(tmp_path))
    assert told.code != 0
    assert "Another worker works in" in told.err
    assert not Attempt.objects.filter(status__in=[AttemptStatus.RUNNING, AttemptStatus.FAILED]).exists()
