"""The borders of design section 8, kept by reading the imports: floors, and on each floor wings, one way."""

import ast
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import tree_of

PACKAGE = Path(__file__).resolve().parents[2] / "orchestrator"
#: Each layer with everything it may import; entry points stand on top, core at the bottom.
LAYERS = {
    "core": {"core"},
    "contract": {"core", "contract"},
    "models": {"core", "models"},
    "sandbox": {"core", "sandbox"},
    "client": {"client"},
    "adapters": {"core", "sandbox", "adapters"},
    "workspace": {"core", "workspace"},
    "queries": {"core", "contract", "models", "adapters", "workspace", "queries"},
    "services": {"core", "contract", "models", "adapters", "workspace", "queries", "services"},
}
STANDARD_LIBRARY_ONLY = (
    "django",
    "rfc8785",
    "cryptography",
    "markdown_it",
    "yaml",
    "nh3",
    "ninja",
    "mcp",
    "django_q",
    "pydantic",
)


def imports(path: Path) -> set[str]:
    tree = tree_of(path)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }


def modules(layer: str) -> list[Path]:
    return sorted((PACKAGE / layer).rglob("*.py"))


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_down_only(layer: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in modules(layer)
        for name in imports(path)
        if name.startswith("orchestrator.") and name.split(".")[1] not in LAYERS[layer]
    ]
    assert wrong == []


def test_core_is_free_of_django_clock_and_io() -> None:
    wrong = [
        f"{path.name} imports {name}"
        for path in modules("core")
        for name in imports(path)
        if name.split(".")[0]
        in (*STANDARD_LIBRARY_ONLY, "time", "os", "pathlib", "subprocess", "socket", "random")
    ]
    assert wrong == []


def test_the_client_needs_nothing_that_is_installed() -> None:
    """An agent's machine has Python and the wheel alone."""
    wrong = [
        f"{path.name} imports {name}"
        for path in modules("client")
        for name in imports(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "orchestrator"}
    ]
    assert wrong == []


def test_queries_never_write() -> None:
    writes = {
        "create",
        "bulk_create",
        "save",
        "update",
        "bulk_update",
        "delete",
        "get_or_create",
        "update_or_create",
    }
    wrong = []
    for path in modules("queries"):
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in writes
            ):
                target = node.func.value
                # `dict.update` and `set.update` are no writes; only what hangs on `objects` or a query set
                # is.
                if "objects" in ast.unparse(target) or node.func.attr in {"save", "bulk_create", "delete"}:
                    wrong.append(f"{path.name}:{node.lineno}")
    assert wrong == []


def test_only_the_history_service_writes_history() -> None:
    writers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "HistoryEntry(" in path.read_text()
        and "models" not in path.parts
        and "migrations" not in path.parts
    ]
    assert writers == ["services/base/history.py"]


def test_nothing_is_deleted() -> None:
    """LC-10: rows are completed, archived or withdrawn; no code path deletes one."""
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for layer in (*LAYERS, "web", "api", "mcp", "admin", "management", "processes")
        for path in modules(layer)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "delete"
    ]
    assert wrong == []


def test_no_module_is_called_after_nothing() -> None:
    assert [p.name for p in PACKAGE.rglob("*.py") if p.stem in {"utils", "helpers", "common", "misc"}] == []
