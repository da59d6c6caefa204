"""Every action that a service records for a workstream is known to replay, so no new act can be forgotten (FR-009)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.replay import ACTS

SERVICES = Path(__file__).resolve().parents[2] / "orchestrator" / "services"
Function = ast.FunctionDef


def recorded(path: Path) -> Iterator[str]:
    """The words that this module's calls of `record` write, followed through its own functions' parameters."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in functions(tree):
        for call in calls(function, "record"):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            owner = given.get("workstream")
            if "action" in given and not (isinstance(owner, ast.Constant) and owner.value is None):
                yield from words(given["action"], function, tree, path)


def words(value: ast.expr, function: Function, tree: ast.Module, path: Path) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from words(body, function, tree, path)
            yield from words(other, function, tree, path)
        case ast.Name(id=name) if name in parameters(function):
            for caller in functions(tree):
                for call in calls(caller, function.name):
                    yield from words(argument(call, function, name), caller, tree, path)
        case _:
            raise AssertionError(f"{path.name}:{value.lineno} records an action that is not written out in the module")


def functions(tree: ast.Module) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def calls(function: Function, name: str) -> list[ast.Call]:
    found = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return [call for call in found if isinstance(call.func, ast.Name) and call.func.id == name]


def parameters(function: Function) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def argument(call: ast.Call, function: Function, name: str) -> ast.expr:
    by_name = {keyword.arg: keyword.value for keyword in call.keywords}
    return by_name[name] if name in by_name else call.args[parameters(function).index(name)]


def test_fr009_replay_knows_every_action_that_services_record() -> None:
    found = {word for path in SERVICES.glob("*.py") if path.name != "history.py" for word in recorded(path)}
    assert len(found) > 20
    assert found - set(ACTS) == set(), "add what these actions do to ACTS in core/replay.py"
    assert set(ACTS) - found == set(), "no service records these any more"
