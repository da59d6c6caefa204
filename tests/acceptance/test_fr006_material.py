"""FR-006: the gate page shows what a signature rests on: lines, texts, proof, tests, what is undone."""

import subprocess
from pathlib import Path

import pytest
from django.test import Client

from orchestrator.adapters.changes import CommitSpan, changed_lines
from orchestrator.models import Attempt, Discussion, WorkflowVersion
from tests.cast import Driver
from tests.web.pages import htmx, signed_in, words


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def at_gate(driver: Driver, settings, tmp_path: Path) -> Driver:
    """MP1 waits; A1 and A2 committed to the plan's repository, one file after the other."""
    settings.REPOSITORIES_DIR = tmp_path
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "ledger.py").write_text("one = 1\ntwo = 2\n")
    commits = [commit(folder, "base")]
    (folder / "ledger.py").write_text("one = 1\ntwo = 3\nthree = '<b>'\n")
    commits.append(commit(folder, "A1"))
    (folder / "logo.bin").write_bytes(b"\0\1\2")
    (folder / "long.txt").write_text("x\n" * 500)
    commits.append(commit(folder, "A2"))
    driver.start()
    driver.do("A1", "B1")
    driver.claim("A2")
    driver.complete("A2", outputs={"report.txt": b"total 42\n  kept space\n", "p.png": b"\x89\0"})
    WorkflowVersion.objects.update(repository="shop")
    for key, base, made in (("A1", 0, 1), ("A2", 0, 2)):
        attempt = driver.attempt(key)
        Attempt.objects.filter(pk=attempt.pk).update(base=commits[base], commit=commits[made])
    return driver


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def page(driver: Driver) -> str:
    return f"/gates/{driver.task('MP1').pk}/"


@pytest.fixture
def client(at_gate: Driver) -> Client:
    return signed_in(at_gate.cast.reviewer)


def test_fr006_the_page_counts_files_and_lines(at_gate: Driver, client: Client) -> None:
    shown = words(client.get(page(at_gate)))
    assert "3 files changed, 502 lines added, 1 removed" in shown
    assert "ledger.py +2 −1" in shown
    assert "logo.bin binary or large" in shown


def test_fr006_what_two_results_changed_alike_is_counted_once(at_gate: Driver, client: Client) -> None:
    """B1 rests on A1's commit, which A2 holds as well."""
    made = Attempt.objects.get(pk=at_gate.attempt("A1").pk)
    Attempt.objects.filter(pk=at_gate.attempt("B1").pk).update(base=made.base, commit=made.commit)
    shown = words(client.get(page(at_gate)))
    assert "1 file changed, 2 lines added, 1 removed" in shown
    assert "results in 3 files, 502 lines added, 1 removed" in shown


def test_fr006_lines_are_loaded_when_they_are_opened_and_bounded(at_gate: Driver, client: Client) -> None:
    attempt = at_gate.attempt("A2").pk
    address = f"{page(at_gate)}changes/{attempt}/"
    part = client.get(address, **htmx(f"changes-{attempt}"))
    assert part.content.strip().startswith(b'<div class="stack-s" id="changes-')
    shown = words(part)
    assert "− removed: two = 2" in shown
    assert "+ added: three = '<b>'" in shown
    assert "500 lines changed, more than the 400 that are shown of a file." in shown
    assert "It is binary, or too large to be compared here." in shown
    assert "What A2 changed" in words(client.get(address)), "without a script it is a page"
    assert client.get(f"{page(at_gate)}changes/{attempt + 9}/").status_code == 404


def test_fr006_a_repository_that_is_not_here_takes_nothing_away(
    at_gate: Driver, client: Client, settings, tmp_path: Path
) -> None:
    settings.REPOSITORIES_DIR = tmp_path / "nowhere"
    assert "files changed" not in words(answer := client.get(page(at_gate)))
    assert answer.status_code == 200
    settings.REPOSITORIES_DIR = tmp_path
    Attempt.objects.update(commit="f" * 40)
    assert "files changed" not in words(client.get(page(at_gate)))


def test_fr006_texts_of_outputs_stand_on_the_page_with_their_spaces(at_gate: Driver, client: Client) -> None:
    body = client.get(page(at_gate)).content.decode()
    assert "total 42\n  kept space" in body
    assert body.count('<pre class="output"') == 1


def test_fr006_criteria_are_proved_or_asserted(at_gate: Driver, client: Client) -> None:
    attempt = at_gate.attempt("A2")
    check = attempt.checks.get()
    assert "asserted: somebody's word, which no run here shows." in words(client.get(page(at_gate)))
    for evidence, grounds in (
        ("see report.txt", "Asserted with report.txt"),
        (f"done in {attempt.commit[:9]}", f"Asserted with commit {attempt.commit[:12]}"),
        ("trust me", "Asserted"),
    ):
        type(check).objects.filter(pk=check.pk).update(evidence=evidence)
        assert grounds in words(client.get(page(at_gate)))
    attempt.assignment.executor.kind = "tool"
    attempt.assignment.executor.save()
    shown = words(client.get(page(at_gate)))
    assert "Proved by the tool" in shown
    assert "Passed A2, by" in shown


def test_as6_the_page_says_what_a_rejection_does_again(at_gate: Driver, client: Client) -> None:
    shown = words(client.get(page(at_gate)))
    assert "A1: Refund API (3 done again)" in shown or "(3 done again)" in shown
    assert "A2, MP1 1" in shown, "one result of A2 is thrown away"
    client.post(f"{page(at_gate)}decide", {"decision": "reject", "reason": "No.", "return_key": "A1"})
    assert at_gate.task("A2").rework == 1
    assert "What a rejection does again" not in words(client.get(page(at_gate)))


def test_fr006_what_is_said_at_the_gate_stands_beside_its_step_in_the_plan(
    at_gate: Driver, client: Client
) -> None:
    empty = client.post(f"{page(at_gate)}say", {"body": "  "})
    assert empty.status_code == 422
    answer = client.post(f"{page(at_gate)}say", {"body": "Who checked rounding?"}, follow=True)
    assert "Who checked rounding?" in words(answer)
    assert Discussion.objects.get().step == "MP1"
    assert "Say something about this gate" not in words(signed_in(at_gate.cast.observer).get(page(at_gate)))


def test_fr006_the_page_costs_the_same_for_any_number_of_results(
    at_gate: Driver, client: Client, django_assert_max_num_queries
) -> None:
    client.get(page(at_gate))
    with django_assert_max_num_queries(48):
        client.get(page(at_gate))


def test_fr006_lines_stand_under_their_own_file(tmp_path: Path) -> None:
    """Where a file became a folder git tells of more files than it was asked for."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "a").write_text("gone\n")
    (tmp_path / "z").write_text("one\ntwo\n")
    base = commit(tmp_path, "base")
    (tmp_path / "a").unlink()
    (tmp_path / "a").mkdir()
    (tmp_path / "a/big").write_text("big\n" * 3)
    (tmp_path / "z").write_text("one\nthree\n")
    lines = changed_lines(tmp_path, CommitSpan(base, commit(tmp_path, "next")), ["a", "z"])
    assert [(one.kind, one.text) for one in lines["z"]] == [("", "one"), ("dele", "two"), ("ins", "three")]
    assert [one.text for one in lines["a"]] == ["gone"]
