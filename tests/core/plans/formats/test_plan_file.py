"""Our plan file is read back as it was written; schema and reader agree; findings name path and line."""

import json
import random
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.formats.plan_file import read
from orchestrator.core.plans.formats.plan_file_text import SCHEMA_TEXT, render_plan_file, render_plan_files
from orchestrator.core.plans.formats.recognise import READERS, recognise
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.terms import Format
from tests.core.plans.formats.mutations import mutated_json
from tests.core.plans.formats.samples import JSON_PLAN, PLAN, SAMPLES
from tests.core.plans.plan_examples import DECOMPOSITION, DEPENDENCIES
from tests.core.plans.random_plans import plans

ROOT = Path(__file__).resolve().parents[4]
OWN = sorted([*(ROOT / "fixtures").rglob("*.PLAN.md"), *(ROOT / "tests/core/plans/texts").glob("*.md")])
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA_TEXT))


def checked(plan: Plan) -> Reading:
    text = render_plan_file(plan)
    VALIDATOR.validate(json.loads(text))
    assert recognise(text) is Format.PLAN_FILE
    return read(text)


def problems(source: str) -> dict[str, int]:
    """Message and line of everything that is not as the schema says."""
    reading = read(source)
    assert reading.plan is None
    return {finding.message: finding.line for finding in reading.findings if finding.blocks}


@given(plan=plans())
@settings(max_examples=25, deadline=None)
def test_ad5_a_random_plan_comes_back_as_it_was(plan: Plan) -> None:
    assert checked(plan).plan == plan


@pytest.mark.parametrize("name", SAMPLES)
def test_ad5_every_format_becomes_a_bundle_and_comes_back(name: str) -> None:
    plan = READERS[Format(name)](SAMPLES[name]).plan
    assert plan is not None
    assert checked(plan).plan == plan


@pytest.mark.parametrize(
    "source", [*(path.read_text() for path in OWN), f"# Plan: A\n{DECOMPOSITION}\n{DEPENDENCIES}"]
)
def test_ad5_plans_of_ours_come_back_through_both_forms(source: str) -> None:
    plan = read_plan(source).plan
    assert plan is not None
    again = checked(plan).plan
    assert again == plan
    assert read_plan(render_plan(again)).plan == plan, "the action of a gate is known again"


def test_ad5_equal_plans_give_equal_bytes() -> None:
    one, other = (read_plan(f"{'' if n else chr(10)}# Plan: A\n### Batch 1\n- A1: x").plan for n in (0, 1))
    assert one is not None
    assert other is not None
    assert render_plan_file(one) == render_plan_file(other)


def test_ad5_the_published_schema_is_the_one_that_is_checked() -> None:
    assert (ROOT / "orchestrator/schema/workstream.schema.json").read_text() == SCHEMA_TEXT
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA_TEXT))


@given(seed=st.integers(0, 10**9))
@settings(max_examples=300, deadline=None)
def test_ad5_the_reader_refuses_what_the_schema_refuses(seed: int) -> None:
    source = mutated_json(JSON_PLAN, random.Random(seed))
    try:
        source.encode()
    except UnicodeEncodeError:
        return
    reading = read(source)
    if not VALIDATOR.is_valid(json.loads(source)):
        assert reading.plan is None
        assert any(finding.blocks for finding in reading.findings)


def test_bx3_a_gate_with_a_tool_gets_a_step_that_runs_it() -> None:
    plan = read(JSON_PLAN).plan
    assert plan is not None
    assert [step.key for step in plan.steps()] == ["A1", "A2", "MP1.run", "MP1"]


def test_parameters_are_filled_in() -> None:
    source = JSON_PLAN.replace('"priority": 2', '"parameters": {"what": "entries"}').replace(
        "Table", "{{what}} table"
    )
    plan = read(source).plan
    assert plan is not None
    assert next(plan.steps()).title == "entries table"
    unknown = read(source.replace("{{what}}", "{{other}}"))
    assert "unknown-parameter" in {finding.code for finding in unknown.findings}


def test_findings_name_the_path_and_the_line() -> None:
    wrong = JSON_PLAN.replace('"title": "Index"', '"titel": "Index"').replace('"name": "Base"', '"name": 3')
    assert problems(wrong) == {
        "plan.stages[0].batches[0].name is not a string.": 12,
        "plan.stages[0].batches[0].threads[0].steps[1].title is missing.": 19,
        "plan.stages[0].batches[0].threads[0].steps[1].titel is not known.": 19,
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"key": "A2"', '"key": "a b"', "may have letters"),
        ('"key": "A2"', '"key": "A2", "key": "A3"', "twice in one object"),
        ('"estimate": 30', '"estimate": NaN', "NaN"),
        ('"estimate": 30', '"estimate": 1e999', "too large"),
        ('"estimate": 30', '"estimate": 9007199254740993', "not a number from 0"),
        ('"estimate": 30', '"estimate": true', "not an integer"),
        ('"title": "Index"', '"title": "two\\nlines"', "not one line"),
        ('"title": "Index"', '"title": "\\ud800"', "half a character"),
        ('"title": "Index"', '"title": ""', "is empty"),
        ('"plan": {', '"plans": [], "plan": {', "is empty"),
        ('"schemaVersion": "1.0"', '"schemaVersion": "2.0"', "is not “1.0”"),
        ('"kind": "merge"', '"kind": "party"', "is none of"),
        ('"name": "Base",', '"name": "Base", "prefix": "MP",', "prefix is a number"),
    ],
)
def test_b11_to_b14_odd_json_is_refused_with_the_reason(old: str, new: str, said: str) -> None:
    assert any(said in message for message in problems(JSON_PLAN.replace(old, new, 1)))


def test_b14_deep_nesting_is_refused() -> None:
    deep = '{"schemaVersion": "1.0", "plan": ' + "[" * 5000 + "]" * 5000 + "}"
    assert read(deep).plan is None
    assert read("[" * 100_000).plan is None


def test_a_gate_shares_its_batch_with_nobody() -> None:
    shared = JSON_PLAN.replace('{"key": "MP1"', '{"key": "B1", "title": "Beside"}, {"key": "MP1"')
    assert any(
        "does not stand alone" in finding.message and finding.blocks for finding in read(shared).findings
    )


def test_ad3_a_bundle_of_several_plans_is_split() -> None:
    first, second = read_plan(PLAN).plan, read(JSON_PLAN).plan
    assert first is not None
    assert second is not None
    text = render_plan_files([first, second])
    VALIDATOR.validate(json.loads(text))
    assert problems(text) == {"The plan file has 2 plans; each becomes a workstream of its own.": 1}
    found = sources_of({"all/plans.json": text.encode()})
    assert [source.name for source in found.plans] == ["all/ledger-2.json", "all/ledger.json"]
    assert [read(source.text).plan for source in found.plans] == [second, first]


def test_ad1_a_step_depends_on_others_in_the_seeds_word_or_in_ours():
    value = json.loads(JSON_PLAN)
    first = value["plan"]["stages"][0]["batches"][0]["threads"][0]["steps"]
    named = {step["key"]: step for step in first}
    named["A2"]["depends_on"] = named["A2"].pop("needs")
    seeds = read(json.dumps(value)).plan
    assert seeds is not None
    assert seeds.stages == read(JSON_PLAN).plan.stages
    assert '"depends_on"' in render_plan_file(seeds)
    assert '"needs": [\n' not in render_plan_file(seeds)
