"""What commands print with `--json` is what REST answers: the contract's classes, member by member."""

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orchestrator.contract.plan_files import PlanOutcomesFacts
from orchestrator.contract.plans import FileCheckFacts
from orchestrator.contract.refusals import RefusalFacts
from tests.cast import PLAN, Driver
from tests.conforming import conforms
from tests.machines import Machine

TICKED = b"# Tasks: Lending\n\n## Phase 1: Setup\n\n- [x] T001 Create shelf.py\n- [ ] T002 Create card.py\n"
CYCLE = PLAN.replace(b"Card", b"Round").replace(b"entries for refunds", b"entries (needs A2)")


@pytest.fixture
def folder(driver: Driver, tmp_path: Path) -> Path:
    """Two plans that can be taken, and one that cannot."""
    for name, source in {"a.md": PLAN, "tasks.md": TICKED, "round.md": CYCLE}.items():
        (tmp_path / name).write_bytes(source)
    return tmp_path


def printed(*arguments: str) -> Any:
    """The JSON that a command prints, whether or not something was refused."""
    out = StringIO()
    with suppress(CommandError, SystemExit):
        call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("name", ["a.md", "tasks.md", "round.md"])
def test_wf3_a_preview_is_printed_as_rest_answers_a_check(driver: Driver, folder: Path, name: str) -> None:
    shown = printed("preview_plan", str(folder / name), "--executors", "2", "--adopt")
    assert conforms(shown, FileCheckFacts)
    machine = Machine.of(driver.cast.builder())
    body = {"source": (folder / name).read_text(), "executors": 2, "adopt": True}
    status, answer = machine.post("/api/plans/check", body)
    assert (status, shown.pop("name")) == (200, str(folder / name))
    assert shown == answer


def test_wf3_a_folder_is_previewed_as_a_list_of_checks(folder: Path) -> None:
    shown = printed("preview_plan", str(folder))
    assert conforms(shown, list[FileCheckFacts])
    assert [one["approvable"] for one in shown] == [True, False, True]


@pytest.mark.parametrize("options", [["--each"], []], ids=["each", "bundle"])
def test_wf2_a_submission_is_printed_as_rest_answers_one(folder: Path, options: list[str]) -> None:
    shown = printed("submit_plan", str(folder), *options, "--as", "ines")
    assert conforms(shown, PlanOutcomesFacts)
    refused = {one["name"]: bool(one["refusal"]) for one in shown["plans"]}
    assert refused == {"a.md": not options, "tasks.md": not options, "round.md": True}


def test_fr025_a_submission_that_is_refused_as_a_whole_prints_the_refusal(folder: Path) -> None:
    (folder / "round.md").write_bytes(PLAN)
    refusal = printed("submit_plan", str(folder), "--as", "ines")
    assert conforms(refusal, RefusalFacts)
    assert refusal["details"] == {"field": "files"}


def test_fr025_a_call_without_its_executor_prints_a_refusal(driver: Driver) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("call", "GET", "/api/tasks/", "--executor", "nobody", stdout=out)
    refusal = json.loads(out.getvalue())
    assert conforms(refusal, RefusalFacts)
    assert refusal["code"] == "not-found"
