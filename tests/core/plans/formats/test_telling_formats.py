"""Texts that open like another format than theirs are read in their own (WF-2)."""

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import Format


def titles(text: str) -> list[str]:
    reading = read(text, frozenset())
    assert reading.plan, [found.message for found in reading.findings]
    return [step.title for step in reading.plan.steps()]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[ ] Buy paint\n[x] Paint\n", ["Buy paint", "Paint"]),
        ("[-] Buy paint\n[x] Paint\n", ["Buy paint", "Paint"]),
        ("[![CI](x)](y)\n\n# Plan: Wall\n\n### Batch 1\n- A1: Paint\n", ["Paint"]),
        ("[Spec](s.md)\n- [ ] Paint\n", ["Paint"]),
        ('["The spec"](s.md)\n- [ ] Paint\n', ["Paint"]),
        ("[WIP] Wall\n1. Paint\n", ["Paint"]),
        ("[TOC]\n\n- [ ] Paint\n", ["Paint"]),
        ("[[Wall]]\n\n- [ ] Paint\n", ["Paint"]),
        ("[1]: https://example.org\n\n- [ ] Paint\n", ["Paint"]),
        ("[2026-05-01] Wall\n- [ ] Paint\n", ["Paint"]),
        ("{{ project }} wall\n1. Paint\n", ["Paint"]),
        ("{% block plan %}\n1. Paint\n", ["Paint"]),
        ("{: .wide}\n1. Paint\n", ["Paint"]),
        ("{#top}\n1. Paint\n", ["Paint"]),
    ],
)
def test_wf2_text_that_starts_with_a_bracket_is_no_json(text: str, wanted: list[str]) -> None:
    assert titles(text) == wanted


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[\n{"id": 1,, "title": "a"}]', 2),
        ('{"tasks": [\n  {"id": 1 "title": "a"}\n]}', 2),
        ('{"tasks": [\n', 2),
        ("{tasks: [\n{id: 1}]}", 1),
        ("{'tasks': ['a']}", 1),
        ('["a",\n"b",]', 2),
        ("[{", 1),
        ("[", 1),
        ('{\n  // mine\n  "tasks": []}', 2),
    ],
)
def test_b11_broken_json_is_told_as_such_with_its_line(text: str, line: int) -> None:
    findings = read(text, frozenset()).findings
    assert [(found.code, found.line) for found in findings if found.blocks] == [("not-json", line)]


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("# Move\n\ntasks:\n- [ ] Pack\n- [ ] Load\n", "Move", ["Pack", "Load"]),
        ("# Move\n\nsteps:\n  - [ ] Pack\n  - [x] Load\n", "Move", ["Pack", "Load"]),
        ("# Move\n\nGoal: a new flat\n\nphases:\n1. Pack\n2. Load\n", "Move", ["Pack", "Load"]),
        ("# Move\nsteps:\n* Pack\n* Load\n", "Move", ["Pack", "Load"]),
        ("# Move\n\ntasks:\n- Pack\n- Load\n", "Move", ["Pack", "Load"]),
        ("Goal: a new flat\n\ntasks:\n- [ ] Pack\n- [ ] Load\n", "", ["Pack", "Load"]),
        (
            "# Plan: N\n\n## Summary\n\ntasks:\n  - x\n\n### Batch 1\n- A1: One\n- A2: Two\n",
            "N",
            ["One", "Two"],
        ),
    ],
)
def test_wf2_markdown_with_a_line_that_yaml_has_is_markdown(text: str, name: str, wanted: list[str]) -> None:
    plan = read(text, frozenset()).plan
    assert plan
    assert [step.title for step in plan.steps()] == wanted
    assert not name or plan.name == name
    assert read(render_plan(plan), frozenset()).plan == plan, "AD-5"


@pytest.mark.parametrize(
    "text",
    [
        "# Release\n\ntasks:\n  - title: Pack\n  - title: Load\n",
        "tasks:\n- title: Pack\n  description: |\n    - [ ] the cups\n\n    1. first\n- title: Load\n",
        "steps:\n- Pack\n- Load\n",
    ],
)
def test_wf2_yaml_with_comments_and_text_stays_yaml(text: str) -> None:
    reading = read(text, frozenset())
    assert reading.format is Format.YAML
    assert titles(text) == ["Pack", "Load"]


@pytest.mark.parametrize(
    "text",
    [
        "steps:\n  - id: setup\n    title: Set up\n  - id: build\n    title: Build\n    needs: [setup]\n",
        "tasks:\n  setup:\n    title: Set up\n  build:\n    title: Build\n    needs: setup\n",
        "tasks:\n  set up:\n    title: Set it up\n  build:\n    title: Build\n    after:\n      - set up\n",
        "phases:\n- name: P\n  tasks:\n  - key: a\n    title: Set up\n  - title: Build\n    blocked_by: A\n",
    ],
)
def test_ad1_yaml_waits_for_what_is_named_by_a_word(text: str) -> None:
    plan = read(text, frozenset()).plan
    assert plan
    first, second = plan.steps()
    assert [need.key for need in second.needs] == [first.key]
