"""LC-12: database, workspace and repositories are compared with coded findings, and fixed on demand: nothing
that is replaced is lost, and the history says what was done."""

import json
import os
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse

from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact, HistoryEntry
from orchestrator.services.handoff.publishing import publish
from tests.acceptance.workspace_files import Files
from tests.cast import NOON, Driver
from tests.web.pages import signed_in, words

PLAN = b"""---
repository: shop
---
# Plan: Login

## Stages
### Stage 1: Build
##### Batch 01: setup
###### Thread A: auth
- A1: Tables
##### Batch 02: service
###### Thread B: api
- B1: Service
"""
OUTPUT = "schema.sql"


@pytest.fixture
def done(driver: Driver, files: Files) -> Driver:
    """A1 is complete, with an output; nothing is wrong."""
    driver.start(PLAN)
    driver.claim("A1")
    driver.complete("A1", outputs={OUTPUT: b"create table\n"})
    driver.advance()
    return driver


def check(*words: str, code: int = 0) -> dict:
    """What the command says as JSON; it has to end with this code."""
    out = StringIO()
    ended = 0
    try:
        call_command("check_consistency", "--json", *words, stdout=out)
    except SystemExit as end:
        ended = int(end.code or 0)
    assert ended == code, out.getvalue()
    return json.loads(out.getvalue())


def named(told: dict) -> list[tuple[str, str]]:
    return [(finding["code"], finding["subject"]) for finding in told["findings"]]


def handed_over(files: Files) -> str:
    return next(name for name in files.names() if name.endswith(OUTPUT))


def state_file(driver: Driver, name: str) -> str:
    return f"workstreams/{driver.reload().slug}/{name}"


def data_of(entry: HistoryEntry) -> dict:
    return json.loads(entry.leaf)["data"]


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    done = subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def shop(folders: Path) -> Path:
    repository = folders / "repositories" / "shop"
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "begin")
    return repository


def test_lc12_nothing_is_found_where_everything_agrees(done: Driver) -> None:
    told = check()
    assert (told["consistent"], told["findings"]) == (True, [])


def edit_output(driver: Driver, files: Files) -> tuple[str, str]:
    (files.root / handed_over(files)).write_text("drop table\n")
    return "C-03", handed_over(files)


def lose_output(driver: Driver, files: Files) -> tuple[str, str]:
    path = handed_over(files)
    (files.root / path).unlink()
    return "C-02", path


def link_output(driver: Driver, files: Files) -> tuple[str, str]:
    path = handed_over(files)
    (files.root / path).unlink()
    (files.root / path).symlink_to("/etc/hostname")
    return "C-02", path


def lose_state_file(driver: Driver, files: Files) -> tuple[str, str]:
    path = state_file(driver, "PLAN.md")
    (files.root / path).unlink()
    return "C-04", path


def edit_state_file(driver: Driver, files: Files) -> tuple[str, str]:
    path = state_file(driver, "EXECUTION-DASHBOARD.md")
    (files.root / path).write_text("All done.\n")
    return "C-05", path


def add_file(driver: Driver, files: Files) -> tuple[str, str]:
    (files.root / state_file(driver, "notes.txt")).write_text("mine\n")
    return "C-06", state_file(driver, "notes.txt")


def add_file_of_no_text(driver: Driver, files: Files) -> tuple[str, str]:
    (files.root / os.fsdecode(b"odd-\xff.txt")).write_text("mine\n")
    return "C-06", "odd-\\xff.txt"


def add_link(driver: Driver, files: Files) -> tuple[str, str]:
    (files.root / "way-out").symlink_to("/etc")
    return "C-06", "way-out"


def add_folder(driver: Driver, files: Files) -> tuple[str, str]:
    inner = files.root / "workstreams" / "ghost" / "deep"
    inner.mkdir(parents=True)
    (inner / "tasks.json").write_text("{}")
    git(inner, "init", "--quiet")
    return "C-07", "workstreams/ghost"


def stage_file(driver: Driver, files: Files) -> tuple[str, str]:
    files.git("rm", "--cached", "--quiet", "--", handed_over(files))
    return "C-08", handed_over(files)


INJECTED = (
    edit_output,
    lose_output,
    link_output,
    lose_state_file,
    edit_state_file,
    add_file,
    add_file_of_no_text,
    add_link,
    add_folder,
    stage_file,
)


@pytest.mark.parametrize("inject", INJECTED)
def test_lc12_what_is_wrong_in_the_workspace_is_named_and_fixed(
    done: Driver, files: Files, inject: Callable[[Driver, Files], tuple[str, str]]
) -> None:
    head = files.git("rev-parse", "main")
    finding = inject(done, files)
    assert named(check(code=1)) == [finding]
    assert named(check(code=1)) == [finding], "looking changes nothing"
    told = check("--fix", "--as", done.cast.approver.username)
    assert told["findings"] == []
    assert [(fix["code"], fix["subject"], fix["problem"]) for fix in told["fixes"]] == [(*finding, "")]
    assert named(check()) == []
    assert files.git("rev-parse", "main") == head, "the branch had everything"
    assert files.git("status", "--porcelain") == ""
    entry = HistoryEntry.objects.get(action="consistency restored")
    assert entry.actor.startswith(done.cast.approver.username)
    assert [one["code"] for one in data_of(entry)["fixed"]] == [finding[0]]


@pytest.mark.parametrize("inject", [edit_output, edit_state_file, add_file, add_link, add_folder, stage_file])
def test_lc12_what_is_replaced_is_kept(
    done: Driver, files: Files, inject: Callable[[Driver, Files], tuple[str, str]]
) -> None:
    _, subject = inject(done, files)
    before = files.root / subject
    content = before.read_bytes() if before.is_file() else b""
    [fix] = check("--fix", "--as", done.cast.approver.username)["fixes"]
    kept = files.root / fix["kept"]
    assert os.path.lexists(kept)
    if inject in {edit_output, edit_state_file, add_file}:
        assert kept.read_bytes() == content
    if inject is add_folder:
        assert (kept / "deep" / "tasks.json").read_text() == "{}"


def test_lc12_a_fix_of_files_makes_successors_go_on(done: Driver, files: Files) -> None:
    lose_output(done, files)
    done.advance()
    assert HandoffArtifact.objects.filter(state=ArtifactState.DAMAGED).exists()
    check("--fix", "--as", done.cast.approver.username)
    assert not HandoffArtifact.objects.filter(state=ArtifactState.DAMAGED).exists()


def test_lc12_edited_state_files_are_told_before_they_are_written_anew(done: Driver, files: Files) -> None:
    path = files.root / state_file(done, "EXECUTION-DASHBOARD.md")
    path.write_text("My own notes.\n")
    done.claim("B1")
    publish(now=NOON, workstream_id=done.reload().pk)
    assert path.read_text() != "My own notes.\n"
    entry = HistoryEntry.objects.get(action="edited file replaced")
    assert entry.subject == state_file(done, "EXECUTION-DASHBOARD.md")
    assert (files.root / data_of(entry)["kept"]).read_text() == "My own notes.\n"


def test_lc12_what_the_orchestrator_wrote_is_nobodys_edit(done: Driver) -> None:
    done.claim("B1")
    done.complete("B1")
    done.advance()
    assert not HistoryEntry.objects.filter(action="edited file replaced").exists()


def test_lc12_registry_entries_are_compared(done: Driver, files: Files) -> None:
    path = files.root / "workstreams" / "index.json"
    told = json.loads(path.read_text())
    told["streams"] = [{"id": "ghost"}]
    path.write_text(json.dumps(told))
    slug = done.reload().slug
    index = ("C-05", "workstreams/index.json")
    assert named(check(code=1)) == [index, ("C-09", "ghost"), ("C-10", slug)]
    assert named(check("--fix", "--as", done.cast.approver.username)) == []


def test_lc12_unlinked_tasks_are_a_warning(done: Driver, files: Files) -> None:
    """The branch and the work tree agree, and the database has a task that neither has."""
    path = files.root / state_file(done, "tasks.json")
    told = json.loads(path.read_text())
    told["tasks"][0]["id"] = "Z9"
    path.write_text(json.dumps(told))
    findings = check(code=1)["findings"]
    unlinked = [finding for finding in findings if finding["code"] == "C-11"]
    slug = done.reload().slug
    assert [finding["subject"] for finding in unlinked] == [f"Z9 of {slug}", f"A1 of {slug}"]
    assert {finding["severity"] for finding in unlinked} == {"warning"}
    assert named(check("--fix", "--as", done.cast.approver.username)) == []


def test_lc12_branches_and_worktrees_without_work(done: Driver, shop: Path, folders: Path) -> None:
    slug = done.reload().slug
    git(shop, "branch", f"ws/{slug}/A")
    worktree = folders / "worktrees" / "ghost" / ".worktrees" / "a"
    git(shop, "worktree", "add", "--quiet", "-b", "ws/ghost/a", str(worktree))
    (worktree / "unsaved.txt").write_text("work\n")
    git(shop, "branch", f"ws/{slug}/nobody")
    commit = git(shop, "rev-parse", "main")
    told = check(code=1)
    assert named(told) == [
        ("C-12", "ws/ghost/a"),
        ("C-12", f"ws/{slug}/nobody"),
        ("C-13", "ghost/a"),
    ]
    fixed = check("--fix", "--as", done.cast.approver.username)
    assert fixed["findings"] == []
    assert {fix["problem"] for fix in fixed["fixes"]} == {""}
    assert git(shop, "branch", "--format=%(refname:short)").split() == ["main", f"ws/{slug}/A"]
    kept = {fix["subject"]: fix["kept"] for fix in fixed["fixes"]}
    assert git(shop, "rev-parse", kept["ws/ghost/a"]) == commit
    assert (folders / "worktrees" / kept["ghost/a"] / "unsaved.txt").read_text() == "work\n"


def test_lc12_a_diverged_branch_is_named_and_left_to_a_person(done: Driver, files: Files) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    files.git(*who, "commit", "--amend", "--quiet", "--allow-empty", "-m", "tidied up")
    head = files.git("rev-parse", "main")
    edit_output(done, files)
    assert [code for code, _ in named(check(code=1))] == ["C-01", "C-03"]
    told = check("--fix", "--as", done.cast.approver.username, code=1)
    assert [code for code, _ in named(told)] == ["C-01", "C-03"]
    assert all(fix["problem"] for fix in told["fixes"])
    assert files.git("rev-parse", "main") == head
    assert not HistoryEntry.objects.filter(action="consistency restored").exists()


def test_lc12_who_may_not_fix_is_refused(done: Driver, files: Files) -> None:
    path = files.root / edit_output(done, files)[1]
    answer = signed_in(done.cast.contributor).post(reverse("consistency-fix"))
    assert answer.status_code == 403
    assert path.read_text() == "drop table\n"


def test_lc12_the_page_names_findings_and_fixes_them(done: Driver, files: Files) -> None:
    client = signed_in(done.cast.approver)
    assert "agree" in words(client.get(reverse("consistency")))
    _, path = edit_output(done, files)
    shown = words(client.get(reverse("consistency")))
    assert "C-03" in shown
    assert path in shown
    answer = client.post(reverse("consistency-fix"), follow=True)
    assert "1 finding fixed" in words(answer)
    assert (files.root / path).read_text() == "create table\n"
