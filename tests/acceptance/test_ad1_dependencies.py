"""AD-1: steps depend on steps.

Circles and unknown names are refused everywhere, with the line and the way out.
"""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from orchestrator.models import Workstream
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

HEAD = "# Plan: Checkout\n## Stages\n### Stage 1: Build\n##### Batch 01: work\n###### Thread 01: lane\n"
LANES = HEAD + (
    "- A1: Prices\n- A2: Totals\n###### Thread 02: other\n- B1: Page\n  - Needs: A1\n- B2: "
    "Form\n  - Needs: A2, B1\n"
)
CIRCLE = HEAD + "- A1: Prices\n  - Needs: B1\n###### Thread 02: other\n- B1: Page\n  - Needs: A1\n"
UNKNOWN = HEAD + "- A1: Prices\n  - Needs: Z9\n"
TWICE = HEAD + "- A1: Prices\n- A1: Totals\n"

REFUSED = pytest.mark.parametrize(
    ("source", "code", "line", "named"),
    [
        (CIRCLE, "dependency-cycle", 6, "A1 → B1 → A1"),
        (UNKNOWN, "unknown-dependency", 7, "Z9"),
        (TWICE, "duplicate-key", 7, "A1"),
    ],
    ids=["circle", "unknown name", "same key twice"],
)


def test_ad1_a_step_starts_when_the_steps_of_other_threads_it_needs_are_complete(driver: Driver) -> None:
    driver.start(LANES.encode())
    assert driver.ready() == ["A1"]
    driver.do("A1")
    assert driver.ready() == ["B1", "A2"], "in launch order: the first of its thread, then the second"
    driver.do("B1")
    assert driver.ready() == ["A2"], "B2 needs both"
    driver.do("A2")
    assert driver.ready() == ["B2"]


@REFUSED
def test_ad1_the_page_refuses_it_and_keeps_the_text(
    driver: Driver, source: str, code: str, line: int, named: str
) -> None:
    answer = signed_in(driver.cast.initiator).post("/plans/submit/", {"act": "submit", "source": source})
    assert answer.status_code == 422
    assert f"Line {line}" in words(answer)
    assert named in words(answer)
    assert "- A1: Prices" in answer.content.decode(), "what was typed is not lost"
    assert not Workstream.objects.exists()


@REFUSED
def test_ad1_rest_refuses_it_with_line_and_way_out(
    driver: Driver, planner: Machine, source: str, code: str, line: int, named: str
) -> None:
    status, checked = planner.post("/api/plans/check", {"source": source})
    (found,) = [finding for finding in checked["findings"] if finding["code"] == code]
    assert (status, checked["approvable"], found["line"]) == (200, False, line)
    assert named in found["message"]
    assert found["fix"]
    status, answer = planner.post("/api/plans/", {"source": source})
    assert status == 422
    assert code in json.dumps(answer)
    assert not Workstream.objects.exists()


@REFUSED
def test_ad1_the_command_refuses_it(
    driver: Driver,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    source: str,
    code: str,
    line: int,
    named: str,
) -> None:
    file = tmp_path / "PLAN.md"
    file.write_text(source)
    with pytest.raises(SystemExit) as ended:
        call_command("preview_plan", str(file))
    printed = capsys.readouterr().out
    assert ended.value.code == 1
    assert code in printed
    assert named in printed
