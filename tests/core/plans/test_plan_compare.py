"""What changed between two versions of a plan, in words, and the sections it is read in (WF-3, FR-022)."""

from orchestrator.core.plans.compare import compare_plans
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.plans.text.sections import LONGEST, lines_of, sections_of
from tests.cast import PLAN
from tests.core.plans.random_plans import plans
from tests.examples import tried_on

TEXT = PLAN.decode()


def compared(new: str, old: str = TEXT):
    before, after = read_plan(old).plan, read_plan(new).plan
    assert before
    assert after
    return compare_plans(before, after)


def test_fr022_the_same_plan_has_nothing_to_say():
    found = compared(TEXT)
    assert (found.sentence, found.steps, found.others) == ("", (), ())


def test_fr022_added_changed_and_dropped_are_told_with_what_they_were():
    new = TEXT.replace("- A2: Ledger report", "- A2: Ledger report\n  - Needs: B1").replace(
        "unit tests pass", "tests pass"
    )
    new = new.replace(
        "- D1: Write the manual\n  - Exit: manual exists", "- D2: Write the guide\n  - Exit: guide exists"
    )
    found = compared(new)
    assert [(step.kind, step.key) for step in found.steps] == [
        ("changed", "A1"),
        ("changed", "A2"),
        ("added", "D2"),
        ("dropped", "D1"),
    ]
    exits = found.steps[0].fields[0]
    assert (exits.name, exits.before, exits.after) == ("exit criteria", "unit tests pass", "tests pass")
    assert found.sentence == (
        "adds 1 task, changes the exit criteria of A1, changes the dependencies of A2 and drops 1 task"
    )


def test_fr022_gates_lanes_and_the_plan_itself_count():
    new = TEXT.replace("**Reviewers:** reviewer", "**Reviewers:** approver").replace(
        "domain: payments", "domain: money"
    )
    found = compared(new.replace("Files: `gateway/**`", "Files: `gate/**`"))
    assert {field.name for step in found.steps for field in step.fields} == {"reviewers", "thread's files"}
    assert [(one.name, one.before, one.after) for one in found.others] == [("domain", "payments", "money")]


def test_fr022_gates_are_among_the_tasks_that_are_counted():
    figures = {one.name: (one.before, one.after) for one in compared(TEXT).measures}
    read = read_plan(TEXT).plan
    assert read
    assert figures["Tasks"] == (len(list(read.steps())),) * 2
    assert figures["Gates among them"] == (1, 1)


@tried_on(12, 80, plan=plans())
def test_wf3_every_line_and_every_step_is_in_one_section(plan):
    source = render_plan(plan)
    lines = lines_of(source)
    read = read_plan(source).plan
    sections = sections_of(read, lines)
    assert [n for one in sections for n in range(one.first, one.last + 1)] == list(range(1, len(lines) + 1))
    assert sorted(p.step.key for one in sections for p in one.steps) == sorted(s.key for s in read.steps())
    assert all(one.last - one.first < LONGEST for one in sections)
    assert all(one.holds(p.step.line) for one in sections for p in one.steps if p.step.line)
