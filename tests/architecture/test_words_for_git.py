"""BX-1, FR-025: no word that somebody chose can be an option of git.

Whatever stands in a call of git is written in the code, comes behind `--` or `--end-of-options`, is a name
that begins otherwise than an option can, or is checked first by a function that is named here.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.test_wings import MODULES

#: Floors that start git.
MODULES_WITH_GIT = sorted(
    name for name in MODULES if name.startswith(("orchestrator.adapters", "orchestrator.workspace"))
)
CALLED = {"git", "_git"}
END = {"--", "--end-of-options"}
TAKES_THE_NEXT = {"-m", "--message", "-p", "-B"}
#: Values that are full ids or names of our own when they get there, and where that is made certain.
CHECKED = {
    "orchestrator.adapters.worktree": {"base", "full", "options", "arguments", "f'{one}^{{tree}}'"},
    "orchestrator.adapters.merging": {"head", "commits", "where", "options"},
    "orchestrator.adapters.keeping": {"parents", "whole"},
    "orchestrator.adapters.base_branch": {"earlier", "later", "commit", "self.head()"},
    "orchestrator.adapters.leftovers": {"commit", "kept"},
    "orchestrator.adapters.previews": {
        "base",
        "commit",
        "tip",
        "commits",
        "options",
        "ours",
        "theirs",
        "words",
        "tree",
    },
    "orchestrator.adapters.root_file": {"blob", "commit", "made", "old or '0' * len(made)", "parent", "tree"},
}


def words_of(call: ast.Call) -> Iterator[ast.expr]:
    """The words that git may read as options: those before the one that ends them."""
    before: object = None
    for word in call.args:
        said = word.value if isinstance(word, ast.Constant) else None
        if said in END:
            return
        if before not in TAKES_THE_NEXT:
            yield word
        before = said


def is_safe(word: ast.expr) -> bool:
    """A literal, or a text that begins with one."""
    if isinstance(word, ast.Constant):
        return True
    if isinstance(word, ast.JoinedStr):
        first = word.values[0]
        return isinstance(first, ast.Constant) and bool(first.value)
    if isinstance(word, ast.Starred):
        return is_safe(word.value)
    if isinstance(word, ast.Name):
        return word.id.lstrip("_").isupper() or word.id in {"repository", "folder", "directory"}
    if isinstance(word, ast.Attribute):
        return word.attr in {"repository", "folder"}
    if isinstance(word, ast.Call):
        return isinstance(word.func, ast.Name) and word.func.id in {"_full"}
    return False


def unsafe_words(module: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in CALLED:
            found += [ast.unparse(word).lstrip("*") for word in words_of(node) if not is_safe(word)]
    return sorted(set(found) - CHECKED.get(module, set()))


@pytest.mark.parametrize("module", MODULES_WITH_GIT)
def test_no_word_for_git_is_anybodys(module: str) -> None:
    assert unsafe_words(module) == []


def test_a_chosen_word_would_be_seen() -> None:
    call = ast.parse("git(folder, 'merge', commit)").body[0].value  # type: ignore[attr-defined]
    assert [ast.unparse(word) for word in words_of(call) if not is_safe(word)] == ["commit"]
