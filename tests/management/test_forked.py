"""Parts of `serve` are copies of the supervisor: they are told apart, end as told, and hold nothing of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import OperationalError

from orchestrator.processes import forked
from tests.management.test_supervision import alive, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere programs are started instead")

#: A supervisor in a process of its own, which holds a lock and has one part that does what it is told.
SUPERVISING = """
import fcntl, os, signal, sys, time
from pathlib import Path
import django
django.setup()
from orchestrator.processes.child import Child, Undertaker
from orchestrator.processes.supervisor import only_supervisor
folder = Path(sys.argv[1])
lock = only_supervisor(folder)
signal.signal(signal.SIGTERM, lambda *_: None)

def run():
    exec(sys.argv[2])

helper = Undertaker()
child = Child("part", [], folder, helper, run=run)
child.start(0)
exec(sys.argv[3])
"""


def supervise(folder: Path, part: str, then: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-c", SUPERVISING, str(folder), part, then]
    plain = os.environ | {"DATA_DIR": str(folder / "data"), "DJANGO_SETTINGS_MODULE": "orchestrator.settings"}
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=60, cwd=ROOT, env=plain)


def test_a_part_ends_with_its_own_code_and_what_it_printed_is_in_its_log(tmp_path: Path) -> None:
    part = "print('said', os.getpid() == os.getsid(0), flush=True); raise SystemExit(3)"
    then = "print(child.process.wait(20), child.ended(0)); helper.dismiss()"
    done = supervise(tmp_path, part, then)
    assert done.stdout.split() == ["3", "3"], done.stderr
    assert (tmp_path / "logs" / "part.log").read_text() == "said True\n"


def test_a_part_is_asked_to_stop_as_any_process_whatever_the_supervisor_does_then(tmp_path: Path) -> None:
    part = "print('up', flush=True); time.sleep(60)"
    then = f"""
while "up" not in Path({str(tmp_path)!r}, "logs", "part.log").read_text():
    time.sleep(0.05)
child.ask_to_stop()
print(child.process.wait(20))
helper.dismiss()
"""
    assert supervise(tmp_path, part, then).stdout.strip() == str(-signal.SIGTERM)


def test_a_killed_supervisor_leaves_neither_its_part_nor_its_lock(tmp_path: Path) -> None:
    from orchestrator.processes.supervisor import only_supervisor

    part = "print(os.getpid(), flush=True); time.sleep(60)"
    then = f"""
while not Path({str(tmp_path)!r}, "logs", "part.log").read_text():
    time.sleep(0.05)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert supervise(tmp_path, part, then).returncode == -signal.SIGKILL
    lock = only_supervisor(tmp_path)
    assert lock is not None, "the part had the lock as well"
    lock.close()
    pid = int((tmp_path / "logs" / "part.log").read_text())
    assert wait_until(lambda: not alive(pid))


def test_a_part_has_the_name_that_operators_look_for(tmp_path: Path) -> None:
    part = "print(Path('/proc/self/comm').read_text().strip(), flush=True)"
    supervise(tmp_path, part, "child.process.wait(20); helper.dismiss()")
    assert (tmp_path / "logs" / "part.log").read_text() == "part\n"


def test_memory_that_nobody_changes_is_shared(tmp_path: Path) -> None:
    """A part that has begun has less of its own than a program with Django that is started for itself."""
    part = """
from django.conf import settings
lines = Path('/proc/self/smaps_rollup').read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith('Private_Dirty')), flush=True)
"""
    done = supervise(tmp_path, part, "child.process.wait(20); helper.dismiss()")
    kilobytes = int((tmp_path / "logs" / "part.log").read_text() or 10**9)
    assert kilobytes < 20_000, done.stderr


def test_what_is_done_in_a_copy_leaves_nothing_here(tmp_path: Path) -> None:
    here: list[int] = []

    def act() -> None:
        here.append(os.getpid())
        (tmp_path / "done").write_text("done")

    forked.in_a_copy(act)
    assert (tmp_path / "done").read_text() == "done"
    assert here == []


@pytest.mark.parametrize("refusal", [CommandError("It cannot be."), OperationalError("disk I/O error")])
def test_what_a_copy_refuses_is_refused_here(refusal: Exception) -> None:
    def act() -> None:
        raise refusal

    with pytest.raises(type(refusal), match=str(refusal)):
        forked.in_a_copy(act)


def test_a_copy_that_is_killed_is_no_success() -> None:
    with pytest.raises(CommandError, match="ended before"):
        forked.in_a_copy(lambda: os.kill(os.getpid(), signal.SIGKILL))
