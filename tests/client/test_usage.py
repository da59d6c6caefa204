"""What coding agents used is read from what they print (FR-013, AD-6)."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.client import doing
from orchestrator.client.agent import Agent, find_agent
from orchestrator.client.held import HeldStep
from orchestrator.client.login import Misconfigured
from orchestrator.client.usage import summed
from orchestrator.models import Attempt
from tests.acceptance.test_fr013_budgets import with_step_budget
from tests.cast import PLAN, Driver
from tests.client.conftest import Call, Said
from tests.client.test_doing import AIDER, OPENCODE

CLAUDE = json.dumps(
    {
        "type": "result",
        "result": "Done.",
        "total_cost_usd": 0.25,
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 500,
            "cache_read_input_tokens": 8_000,
            "output_tokens": 3,
        },
        "modelUsage": {"claude-opus-4-1": {"inputTokens": 12}, "claude-haiku-4": {"inputTokens": 1}},
    }
)
TURN = '{"type":"turn.completed","usage":{"input_tokens":5,"cached_input_tokens":4,"output_tokens":1}}'
GEMINI = "Loaded cached credentials.\n" + json.dumps(
    {
        "session_id": "s",
        "response": "Done.",
        "stats": {
            "models": {
                "gemini-2.5-pro": {
                    "tokens": {"prompt": 900, "candidates": 20, "cached": 800, "thoughts": 15}
                },
                "gemini-2.5-flash": {"tokens": {"prompt": 100, "candidates": 5, "thoughts": 0}},
            },
            "tools": {"totalCalls": 1},
        },
    },
    indent=2,
)


@pytest.mark.parametrize(
    ("name", "printed", "used"),
    [
        (
            "claude",
            CLAUDE,
            {
                "tokens_in": 8_512,
                "tokens_out": 3,
                "cost": "0.250000",
                "currency": "USD",
                "model": "claude-opus-4-1, claude-haiku-4",
            },
        ),
        ("codex", f"{TURN}\nnoise {{\n{TURN}", {"tokens_in": 10, "tokens_out": 2}),
        (
            "gemini",
            f"{GEMINI}\n(node:7) a warning of {{node}}\n",
            {"tokens_in": 1_000, "tokens_out": 40, "model": "gemini-2.5-pro, gemini-2.5-flash"},
        ),
        (
            "aider",
            AIDER,
            {
                "tokens_in": 13_300,
                "tokens_out": 1_716,
                "cost": "0.013500",
                "currency": "USD",
                "model": "anthropic/claude-sonnet-4",
            },
        ),
        (
            "opencode",
            OPENCODE,
            {"tokens_in": 100, "tokens_out": 7, "cost": "0.015000", "currency": "USD"},
        ),
    ],
)
def test_fr013_what_each_known_agent_used_is_read_from_its_output(
    name: str, printed: str, used: dict[str, Any]
) -> None:
    assert find_agent(name).used(printed, 8.6) == {"seconds": 9, **used}


@pytest.mark.parametrize("name", ["claude", "codex", "gemini", "aider", "opencode"])
@pytest.mark.parametrize(
    "printed",
    [
        "",
        "Killed\n",
        "{",
        '{"usage": [1], "stats": {"models": 7}, "part": "x", "modelUsage": 3}',
        '{"usage": {"input_tokens": -4, "output_tokens": true}, "total_cost_usd": NaN,'
        ' "part": {"cost": 1e300}}',
        '{"a":' * 5_000,
        "Tokens: lots sent, many received. Cost: $none message, $0 session.\n",
    ],
)
def test_fr013_output_that_does_not_say_what_was_used_is_no_error(name: str, printed: str) -> None:
    assert find_agent(name).used(printed, 2) == {"seconds": 2}


def test_fr013_of_long_output_every_line_counts() -> None:
    """What is kept of it in memory is the first and the last part."""
    assert find_agent("codex").used("cut", 1, iter([TURN] * 3)) == {
        "seconds": 1,
        "tokens_in": 15,
        "tokens_out": 3,
    }


def test_fr013_several_runs_of_one_step_are_said_together() -> None:
    used = find_agent("claude").used(CLAUDE, 1)
    assert summed([used, used, {"seconds": 1}]) == {
        "seconds": 3,
        "tokens_in": 17_024,
        "tokens_out": 6,
        "cost": "0.500000",
        "currency": "USD",
        "model": "claude-opus-4-1, claude-haiku-4",
    }


def test_fr013_what_an_agent_printed_of_its_usage_stands_at_the_attempt(
    call: Call, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    printed = tmp_path / "printed"
    printed.write_text(AIDER)
    known = find_agent("aider")
    agent = Agent(
        **{name: getattr(known, name) for name in known.__dataclass_fields__}
        | {"command": ("cat", str(printed)), "prompt": "stdin"}
    )
    monkeypatch.setattr(doing, "find_agent", lambda *_: agent)
    call("work", "--once", "--folder", str(tmp_path))
    attempt = Attempt.objects.exclude(ended_at=None).get()
    assert (attempt.tokens_in, attempt.tokens_out, attempt.model) == (
        13_300,
        1_716,
        "anthropic/claude-sonnet-4",
    )


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        ('{ tokens = "usage" }', "tokens_in, tokens_out, cost_usd, model"),
        ("{ tokens_in = 4 }", "is a text or a list of texts"),
        ('{ tokens_in = "(" }', "is no expression"),
        ('{ tokens_in = "Tokens" }', "has one group"),
    ],
)
def test_ad6_a_wrong_description_of_usage_says_what_is_wrong(tmp_path: Path, usage: str, why: str) -> None:
    file = tmp_path / "more.toml"
    file.write_text(f'[mine]\ncommand = ["mine"]\nusage = {usage}\n')
    with pytest.raises(Misconfigured, match=why):
        find_agent("mine", str(file))


#: Proves what it is asked for, or waits.
PROVES = """
import re, sys, time
brief = sys.stdin.read()
if WAITS: time.sleep(300)
for pk in re.findall(r"^  (\\d+): ", brief, re.M): print(f"PROOF {pk}: pytest said 3 passed")
print("Done.")
"""


def working(call: Call, tmp_path: Path, *, waits: bool) -> Said:
    program = tmp_path / "program.py"
    program.write_text(f"WAITS = {waits}\n{PROVES}")
    return call("work", "--once", "--folder", str(tmp_path), "--command", f"{sys.executable} {program}")


@pytest.fixture
def spending(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the agent runs, its executor says what it used."""
    monkeypatch.setattr(doing, "LOOK", 0)
    real = doing.Worker._why_stop

    def spends(worker: doing.Worker, held: HeldStep) -> str:
        word = held.with_token(breadcrumb="Spent.", usage={"tokens_in": 500})
        worker.connection.post(f"attempts/{held.attempt}/report", word)
        return real(worker, held)

    monkeypatch.setattr(doing.Worker, "_why_stop", spends)


@pytest.mark.usefixtures("spending")
def test_fr013_a_run_whose_step_has_used_up_its_budget_is_ended_and_given_back(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    driver.start(with_step_budget(PLAN, "A1", "500 tokens"))
    told = working(call, tmp_path, waits=True)
    assert (told.code, told.out.splitlines()[-2]) == (3, "A1: release")
    attempt = driver.task("A1").attempts.get(number=1)
    assert attempt.status == "cancelled"
    assert "The budget of A1 is used up: 500 of 500 tokens." in driver.task("A1").breadcrumb


@pytest.mark.usefixtures("spending")
def test_fr013_a_run_may_end_when_the_plan_s_budget_is_used_up(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    driver.start(PLAN.replace(b"---\n", b"---\nbudget: 500 tokens\n", 1))
    assert working(call, tmp_path, waits=False).code == 0
    assert driver.attempt("A1").status == "completed"
    assert driver.reload().over_budget


def test_fr013_a_note_and_the_lists_say_that_a_budget_is_used_up(call: Call, driver: Driver) -> None:
    driver.start(PLAN.replace(b"---\n", b"---\nbudget: 500 tokens\n", 1))
    call("next")
    sentence = "The budget of the plan is used up"
    assert sentence in call("note", "Half of it", "--tokens-in", "500").out
    assert sentence in call("mine").out
    assert sentence in call("next").out
    assert "over budget: 500 of 500 tokens" in call("status").out
