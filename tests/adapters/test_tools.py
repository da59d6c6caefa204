"""AD-6: steps route to pytest, ruff or a script of the repository; each says what it found."""

import os

import pytest

from orchestrator.adapters.pytest import Pytest
from orchestrator.adapters.registry import registered
from orchestrator.adapters.ruff import Ruff
from orchestrator.adapters.script import Script
from orchestrator.core.errors import InvalidInput, ToolUnknown

ASKING = """
import os, sys

if "ANSWER" not in os.environ:
    print("ASK: Which?")
    sys.exit(75)
print(os.environ["ANSWER"])
"""


def write(job, name: str, text: str):
    path = job().directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_pytest_says_how_many_passed(job):
    write(job, "test_it.py", "def test_a():\n    assert True\n")
    result = Pytest().run(job("pytest -q"))
    assert result.ok, result.output
    assert result.summary.startswith("pytest -q: exit code 0; 1 passed")


def test_pytest_that_fails_is_an_error_with_its_last_line(job):
    write(job, "test_it.py", "def test_a():\n    assert 1 == 2\n")
    result = Pytest().run(job("-q"))
    assert not result.ok
    assert "exit code 1; " in result.error
    assert "1 failed" in result.error


def test_pytest_without_a_test_is_not_a_success(job):
    assert not Pytest().run(job("-q")).ok


def test_pytest_ignores_configuration_above_the_worktree(job):
    (job().directory.parent / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    write(job, "test_it.py", "def test_a():\n    assert True\n")
    assert Pytest().run(job("-q")).ok


@pytest.mark.parametrize(
    "run", ["-p evil", "-c evil.ini", "--rootdir=/", "-o addopts=x", "--pyargs os", "/tmp", "../x"]
)
def test_pytest_loads_no_code_that_a_plan_names(job, run):
    with pytest.raises(InvalidInput):
        Pytest().run(job(run))


@pytest.mark.parametrize(
    "run", ["@args.txt", "-k @args.txt", "-q -- -p evil", "-qpevil", "-cevil.ini", "--root=/", "--over a=b"]
)
def test_pytest_takes_no_way_around_its_options(job, run):
    """Argument files, beginnings of options, several in one word, what stands behind `--`."""
    write(job, "args.txt", "-p\nevil\n")
    write(job, "evil.py", "print('loaded')")
    write(job, "test_it.py", "def test_a():\n    assert True\n")
    with pytest.raises(InvalidInput):
        Pytest().run(job(run))


def test_pytest_reads_no_code_above_the_worktree(job):
    (job().directory.parent / "conftest.py").write_text("raise SystemExit('read')\n")
    write(job, "test_it.py", "def test_a():\n    assert True\n")
    result = Pytest().run(job("-q"))
    assert result.ok, result.output


def test_pytest_reads_no_code_above_the_worktree_even_where_tools_run_open(job, settings):
    settings.TOOLS_SANDBOX = "off"
    test_pytest_reads_no_code_above_the_worktree(job)


@pytest.mark.parametrize(
    "variable", ["PYTEST_ADDOPTS", "PYTEST_PLUGINS", "RUFF_CONFIG", "PYTHONSTARTUP", "PYTHONPATH"]
)
def test_no_option_comes_from_the_servers_environment(job, monkeypatch, variable):
    monkeypatch.setenv(variable, "evil")
    write(job, "scripts/look.py", f"import os; print(os.environ.get({variable!r}))")
    assert "evil" not in Script().run(job("look.py")).output


def test_ruff_finds_what_is_wrong(job):
    write(job, "bad.py", "import os\n")
    result = Ruff().run(job("ruff check ."))
    assert not result.ok
    assert "F401" in result.output


def test_ruff_ignores_configuration_above_the_worktree(job):
    (job().directory.parent / "ruff.toml").write_text('lint.select = ["ALL"]\n')
    write(job, "good.py", "print(1)\n")
    assert Ruff().run(job("check .")).ok


def test_ruff_uses_the_repositorys_own_configuration(job):
    write(job, "pyproject.toml", '[tool.ruff.lint]\nselect = ["T20"]\n')
    write(job, "good.py", "print(1)\n")
    assert "T201" in Ruff().run(job("check .")).output


@pytest.mark.parametrize("kind", ["a link to a secret", "a pipe", "nested without end", "no table"])
def test_a_configuration_that_somebody_handed_in_stops_nobody(job, tmp_path, kind):
    path = job().directory / "pyproject.toml"
    if kind == "a link to a secret":
        (tmp_path / "secret.toml").write_text("[tool.ruff.lint]\nselect = ['T20']\n")
        path.symlink_to(tmp_path / "secret.toml")
    elif kind == "a pipe":
        os.mkfifo(path)
    else:
        path.write_text("a = " + "[" * 20_000 if kind == "nested without end" else "tool = 3\n")
    write(job, "good.py", "print(1)\n")
    assert Ruff().run(job("check good.py", timeout=20)).summary


@pytest.mark.parametrize(
    "run",
    [
        "server",
        "check --config /tmp/x",
        "check -o /tmp/out",
        "config",
        "@args.txt",
        "check @args.txt",
        "check --conf=x",
        "check -- x.py",
        "check -",
        "check --select @args.txt",
        "check -qv",
        "format --stdin-filename x",
        "--config=x check",
    ],
)
def test_ruff_does_nothing_else(job, run):
    with pytest.raises(InvalidInput):
        Ruff().run(job(run))


def test_a_script_runs_in_the_worktree_and_may_import_from_it(job):
    write(job, "package.py", "NAME = 'found'\n")
    write(job, "scripts/go.py", "import package, sys; print(package.NAME, sys.argv[1:])")
    result = Script().run(job("scripts/go.py --mode fast"))
    assert result.ok, result.output
    assert result.summary == "scripts/go.py --mode fast: exit code 0; found ['--mode', 'fast']"


def test_a_script_asks_with_exit_code_75_and_gets_the_answer(job):
    write(job, "scripts/ask.py", ASKING)
    asked = Script().run(job("ask.py"))
    assert (asked.ok, asked.question, asked.error) == (False, "Which?", "")
    answered = Script().run(job("ask.py", answer="the blue one"))
    assert answered.ok
    assert answered.output == "the blue one\n"


def test_exit_code_75_without_a_question_is_a_failure(job):
    write(job, "scripts/quiet.py", "import sys; sys.exit(75)")
    result = Script().run(job("quiet.py"))
    assert (result.ok, result.question) == (False, "")
    assert "exit code 75" in result.error


@pytest.mark.parametrize(
    "run",
    [
        "",
        "nothing.py",
        "../out.py",
        "/bin/ls",
        "scripts/sub/deep.py",
        "note.txt",
        "-c",
        "deep",
        "x" * 300 + ".py",
    ],
)
def test_only_a_script_in_the_folder_itself_runs(job, run):
    write(job, "scripts/sub/deep.py", "print('no')")
    write(job, "scripts/note.txt", "print('no')")
    write(job, "out.py", "print('no')")
    with pytest.raises(InvalidInput):
        Script().run(job(run))


def test_a_link_out_of_the_folder_does_not_run(job, tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_text("print('no')")
    (job().directory / "scripts" / "link.py").symlink_to(outside)
    with pytest.raises(InvalidInput, match="does not stand"):
        Script().run(job("link.py"))


def test_a_linked_scripts_folder_does_not_run(job, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "go.py").write_text("print('no')")
    (job().directory / "scripts").rmdir()
    (job().directory / "scripts").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="does not stand"):
        Script().run(job("go.py"))


def test_a_scripts_folder_that_leads_to_itself_is_a_plain_refusal(job):
    (job().directory / "scripts").rmdir()
    (job().directory / "scripts").symlink_to("scripts")
    with pytest.raises(InvalidInput, match="no script"):
        Script().run(job("go.py"))


@pytest.mark.parametrize("word", ["/etc/passwd", "../x", "--out=/tmp/x", "-o/tmp/x", "-o../x", "-o=/tmp/x"])
def test_arguments_of_a_script_stay_in_the_worktree(job, word):
    write(job, "scripts/go.py", "print(1)")
    with pytest.raises(InvalidInput, match="leaves the worktree"):
        Script().run(job(f"go.py {word}"))


def test_only_registered_tools_exist(settings):
    settings.TOOLS = ["ruff"]
    assert set(registered()) == {"ruff"}
    settings.TOOLS = ["bash"]
    with pytest.raises(ToolUnknown, match="bash"):
        registered()
