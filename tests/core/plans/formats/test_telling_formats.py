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
