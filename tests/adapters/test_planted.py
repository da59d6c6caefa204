"""Git of the server works in a tree where a tool may have left anything: it starts no program that the work
brought.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.adapters.repository import git
from orchestrator.adapters.script import Script
from orchestrator.adapters.tool import Job
from orchestrator.adapters.worktree import Worktree
from orchestrator.sandbox import layers
from orchestrator.sandbox.policy import Layers
from tests.adapters.beginning import begin

#: What a tool leaves: the program that must never run, and helpers to make repositories without git.
PLANT = """
import os, pathlib, shutil, stat
here = pathlib.Path(".").resolve()
program = here / "evil.sh"
program.write_text("#!/bin/sh\\ntouch {ran}\\ncat\\n")
fd = os.open(program, os.O_RDONLY)
os.fchmod(fd, 0o755)

CONFIG = f'''[core]
    repositoryformatversion = 0
    bare = false
    fsmonitor = {{program}}
    hooksPath = {{here}}/hooks
    sshCommand = {{program}}
    editor = {{program}}
    pager = {{program}}
    worktree = {{here}}
[filter "evil"]
    clean = {{program}}
    smudge = {{program}}
    process = {{program}}
    required = true
[diff "evil"]
    command = {{program}}
    textconv = {{program}}
[merge "evil"]
    driver = {{program}}
[diff]
    external = {{program}}
'''

def repository(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("objects", "refs/heads", "hooks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\\n")
    (folder / "config").write_text(CONFIG)

def hooks(folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = ["pre-commit", "post-checkout", "post-commit", "pre-merge-commit"]
    names += ["post-merge", "post-index-change"]
    for name in names:
        shutil.copyfile(program, folder / name)
        os.fchmod(os.open(folder / name, os.O_RDONLY), 0o755)

pathlib.Path(".gitattributes").write_text("* filter=evil diff=evil merge=evil\\n")
hooks(here / "hooks")
"""

NESTED = """
repository(here / "inner" / ".git")
pathlib.Path("inner/file.txt").write_text("x")
(here / "inner/.git/refs/heads/main").write_text("{commit}\\n")
pathlib.Path(".gitmodules").write_text('[submodule "inner"]\\n path = inner\\n url = ext::sh -c {ran}\\n')
"""

LINK_REPLACED = """
repository(here / "own")
hooks(here / "own" / "hooks")
try:
    os.unlink(".git")
    pathlib.Path(".git").write_text(f"gitdir: {here}/own\\n")
except OSError as problem:
    print("the link stands", problem)
"""

FOLDER_INSTEAD = """
try:
    os.unlink(".git")
    repository(here / ".git")
    hooks(here / ".git" / "hooks")
except OSError as problem:
    print("the link stands", problem)
"""

PIPE_INSTEAD = """
try:
    os.unlink(".git")
    os.mkfifo(".git")
except OSError as problem:
    print("the link stands", problem)
"""


@pytest.fixture(params=["everything", "Landlock alone", "open"])
def surroundings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings) -> str:
    """Where the tool runs: only with namespaces it cannot touch the link.

    The server must not trust it anywhere.
    """
    found = layers.found()
    if request.param == "open":
        settings.TOOLS_SANDBOX = "off"
    elif request.param == "Landlock alone":
        poorer = Layers(landlock=found.landlock, filter=found.filter)
        if missing := layers.missing(poorer):
            pytest.skip(
                f"this kernel has {layers.described(found)}; without namespaces it leaves open: {missing}"
            )
        monkeypatch.setattr(layers, "found", lambda: poorer)
    return request.param


@pytest.fixture
def repository(tmp_path: Path, settings) -> Path:
    settings.DATA_DIR = tmp_path
    path = tmp_path / "repositories" / "sample"
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch", "main")
    (path / "base.txt").write_text("base\n")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "base")
    return path


@pytest.fixture
def lane(repository: Path, tmp_path: Path) -> Callable[[str], Worktree]:
    return lambda name: Worktree(repository, tmp_path / "trees" / name, f"ws/demo/{name}", "main")


@pytest.mark.parametrize(
    "plant", [NESTED, LINK_REPLACED, FOLDER_INSTEAD, PIPE_INSTEAD], ids=["nested", "link", "folder", "pipe"]
)
def test_nothing_that_a_tool_leaves_is_run_by_the_servers_git(
    surroundings, lane, repository, tmp_path, plant
):
    tree, ran, state = lane("a"), tmp_path / "ran", tmp_path / "state"
    state.mkdir()
    start = begin(tree).commit
    (tree.folder / "scripts").mkdir()
    code = (
        (PLANT + plant)
        .replace("{ran}", str(ran))
        .replace("{commit}", start)
        .replace("{{", "{")
        .replace("}}", "}")
    )
    (tree.folder / "scripts" / "plant.py").write_text(
        code + "pathlib.Path('result.txt').write_text('made')\n"
    )
    planted = Script().run(Job(directory=tree.folder, state=state, run="plant.py"))
    assert planted.ok, planted.output
    if surroundings == "everything" and layers.found().namespaces and plant is not NESTED:
        assert "the link stands" in planted.output

    commit = tree.commit("work of a tool")

    assert commit != start
    assert git(repository, "rev-parse", "ws/demo/a").strip() == commit
    assert "result.txt" in tree.changed(start)
    assert git(repository, "show", f"{commit}:result.txt") == "made"
    assert tree.settle_on(commit)
    other = lane("b")
    begin(other)
    (other.folder / "base.txt").write_text("changed beside it\n")
    theirs = other.commit("another lane")
    assert begin(tree, [commit, theirs])
    assert (tree.folder / "base.txt").read_text() == "changed beside it\n"
    assert (tree.folder / ".git").read_text().startswith(f"gitdir: {repository}/.git/worktrees/")
    assert not ran.exists()


def test_no_driver_that_the_repository_names_is_run_for_files_that_ask_for_it(lane, repository, tmp_path):
    """The configuration is the operator's, but which file asks for what stands in the work."""
    program, ran = tmp_path / "driver.sh", tmp_path / "ran"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    named = ["filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "merge.evil.x.driver"]
    named += [
        "diff.evil.command",
        "diff.evil.textconv",
        "core.fsmonitor",
        "diff.external",
        "core.editor",
        "gpg.program",
    ]
    for key in named:
        git(repository, "config", key, str(program))
    git(repository, "config", "filter.evil.required", "true")
    git(repository, "config", "commit.gpgSign", "true")
    (repository / "base.txt").write_text("one\n\n\n\n\n\n\ntwo\n")
    git(repository, "commit", "--quiet", "--all", "--message", "longer")
    commits = []
    for name, text in (("a", "ONE\n\n\n\n\n\n\ntwo\n"), ("b", "one\n\n\n\n\n\n\nTWO\n")):
        tree = lane(name)
        begin(tree)
        (tree.folder / "base.txt").write_text(text)
        (tree.folder / ".gitattributes").write_text("* filter=evil diff=evil merge=evil.x\n")
        commits.append(tree.commit(name))
    joined = lane("c")
    begin(joined, commits)
    assert (joined.folder / "base.txt").read_text() == "ONE\n\n\n\n\n\n\nTWO\n"
    assert not ran.exists()


def test_folders_that_nobody_may_enter_do_not_hold_up_the_lane(lane):
    tree = lane("a")
    start = begin(tree).commit
    closed = tree.folder / "closed" / "deep"
    closed.mkdir(parents=True)
    (closed / "file").write_text("x")
    closed.chmod(0)
    closed.parent.chmod(0)
    assert begin(tree).commit == start
    assert sorted(path.name for path in tree.folder.iterdir()) == [".git", "base.txt"]


def test_a_damaged_repository_is_never_taken_for_one_above_it(repository, tmp_path):
    git(tmp_path, "init", "--quiet")
    (repository / ".git" / "HEAD").unlink()
    with pytest.raises(Exception, match="not a git repository"):
        git(repository, "rev-parse", "--git-dir")
    assert stat.S_ISDIR(os.lstat(repository / ".git").st_mode)
