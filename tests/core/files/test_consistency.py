"""The rules of the consistency check over listings, without a file (LC-12)."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.files.consistency import (
    MEANINGS,
    Code,
    FileStanding,
    judge_files,
    judge_foreign,
    judge_index,
    judge_places,
    judge_registry,
    judge_tasks,
)

NAMES = st.text("abc", min_size=1, max_size=2)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
LISTING = st.dictionaries(PATHS, st.sampled_from(["1", "2"]), max_size=6)


def test_every_code_is_explained() -> None:
    assert set(MEANINGS) == set(Code)
    assert [code for code in Code if MEANINGS[code].is_warning] == [Code.TASK_UNLINKED]


@given(handed_over=LISTING, branch=LISTING)
def test_nothing_differs_from_itself(handed_over: dict[str, str], branch: dict[str, str]) -> None:
    there = {path: FileStanding(blob=blob) for path, blob in branch.items()}
    there |= {path: FileStanding(digest, branch.get(path, "")) for path, digest in handed_over.items()}
    assert judge_files(handed_over, branch, there) == []
    assert judge_index(branch, branch) == []
    assert judge_registry(branch, branch) == []
    assert judge_tasks("a", branch, branch) == []


@given(branch=LISTING, index=LISTING)
def test_an_index_entry_is_told_for_each_path_that_differs(
    branch: dict[str, str], index: dict[str, str]
) -> None:
    wrong = {path for path in branch.keys() | index.keys() if branch.get(path) != index.get(path)}
    assert {finding.subject for finding in judge_index(branch, index)} == wrong


def test_what_is_handed_over_goes_by_the_record_and_the_rest_by_the_branch() -> None:
    handed_over = {"workstreams/x/a.txt": "good"}
    branch = {"workstreams/x/a.txt": "1", "workstreams/x/PLAN.md": "2", "workstreams/x/old.txt": "3"}
    there = {
        "workstreams/x/a.txt": FileStanding("bad", "1"),
        "workstreams/x/PLAN.md": FileStanding("any", "changed"),
    }
    assert [(one.code, one.subject) for one in judge_files(handed_over, branch, there)] == [
        (Code.STATE_FILE_EDITED, "workstreams/x/PLAN.md"),
        (Code.FILE_EDITED, "workstreams/x/a.txt"),
        (Code.FILE_MISSING, "workstreams/x/old.txt"),
    ]


def test_a_foreign_folder_is_told_once_and_a_file_beside_known_ones_by_its_name() -> None:
    found = judge_foreign(
        {"workstreams/x/a.txt"},
        ["workstreams/x/a.txt", "workstreams/x/b.txt", "ghost/deep/c.txt"],
        ["workstreams", "workstreams/x", "workstreams/empty", "ghost", "ghost/deep"],
    )
    assert [(one.code, one.subject) for one in found] == [
        (Code.FOLDER_FOREIGN, "ghost"),
        (Code.FOLDER_FOREIGN, "workstreams/empty"),
        (Code.FILE_FOREIGN, "workstreams/x/b.txt"),
    ]


@given(known=st.sets(PATHS, max_size=4), extra=st.sets(PATHS, max_size=4))
def test_every_foreign_file_is_told_or_stands_in_a_folder_that_is(known: set[str], extra: set[str]) -> None:
    known, extra = ({f"{path}.txt" for path in paths} for paths in (known, extra))
    files = known | extra
    folders = {path.rsplit("/", end)[0] for path in files for end in (1, 2) if "/" in path}
    told = [finding.subject for finding in judge_foreign(known, files, folders)]
    for path in files:
        covered = [subject for subject in told if path == subject or path.startswith(f"{subject}/")]
        assert len(covered) == (path not in known), path


def test_a_branch_belongs_to_a_thread_of_its_own_workstream() -> None:
    threads = {("login", "a")}
    found = [("login", "a", "shop"), ("login", "b", "shop"), ("logout", "a", "shop")]
    told = judge_places(Code.BRANCH_WITHOUT_WORK, threads, found)
    assert [(one.subject, one.place) for one in told] == [("ws/login/b", "shop"), ("ws/logout/a", "shop")]
