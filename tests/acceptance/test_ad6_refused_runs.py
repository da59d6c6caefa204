"""AD-6, WF-3: what a tool would refuse to run is found by the plan check, before anybody approves it."""

import pytest
from django.urls import reverse

from tests.acceptance.public import PublicDriver
from tests.cast import Cast
from tests.machines import Machine
from tests.web.pages import signed_in, words

PLAN = """# Plan: Greetings

- A1: Write hello
  - Tool: {tool}
{run}  - Exit: hello is written
"""


def plan(tool: str, run: str) -> str:
    return PLAN.format(tool=tool, run=f"  - Run: `{run}`\n" if run else "")


def found(planner: Machine, tool: str, run: str) -> list[tuple[str, int, str]]:
    body = {"source": plan(tool, run)}
    status, answer = planner.post("/api/plans/check", body)
    assert status == 200, answer
    listed = [one for one in answer["findings"] if one["code"] == "refused-run"]
    return [(one["severity"], one["line"], one["message"]) for one in listed]


@pytest.mark.parametrize(
    ("tool", "run", "said"),
    [
        ("pytest", "-q @options.txt", "“@options.txt” would read arguments from a file"),
        ("pytest", "-c other.ini", "pytest may not be given the option -c by a plan."),
        ("pytest", "tests -k", "pytest's option -k needs a value."),
        ("pytest", "../tests", "“../tests” leaves the worktree"),
        ("pytest", "-k 'unclosed", "Run cannot be split into words"),
        ("ruff", "clean .", "ruff can check or format, not “clean”."),
        ("ruff", "check --config=own.toml .", "ruff may not be given the option --config by a plan."),
        ("script", "write.sh", "There is no script “write.sh”"),
        ("script", "", "There is no script “”"),
        ("script", "write.py --to=/etc", "“/etc” leaves the worktree"),
    ],
)
def test_ad6_the_plan_check_finds_what_a_tool_would_refuse(
    planner: Machine, tool: str, run: str, said: str
) -> None:
    ((severity, line, message),) = found(planner, tool, run)
    assert (severity, line) == ("warns", 3)
    assert message.startswith("A1 could not run: ")
    assert said in message


@pytest.mark.parametrize(
    ("tool", "run"),
    [
        ("pytest", "pytest -q tests -k fast"),
        ("ruff", "ruff check --fix src"),
        ("ruff", ""),
        ("script", "scripts/write.py hello.txt --times=3"),
        ("elsewhere", "@options.txt"),
    ],
)
def test_ad6_what_a_tool_takes_is_not_found(planner: Machine, tool: str, run: str) -> None:
    assert found(planner, tool, run) == []


def test_ad6_the_reviewer_sees_it_on_the_page(cast: Cast) -> None:
    driver = PublicDriver(cast)
    driver.submit(plan("pytest", "-p evil").encode())
    address = reverse("plan-review", args=[driver.workstream.version.workflow.slug, 1])
    page = words(signed_in(cast.reviewer).get(address))
    assert "A1 could not run: pytest may not be given the option -p by a plan." in page
