"""Pages ask the acts why a control is off, and hold no rule of their own (FR-011, DC-5)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from orchestrator.core import terms
from tests.architecture.sources import tree_of

WEB = Path(__file__).resolve().parents[2] / "orchestrator" / "web"
#: How names begin under which templates find why a control is off, or whether it is shown.
OF_CONTROLS = ("why_not", "may_")
#: Words for states and roles: an act asks about them, never its page.
STATES = {name for name in dir(terms) if name.endswith("Status")} | {"Role", "Lifecycle"}
#: Fields that say where a row stands or whose it is.
FIELDS = {"status", "is_open", "is_superuser", "user_id", "author_id", "needs_human", "done_tasks"}


def is_of_control(name: object) -> bool:
    return str(name).lstrip("_").startswith(OF_CONTROLS)


def rules(tree: ast.Module) -> Iterator[ast.AST]:
    """The values of controls, the functions named for them, and whatever of the module these are made of."""
    known = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    waiting: list[ast.AST] = [node for name, node in known.items() if is_of_control(name)]
    for function in known.values():
        waiting += values_of_controls(function)
    seen: set[int] = set()
    while waiting:
        rule = waiting.pop()
        if id(rule) not in seen:
            seen.add(id(rule))
            yield rule
            waiting += [known[name] for name in names_in(rule) if name in known]


def names_in(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def values_of_controls(function: ast.FunctionDef) -> list[ast.AST]:
    """What a function puts under the name of a control, with what the variables in it were made from."""
    values: list[ast.AST] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            values += [
                value for key, value in pairs if isinstance(key, ast.Constant) and is_of_control(key.value)
            ]
    made = assigned_in(function)
    known: set[str] = set()
    for value in values:
        for name in names_in(value) - known:
            known.add(name)
            values += made.get(name, [])
    return values


def assigned_in(function: ast.FunctionDef) -> dict[str, list[ast.AST]]:
    """What is assigned to each variable that stands alone on the left."""
    made: dict[str, list[ast.AST]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id != "context":
                    made.setdefault(target.id, []).append(node.value)
    return made


def sentences(rule: ast.AST) -> Iterator[str]:
    """The texts in a rule that a reader would see: all but names of parts and docstrings."""
    docstring = ast.get_docstring(rule, clean=False) if isinstance(rule, ast.FunctionDef) else None
    for node in ast.walk(rule):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and " " in text and text != docstring:
            yield text


def states(rule: ast.AST) -> Iterator[str]:
    """The words for states and roles, and the fields of rows, that a rule looks at by itself."""
    for node in ast.walk(rule):
        if isinstance(node, ast.Attribute):
            whole = ast.unparse(node)
            if whole.partition(".")[0] in STATES or node.attr in FIELDS:
                yield whole


def test_dc5_why_a_control_is_off_is_said_by_its_act() -> None:
    wrong = []
    for path in sorted(WEB.rglob("*.py")):
        tree = tree_of(path)
        for rule in rules(tree):
            line = getattr(rule, "lineno", 0)
            wrong += [f"{path.relative_to(WEB)}:{line} says {text!r}" for text in sentences(rule)]
            wrong += [f"{path.relative_to(WEB)}:{line} decides by {name}" for name in states(rule)]
    assert sorted(set(wrong)) == []
