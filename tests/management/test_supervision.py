"""Whatever the supervisor started ends with it, in order or not; what dies is started again after a while."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.processes import undertaker
from orchestrator.processes.child import BACKOFF, Child, Undertaker
from orchestrator.processes.supervisor import only_supervisor, port_is_taken

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
ORPHANING = """
import os, signal, sys, time
from pathlib import Path
from orchestrator.processes.child import Child, Undertaker
child = Child("family", [sys.executable, "-c", sys.argv[2]], Path(sys.argv[1]), Undertaker())
child.start(0)
time.sleep(1)
os.kill(os.getpid(), signal.SIGKILL)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def wait_until(true, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def grandchild(folder: Path) -> int:
    log = folder / "logs" / "family.log"
    assert wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(log.read_text())


@pytest.fixture
def helper():
    helper = Undertaker()
    yield helper
    helper.dismiss()


def test_finishing_a_child_ends_its_whole_group(tmp_path, helper):
    child = Child("family", [sys.executable, "-c", FAMILY], tmp_path, helper)
    child.start(0)
    pid = grandchild(tmp_path)
    assert alive(pid)
    child.ask_to_stop()
    child.finish(5)
    assert wait_until(lambda: not alive(pid))
    assert not (tmp_path / "run" / "family.pid").exists()


def test_a_killed_supervisor_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-c", ORPHANING, str(tmp_path), FAMILY]
    killed = subprocess.run(command, check=False, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    pid = grandchild(tmp_path)
    assert wait_until(lambda: not alive(pid))


def test_a_child_that_keeps_dying_is_started_more_and_more_slowly(tmp_path, helper):
    child = Child("failing", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path, helper)
    waits = []
    for _ in range(len(BACKOFF) + 1):
        child.start(100.0)
        assert child.process is not None
        child.process.wait(10)
        assert child.ended(100.0) == 3
        waits.append(child.next_start - 100.0)
    assert waits == [*BACKOFF, BACKOFF[-1]]
    child.start(100.0)
    child.process.wait(10)
    child.ended(1000.0)
    assert child.next_start == 1000.0


def test_the_undertaker_knows_what_is_left():
    assert undertaker.groups_left(["+12\n", "+13\n", "-12\n", "rubbish\n", "+\n"]) == [13]


def test_a_taken_port_is_found(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port_is_taken("127.0.0.1", port)
    assert not port_is_taken("127.0.0.1", port)


def test_one_supervisor_for_one_data_folder(tmp_path):
    first = only_supervisor(tmp_path)
    assert first is not None
    assert only_supervisor(tmp_path) is None
    first.close()
    again = only_supervisor(tmp_path)
    assert again is not None
    again.close()


def test_serve_on_a_taken_port_says_so_and_starts_nothing(tmp_path):
    root = Path(__file__).resolve().parent.parent.parent
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "orchestrator.settings"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
    assert not (tmp_path / "logs").exists()
