"""Every sentence that says where work stands is written once, in `core/engine/explain.py` (FR-015)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import tree_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "orchestrator"
EXPLAIN = PACKAGE / "core" / "engine" / "explain.py"
#: How such sentences begin or go on. Readers of plans speak of texts, refusals of acts: not searched.
#: That a version waits for its review is said of plans.
STANDS = re.compile(
    r"\b(waits (for(?! (its )?(review|approval|a decision|your))|until)|not started|is not ready|being queued"
    r"|nobody has accepted|blocked:|held:|launched,|is not committed yet|cancelled in the source)",
    re.IGNORECASE,
)
SEARCHED = ("api", "core/engine", "core/files", "mcp", "models", "queries", "templatetags", "web")
#: Texts that speak of something else, or stand beside a sentence of ours: a label, a hint about other tasks.
OTHERS = {"Waits for a person", " is usable again; what waits for it goes on."}


def pieces(path: Path) -> Iterator[str]:
    """The texts of a module, of an f-string each piece; not what documents it."""
    tree = tree_of(path)
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


def modules() -> list[Path]:
    found = (path for folder in SEARCHED for path in (PACKAGE / folder).rglob("*.py"))
    return sorted(path for path in found if path != EXPLAIN)


def test_no_other_module_says_where_work_stands() -> None:
    said = [
        f"{path.relative_to(PACKAGE)}: {text}"
        for path in modules()
        for text in pieces(path)
        if STANDS.search(text) and text not in OTHERS
    ]
    assert said == []


#: Long enough to be a sentence's own words.
PHRASES = sorted({text.strip(" ,.:;") for text in pieces(EXPLAIN) if len(text.split()) >= 5})


@pytest.fixture(scope="module")
def texts() -> dict[Path, list[str]]:
    """All texts of the package and its templates, by file."""
    written = {path: list(pieces(path)) for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts}
    return written | {
        path: [path.read_text(encoding="utf-8")] for path in (ROOT / "templates").rglob("*.html")
    }


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_sentence_is_changed_in_one_place(phrase: str, texts: dict[Path, list[str]]) -> None:
    """Its words stand once in the package and in no template."""
    assert [path for path, written in texts.items() for text in written if phrase in text] == [EXPLAIN]
