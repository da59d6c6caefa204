"""Code stays readable: short files and functions, plain statements, and a name for each thing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import tree_of

PACKAGE = Path(__file__).resolve().parents[2] / "orchestrator"
FILES = {
    str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts
}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: Names that Django gives: one class in each command, and in a model.
GIVEN_NAMES = {"Command", "Meta"}

#: Modules that send statements of their own; all others ask `queries/base/sql.py`.
WITH_CURSOR = {
    "management/tables.py",
    "models/base/bells.py",
    "models/base/guards.py",
    "models/base/search_index.py",
    "queries/base/parts_of_rows.py",
    "queries/base/sealed.py",
    "queries/base/sql.py",
    "queries/base/kept.py",
    "queries/engine/facts.py",
    "queries/workstreams/operating.py",
    "queries/workstreams/search.py",
    "services/base/bells.py",
    "services/base/locks.py",
    "services/base/patience.py",
    "services/base/rows.py",
    "services/operation/databases.py",
}


def trees() -> dict[str, ast.Module]:
    return {name: tree_of(path) for name, path in FILES.items()}


def nested_comprehensions(tree: ast.AST) -> Iterator[int]:
    """The lines where a comprehension begins that stands inside another one."""
    for outer in ast.walk(tree):
        if isinstance(outer, COMPREHENSIONS):
            for inner in ast.walk(outer):
                if inner is not outer and isinstance(inner, COMPREHENSIONS):
                    yield inner.lineno


def attributes(tree: ast.AST) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def classes() -> dict[str, list[str]]:
    """The files that define a class, by its name, those left out that Django names."""
    places: dict[str, list[str]] = defaultdict(list)
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name not in GIVEN_NAMES:
                places[node.name].append(file)
    return places


def test_files_stay_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_stay_short() -> None:
    long = []
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{file}:{node.lineno} {node.name}")
    assert long == []


def test_no_comprehension_stands_inside_another() -> None:
    nested = {file: sorted(set(nested_comprehensions(tree))) for file, tree in trees().items()}
    offenders = {file: lines for file, lines in nested.items() if lines}
    assert offenders == {}


def test_no_class_name_stands_for_two_things() -> None:
    assert {name: files for name, files in classes().items() if len(files) > 1} == {}


def test_what_django_keeps_of_a_row_is_touched_in_one_module() -> None:
    touching = {file for file, tree in trees().items() if "_state" in attributes(tree)}
    assert touching == {"queries/base/sql.py"}


def test_statements_are_sent_past_django_in_few_modules() -> None:
    sending = {file for file, tree in trees().items() if "cursor" in attributes(tree)}
    assert sending == WITH_CURSOR
