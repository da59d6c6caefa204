"""Acts are declared once (FR-011): nobody above services says who may; no act is called undeclared."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from orchestrator.core.actions import Action
from orchestrator.core.terms import Role
from orchestrator.services.base.acts import NO_ROLE, Act, every_act
from tests.architecture.sources import tree_of

PACKAGE = Path(__file__).resolve().parents[2] / "orchestrator"
ENTRY_POINTS = ("web", "api", "mcp", "management", "processes", "admin")
#: A function with one of these parameters says who acts.
WHO = {"actor", "executor", "user", "account"}
#: Functions of services that entry points call with somebody, and that are part of something or only look.
NO_ACTS = {
    "answer_once": "runs an act under a key",
    "next_told": "does claim_next, and tells what it found",
    "answer_in_steps": "runs an act under a key",
    "record_changes": "what the history says of an account that Django changed",
    "record_password": "what the history says of an account that Django changed",
    "record_sign_in": "what the history says of a sign-in",
    "caller_by_session": "who calls",
    "caller_by_command": "who calls",
    "claim_account_name": "part of making an account",
    "inbox_of": "looks",
    "waiting_for": "counts",
    "operating_facts": "looks",
    "may_operate": "asks",
    "is_enrolled": "looks",
    "is_required": "looks",
    "must_enrol": "looks",
    "owes_a_password": "looks",
    "why_first_password_ended": "looks",
    "enrolment_address": "looks",
    "lacking": "asks",
    "why_none": "asks",
}
#: Where words for roles stand beside no act: what roles an account of the installation is given.
GIVES_ROLES = {"management/accounts.py", "management/commands/setup_demo.py"}


def sources(*floors: str) -> Iterator[tuple[str, ast.Module]]:
    for floor in floors:
        for path in sorted((PACKAGE / floor).rglob("*.py")):
            yield str(path.relative_to(PACKAGE)), tree_of(path)


class Names:
    """What the imported names of a module stand for."""

    def __init__(self, tree: ast.Module) -> None:
        self.imported: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    self.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def of(self, node: ast.expr) -> object:
        """The function or act of a service that the expression names; None for anything else."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            address = f"{self.imported.get(node.value.id, '')}.{node.attr}"
        elif isinstance(node, ast.Name):
            address = self.imported.get(node.id, "")
        else:
            return None
        module, _, name = address.rpartition(".")
        if not module.startswith("orchestrator.services."):
            return None
        try:
            return getattr(import_module(module), name, None)
        except ModuleNotFoundError:
            return None


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_fr011_entry_points_call_declared_acts_only() -> None:
    wrong = set()
    for name, tree in sources(*ENTRY_POINTS):
        names = Names(tree)
        for call in calls(tree):
            called = names.of(call.func)
            if not inspect.isfunction(called) or called.__name__.startswith("why_not_"):
                continue
            if WHO & set(inspect.signature(called).parameters) and called.__name__ not in NO_ACTS:
                wrong.add(f"{name} calls {called.__name__}, which is not declared")
    assert wrong == set()


def test_fr011_no_entry_point_says_who_may() -> None:
    wrong = []
    for name, tree in sources(*ENTRY_POINTS, "queries"):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and ast.unparse(node.value) == "Role"
                and name not in GIVES_ROLES
            ):
                wrong.append(f"{name}:{node.lineno} says {ast.unparse(node)}")
    assert wrong == []


def test_fr011_services_name_roles_in_declarations_and_rules_of_rows_only() -> None:
    wrong = []
    for name, tree in sources("services"):
        for function in tree.body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("why_not_"):
                continue
            for statement in function.body:
                for node in ast.walk(statement):
                    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Role":
                        wrong.append(f"{name}:{node.lineno} {function.name}")
    assert wrong == []


def test_fr011_no_template_says_who_may() -> None:
    """A template asks why an act is refused, or whether its reader takes part at all; one more role that only
    reads would change none."""
    roles = "|".join(Role)
    said = re.compile(rf"""\{{%[^%]*(?:["'](?:{roles})["']|\brole_names\s*(?:[!=]=|\bin\b))[^%]*%\}}""")
    wrong = []
    for path in sorted((PACKAGE.parent / "templates").rglob("*.html")):
        found = said.findall(path.read_text(encoding="utf-8"))
        wrong += [f"{path.relative_to(PACKAGE.parent)}: {tag}" for tag in found]
    assert wrong == []


def decorated(function: ast.FunctionDef, by: str, names: Names) -> set[object]:
    """The acts that a decorator of this name gives to a function; a starred table gives all of its own."""
    found: set[object] = set()
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == by:
            found |= {names.of(argument) for argument in decorator.args}
    return found - {None}


@pytest.mark.parametrize(("floor", "decorator"), [("web", "does"), ("api", "act")])
def test_fr011_forms_and_routes_name_the_acts_that_they_do(floor: str, decorator: str) -> None:
    """So that whoever may not is refused first, and a walk over forms and routes finds every act."""
    wrong, helpers = [], {"_registered", "_send"}
    for name, tree in sources(floor):
        names = Names(tree)
        for function in tree.body:
            if not isinstance(function, ast.FunctionDef) or function.name in helpers:
                continue
            done = {called for call in calls(function) if isinstance(called := names.of(call.func), Act)}
            done = {one for one in done if one.declaration.roles != NO_ROLE}
            for one in done - decorated(function, decorator, names):
                wrong.append(f"{name} {function.name} does {one.name}")
    assert wrong == []


def test_fr011_tools_ask_the_act_that_they_do() -> None:
    wrong = []
    for name, tree in sources("mcp"):
        names = Names(tree)
        methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for method in methods:
            asked = {
                names.of(call.args[0]) for call in calls(method) if ast.unparse(call.func) == "self.doer"
            }
            done = {called for call in calls(method) if isinstance(called := names.of(call.func), Act)}
            wrong += [f"{name} {method.name} does {one.name}" for one in done - asked]
    assert wrong == []


def test_fr011_what_an_act_records_is_declared() -> None:
    """An action that no act declares is the orchestrator's own."""
    declared = {action for one in every_act() for action in one.declaration.records}
    own = {
        Action.PLAN_TOOK_EFFECT,
        Action.NEEDS_CHANGED,
        Action.WORK_ADOPTED,
        Action.STEPS_LAUNCHED,
        Action.STEPS_SERIALISED,
        Action.STEP_SKIPPED,
        Action.BREAKER_TRIPPED,
        Action.BUDGET_USED_UP,
        Action.ARTIFACT_DAMAGED,
        Action.WORKSPACE_DIVERGED,
        Action.WORKSPACE_AGREES_AGAIN,
        Action.WORKSPACE_MENDED,
        Action.EDITED_FILE_REPLACED,
        Action.BACKUP_RESTORED,
        Action.LEARNINGS_WRITTEN,
        Action.SIGNED_IN,
        Action.SIGN_IN_STOPPED,
        Action.ACCOUNT_MADE,
        Action.ACCOUNT_RENAMED,
        Action.ACCOUNT_ACTIVATED,
        Action.ACCOUNT_DEACTIVATED,
        Action.ROLE_GIVEN,
        Action.ROLE_TAKEN,
        Action.RIGHT_GIVEN,
        Action.RIGHT_TAKEN,
    }
    assert declared | own == set(Action)
    assert declared & own == set()


def test_fr011_reasons_and_actors_are_arguments_of_the_act() -> None:
    wrong = []
    for one in every_act():
        given = inspect.signature(one.function).parameters
        if not WHO & set(given):
            wrong.append(f"{one.name} says nobody who acts")
        if one.declaration.reason and not set(one.declaration.reason.arguments) <= set(given):
            wrong.append(f"{one.name} has no such argument")
        if any(parameter.kind is not parameter.KEYWORD_ONLY for parameter in given.values()):
            wrong.append(f"{one.name} takes something by its place")
    assert wrong == []
