"""A run may use so many processes, so much memory, so large files and so much time.

Past that it ends, alone.
"""

import secrets
import time

import pytest

from tests.sandbox.conftest import gone

pytestmark = pytest.mark.usefixtures("protection")

MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def limits(settings):
    settings.TOOLS_LIMITS = {
        "processes": 30,
        "memory": 300 * MEGABYTE,
        "file_size": 5 * MEGABYTE,
        "open_files": 64,
        "cpu_seconds": 2,
    }


def test_a_fork_bomb_ends(lane):
    marker = f"bomb-{secrets.token_hex(6)}"
    code = f"""
import os, subprocess, sys
children = []
for number in range(200):
    try:
        children.append(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)", {marker!r}]))
    except OSError as problem:
        print("no more", flush=True)
        sys.exit(3)
print("all 200", flush=True)
import time; time.sleep(60)
"""
    began = time.monotonic()
    result = lane.attack(code)
    assert not result.ok
    assert "no more" in result.output or "more than 30 processes" in result.output, result.output
    assert time.monotonic() - began < 50
    assert gone(marker)


def test_one_process_gets_no_more_memory_than_the_limit(lane):
    code = "try: kept = bytearray(400 * 1024 * 1024); print('got it')\nexcept MemoryError: print('refused')"
    assert lane.answers(code) == ["refused"]


def test_many_processes_together_get_no_more_memory_than_the_limit(lane):
    code = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = bytearray(os.urandom(1024 * 1024)) * 100
        time.sleep(40)
time.sleep(40)
"""
    began = time.monotonic()
    result = lane.attack(code)
    assert "all processes together used more than 300 MB (TOOLS_MEMORY_MB)" in result.output
    assert time.monotonic() - began < 30


def test_a_file_grows_no_larger_than_the_limit(lane):
    code = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("huge", "wb", buffering=0) as file:
    try:
        for _ in range(20):
            file.write(bytes(1024 * 1024))
    except OSError as problem:
        print(problem.strerror)
"""
    assert lane.answers(code) == ["File too large"]
    assert (lane.job.directory / "huge").stat().st_size <= 5 * MEGABYTE


def test_a_run_opens_no_more_files_than_the_limit(lane):
    code = (
        "kept = []\ntry:\n    while True: kept.append(open('/dev/null'))\nexcept OSError: "
        "print(len(kept) < 64)"
    )
    assert lane.answers(code) == ["True"]


def test_a_process_that_only_computes_ends(lane):
    began = time.monotonic()
    assert not lane.attack("while True: pass").ok
    assert time.monotonic() - began < 30
