"""Every action that a service records for a workstream is known to replay, so no new act can be forgotten
(FR-009). Every word of the history is one of `Action`.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.actions import Action
from orchestrator.core.replay import ACTS
from tests.architecture.sources import tree_of

SERVICES = Path(__file__).resolve().parents[2] / "orchestrator" / "services"


@dataclass(frozen=True)
class Function:
    """A function of a service; a private one is called in its own module only."""

    module: str
    node: ast.FunctionDef

    @property
    def parameters(self) -> list[str]:
        given = self.node.args
        return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]

    def calls(self, name: str) -> list[ast.Call]:
        found = [node for node in ast.walk(self.node) if isinstance(node, ast.Call)]
        return [call for call in found if isinstance(call.func, ast.Name) and call.func.id == name]

    def given(self, name: str) -> ast.expr | None:
        """What the function puts into a name of its own."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
                return node.value
        return None

    def argument(self, call: ast.Call, name: str) -> ast.expr:
        by_name = {keyword.arg: keyword.value for keyword in call.keywords}
        return by_name[name] if name in by_name else call.args[self.parameters.index(name)]


FUNCTIONS = [
    Function(path.stem, node)
    for path in SERVICES.rglob("*.py")
    if path.name != "history.py"
    for node in ast.walk(tree_of(path))
    if isinstance(node, ast.FunctionDef)
]


def recorded() -> Iterator[str]:
    """The words that services write as actions, followed through the parameters of their own functions."""
    for function in FUNCTIONS:
        for call in (*function.calls("record"), *function.calls("record_each")):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            owner = given.get("workstream")
            if "action" in given and not (isinstance(owner, ast.Constant) and owner.value is None):
                yield from words(given["action"], function)


def words(value: ast.expr, function: Function) -> Iterator[str]:
    match value:
        case ast.Attribute(value=ast.Name(id="Action"), attr=name):
            yield Action[name]
        case ast.IfExp(body=body, orelse=other):
            yield from words(body, function)
            yield from words(other, function)
        case ast.Name(id=name) if name in function.parameters:
            for caller in FUNCTIONS:
                if caller.module == function.module or not function.node.name.startswith("_"):
                    for call in caller.calls(function.node.name):
                        yield from words(function.argument(call, name), caller)
        case ast.Name(id=name) if (given := function.given(name)) is not None:
            yield from words(given, function)
        case _:
            raise AssertionError(
                f"{function.module}:{value.lineno} records an action that is not written out"
            )


def named(folder: Path) -> set[Action]:
    """The actions that the code of a folder names."""
    trees = [tree_of(path) for path in folder.rglob("*.py")]
    attributes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return {Action[node.attr] for node in attributes if ast.unparse(node.value) == "Action"}


def test_fr009_replay_knows_every_action_that_services_record() -> None:
    found = set(recorded())
    assert len(found) > 20
    assert found - set(ACTS) == set(), "add what these actions do to ACTS in core/replay.py"
    assert set(ACTS) - found == set(), "no service records these any more"


def test_fr009_services_record_every_action_there_is() -> None:
    assert set(Action) - named(SERVICES) == set()


def test_fr009_no_action_is_written_out_a_second_time() -> None:
    """What is stored is the value of the enumeration; a word in quotes would drift from it."""
    words_of_actions = set(Action)
    again = [
        f"{path.relative_to(SERVICES.parent)}:{node.lineno} {node.value}"
        for path in SERVICES.parent.rglob("*.py")
        if "migrations" not in path.parts and path.name != "actions.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in words_of_actions
    ]
    assert again == []
