"""What people write where Markdown has marks: signs, words, numbers of other scripts, underlined headings."""

import pytest

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.work_lines import Fate, WorkKind
from orchestrator.core.terms import Format


def reading_of(text: str) -> Reading:
    return read(text, frozenset())


def titles(reading: Reading) -> list[str]:
    return [step.title for step in reading.plan.steps()] if reading.plan else []


def states(reading: Reading) -> dict[str, str]:
    return {one.key: one.status.value for one in reading.progress}


@pytest.mark.parametrize(
    "text",
    [
        "1️⃣ dig\n2️⃣ pour\n",
        "- 1️⃣ dig\n- 2️⃣ pour\n",
        "١. dig\n٢. pour\n",
        "１）dig\n２）pour\n",
        "1、dig\n2、pour\n",
        "(1) dig\n(2) pour\n",
        "I. dig\nII. pour\n",
        "👉 dig\n👉 pour\n",
        "– dig\n– pour\n",
        "‣ dig\n\n‣ pour\n",
        "▢ dig\n▢ pour\n",
        "☒ dig\n☐ pour\n",
        "✅ dig\n✅ pour\n",
        "- ☒ dig\n- ▢ pour\n",
        "* TODO dig\n* DONE pour\n",
        "- TODO: dig\n- DONE pour\n",
        '- <input type="checkbox"> dig\n- <input type="checkbox" checked> pour\n',
        '<input checked type="checkbox"/> dig\n<input type=checkbox> pour\n',
        "> - [ ] dig\n> - [ ] pour\n",
        "> 1. dig\n> 2. pour\n",
        "Step 1 - dig\n  deep\nStep 2 - pour\n",
        "Task 1: dig\nFiles: a.py\n\nTask 2: pour\n",
        "- ~~dig~~\n- pour\n",
        "- [ENG-101] dig\n- [ENG-102](https://x.test/2) pour\n",
        "- [ ] #12 dig\n- [ ] #13: pour\n",
        "Work\n====\n\n- dig\n- pour\n",
        "#1 dig\n#2 pour\n",
        "- (A) dig\n- (B) pour\n",
        'steps:\n  - "dig"  # first\n  - pour # then\n',
        "| Key | Summary | Status |\n|---|---|---|\n| S-1 | dig | Done |\n| S-2 | pour | To Do |\n",
        "| | Task |\n|---|---|\n| [x] | dig |\n| ✅ | pour |\n",
        "| Phase | Tasks |\n|---|---|\n| 1 | dig |\n| 2 | pour |\n",
    ],
)
def test_wf2_each_of_these_is_a_list_of_two_steps_and_nothing_is_lost(text: str) -> None:
    reading = reading_of(text)
    assert titles(reading) == ["dig", "pour"]
    assert [finding for finding in reading.findings if finding.blocks] == []
    assert reading.account.count(Fate.STEP) == 2
    assert not reading.account.unread
    assert reading.plan
    assert {step.line for step in reading.plan.steps()} <= set(range(1, text.count("\n") + 1))


def test_wf8_signs_and_words_say_how_far_a_step_is() -> None:
    said = "☒ a\n◐ b\n▢ c\n✅ d\n"
    assert states(reading_of(said)) == {"1": "complete", "2": "active", "4": "complete"}
    words = "- DONE a\n- WIP: b\n- TODO: c\n- CANCELLED d\n- [ ] ~~e~~\n"
    assert states(reading_of(words)) == {"1": "complete", "2": "active", "4": "cancelled", "5": "cancelled"}
    table = "| Done | Task |\n|---|---|\n| x | a |\n| yes | b |\n| no | c |\n| ☐ | d |\n"
    assert {k: v for k, v in states(reading_of(table)).items() if v != "pending"} == {
        "1": "complete",
        "2": "complete",
    }


def test_wf2_underlined_headings_are_groups_and_a_rule_is_none() -> None:
    reading = reading_of("House\n=====\n\nDig\n---\n- [ ] a\n\nPour\n----\n- [ ] b\n")
    assert reading.plan
    assert (reading.plan.name, [stage.name for stage in reading.plan.stages]) == ("House", ["Dig", "Pour"])
    for text in ("- [ ] a\nSome words.\n---\n- [ ] b\n", "- [ ] a\n\n---\n\n- [ ] b\n", "- a\n---\n- b\n"):
        assert len(titles(reading_of(text))) == 2


def test_wf2_numbers_without_a_point_are_groups_and_their_steps() -> None:
    reading = reading_of("1 Setup\n1.1 Install node\n1.2 Install tools\n2 Build\n2.1 Compile\n3 Ship\n")
    assert titles(reading) == ["Install node", "Install tools", "Compile", "Ship"]
    assert titles(reading_of("1.5 is the version\nand 2.0 comes next\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] dig\n\n✅ All tests pass\n\nMore text.\n",
        "- [ ] dig\n\n## Benefits\n\n✅ Fast\n✅ Safe\n",
        "```\n1️⃣ no step\n* TODO none\n```\n- [ ] dig\n",
        "- [ ] dig\n\n> It was said.\n",
        "- [ ] dig\n\nDay 2 was hard.\n",
    ],
)
def test_wf2_what_only_looks_alike_is_text(text: str) -> None:
    assert titles(reading_of(text)) == ["dig"]


def test_ad1_letters_are_names_that_others_wait_for() -> None:
    reading = reading_of("- [ ] a) dig\n- [ ] b) mix\n- [ ] c) pour (needs a, b)\n")
    assert reading.plan
    assert [(step.key, [need.key for need in step.needs]) for step in reading.plan.steps()] == [
        ("a", []),
        ("b", []),
        ("c", ["a", "b"]),
    ]


@pytest.mark.parametrize("arrow", ["<-", "<--", "←"])
def test_ad1_an_arrow_backwards_is_a_dependency(arrow: str) -> None:
    native = f"# Plan: P\n### Batch 1\n- A1: dig\n- B1: mix\n- C1: pour {arrow} A1, B1\n"
    listed = f"- [ ] T001 dig\n- [ ] T002 mix\n- [ ] T009 pour {arrow} T001\n"
    for text, needs in ((native, ["A1", "B1"]), (listed, ["T001"])):
        reading = reading_of(text)
        assert reading.plan
        last = list(reading.plan.steps())[-1]
        assert (last.title, [need.key for need in last.needs]) == ("pour", needs)


def test_ad1_names_in_brackets_that_nothing_waits_for_are_told() -> None:
    reading = reading_of("# Plan: P\n### Batch 1\n- A1: dig\n- B1: mix\n- C1: pour (A1, B1)\n")
    told = [(one.code, one.line) for one in reading.findings if one.code == "dependency-not-read"]
    assert told == [("dependency-not-read", 5)]


def test_wf2_a_title_that_looks_like_a_key_is_the_name_of_the_plan() -> None:
    reading = reading_of("# Q3 – Payments\n\n## Milestone: Alpha\n- dig\n\n## Milestone: Beta\n- pour\n")
    assert titles(reading) == ["dig", "pour"]
    assert not reading.account.unread


def test_wf2_to_dos_in_front_matter_are_the_plan_and_the_text_stays() -> None:
    reading = reading_of(
        "---\nname: Wall\ntodos:\n  - id: dig\n    content: Dig it\n    status: completed\n"
        "  - id: pour\n    content: Pour it\n    dependencies: [dig]\n---\n\n# Wall\n\n"
        "- [ ] not one of them\n"
    )
    assert (reading.format, titles(reading)) == (Format.YAML, ["Dig it", "Pour it"])
    assert reading.plan
    assert "not one of them" in reading.plan.summary
    assert [one.line for one in reading.findings if one.code == "work-as-text"] == [14]


def test_ad1_dependencies_of_yaml_are_counted_line_by_line() -> None:
    text = (
        "tasks:\n  - id: a\n    title: A\n  - id: b\n    title: B\n    depends_on:\n      - a\n      - zz\n"
    )
    reading = reading_of(text)
    counted = [one.line.number for one in reading.account.entries if one.line.kind is WorkKind.DEPENDENCY]
    assert counted == [7, 8]
    assert [one.line for one in reading.findings if one.code == "unknown-dependency"] == [8]


def test_wf2_yaml_in_one_line_is_read() -> None:
    reading = reading_of(
        "tasks:\n  - { id: a, title: 'Dig, deep' }\n  - {id: b, title: Pour, depends_on: [a]}\n"
    )
    assert reading.plan
    assert [(step.key, step.title, [need.key for need in step.needs]) for step in reading.plan.steps()] == [
        ("a", "Dig, deep", []),
        ("b", "Pour", ["a"]),
    ]
    broken = reading_of("tasks:\n  - title: A\n  - { id: b, title\n")
    assert "line-left-out" in {one.code for one in broken.findings}


def test_wf2_steps_below_phases_of_json_have_their_lines() -> None:
    text = (
        '{"phases": [\n {"name": "One", "tasks": [\n  {"title": "a"},\n  {"title": "a"}]},\n'
        ' {"name": "Two", "tasks": [\n  {"title": "b"}]}]}\n'
    )
    reading = reading_of(text)
    assert reading.plan
    assert [step.line for step in reading.plan.steps()] == [3, 4, 6]
    assert [stage.line for stage in reading.plan.stages] == [2, 5]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "TodoWrite", "input": {"todos": [{"content": "dig"}, {"content": "pour"}]}}',
        '{"tasks": {"a": {"title": "dig"}, "b": {"title": "pour", "depends_on": ["a"]}}}',
    ],
)
def test_wf2_lists_of_agents_in_what_they_are_wrapped_in(text: str) -> None:
    assert titles(reading_of(text)) == ["dig", "pour"]


def test_wf2_numbered_headings_without_lists_are_the_steps() -> None:
    pack = "## 1. Pack\n### 1.1 Boxes\nBuy some.\n### 1.2 Tape\n- wide\n- brown\n"
    text = f"# Move\n\n{pack}## 2. Drive\nSlowly.\n"
    reading = reading_of(text)
    assert titles(reading) == ["Boxes", "Tape", "Drive"]
    assert reading.account.count(Fate.PART) == 2


def test_wf5_a_gate_among_boxes_without_keys_is_a_gate_of_a_list() -> None:
    reading = reading_of("# Plan\n- [ ] dig\n- [ ] pour\n\n### Approval gate\nAnna signs.\n")
    assert reading.format is Format.LIST
    assert reading.plan
    assert [bool(step.gate) for step in reading.plan.steps()] == [False, False, True]
    assert [finding for finding in reading.findings if finding.blocks] == []


def test_wf2_json_lines_of_to_dos_are_counted_with_their_lines() -> None:
    reading = reading_of('{"content": "dig", "status": "pending"}\n{"content": "pour", "status": "done"}\n')
    assert reading.plan
    assert [step.line for step in reading.plan.steps()] == [1, 2]
    assert reading.account.sentence == "2 tasks: 2 steps."


def test_wf8_a_board_says_how_far_what_stands_below_its_headings_is() -> None:
    text = "# Board\n\n## To do\n- a\n\n## Doing\n- b\n\n## Done\n- c\n- [ ] d\n"
    assert states(reading_of(text)) == {"2.1": "active", "3.1": "complete"}
    phases = "## ✅ Phase 1: Dig\n- a\n\n## 🚧 Phase 2: Pour\n- b\n\n## 🎯 Phase 3: Dry\n- c\n"
    assert titles(reading_of(phases)) == ["a", "b", "c"]
    assert states(reading_of(phases)) == {"1.1": "complete"}


@pytest.mark.parametrize("said", ["[deps: T-1]", "(dep: T-1)", "(depends on: T-1)"])
def test_ad1_a_short_word_for_a_dependency_is_one(said: str) -> None:
    reading = reading_of(f"- [ ] [T-1] dig\n- [ ] [T-2] mix\n- [ ] [T-3] pour {said}\n")
    assert reading.plan
    last = list(reading.plan.steps())[-1]
    assert (last.key, last.title, [need.key for need in last.needs]) == ("T-3", "pour", ["T-1"])


def test_wf2_quoted_texts_of_yaml_stand_on_their_lines() -> None:
    reading = reading_of('steps:\n  - "dig: deep"\n  - pour\n  - name: dry\n')
    assert reading.plan
    assert [(step.title, step.line) for step in reading.plan.steps()] == [
        ("dig: deep", 2),
        ("pour", 3),
        ("dry", 4),
    ]
    assert not reading.account.unread
