"""The same protections as an ordinary user, and what happens on a machine that lacks some or all of them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orchestrator.core.errors import ToolsUnprotected
from orchestrator.sandbox import filter as calls
from orchestrator.sandbox import kernel, landlock, layers, owner, start
from orchestrator.sandbox.policy import Layers, SandboxPolicy, ToolLimits
from orchestrator.sandbox.system import readable

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(os.getuid() != 0, reason="the whole suite runs as an ordinary user already")
def test_an_ordinary_user_shuts_tools_in_as_well():
    """Root lends a folder to a user without any power, who runs the attacks."""
    outer = Layers(namespaces=True, user=layers.USER)
    if layers.found().user == 0:
        pytest.skip("this kernel lets root make no namespaces, so there is no room for another user")
    with start.scratch() as folder, tempfile.TemporaryDirectory() as written:
        owner.give((f"{folder}/temporary", written), layers.USER)
        policy = SandboxPolicy(
            read=(*readable(network=False, private=()), str(ROOT)),
            write=(written,),
            scratch=folder,
            directory=str(ROOT),
            limits=ToolLimits(0, 0, 0, 0, 0),
            layers=outer,
        )
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/sandbox/test_attacks.py",
        ]
        chosen = (
            "everything and (data_folder or written or environment or signal or local or stopped or its_own)"
        )
        environment = {"HOME": written, "DATA_DIR": f"{written}/data", "PATH": os.defpath, "TMPDIR": written}
        with start.started([*command, "-k", chosen], policy, environment) as run:
            said = run.output.read().decode()
            run.process.wait()
            assert run.problem() == ""
        assert run.process.returncode == 0, said
        assert " passed" in said
        assert "skipped" not in said, said


#: Takes system calls away from itself, as a container engine or an older kernel does, then says what it still
#: has.
POORER = """
import os, sys
from orchestrator.sandbox import filter, kernel
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
filter.install(filter.program([1, 2, 10], alone=True, refused=[int(number) for number in sys.argv[1].split(",")]))
from orchestrator.sandbox import layers
print(layers.told("auto"))
"""
UNSHARE = calls.REFUSED["unshare"][0 if kernel.ARCHITECTURE == "x86_64" else 1]


@pytest.mark.parametrize(
    ("taken", "said", "unsaid"),
    [
        ([UNSHARE], "Tools run shut in by Landlock", "namespaces"),
        ([kernel.LANDLOCK_CREATE], "Tools run shut in by namespaces", "Landlock"),
        (
            [UNSHARE, kernel.LANDLOCK_CREATE],
            "Tool steps are refused. This machine cannot keep tools from files",
            "shut in by",
        ),
    ],
    ids=["no namespaces", "no Landlock", "neither"],
)
def test_the_start_says_what_a_poorer_machine_still_has(taken, said, unsaid):
    if layers.found().landlock < landlock.SIGNALS_FROM or not layers.found().namespaces:
        pytest.skip(f"this kernel is one of the poorer machines itself: {layers.described(layers.found())}")
    command = [sys.executable, "-c", POORER, ",".join(map(str, taken))]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.startswith(said)
    assert unsaid not in told
    assert len(told.splitlines()) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives tools a user of their own")
def test_tools_have_a_user_of_their_own_also_where_the_servers_files_are_its_own_alone():
    """`manage.py` sets this mask before anything else, so every server has it."""
    if layers.found().user == 0:
        pytest.skip("this kernel lets root make no namespaces, so there is no room for another user")
    code = "from orchestrator.sandbox import layers; print(layers.told('auto'))"
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, umask=0o077).stdout
    assert f"a user of their own ({layers.USER})" in told


@pytest.mark.parametrize(
    ("has", "open_"),
    [
        (Layers(landlock=7, namespaces=True, filter=True, user=1), []),
        (Layers(namespaces=True), []),
        (Layers(landlock=6, filter=True), []),
        (Layers(landlock=3, filter=True), []),
        (Layers(landlock=7), ["the network and local sockets"]),
        (Layers(landlock=5), ["other processes", "the network and local sockets"]),
        (Layers(filter=True), ["files outside the worktree", "other processes"]),
        (Layers(), ["files outside the worktree", "other processes", "the network and local sockets"]),
    ],
)
def test_what_suffices(has, open_):
    assert list(layers.missing(has)) == open_


def test_a_tool_does_not_run_where_it_cannot_be_shut_in(lane, monkeypatch):
    monkeypatch.setattr(layers, "found", Layers)
    with pytest.raises(ToolsUnprotected, match="files outside the worktree") as refused:
        lane.attack("open('ran', 'w').close()")
    assert "TOOLS_SANDBOX=off" in refused.value.way_out
    assert not (lane.job.directory / "ran").exists()


def test_the_operator_may_let_tools_run_open(lane, monkeypatch, settings):
    monkeypatch.setattr(layers, "found", Layers)
    settings.TOOLS_SANDBOX = "off"
    assert lane.answers(f"print(open({str(lane.data / 'secret-key')!r}).read() != '')") == ["True"]


def test_what_fails_while_a_tool_is_shut_in_is_said_and_the_tool_does_not_run(lane, monkeypatch):
    real = subprocess.Popen

    def elsewhere(command, **changes):
        return real([word.replace(str(lane.job.directory), "/nowhere") for word in command], **changes)

    monkeypatch.setattr(subprocess, "Popen", elsewhere)
    with pytest.raises(ToolsUnprotected, match=r"could not be shut in: .*nowhere"):
        lane.attack("print('ran')")


def test_data_that_lie_in_the_interpreters_folder_are_never_shown(lane, settings):
    settings.DATA_DIR = Path(sys.base_prefix) / "lib" / "data"
    with pytest.raises(ToolsUnprotected, match="which tools have to read"):
        lane.attack("print('ran')")


def test_what_the_server_wrote_for_itself_alone_into_the_worktree_can_be_read_by_its_tools(lane):
    """Under the server's umask git's link is for its owner alone.

    Ruff reads every file of the folder it checks.
    """
    link = lane.job.directory / ".git"
    link.chmod(0o600)
    said = lane.answers(
        "print(open('.git').read()[:7])\ntry: open('.git', 'a')\nexcept OSError: print('kept')"
    )
    assert said == ["gitdir:", "kept"]
