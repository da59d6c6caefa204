"""BX-1, FR-027: the commit that a completion names is one of the plan's repository and builds on its base;
whatever else stands there is refused over every interface, and never gets to git."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.adapters import repository as plan_repository
from orchestrator.adapters.repository import git
from orchestrator.core.terms import AttemptStatus, CriterionKind, TaskStatus
from orchestrator.models import Assignment, Attempt, ResultFile, Workstream
from orchestrator.services.work import failures
from tests.acceptance.producer import Producer, told
from tests.cast import PLAN, Driver
from tests.machines import Machine, secret_of
from tests.mcp.connection import joined
from tests.web.pages import signed_in, words

WITH_REPOSITORY = PLAN.replace(b"domain: payments\n", b"domain: payments\nrepository: sample\n")
#: What git reads as something else than a name, or as a name that is no id.
WORDS = {
    "every ref": "--all",
    "an option with a value": "--strategy=octopus",
    "a program": "--upload-pack=touch pwned",
    "a file of arguments": "--stdin",
    "a message": ":/As it stands",
    "the reflog": "HEAD@{1}",
    "a range": "main..main",
    "a branch": "main",
    "a ref": "refs/heads/main",
    "the head": "HEAD",
    "an ancestor": "HEAD^",
    "a tree": "main^{tree}",
    "a path": "main:As it stands.txt",
    "an index entry": ":0:As it stands.txt",
    "not": "^main",
    "two lines": "abcdef1\nabcdef2",
    "too short": "abc",
    "other digits": "abcdefg",
}


@pytest.fixture
def repository(settings: Settings) -> Path:
    path = settings.REPOSITORIES_DIR / "sample"
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch", "main")
    commit(path, "As it stands")
    return path


def commit(path: Path, subject: str) -> str:
    (path / f"{subject}.txt").write_text(subject)
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", subject)
    return git(path, "rev-parse", "HEAD").strip()


def work(path: Path, subject: str, base: str = "main") -> str:
    """A commit on a branch of its own."""
    git(path, "checkout", "--quiet", "-B", "lane", base)
    made = commit(path, subject)
    git(path, "checkout", "--quiet", "main")
    return made


def orphan(path: Path) -> str:
    return git(path, "commit-tree", "-m", "no parent", f"{work(path, 'Alone')}^{{tree}}").strip()


def evidence_of(held: Assignment) -> dict[str, str]:
    exits = held.attempt.task.step.criteria.filter(kind=CriterionKind.EXIT)
    return {str(criterion.pk): "seen" for criterion in exits}


def over_rest(held: Assignment, named: str) -> tuple[int, str]:
    body = {"token": held.token, "commit": named, "evidence": evidence_of(held)}
    status, answer = Machine.of(held.executor).post(f"/api/attempts/{held.attempt_id}/complete", body)
    return status, answer.get("message", "")


def on_the_page(held: Assignment, named: str) -> tuple[int, str]:
    task = held.attempt.task
    fields: dict[str, Any] = {"attempt": held.attempt_id, "token": held.token, "commit": named}
    fields |= {f"evidence-{pk}": text for pk, text in evidence_of(held).items()}
    address = reverse("task-act", args=[task.workstream.uuid, task.step.key, "complete"])
    answer = signed_in(held.executor.user).post(address, fields)
    return answer.status_code, words(answer) if answer.content else ""


def complete(held: Assignment, named: str) -> str:
    """What the refusal says; empty when it was taken."""
    status, said = over_rest(held, named)
    assert status in {200, 422}, said
    return said


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that git was given about the plan's repository."""
    given: list[bytes] = []
    run = subprocess.run

    def note(command: Any, **rest: Any) -> Any:
        given.append(b" ".join(word if isinstance(word, bytes) else str(word).encode() for word in command))
        given.append(rest.get("input") or b"")
        return run(command, **rest)

    monkeypatch.setattr(plan_repository.subprocess, "run", note)
    return given


@pytest.mark.parametrize("how", WORDS)
def test_bx1_a_word_that_is_no_commit_is_refused_and_never_gets_to_git(
    driver: Driver, repository: Path, asked: list[bytes], how: str
) -> None:
    driver.start(WITH_REPOSITORY)
    held = driver.claim("A1")
    asked.clear()
    assert "is not a commit" in complete(held, WORDS[how])
    assert not any(WORDS[how].encode() in one for one in asked)
    assert driver.attempt("A1").status == AttemptStatus.RUNNING
    assert not (repository / "pwned").exists()


@pytest.mark.parametrize("how", ["every ref", "an option with a value", "a message", "a branch"])
@pytest.mark.parametrize("plan", [PLAN, WITH_REPOSITORY], ids=["no repository", "repository"])
def test_bx1_the_page_and_a_result_file_refuse_it_too(
    driver: Driver, repository: Path, settings: Settings, plan: bytes, how: str
) -> None:
    driver.start(plan)
    held = driver.claim("A1", driver.cast.builder())
    if on_person := on_the_page(held, WORDS[how]):
        assert on_person[0] == 422, on_person
    proof = {"unit tests pass": "42"}
    result = told(held, evidence=proof, commit=WORDS[how])
    Producer(settings.WORKSPACE_DIR, held.executor.name).push({"result.json": result})
    driver.advance()
    assert "is not a commit" in ResultFile.objects.get().problem
    assert driver.attempt("A1").status == AttemptStatus.RUNNING


@pytest.mark.django_db(transaction=True)
def test_bx1_mcp_refuses_it_too(driver: Driver) -> None:
    driver.start()
    held = driver.claim("A1", driver.cast.builder())
    proof, secret = evidence_of(held), secret_of(held.executor)

    async def agent() -> None:
        async with joined(secret) as session:
            for word in WORDS.values():
                refusal = await session.refused(
                    "complete_task", attempt_id=held.attempt_id, token=held.token, evidence=proof, commit=word
                )
                assert (refusal["code"], refusal["details"]["field"]) == ("invalid-input", "commit")

    asyncio.run(agent())
    assert driver.attempt("A1").status == AttemptStatus.RUNNING


def test_bx1_without_a_repository_a_commit_is_a_note_for_people(driver: Driver) -> None:
    driver.start()
    held = driver.claim("A1")
    assert complete(held, " C0FFEE12 ") == ""
    assert driver.attempt("A1").commit == "c0ffee12"


def test_bx1_an_abbreviation_is_kept_as_the_full_id(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    held = driver.claim("A1")
    made = work(repository, "A1")
    assert complete(held, made[:10]) == ""
    assert driver.attempt("A1").commit == made


def test_bx1_a_commit_that_nobody_has_is_refused(driver: Driver, repository: Path) -> None:
    driver.start(WITH_REPOSITORY)
    held = driver.claim("A1")
    assert "has no commit deadbeef" in complete(held, "deadbeef" * 5)
    blob = git(repository, "rev-parse", "main:As it stands.txt").strip()
    assert f"has no commit {blob}" in complete(held, blob)
    git(repository, "branch", "abcdef1")
    assert "has no commit abcdef1" in complete(held, "abcdef1"), "a branch that is called like one"


def before_its_base(repository: Path) -> str:
    return git(repository, "rev-parse", "main~1").strip()


@pytest.mark.parametrize("foreign", [orphan, before_its_base])
def test_bx1_a_commit_that_does_not_build_on_the_base_is_refused(
    driver: Driver, repository: Path, foreign: Callable[[Path], str]
) -> None:
    commit(repository, "Second")
    driver.start(WITH_REPOSITORY)
    held = driver.claim("A1")
    assert "does not descend from" in complete(held, foreign(repository))
    assert driver.attempt("A1").status == AttemptStatus.RUNNING
    assert complete(held, work(repository, "A1")) == ""
    assert driver.task("A1").status == TaskStatus.COMPLETE


def test_bx1_a_stale_claim_is_told_that_first(driver: Driver, repository: Path) -> None:
    """What it sent is kept as evidence, whatever it says of a commit."""
    driver.start(WITH_REPOSITORY)
    held = driver.claim("A1")
    driver.fail("A1")
    assert over_rest(held, "--all")[0] == 409


def test_bx1_the_base_is_where_the_branch_stood_at_the_first_claim(driver: Driver, repository: Path) -> None:
    """The base branch moves on while an attempt runs, and its successor goes on with the same work."""
    driver.start(WITH_REPOSITORY)
    driver.claim("A1")
    base = git(repository, "rev-parse", "main").strip()
    made = work(repository, "A1")
    commit(repository, "Meanwhile")
    driver.fail("A1")
    failures.requeue(
        task_id=driver.task("A1").pk,
        reason="Again.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()
    held = driver.claim("A1", driver.cast.builder("second"))
    assert set(Attempt.objects.filter(task=driver.task("A1")).values_list("base", flat=True)) == {base}
    assert complete(held, made) == ""


def test_bx1_a_base_branch_that_was_reset_asks_for_common_history_only(
    driver: Driver, repository: Path
) -> None:
    commit(repository, "Pushed too early")
    driver.start(WITH_REPOSITORY)
    held = driver.claim("A1")
    git(repository, "reset", "--quiet", "--hard", "HEAD~1")
    assert "does not descend from" in complete(held, orphan(repository))
    assert complete(held, work(repository, "A1")) == ""


@pytest.mark.parametrize(
    "name",
    [
        "-x",
        "a..b",
        "main@{1}",
        "a//b",
        "/a",
        "a/",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "main^",
        "a b",
        "HEAD~1",
    ],
)
def test_bx1_a_plan_whose_base_branch_is_no_branch_is_not_taken(driver: Driver, name: str) -> None:
    front = f"repository: sample\nbase_branch: {name}\n".encode()
    source = PLAN.replace(b"domain: payments\n", b"domain: payments\n" + front).decode()
    answer = signed_in(driver.cast.initiator).post(
        reverse("plan-submit"), {"act": "submit", "source": source}
    )
    assert answer.status_code == 422
    assert "cannot be the name of a base branch" in words(answer)
    assert not Workstream.objects.exists()
