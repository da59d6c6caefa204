"""One contract: what REST and MCP take and give are the classes of `contract`, and the description says
so."""

import ast
import dataclasses
import enum
import inspect
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from ninja.openapi.schema import REF_TEMPLATE
from ninja.operation import Operation
from ninja.schema import NinjaGenerateJsonSchema
from pydantic import BaseModel, TypeAdapter

from orchestrator import contract
from orchestrator.api.root import api
from orchestrator.api.routes import REFUSALS
from orchestrator.management.refusal_table import refusals
from tests.architecture.sources import tree_of
from tests.conforming import tools

CONTRACT = contract.__name__
#: Operations that answer with the bytes of a file, which no class describes.
FILES = {"artifact_body", "output_body"}


def operations() -> list[tuple[str, Operation]]:
    """Every operation with its address."""
    return [
        (f"{prefix}{path}", operation)
        for prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
    ]


OPERATIONS = operations()


@cache
def described() -> dict[str, Any]:
    return api.get_openapi_schema(path_prefix="/api/")


def details_of(operation: Operation) -> dict[str, Any]:
    """What the description says of an operation."""
    wanted = api.get_openapi_operation_id(operation)
    paths = described()["paths"].values()
    return next(one for methods in paths for one in methods.values() if one["operationId"] == wanted)


def hints_of(operation: Operation) -> dict[str, Any]:
    """What the view declares: its body and the answer that it returns."""
    return get_type_hints(operation.view_func)


def classes_in(declared: Any) -> Iterator[type]:
    """`list[X] | None` has the class X."""
    if get_origin(declared) is None:
        if isinstance(declared, type) and declared is not type(None):
            yield declared
        return
    for part in get_args(declared):
        yield from classes_in(part)


def reachable(declared: Any, seen: set[type] | None = None) -> set[type]:
    """The contract's classes, and everything of ours that their members are made of."""
    seen = set() if seen is None else seen
    for cls in classes_in(declared):
        if cls in seen or not cls.__module__.startswith("orchestrator."):
            continue
        seen.add(cls)
        if not issubclass(cls, enum.Enum):
            for hint in get_type_hints(cls).values():
                reachable(hint, seen)
    return seen


def contract_classes() -> list[type]:
    modules = [
        import_module(f"{CONTRACT}.{module.name}") for module in pkgutil.iter_modules(contract.__path__)
    ]
    return [
        cls
        for module in modules
        for cls in vars(module).values()
        if inspect.isclass(cls) and cls.__module__ == module.__name__
    ]


@cache
def schema_of(cls: type, mode: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a class by itself, and the definitions that it refers to."""
    schema = TypeAdapter(cls).json_schema(
        ref_template=REF_TEMPLATE, schema_generator=NinjaGenerateJsonSchema, mode=mode
    )
    definitions = schema.pop("$defs", {})
    return definitions.pop(cls.__name__, schema), definitions


def is_described(declared: Any, shown: dict[str, Any], mode: Any) -> bool:
    """Whether the description names the declared class and means that class, and no other, by the name."""
    cls, *others = classes_in(declared)
    if others:
        return False
    reference = shown.get("items", {}) if get_origin(declared) is list else shown
    if reference.get("$ref") != REF_TEMPLATE.format(model=cls.__name__) or not cls.__module__.startswith(
        CONTRACT
    ):
        return False
    own, definitions = schema_of(cls, mode)
    components = described()["components"]["schemas"]
    return all(components[name] == schema for name, schema in {cls.__name__: own, **definitions}.items())


def test_no_view_answers_with_a_tuple() -> None:
    """django-ninja reads a tuple of two as status and body: two rows would answer with a server error."""
    wrong = [address for address, one in OPERATIONS if _is_a_tuple(hints_of(one).get("return"))]
    assert len(OPERATIONS) > 50
    assert wrong == []


def _is_a_tuple(answer: object) -> bool:
    return answer is tuple or get_origin(answer) is tuple


def test_the_contract_knows_no_framework_of_the_house() -> None:
    """So that whoever reads an answer needs nothing but its class."""
    trees = [tree_of(path) for path in Path(contract.__path__[0]).glob("*.py")]
    names = {node.module for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    others = {str(name).split(".")[0] for name in names} - sys.stdlib_module_names
    assert others == {"orchestrator", "pydantic"}


def test_each_name_of_the_contract_stands_once() -> None:
    names = Counter(cls.__name__ for cls in contract_classes())
    assert len(names) > 100
    assert {name: times for name, times in names.items() if times > 1} == {}


def test_bodies_are_models_and_answers_are_frozen_dataclasses() -> None:
    wrong = [
        cls.__name__
        for cls in contract_classes()
        if not (
            issubclass(cls, BaseModel) or (dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen)
        )
    ]
    assert wrong == []


def test_the_description_knows_only_the_contract_and_words_of_core() -> None:
    """Two classes of one name would be one schema here, and wrong for one of them."""
    ours = {cls.__name__ for cls in contract_classes()}
    words = {
        cls.__name__ for own in contract_classes() for cls in reachable(own) if issubclass(cls, enum.Enum)
    }
    assert set(described()["components"]["schemas"]) - ours - words == set()


def test_each_operation_takes_the_body_that_its_view_declares() -> None:
    wrong = []
    for address, operation in OPERATIONS:
        body = hints_of(operation).get("body")
        shown = details_of(operation).get("requestBody")
        if body is None and shown is None:
            continue
        if not (
            body
            and shown
            and is_described(body, shown["content"]["application/json"]["schema"], "validation")
        ):
            wrong.append(address)
    assert wrong == []


def test_each_operation_gives_the_answer_that_its_view_declares() -> None:
    wrong = []
    for address, operation in OPERATIONS:
        if operation.view_func.__name__ in FILES:
            continue
        answer = hints_of(operation)["return"]
        status = min(operation.response_models)
        shown = details_of(operation)["responses"][status]["content"]["application/json"]["schema"]
        checked = operation.response_models[status].model_fields["response"].annotation
        if status >= 300 or checked != answer or not is_described(answer, shown, "serialization"):
            wrong.append(address)
    assert wrong == []


def test_each_operation_declares_every_refusal() -> None:
    wrong = []
    for address, operation in OPERATIONS:
        shown = details_of(operation)["responses"]
        if not all("RefusalFacts" in str(shown.get(status)) for status in REFUSALS):
            wrong.append(address)
    assert wrong == []


def test_the_refusals_declared_are_those_that_there_are() -> None:
    assert {refusal.status for refusal in refusals()} == set(REFUSALS)


def test_each_query_is_a_class_of_the_contract() -> None:
    wrong = []
    for address, operation in OPERATIONS:
        query = hints_of(operation).get("query")
        if query is None:
            continue
        shown = {one["name"] for one in details_of(operation)["parameters"] if one["in"] == "query"}
        if shown != set(query.model_fields) or not query.__module__.startswith(CONTRACT):
            wrong.append(address)
    assert wrong == []


def test_every_class_of_the_contract_serves_somebody() -> None:
    """What no interface takes or gives is dead."""
    declared = [hint for _, operation in OPERATIONS for hint in hints_of(operation).values()]
    declared += tools().values()
    used = {cls for hint in (*declared, *REFUSALS.values()) for cls in reachable(hint)}
    bases = {base for cls in used for base in cls.__mro__}
    assert {cls.__name__ for cls in contract_classes()} - {cls.__name__ for cls in bases} - PRINTED == set()


#: What `preview_plan --json` and `check_consistency --json` print beside the classes that REST answers with.
PRINTED = {"FileCheckFacts", "ConsistencyFacts", "InconsistencyFacts", "FixFacts"}


def test_each_tool_answers_with_a_class_of_the_contract() -> None:
    assert len(tools()) > 20
    assert [name for name, answer in tools().items() if not answer.__module__.startswith(CONTRACT)] == []


def test_each_act_shows_that_it_takes_a_key() -> None:
    """Reads and checks store nothing, so a repetition needs none (AD-7)."""
    wrong = []
    for address, operation in OPERATIONS:
        shown = {one["name"] for one in details_of(operation)["parameters"]}
        reads = operation.methods == ["GET"] or operation.view_func.__name__ == "check"
        if reads == ("Idempotency-Key" in shown):
            wrong.append(address)
    assert wrong == []
