"""WF-3: parts of a plan without a step are shown as text; data is not."""

import pytest

from orchestrator.core.plans.text.prose import DATA, Prose, prose_of
from orchestrator.core.terms import Format


def test_wf3_front_matter_becomes_facts_and_the_rest_is_text() -> None:
    matter = ["# a remark", "owner: mia", "parameters:", "  name: x: y", "  other: 2"]
    lines = ["---", *matter, "---", "", "# Plan", "", "## Stages", ""]
    found = prose_of(lines, Format.PLAN)
    assert found == Prose((("owner", "mia"), ("parameters", "name: x: y, other: 2")), "# Plan")


def test_wf3_front_matter_that_is_never_closed_is_text() -> None:
    lines = ["---", "owner: mia"]
    assert prose_of(lines, Format.PLAN) == Prose((), "---\nowner: mia")


@pytest.mark.parametrize("source", [None, *sorted(DATA)])
def test_wf3_data_is_no_prose(source: Format | None) -> None:
    assert prose_of(['{"tasks": []}'], source) is None
