"""WF-2, AD-1: what became of every line that looks like work; a line that a reader loses is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.core.plans.account.take import account_of
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.formats.recognise import READERS
from orchestrator.core.plans.plan import Plan, Reading, StepSpec
from orchestrator.core.plans.work_lines import Account, Fate, WorkKind
from orchestrator.core.terms import Format
from tests.core.plans.account.looking import without_step
from tests.core.plans.formats.samples import PLAN, SAMPLES
from tests.core.plans.plan_examples import DECOMPOSITION, DEPENDENCIES

NO_TOOLS: frozenset[str] = frozenset()
SHAPES = {**SAMPLES, "plan": PLAN, "seed-002": DECOMPOSITION + DEPENDENCIES}


def told(reading: Reading, code: str = "not-read") -> list[int]:
    return [finding.line for finding in reading.findings if finding.code == code]


def test_wf2_the_account_is_one_line() -> None:
    boxes = "# Wall\n\n" + "".join(f"- [ ] Step {n}\n" for n in range(1, 4)) + "  - [ ] with a brush\n"
    assert read(boxes, NO_TOOLS).account.sentence == "4 boxes: 3 steps, 1 detail."


def test_wf2_a_box_in_a_section_that_is_not_read_is_told_with_its_line() -> None:
    text = (
        "# Plan: Wall\n\n## Stages\n\n### Stage 1: Paint\n\n##### Batch 01: All\n\n- A1: Sand it\n"
        "- A2: Paint it\n\n## Verification\n\n- [ ] Look at it in daylight\n"
    )
    reading = read(text, NO_TOOLS)
    assert reading.account.unread == (14,)
    assert told(reading) == [14]
    assert reading.account.sentence == "1 box and 2 keyed items: 2 steps, 1 not read: line 14."


def test_wf2_two_equal_lines_need_two_places() -> None:
    """One of two equal details is lost: the other does not stand for both."""
    text = "- [ ] Sand\n  - [ ] Clean up\n- [ ] Paint\n  - [ ] Clean up\n"
    reading = READERS[Format.LIST](text)
    assert account_of(text, reading, Format.LIST).unread == ()
    plan = reading.plan
    assert plan is not None
    first, *_ = plan.steps()
    lost = plan.with_steps(lambda step: replace(step, details="") if step.key == first.key else step)
    assert account_of(text, replace(reading, plan=lost), Format.LIST).unread == (2,)


def test_ad1_a_dependency_that_the_plan_does_not_have_is_told() -> None:
    text = "# X\n\n### Batch 1 (Parallel)\n\n- A1: Make it\n- B1: Use it\n  It can be used after A1.\n"
    reading = read(text, NO_TOOLS)
    assert told(reading, "dependency-not-read") == [7]


def test_ad1_dependencies_that_are_read_are_not_told() -> None:
    for text in (DECOMPOSITION + DEPENDENCIES, SAMPLES["spec-kit"], SAMPLES["spec-kitty"], SAMPLES["list"]):
        assert told(read(text, NO_TOOLS), "dependency-not-read") == []


def test_ad1_what_does_not_depend_is_no_dependency() -> None:
    text = "- [ ] T1: Make it\n- [ ] T2: Use it\n  - does not depend on T1\n  - Depends on: none\n"
    entries = read(text, NO_TOOLS).account.entries
    assert all(entry.line.kind is not WorkKind.DEPENDENCY for entry in entries)


def form_of(name: str) -> Format:
    found = read(SHAPES[name], NO_TOOLS).format
    assert found is not None
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_wf2_a_reader_that_loses_a_step_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reader is made to lose each of its steps; the account says which line is gone."""
    text, form = SHAPES[name], form_of(name)
    whole = read(text, NO_TOOLS, form)
    plan, reader = whole.plan, READERS[form]
    assert plan is not None
    work = {
        entry.line.number
        for entry in whole.account.entries
        if entry.fate is Fate.STEP and entry.line.kind is not WorkKind.OTHER
    }
    for step in plan.steps():
        if step.line not in work:
            continue
        monkeypatch.setitem(READERS, form, _losing(reader, step.key))
        account = read(text, NO_TOOLS, form).account
        assert work_in(account) == work_in(whole.account), step.key
        lost = step.line in account.unread if form is not Format.FOLDER else bool(account.unread)
        assert lost, (step.key, account.sentence)
        assert account.count(Fate.STEP) < whole.account.count(Fate.STEP), (step.key, account.sentence)


def work_in(account: Account) -> list[int]:
    """The lines that look like work by themselves."""
    by_reader = (WorkKind.DEPENDENCY, WorkKind.OTHER)
    return [entry.line.number for entry in account.entries if entry.line.kind not in by_reader]


def _losing(reader: Callable[[str], Reading], key: str) -> Callable[[str], Reading]:
    def lossy(text: str) -> Reading:
        reading = reader(text)
        plan: Plan | None = reading.plan
        assert plan is not None
        dropped: StepSpec = next(step for step in plan.steps() if step.key == key)
        return replace(reading, plan=without_step(plan, dropped))

    return lossy


@pytest.mark.parametrize("name", SHAPES)
def test_wf2_a_reader_that_loses_the_details_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, form = SHAPES[name], form_of(name)
    reader = READERS[form]
    whole = read(text, NO_TOOLS, form).account

    def bare(text: str) -> Reading:
        reading = reader(text)
        assert reading.plan is not None
        return replace(
            reading,
            plan=reading.plan.with_steps(
                lambda step: replace(step, details="", exit=(), done_when=(), entry=())
            ),
        )

    monkeypatch.setitem(READERS, form, bare)
    account = read(text, NO_TOOLS, form).account
    details = {
        entry.line.number
        for entry in whole.entries
        if entry.fate is Fate.PART and entry.line.kind is not WorkKind.DEPENDENCY
    }
    kept = {entry.line.number for entry in account.entries if entry.fate is Fate.PART}
    assert not (details & kept), account.sentence
    assert details <= set(account.unread), account.sentence


@pytest.mark.parametrize("name", SHAPES)
def test_wf2_the_samples_lose_nothing_in_silence(name: str) -> None:
    reading = read(SHAPES[name], NO_TOOLS)
    assert [line for line in reading.account.unread if line not in {f.line for f in reading.findings}] == []
    assert sum(reading.account.count(fate) for fate in Fate) == len(reading.account.entries)
    assert reading.plan is not None
    steps = [step for step in reading.plan.steps() if step.line]
    assert reading.account.count(Fate.STEP) >= len({step.line for step in steps})
