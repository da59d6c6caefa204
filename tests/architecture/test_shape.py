"""Code stays readable: short files and functions, plain statements, and a name for each thing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "orchestrator"
FILES = {
    str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts
}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: Names that Django gives: one class in each command, and in a model.
GIVEN_NAMES = {"Command", "Meta"}

#: Files that still have a comprehension inside another. The list only gets shorter.
STILL_NESTED = {
    "admin/site.py",
    "core/changes/adoption.py",
    "core/changes/fix_stage.py",
    "core/changes/suggestions.py",
    "core/plans/compare.py",
    "core/plans/formats/spec_kit.py",
    "core/plans/graph.py",
    "core/plans/plan.py",
    "core/plans/reading/build.py",
    "core/plans/rehearsing/preview.py",
    "core/plans/rehearsing/rehearsal.py",
    "management/submission_report.py",
    "processes/local_executor.py",
    "queries/engine/conditions.py",
    "queries/handoff/documentation.py",
    "queries/plans/library.py",
    "queries/work/briefs.py",
    "queries/work/gates.py",
    "queries/work/projection.py",
    "queries/workstreams/bundles.py",
    "queries/workstreams/portfolio.py",
    "services/changes/adoption.py",
    "services/plans/structure.py",
    "services/workstreams/needs.py",
    "web/workstreams/portfolio.py",
    "workspace/inbox.py",
}
#: Names that two classes still have. This list, too, only gets shorter.
STILL_TWICE = {
    "Approval",
    "Board",
    "Change",
    "Entry",
    "Fact",
    "GitFailed",
    "Held",
    "Impact",
    "Inbox",
    "Item",
    "Judgement",
    "Limits",
    "Made",
    "Mark",
    "Policy",
    "Problem",
    "Row",
    "Scope",
    "Script",
    "Section",
    "SignOff",
    "Standing",
    "Thread",
    "Turn",
    "Verdict",
    "_Act",
    "_Board",
    "_Here",
    "_Reader",
    "_Waiting",
}


def nested_comprehensions(tree: ast.AST) -> Iterator[int]:
    """The lines where a comprehension begins that stands inside another one."""
    for outer in ast.walk(tree):
        if isinstance(outer, COMPREHENSIONS):
            for inner in ast.walk(outer):
                if inner is not outer and isinstance(inner, COMPREHENSIONS):
                    yield inner.lineno


def classes() -> dict[str, list[str]]:
    """The files that define a class, by its name, those left out that Django names."""
    places: dict[str, list[str]] = defaultdict(list)
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name not in GIVEN_NAMES:
                places[node.name].append(file)
    return places


def test_files_stay_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_stay_short() -> None:
    long = []
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{file}:{node.lineno} {node.name}")
    assert long == []


def test_no_comprehension_stands_inside_another() -> None:
    nested = {file: sorted(set(nested_comprehensions(tree))) for file, tree in TREES.items()}
    offenders = {file: lines for file, lines in nested.items() if lines and file not in STILL_NESTED}
    assert offenders == {}


def test_no_class_name_stands_for_two_things() -> None:
    twice = {name: files for name, files in classes().items() if len(files) > 1}
    assert {name: files for name, files in twice.items() if name not in STILL_TWICE} == {}


def test_lists_of_what_is_to_be_mended_name_nothing_that_is() -> None:
    """Whoever mends the last place of a file, or renames a class, takes its line out of the list above."""
    mended = {
        file for file in STILL_NESTED if file not in TREES or not any(nested_comprehensions(TREES[file]))
    }
    places = classes()
    renamed = {name for name in STILL_TWICE if len(places.get(name, [])) < 2}
    assert (mended, renamed) == (set(), set())
