"""A tool is a process group of its own, with a clean environment, a time limit and capped output."""

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

from orchestrator.adapters import process
from tests.sandbox.conftest import gone, running


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_nothing_of_the_orchestrators_environment_reaches_a_tool(job, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "do not pass on")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p evil")
    finished = process.run(python("import os; print(sorted(os.environ))"), job(answer="yes"))
    assert "SECRET_KEY" not in finished.output
    assert "PYTEST_ADDOPTS" not in finished.output
    assert "'ANSWER'" in finished.output


def test_exit_code_and_both_streams_are_kept(job):
    finished = process.run(
        python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), job()
    )
    assert (finished.exit_code, finished.stopped) == (3, "")
    assert "out" in finished.output
    assert "err" in finished.output


def test_a_tool_that_takes_too_long_is_killed_with_its_children(job):
    marker = f"child-{secrets.token_hex(6)}"
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', {marker!r}])\n"
        "print('began', flush=True); time.sleep(60)"
    )
    began = time.monotonic()
    finished = process.run(python(code), job(timeout=1.5))
    assert (finished.stopped, finished.output) == ("timeout", "began\n")
    assert time.monotonic() - began < 10
    assert gone(marker)


def test_a_background_process_does_not_keep_the_run_open(job):
    code = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; "
        "time.sleep(60)']); print('done')"
    )
    began = time.monotonic()
    finished = process.run(python(code), job())
    assert (finished.exit_code, finished.output) == (0, "done\n")
    assert time.monotonic() - began < 20


def test_a_cancelled_tool_is_killed(job):
    finished = process.run(python("import time; time.sleep(60)"), job(cancelled=lambda: True))
    assert finished.stopped == "cancelled"


def test_long_output_keeps_its_beginning_and_end(job):
    finished = process.run(python("print('first'); print('x' * 5_000_000); print('last')"), job())
    assert finished.output.startswith("first")
    assert finished.output.endswith("last\n")
    assert "bytes left out" in finished.output
    assert len(finished.output) < 100_000


def test_output_is_text_that_any_database_stores(job):
    finished = process.run(python(r"import os; os.write(1, b'a\0b\xff')"), job())
    assert finished.output == "a\ufffdb\ufffd"


def test_a_lane_stays_locked_while_its_tool_runs_and_the_tool_cannot_let_go(job, tmp_path):
    with (tmp_path / "lane.lock").open("w") as lock, (tmp_path / "lane.lock").open("w") as other:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code = f"import os\ntry: os.fstat({lock.fileno()}); print('open')\nexcept OSError: print('closed')"
        assert process.run(python(code), job(inherited=(lock.fileno(),))).output == "closed\n"
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    raise AssertionError("the lane was let go")


STARTER = """
import os, sys
import django
django.setup()
from pathlib import Path
from orchestrator.adapters import process
from orchestrator.adapters.tool import Job
tree = Path(sys.argv[1])
code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)', " \
       "sys.argv[1]], start_new_session=True); time.sleep(300)"
process.run([sys.executable, "-c", code, sys.argv[2]], Job(directory=tree, state=tree.parent / "state", run=""))
"""


def test_a_tool_and_all_it_started_die_with_their_executor_even_when_that_is_killed(job, tmp_path):
    marker = f"orphan-{secrets.token_hex(6)}"
    command = [sys.executable, "-c", STARTER, str(job().directory), marker]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary)}
    starter = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], start_new_session=True, env=environment
    )
    try:
        deadline = time.monotonic() + 30
        # The starter, the one who watches, the first process inside, the tool and what it started.
        while len(running(marker)) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(running(marker)) >= 4
    finally:
        assert [*temporary.glob("tool-*")]
        os.killpg(starter.pid, signal.SIGKILL)
        starter.wait()
    assert gone(marker)
    assert [*temporary.glob("tool-*")] == []
