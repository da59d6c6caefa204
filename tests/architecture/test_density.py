"""Statements stay thin enough to be read once: what one may hold of loops, conditions and calls."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import tree_of

PACKAGE = Path(__file__).resolve().parents[2] / "orchestrator"
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: What a reader has to work out: calls, conditions, loops, arithmetic, look-ups.
OPERATIONS = (
    *(ast.Call, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp),
    *(ast.comprehension, ast.Lambda, ast.NamedExpr, ast.Subscript),
)
#: Most operations in one expression. Members of a list or a table, and arguments that are named, are read
#: one by one, so each is an expression of its own.
MOST_OPERATIONS = 12
#: Most loops in one comprehension.
MOST_LOOPS = 2


def conditions_in_conditions(tree: ast.AST) -> Iterator[int]:
    """`a if b else c if d else e`, whichever of the three holds the second one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp) and any(
            isinstance(part, ast.IfExp) for part in (node.body, node.test, node.orelse)
        ):
            yield node.lineno


def long_comprehensions(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, COMPREHENSIONS) and len(node.generators) > MOST_LOOPS:
            yield node.lineno


def assignments_in_results(tree: ast.AST) -> Iterator[int]:
    """A name may be given in the condition of a comprehension, not in what it makes."""
    for node in ast.walk(tree):
        if isinstance(node, COMPREHENSIONS):
            made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            inner = (part for result in made for part in ast.walk(result))
            if any(isinstance(part, ast.NamedExpr) for part in inner):
                yield node.lineno


def crowded_expressions(tree: ast.AST) -> Iterator[int]:
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt):
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.expr):
                    yield from _crowded(child)


def _crowded(expression: ast.AST) -> Iterator[int]:
    """The lines of the expression, and of those that stand in it by themselves, with too many operations."""
    operations = 0
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        operations += isinstance(node, OPERATIONS)
        alone = _alone_in(node)
        for part in alone:
            yield from _crowded(part)
        waiting += [part for part in ast.iter_child_nodes(node) if part not in alone]
    if operations > MOST_OPERATIONS:
        yield getattr(expression, "lineno", 0)


def _alone_in(node: ast.AST) -> list[ast.AST]:
    """What is read by itself although it stands within: members of displays, arguments that are named."""
    if isinstance(node, ast.Dict):
        return [value for value in node.values if value]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [*node.elts]
    if isinstance(node, ast.Call):
        return [*node.keywords]
    return [node.value] if isinstance(node, ast.keyword) else []


@pytest.mark.parametrize(
    "rule", [conditions_in_conditions, long_comprehensions, assignments_in_results, crowded_expressions]
)
def test_statements_are_thin(rule: Callable[[ast.AST], Iterator[int]]) -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts:
            wrong += [f"{path.relative_to(PACKAGE)}:{line}" for line in sorted(set(rule(tree_of(path))))]
    assert wrong == []


@pytest.mark.parametrize(
    ("rule", "dense"),
    [
        (conditions_in_conditions, "mark = 'x' if done else '~' if begun else ' '"),
        (long_comprehensions, "steps = [s for a in plan for b in a for s in b]"),
        (assignments_in_results, "rows = [(row := read(line)) and row.name for line in lines]"),
        (crowded_expressions, f"total = {' + '.join(['f(x)'] * 8)}"),
        (crowded_expressions, f"table = [{{'a': {' + '.join(['f(x)'] * 8)}}}]"),
    ],
)
def test_dense_statements_are_found(rule: Callable[[ast.AST], Iterator[int]], dense: str) -> None:
    assert list(rule(ast.parse(dense))) == [1]
