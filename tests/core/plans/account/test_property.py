"""WF-2, AD-1: for every reader, every line that looks like work is a step, a part, text or in a finding.

Texts are grown from pieces whose words stand nowhere else, so that what became of each is seen by brute force
in the plan value, and not in the account's own index.
"""

import json
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.findings import KEPT_PER_CODE
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.work_lines import Account, Fate, WorkKind
from orchestrator.core.terms import Format
from tests.core.plans.account.looking import plain, text_of
from tests.core.plans.account.test_account import SHAPES
from tests.core.plans.formats.mutations import mutated, mutated_json

NO_TOOLS: frozenset[str] = frozenset()
#: Formats whose reader takes any Markdown when it is asked to.
IN_MARKDOWN = [
    Format.PLAN,
    Format.LIST,
    Format.LIST_FINE,
    Format.SUPERPOWERS,
    Format.CONDUCTOR,
    Format.KIRO,
    Format.OPENSPEC,
    Format.PLAN_MODE,
    Format.SPEC_KIT,
    Format.SPEC_KITTY,
    Format.TASKS_MD,
]
HEADINGS = [
    "## Phase {n}: {w}",
    "## Tasks {w}",
    "## {w}",
    "## Notes",
    "### Batch {n}: {w}",
    "## Steps",
    "## Context",
]
#: Pieces that look like work: a line each, with one word of its own.
WORK = [
    "- [ ] {w}",
    "- [x] {w}",
    "- [?] {w}",
    "  - [ ] {w}",
    "    - [ ] {w}",
    "{n}. {w}",
    "   {n}. {w}",
    "- [ ] T{n:03} {w}",
    "- T{n:03} {w}",
    "- A{n}: {w}",
    "- **B{n}:** {w}",
    "- [ ] {n}.{n} {w}",
    "### Task {n}: {w}",
    "**Step {n}: {w}**",
    "* [ ] {w}",
    "+ [-] {w}",
]
TEXT = ["Some words {w}.", "- a bullet {w}", "", "  - nested {w}", "> quoted {w}", "```\n- [ ] {w}\n```"]

pieces = st.lists(
    st.tuples(st.sampled_from([*HEADINGS, *WORK, *WORK, *TEXT]), st.integers(1, 40)), min_size=1, max_size=25
)


def grown(parts: list[tuple[str, int]]) -> tuple[str, dict[int, str]]:
    """The text of the pieces, and the lines that look like work with their word."""
    lines, work = ["# Plan of something", ""], {}
    for place, (piece, number) in enumerate(parts):
        word = f"quark{place}zed"
        if piece in WORK:
            work[len(lines) + 1] = word
        lines += piece.format(n=number, w=word).split("\n")
    return "\n".join(lines) + "\n", work


@pytest.mark.parametrize("form", IN_MARKDOWN)
@seed(12)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(parts=pieces)
def test_wf2_every_line_that_looks_like_work_is_somewhere(form: Format, parts: list[tuple[str, int]]) -> None:
    text, work = grown(parts)
    reading = read(text, NO_TOOLS, form)
    if reading.plan is None:
        assert reading.blockers or not work
        return
    fates = fates_of(reading.account)
    assert set(work) <= set(fates), text
    carried = text_of(reading.plan)
    for line, word in work.items():
        in_plan = fates[line] in (Fate.STEP, Fate.HEADING, Fate.PART, Fate.TEXT)
        assert (word in carried) == in_plan or fates[line] is Fate.FINDING, (line, fates[line], text)
        if fates[line] in (Fate.FINDING, Fate.UNREAD):
            assert line in told(reading) or f"{line}" in said(reading), text


def fates_of(account: Account) -> dict[int, Fate]:
    return {e.line.number: e.fate for e in account.entries if e.line.kind is not WorkKind.DEPENDENCY}


def said(reading: Reading) -> list[str]:
    """The lines that findings name together with others."""
    found = " ".join(finding.message for finding in reading.findings if finding.code == "not-read")
    return re.findall(r"\d+", re.sub(r"(\d+) to (\d+)", _spelled, found))


def _spelled(run: re.Match[str]) -> str:
    return " ".join(str(number) for number in range(int(run[1]), int(run[2]) + 1))


def told(reading: Reading) -> set[int]:
    return {finding.line for finding in reading.findings}


def _tasks(chance: random.Random, depth: int, count: list[int]) -> list[dict[str, object]]:
    tasks: list[dict[str, object]] = []
    for _ in range(chance.randint(1, 4)):
        count[0] += 1
        task: dict[str, object] = {"id": count[0], "title": f"quark{count[0]}zed", "status": "pending"}
        if depth and chance.random() < 0.4:
            task["subtasks"] = _tasks(chance, depth - 1, count)
        tasks.append(task)
    return tasks


def _task_master(chance: random.Random) -> str:
    return json.dumps({"tasks": _tasks(chance, 3, [0])}, indent=chance.choice([None, 1]))


def _to_do(chance: random.Random) -> str:
    rows = [{"content": task["title"], "status": "pending"} for task in _tasks(chance, 0, [0])]
    return json.dumps(rows, indent=chance.choice([None, 1]))


def _beads(chance: random.Random) -> str:
    return "\n".join(
        json.dumps({"id": f"b-{n}", "title": f"quark{n}zed", "priority": 1, "status": "open"})
        for n in range(1, chance.randint(2, 6))
    )


def _yaml(chance: random.Random) -> str:
    lines = ["name: Something", "stages:"]
    for n in range(1, chance.randint(2, 5)):
        lines += [f"  - name: Group {n}", "    steps:", f"      - title: quark{n}zed"]
        lines += ["        subtasks:", f"          - title: quark{n}sub"] if chance.random() < 0.5 else []
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("make", [_task_master, _to_do, _beads, _yaml])
@pytest.mark.parametrize("number", range(25))
def test_wf2_every_task_at_any_depth_is_somewhere(make: Callable[[random.Random], str], number: int) -> None:
    text = make(random.Random(number))
    reading = read(text, NO_TOOLS)
    words = {word for word in plain(text).split() if word.startswith("quark")}
    assert {plain(entry.line.text) for entry in reading.account.entries} >= words
    assert words <= set(text_of(reading.plan).split())
    assert reading.account.count(Fate.UNREAD) == 0, reading.account.sentence


@pytest.mark.parametrize("name", SHAPES)
def test_wf2_damaged_plans_lose_nothing_in_silence(name: str) -> None:
    for number in range(40):
        chance = random.Random(f"{name} {number}")
        damage = mutated_json if SHAPES[name].lstrip()[:1] in "{[" and number % 2 else mutated
        reading = read(damage(SHAPES[name], chance), NO_TOOLS)
        account = reading.account
        assert sum(account.count(fate) for fate in Fate) == len(account.entries)
        if reading.plan is None:
            continue
        carried = text_of(reading.plan)
        told_lines = told(reading)
        for line, fate in ((entry.line, entry.fate) for entry in account.entries):
            if line.kind is WorkKind.DEPENDENCY or not line.number:
                continue
            if fate is Fate.UNREAD and len(account.unread) < KEPT_PER_CODE:
                assert line.number in told_lines or f"{line.number}" in said(reading), (number, line)
            if fate in (Fate.PART, Fate.TEXT):
                missing = [word for word in plain(line.text[:300]).split() if word not in carried]
                assert not missing, (number, line, fate, missing)
