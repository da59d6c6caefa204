"""A tool is a process group of its own, with a clean environment, a time limit and capped output."""

import os
import sys
import time

from orchestrator.adapters import process


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_of_the_orchestrators_environment_reaches_a_tool(job, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "do not pass on")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p evil")
    finished = process.run(python("import os; print(sorted(os.environ))"), job(answer="yes"))
    assert "SECRET_KEY" not in finished.output
    assert "PYTEST_ADDOPTS" not in finished.output
    assert "'ANSWER'" in finished.output


def test_exit_code_and_both_streams_are_kept(job):
    finished = process.run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), job())
    assert (finished.exit_code, finished.stopped) == (3, "")
    assert "out" in finished.output
    assert "err" in finished.output


def test_a_tool_that_takes_too_long_is_killed_with_its_children(job):
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    began = time.monotonic()
    finished = process.run(python(code), job(timeout=1))
    assert finished.stopped == "timeout"
    assert time.monotonic() - began < 10
    deadline = time.monotonic() + 5
    while alive(int(finished.output)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(int(finished.output))


def test_a_background_process_does_not_keep_the_run_open(job):
    code = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print('done')"
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


def test_an_inherited_lock_outlives_the_one_who_passed_it(job, tmp_path):
    read, write = os.pipe()
    try:
        finished = process.run(python(f"import os; os.fstat({write}); print('open')"), job(inherited=(write,)))
        assert finished.output == "open\n"
    finally:
        os.close(read)
        os.close(write)
