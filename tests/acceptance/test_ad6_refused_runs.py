"""AD-6, WF-3: what a tool would refuse to run is found by the plan check, before anybody approves it."""

import pytest
from django.urls import reverse

from orchestrator.core.terms import Severity
from orchestrator.queries.plans.judged import judged_version
from orchestrator.services.plans.check_rules import change_check_rules
from tests.acceptance.public import PublicDriver
from tests.cast import NOON, Cast
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


@pytest.mark.parametrize(
    ("command", "said"),
    [("script ../../evil.sh", "../../evil.sh"), ("pytest -q vd; touch /tmp/x", "/tmp/x")],
)
def test_bx9_a_verification_that_can_never_run_blocks_the_plan_where_it_stands(
    planner: Machine, command: str, said: str
) -> None:
    step = f"# Plan: Greetings\n\n- A1: Write hello\n  - Exit: hello is written\n  - Verify: `{command}`\n"
    whole = f"---\nname: Greetings\nverify: {command}\n---\n# Plan: Greetings\n\n- A1: Write hello\n"
    for source, line, who in ((step, 5, "A1"), (whole, 3, "The plan")):
        answer = planner.post("/api/plans/check", {"source": source})[1]
        (one,) = [one for one in answer["findings"] if one["code"] == "impossible-verification"]
        assert (one["severity"], one["line"]) == ("blocks", line)
        assert one["message"].startswith(f"{who} could never be verified: ")
        assert said in one["message"]
        assert "`Verify: none`" in one["fix"]


def test_bx9_wf3_an_approver_lets_such_a_plan_pass_by_the_policy(cast: Cast) -> None:
    driver = PublicDriver(cast)
    driver.submit(PLAN.format(tool="pytest", run="  - Verify: `pytest -p evil`\n").encode())
    version = driver.workstream.version
    assert judged_version(version, driver.workstream).blockers
    change_check_rules(
        severities={"impossible-verification": Severity.WARNS},
        reason="A person looks at each.",
        impact="none",
        actor=cast.actor("approver"),
        now=NOON,
    )
    assert not judged_version(version, driver.workstream).blockers


def test_ad6_the_reviewer_sees_it_on_the_page(cast: Cast) -> None:
    driver = PublicDriver(cast)
    driver.submit(plan("pytest", "-p evil").encode())
    address = reverse("plan-review", args=[driver.workstream.version.workflow.slug, 1])
    page = words(signed_in(cast.reviewer).get(address))
    assert "A1 could not run: pytest may not be given the option -p by a plan." in page
