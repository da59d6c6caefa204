"""FR-029: how far each branch was looked at is known of every one of them, whatever they are called."""

from datetime import UTC, datetime

import pytest

from orchestrator.workspace import ResultBranches, Workspace
from orchestrator.workspace.result_branches import Branch
from tests.workspace.conftest import Git

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "names",
    [("a", "a/b"), ("a/b", "a"), ("Twin", "twin"), ("x" * 250,), ("ev\u2028il", "ev", "il"), ("\udcff",)],
    ids=["folder later", "folder first", "twins", "long", "line separator", "no text"],
)
def test_fr029_marks_are_never_in_each_others_way(space: Workspace, git: Git, names: tuple[str, ...]) -> None:
    with space.locked():
        commit = space.write({"first": b"1"}, "first\n", AT)
    branches = ResultBranches(space)
    for name in names:
        ref = f"refs/inbox/{name}"
        git("update-ref", ref, commit)
        [branch] = branches.moved()
        assert branch == Branch(ref, commit, "")
        branches.mark({branch: commit})
        assert branches.moved() == []
        git("update-ref", "-d", ref)
    for name in names[-1:]:
        git("update-ref", f"refs/inbox/{name}", commit)
    assert branches.moved() == [], "the marks stand"
