"""FR-029, B38: an executor commits its result itself.

The collector takes it in, or quarantines it with the reason.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from django.core.management import call_command
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.core.terms import ArtifactState, AttemptStatus, EventType, ResultFileState, TaskStatus
from orchestrator.models import Assignment, HandoffArtifact, HistoryEntry, ResultFile
from orchestrator.services.work import collector
from tests.acceptance.producer import Producer, told
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "orchestrator/schema/committed-result.schema.json").read_text()
)
EVIDENCE = {"unit tests pass": "42 passed"}


@pytest.fixture
def held(driver: Driver) -> Assignment:
    """builder-A1 has claimed A1 over REST and got its token."""
    driver.start()
    return driver.claim("A1")


@pytest.fixture
def producer(held: Assignment, settings: Settings) -> Producer:
    return Producer(settings.WORKSPACE_DIR, held.executor.name)


def only() -> ResultFile:
    return ResultFile.objects.get()


def test_fr029_a_committed_result_completes_the_attempt(
    driver: Driver, held: Assignment, producer: Producer, files: Files
) -> None:
    result = told(held, outcome="Entries are there.", evidence=EVIDENCE, outputs=["notes/ledger.md"])
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(result))
    producer.push({"A1.result.json": result, "notes/ledger.md": b"# Ledger\n"})
    driver.advance()

    assert only().state == ResultFileState.INGESTED
    assert driver.task("A1").status == TaskStatus.COMPLETE
    artifact = HandoffArtifact.objects.get(attempt=held.attempt, event=EventType.ATTEMPT_COMPLETED)
    body = files.json(artifact.path)
    assert (body["actor"], body["outcome"]) == ("builder-A1 (agent of carl)", "Entries are there.")
    assert files.text(body["outputs"][0]["path"]) == "# Ledger\n"
    assert "A2" in driver.ready()
    entry = HistoryEntry.objects.get(action="attempt completed")
    assert entry.actor == "builder-A1 (agent of carl)"
    assert entry.recorded_at > held.claimed_at, "the time in history is the collector's"


def test_fr029_breadcrumbs_and_failures_come_the_same_way(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    producer.push({"1/result.json": told(held, eventType="breadcrumb", breadcrumb="Half way")})
    driver.advance()
    assert driver.task("A1").breadcrumb == "Half way"
    producer.push(
        {
            "2/result.json": told(
                held, eventType="attempt-failed", error="Disk full", attemptId=held.attempt_id
            )
        }
    )
    driver.advance()
    assert (driver.attempt("A1").status, driver.attempt("A1").error) == (AttemptStatus.FAILED, "Disk full")


def test_fr029_results_are_taken_in_the_order_of_the_commits(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    for number in (3, 1, 2):
        producer.push(
            {f"{number}.result.json": told(held, eventType="breadcrumb", breadcrumb=f"step {number}")}
        )
    producer.push({"0.result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    left = (
        HistoryEntry.objects.filter(action="breadcrumb left")
        .order_by("sequence")
        .values_list("reason", flat=True)
    )
    assert list(left) == ["step 3", "step 1", "step 2"]
    assert driver.task("A1").status == TaskStatus.COMPLETE


def test_fr029_looking_again_has_no_second_effect(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    first = producer.push({"result.json": told(held, evidence=EVIDENCE)})
    assert collector.collect(now=driver.tick()) == 1
    before = HistoryEntry.objects.count()
    producer.git("update-ref", "-d", f"refs/collected/{held.executor.name}")
    assert collector.collect(now=driver.tick()) == 0, "the mark is lost"
    producer.push({"result.json": told(held, evidence=EVIDENCE)}, parent="")
    assert collector.collect(now=driver.tick()) == 0, "the branch is rewritten"
    producer.git("update-ref", producer.ref, first)
    assert collector.collect(now=driver.tick()) == 0, "the branch is set back"
    assert HistoryEntry.objects.count() == before
    assert ResultFile.objects.count() == 1


def quarantined() -> list[HistoryEntry]:
    """What history says of it; a late result that is kept has the entry that it would have over REST."""
    return list(HistoryEntry.objects.filter(action__endswith="quarantined"))


Spoil = Callable[[Assignment], bytes]
SPOILED: dict[str, tuple[Spoil, str]] = {
    "unknown schema version": (
        lambda held: told(held, schemaVersion="2.0"),
        "'2.0'; this orchestrator reads 1.0",
    ),
    "truncated JSON": (lambda held: told(held)[:-9], "is not JSON"),
    "byte order mark": (lambda held: b"\xef\xbb\xbf" + told(held), "byte order mark"),
    "duplicate key": (lambda held: b'{"token": 1, ' + told(held)[1:], "token stands twice"),
    "not UTF-8": (lambda _: b"\xff\xfe{}", "not UTF-8"),
    "NaN": (lambda held: told(held).replace(b'"token": 1', b'"token": NaN'), "NaN is not JSON"),
    "deep nesting": (lambda _: b"[" * 20_000, "nested too deeply"),
    "a list": (lambda _: b"[]", "not a JSON object"),
    "unknown member": (lambda held: told(held, status="complete"), "status is not known"),
    "token is text": (lambda held: told(held, token="1"), "token must be"),
    "wrong token": (lambda held: told(held, token=held.token + 1), "does not hold"),
    "unknown attempt": (lambda held: told(held, attemptId="nobody/A1/1"), "no such attempt"),
    "criteria unmet": (lambda held: told(held), "Without evidence: unit tests pass"),
    "unknown criterion": (
        lambda held: told(held, evidence={"it shines": "yes"}),
        "no exit criterion 'it shines'",
    ),
    "unsafe output": (lambda held: told(held, evidence=EVIDENCE, outputs=["../../PLAN.md"]), "relative path"),
    "git's own file": (lambda held: told(held, evidence=EVIDENCE, outputs=[".git/config"]), "belongs to git"),
    "missing output": (
        lambda held: told(held, evidence=EVIDENCE, outputs=["gone.md"]),
        "gone.md is not in the commit",
    ),
    "too large": (lambda held: told(held, outcome="x" * (collector.RESULT_BYTES + 1)), "is too large"),
    "failure without error": (lambda held: told(held, eventType="attempt-failed"), "error is needed"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_fr029_b38_a_bad_file_is_quarantined_with_the_reason(
    driver: Driver, held: Assignment, producer: Producer, how: str
) -> None:
    spoil, said = SPOILED[how]
    producer.push({"result.json": spoil(held)})
    driver.advance()

    row = only()
    assert (row.state, driver.attempt("A1").status) == (ResultFileState.QUARANTINED, AttemptStatus.RUNNING)
    assert said in row.problem
    [entry] = quarantined()
    assert (entry.subject, entry.reason) == ("builder-A1: result.json", row.problem)
    page = signed_in(driver.cast.observer).get(reverse("collected"))
    assert "builder-A1" in words(page)
    assert "Quarantined" in words(page)
    admin = signed_in(driver.cast.admin).get(reverse("admin:orchestrator_resultfile_changelist"))
    assert "result.json" in words(admin)
    driver.advance()
    assert quarantined() == [entry]

    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    assert driver.task("A1").status == TaskStatus.COMPLETE, "the way out: a corrected file"


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_fr029_links_and_submodules_are_not_followed(
    driver: Driver, held: Assignment, producer: Producer, mode: str
) -> None:
    if mode == "160000":
        commit = producer.push({"note": b""})
        tree = producer.git("mktree", "-z", send=f"160000 commit {commit}\tresult.json\0".encode())
        producer.commit(tree, commit)
    else:
        producer.push({"result.json": b"elsewhere"}, mode=mode)
    driver.advance()
    assert "symbolic link or not a regular file" in only().problem


def test_fr029_an_output_that_is_a_link_is_refused(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    entries = {
        "result.json": ("100644", producer.blob(told(held, evidence=EVIDENCE, outputs=["key"]))),
        "key": ("120000", producer.blob(b"../../secret-key")),
    }
    producer.commit(producer.tree(entries))
    driver.advance()
    assert "key is a symbolic link" in only().problem
    assert driver.attempt("A1").status == AttemptStatus.RUNNING


def test_fr029_f26_a_stale_result_is_kept_as_evidence(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    driver.fail("A1")
    producer.push({"result.json": told(held, outcome="Late.", evidence=EVIDENCE)})
    driver.advance()
    assert "does not hold" in only().problem
    evidence = HandoffArtifact.objects.get(state=ArtifactState.QUARANTINED)
    assert json.loads(evidence.body)["outcome"] == "Late."
    assert driver.attempt("A1").status == AttemptStatus.FAILED


def test_fr029_nobody_hands_in_for_another_executor(
    driver: Driver, held: Assignment, settings: Settings
) -> None:
    driver.cast.builder("mallory")
    for name in ("mallory", "nobody"):
        Producer(settings.WORKSPACE_DIR, name).push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    problems = dict(ResultFile.objects.values_list("executor", "problem"))
    assert "is held by builder-A1 (agent of carl); mallory cannot hand in its result" in problems["mallory"]
    assert "There is no executor 'nobody'" in problems["nobody"]
    assert driver.attempt("A1").status == AttemptStatus.RUNNING
    assert not HandoffArtifact.objects.filter(state=ArtifactState.QUARANTINED).exists()


@pytest.mark.parametrize("how", ["missing commit", "garbage", "a blob", "lost tree", "lost blob"])
def test_fr029_a_damaged_branch_holds_up_no_other_executor(
    driver: Driver, held: Assignment, producer: Producer, settings: Settings, how: str
) -> None:
    driver.cast.builder("adam")  # before builder-A1 in every order
    bad = Producer(settings.WORKSPACE_DIR, "adam")
    git = settings.WORKSPACE_DIR / ".git"
    commit = bad.push({"result.json": told(held)})
    match how:
        case "missing commit":
            (git / bad.ref).write_text("12" * 20 + "\n")
        case "garbage":
            (git / bad.ref).write_text("not a commit\n")
        case "a blob":
            bad.git("update-ref", bad.ref, bad.blob(b"hello"))
        case "lost tree":
            remove(git, bad.git("rev-parse", f"{commit}^{{tree}}"))
        case "lost blob":
            remove(git, bad.git("rev-parse", f"{commit}:result.json"))
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    driver.advance()
    driver.advance()

    assert driver.task("A1").status == TaskStatus.COMPLETE
    [problem] = ResultFile.objects.filter(executor="adam").values_list("problem", flat=True)
    assert "cannot be read" in problem


def remove(git: Path, name: str) -> None:
    os.unlink(git / "objects" / name[:2] / name[2:])


def test_fr029_a_kill_between_act_and_row_leaves_neither(
    driver: Driver, held: Assignment, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    with monkeypatch.context() as patch:
        patch.setattr(ResultFile, "save", lambda *_args, **_rest: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            collector.collect(now=driver.tick())
    assert (driver.attempt("A1").status, ResultFile.objects.count()) == (AttemptStatus.RUNNING, 0)
    assert collector.collect(now=driver.tick()) == 1
    assert HistoryEntry.objects.filter(action="attempt completed").count() == 1


def test_fr029_the_command_says_what_became_of_the_files(
    driver: Driver, held: Assignment, producer: Producer, capsys: pytest.CaptureFixture[str]
) -> None:
    producer.push({"a.result.json": b"{", "b.result.json": told(held, evidence=EVIDENCE), "other.json": b"{"})
    call_command("workspace", "--collect")
    said = capsys.readouterr().out
    assert "Quarantined builder-A1: a.result.json: The file is not JSON" in said
    assert "2 files looked at, 1 taken in." in said


def test_fr029_a_producer_reads_over_rest_what_became_of_its_files(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    producer.push({"result.json": b"{}"})
    driver.advance()
    status, answer = Machine.of(held.executor).get("/api/collected/")
    assert (status, answer["count"]) == (200, 1)
    assert (answer["items"][0]["state"], answer["items"][0]["path"]) == ("quarantined", "result.json")


def test_fr029_a_person_looks_for_new_files_on_the_page(
    driver: Driver, held: Assignment, producer: Producer
) -> None:
    producer.push({"result.json": told(held, evidence=EVIDENCE)})
    refused = signed_in(driver.cast.observer).post(reverse("collect"))
    assert (refused.status_code, ResultFile.objects.count()) == (403, 0)
    done = signed_in(driver.cast.contributor).post(reverse("collect"), follow=True)
    assert "Looked at 1 new file." in words(done)
    assert "Taken in" in words(done)
    assert driver.task("A1").status == TaskStatus.COMPLETE
