"""The guide and the README of the house say what the code says: dependencies, refusals, states, settings.

And name no machine.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

import orchestrator
from orchestrator.core.files.consistency import Code
from orchestrator.core.limits import limits_table
from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus, VersionStatus, WorkstreamStatus
from orchestrator.management.act_table import act_table
from orchestrator.management.consistency_table import consistency_table
from orchestrator.management.refusal_table import refusal_table, refusals
from orchestrator.services.base.acts import every_act
from tests.architecture.sources import tree_of

ROOT = Path(__file__).resolve().parents[2]
OPERATING = (ROOT / "orchestrator" / "guide" / "operating.md").read_text(encoding="utf-8")
HOUSE = (ROOT / "orchestrator" / "README.md").read_text(encoding="utf-8")
STATES, REFUSALS, CONSISTENCY, THREATS = (
    (ROOT / "orchestrator" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("STATES", "REFUSALS", "CONSISTENCY", "THREATS")
)
#: The page about the house and what stands beside it and in its wings.
PAGES = sorted((ROOT / "orchestrator").rglob("*.md"))
WING_LINES = 80


def section(text: str, heading: str) -> str:
    """From a heading to the next one of its level."""
    level = heading.split(" ", 1)[0]
    found = re.search(rf"^{re.escape(heading)}.*?(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {heading!r}"
    return found[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row below its head."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def names_in(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements}


def test_the_dependency_table_lists_what_pyproject_lists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = names_in(project["dependencies"])
    for group in project["optional-dependencies"].values():
        wanted |= names_in(group)
    listed = [row[0] for row in rows(section(HOUSE, "## Dependencies")) if not row[0].startswith("*")][1:]
    assert sorted(name for cell in listed for name in cell.split(", ")) == sorted(wanted)


def test_the_refusal_table_is_the_one_that_the_classes_make() -> None:
    """Byte for byte. After a change of a class: put what `manage.py list_refusals` prints into the README."""
    said = REFUSALS
    assert refusal_table() in said
    assert len(list(rows(said))) == len(refusals()) + 1, "nothing stands there twice"


def test_the_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert orchestrator.__version__ == project["version"]


def test_lc12_the_table_of_findings_is_the_one_that_the_codes_make() -> None:
    """Byte for byte: put what `manage.py check_consistency --codes` prints into CONSISTENCY.md."""
    assert consistency_table() in CONSISTENCY
    assert len(list(rows(CONSISTENCY))) == len(Code) + 1, "nothing stands there twice"


def test_the_act_table_is_the_one_that_the_declarations_make() -> None:
    """Byte for byte. After a change: put what `manage.py list_acts` prints into the README."""
    said = section(HOUSE, "## Acts")
    assert act_table() in said
    assert len(list(rows(said))) == len(every_act()) + 1, "nothing stands there twice"


def test_every_act_says_what_it_means_in_its_own_docstring() -> None:
    assert [one.name for one in every_act() if not one.__doc__] == []


def test_the_table_of_limits_is_the_one_that_the_constants_make() -> None:
    """Byte for byte: `limits_table()` of core/limits.py."""
    assert limits_table() in section(THREATS, "## What is bounded")


def test_every_refusal_says_what_it_means_in_its_own_docstring() -> None:
    assert [refusal.__name__ for refusal in refusals() if not vars(refusal).get("__doc__")] == []


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [refusal.code for refusal in refusals()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("## Attempt", AttemptStatus),
        ("## Task", TaskStatus),
        ("## Version", VersionStatus),
        ("## Workstream", WorkstreamStatus),
        ("## Handoff artifact", ArtifactState),
    ],
)
def test_the_diagrams_name_every_state(heading: str, states: type[StrEnum]) -> None:
    said = section(STATES, heading)
    assert [state.value for state in states if not re.search(rf"\b{state.value}\b", said)] == []


def variables(path: Path) -> set[str]:
    """Names read from the environment: constants in capitals that are given to a call or looked up in
    `environ`.
    """
    tree = tree_of(path)
    first = [node.args[0] for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    subscripts = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    looked_up = [node.slice for node in subscripts if ast.unparse(node.value).endswith("environ")]
    constants = [node.value for node in first + looked_up if isinstance(node, ast.Constant)]
    return {text for text in constants if isinstance(text, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", text)}


def test_the_configuration_table_lists_every_variable() -> None:
    listed = {row[0].strip("`") for row in rows(section(OPERATING, "## Configuration"))}
    wanted = variables(ROOT / "orchestrator" / "settings.py") | {"DATABASE_URL"}
    for path in (ROOT / "orchestrator").rglob("*.py"):
        wanted |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", path.read_text(encoding="utf-8")))
    assert sorted(wanted - listed - {"PATH"}) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_readme_names_is_there(page: Path) -> None:
    """Files and folders that stand in backticks; `*` stands for some, `<noun>` and placeholders for any."""
    package = ROOT / "orchestrator"
    floors = "core|contract|services|queries|adapters|management|processes|workspace|web|api|tests"
    named = set(re.findall(rf"`((?:{floors})/[\w/*.]+)`", page.read_text(encoding="utf-8")))
    missing = [name for name in named if not ([*package.glob(name)] or [*ROOT.glob(name)])]
    assert missing == []


def test_every_wing_has_a_page_and_it_is_short() -> None:
    package = ROOT / "orchestrator"
    wings = [package / "web", package / "queries", package / "contract", package / "processes"]
    for floor in ("core", "services"):
        wings += [path for path in sorted((package / floor).iterdir()) if (path / "__init__.py").is_file()]
    assert [str(wing) for wing in wings if not (wing / "README.md").is_file()] == []
    long = [
        page
        for page in PAGES
        if page.parent not in (package, package / "guide") and len(page.read_text().splitlines()) > WING_LINES
    ]
    assert long == []


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("this is no git checkout, so nothing is tracked")
    paths = re.compile(r"(?<![\w./-])/(?:work|root|home|Users)/\w")
    hosts = re.compile(
        r"(?:pypi|pythonhosted|npmjs|rubygems|artifactory|nexus)\.[a-z]{2,}|(?:extra-)?index-url|--find-links"
    )
    wrong = []
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path == Path(__file__) or not path.is_file() or path.suffix == ".png":
            continue
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        ):
            if paths.search(line) or hosts.search(line):
                wrong.append(f"{name}:{number}")
    assert wrong == []


def test_every_promise_of_the_readme_names_commands_that_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    promises = list(rows(section((ROOT / "README.md").read_text(encoding="utf-8"), "## What it promises")))[
        1:
    ]
    assert len(promises) > 10
    for promise, check in promises:
        commands = re.findall(r"`([^`]+)`", check)
        assert commands, promise
        for command in commands:
            tool, word, *_ = command.split()
            if tool == "make":
                assert re.search(rf"^{word}:", makefile, re.MULTILINE), command
            else:
                assert (ROOT / "orchestrator" / "management" / "commands" / f"{word}.py").is_file(), command
            for path in re.findall(r"tests/[\w/.]+", command):
                assert (ROOT / path).exists(), path


def test_a_night_says_where_it_looks_for_examples_and_looks_there_again() -> None:
    """Its seed is printed, and the same one gives the same examples to every long test that makes some."""
    said = subprocess.run(
        ["make", "-n", "nightly", "HYPOTHESIS_SEED=7"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    long_ones = [line for line in said.splitlines() if "ENGINE_EXAMPLES" in line]
    assert len(long_ones) == 2, "on SQLite and on PostgreSQL"
    assert all("--hypothesis-seed=7" in line for line in long_ones)
    assert "make nightly HYPOTHESIS_SEED=7" in said
