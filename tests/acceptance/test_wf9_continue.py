"""WF-9, AS-8: `continue` gives whoever goes on the restored state, what led to it, and what is to
be proved.
"""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from tests.acceptance.test_as8_recovery import declare
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

EXPECTED = [
    "# Continue A1: Ledger entries for refunds",
    "Attempt: number 2",
    "builder-A1 (agent of carl), A1 attempt 1: Wrote the entry model, tests come next",
    "Attempt 1 by builder-A1 (agent of carl), failed",
    "The machine is gone.",
    "carl, task re-queued: Another machine is up.",
    "unit tests pass",
    "Outputs go to: workstreams/card-refunds/files/",
]


@pytest.fixture
def left(driver: Driver) -> Driver:
    """builder-A1 left a breadcrumb and died; a person declared the failure and queued the step again."""
    driver.start()
    held = driver.claim("A1")
    crumb = {"token": held.token, "breadcrumb": "Wrote the entry model, tests come next"}
    assert Machine.of(held.executor).post(f"/api/attempts/{held.attempt_id}/report", crumb)[0] == 200
    declare(driver)
    again = Machine.of(held.executor).post(
        f"/api/tasks/{driver.task('A1').pk}/requeue", {"reason": "Another machine is up."}
    )
    assert again[0] == 200
    driver.advance()
    return driver


def told_by_command(capsys: pytest.CaptureFixture[str], *words_: str) -> str:
    call_command("continue", *words_)
    return capsys.readouterr().out


def missing(text: str) -> list[str]:
    return [one for one in EXPECTED if one not in text]


def test_wf9_the_command_orients_a_new_executor(left: Driver, capsys: pytest.CaptureFixture[str]) -> None:
    left.cast.builder("builder-2")
    own = told_by_command(capsys, "--executor", "builder-2")
    expected = [one.replace("carl, task", "builder-A1 (agent of carl), task") for one in EXPECTED]
    assert [one for one in expected if one not in own] == []
    assert told_by_command(capsys, str(left.task("A1").pk), "--executor", "builder-2") == own
    assert told_by_command(capsys, "card-refunds/A1", "--executor", "builder-2") == own


def test_wf9_what_the_executor_holds_comes_first(left: Driver, capsys: pytest.CaptureFixture[str]) -> None:
    left.claim("B1", left.cast.builder("builder-2"))
    said = told_by_command(capsys, "--executor", "builder-2")
    assert said.startswith("# Continue B1")
    assert "Also waiting: A1 of card-refunds" in said


def test_wf9_nothing_to_continue_is_said(driver: Driver) -> None:
    driver.start()
    driver.cast.builder("builder-2")
    with pytest.raises(CommandError, match="nobody has left anything"):
        call_command("continue", "--executor", "builder-2")
    with pytest.raises(CommandError, match="There is no task Z9"):
        call_command("continue", "Z9", "--executor", "builder-2")
    with pytest.raises(CommandError, match="no executor 'nobody'"):
        call_command("continue", "--executor", "nobody")


def test_wf9_as8_another_executor_goes_on_with_the_brief(left: Driver) -> None:
    other = left.cast.builder("builder-2")
    machine = Machine.of(other)
    status, told = machine.get(f"/api/tasks/{left.task('A1').pk}/continue")
    assert (status, [one for one in EXPECTED if "carl" not in one and one not in told["markdown"]]) == (
        200,
        [],
    )
    facts = told["continuation"]
    assert [one["text"] for one in facts["breadcrumbs"]] == ["Wrote the entry model, tests come next"]
    assert [one["error"] for one in facts["brief"]["earlier_attempts"]] == ["The machine is gone."]
    assert [(one["text"], one["attempt"]) for one in facts["to_prove"]] == [("unit tests pass", None)]
    left.claim("A1", other)
    left.complete("A1")
    assert left.task("A1").status == "complete"
    assert machine.get("/api/tasks/987654/continue")[0] == 404


def test_as8_criteria_that_were_proved_are_to_be_proved_again(
    left: Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    left.claim("A1", left.cast.builder("builder-2"))
    left.complete("A1", outputs={"ledger.md": b"# Ledger\n"})
    left.do("B1", "A2")
    rejected = signed_in(left.cast.reviewer).post(
        reverse("gate-decide", args=[left.task("MP1").pk]),
        {"decision": "reject", "return_key": "A1", "reason": "Rounding is wrong."},
    )
    assert rejected.status_code == 302
    left.advance()

    said = told_by_command(capsys, "card-refunds/A1", "--executor", "builder-2")
    assert "rita, work sent back at gate MP1: Rounding is wrong." in said
    assert "Proved in attempt 2, to be proved again: seen: unit tests pass" in said
    assert "ledger.md`" in said
    board = words(signed_in(left.cast.observer).get(reverse("workstream", args=[left.reload().uuid])))
    assert "2 of them to verify again" in board
    assert "A2 : report shows refunds to verify again, in attempt 1: seen: report shows refunds" in board
    assert "contract test passes to verify again" not in board, "the other lane keeps its proof"
    page = words(signed_in(left.cast.observer).get(reverse("task", args=[left.reload().uuid, "A1"])))
    proved = "in attempt 2: seen: unit tests pass"
    for shown in ("To continue", "rita sent work back to A1 at MP1", "To be proved again", proved):
        assert shown in page


def test_wf9_mcp_continues_what_others_left(left: Driver) -> None:
    from orchestrator.mcp.work import WorkTools
    from orchestrator.services.people.callers import caller_by_name

    left.cast.builder("builder-2")
    tools = WorkTools(lambda: caller_by_name("builder-2"))
    assert tools.continue_task().markdown == tools.continue_task(left.task("A1").pk).markdown
    assert "Wrote the entry model" in tools.continue_task().markdown
