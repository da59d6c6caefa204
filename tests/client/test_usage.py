"""What coding agents used is read from what they print (FR-013, AD-6)."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.client import doing
from orchestrator.client.agent import Agent, find_agent
from orchestrator.client.login import Misconfigured
from orchestrator.models import Attempt
from tests.cast import Driver
from tests.client.conftest import Call
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
    assert doing.summed([used, used, {"seconds": 1}]) == {
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
