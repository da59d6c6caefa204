"""Inside a floor: folders import one way, modules too, and no folder is a hall (design section 8)."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "orchestrator"
#: Most modules in a folder, `__init__.py` not counted.
MOST_MODULES = 30
#: Wings from the lowest to the highest: a wing imports those before it and itself, never one behind it.
#: "" is what stands in the floor's own folder.
WINGS = {
    "core": (
        *("", "sealing", "people", "engine", "plans", "plans.text", "plans.reading", "plans.prose"),
        *("plans.account", "plans.formats", "plans.checks", "plans.rehearsing", "changes", "flow", "files"),
    ),
    "queries": ("", "base", "plans", "handoff", "engine", "work", "gates", "changes", "workstreams", "flow"),
    "services": (
        "base",
        "sealing",
        "people",
        "workstreams",
        "handoff",
        "work",
        "plans",
        "changes",
        "review",
        "operation",
        "",
    ),
    "models": ("base", "people", "plans", "workstreams", "work", ""),
    "web": ("", "charts", "people", "plans", "work", "workstreams", "flow"),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts}


def imports_of(module: str) -> Iterator[str]:
    """The modules of this package that a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@cache
def graph() -> dict[str, set[str]]:
    """What each module imports of this package."""
    return {module: {name for name in imports_of(module) if name in MODULES} - {module} for module in MODULES}


def folder_of(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """The nodes of one circle in the order of the arrows, or nothing."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        for following in sorted(graph.get(node, ())):
            if circle := walk(following, [*way, node]):
                return circle
        done.add(node)
        return []

    for start in sorted(graph):
        if circle := walk(start, []):
            return circle
    return []


def test_no_circle_of_modules() -> None:
    assert circle_in(graph()) == []


def test_no_circle_of_folders() -> None:
    """The package's own folder is left out: settings, addresses and the application stand above and below."""
    folders: dict[str, set[str]] = defaultdict(set)
    for module, imported in graph().items():
        here = folder_of(module)
        targets = {folder_of(name) for name in imported} - {here, "orchestrator"}
        if here != "orchestrator":
            folders[here] |= targets
    assert circle_in(folders) == []


@pytest.mark.parametrize("floor", WINGS)
def test_wings_import_one_way(floor: str) -> None:
    prefix, order = f"orchestrator.{floor}", WINGS[floor]
    wrong = []
    for module in sorted(name for name in MODULES if name.startswith(f"{prefix}.")):
        here = order.index(folder_of(module)[len(prefix) + 1 :])
        for name in sorted(graph()[module]):
            if name.startswith(f"{prefix}.") and order.index(folder_of(name)[len(prefix) + 1 :]) > here:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_no_folder_is_a_hall() -> None:
    sizes: dict[str, int] = defaultdict(int)
    for module, path in MODULES.items():
        if path.name != "__init__.py":
            sizes[folder_of(module)] += 1
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}
