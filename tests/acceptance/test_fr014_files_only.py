"""FR-014: a producer that sees nothing but the git workspace claims, finds its brief, and completes there."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.cache import cache
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from orchestrator.core.terms import AttemptStatus, TaskStatus
from orchestrator.models import ResultFile
from orchestrator.processes.queue_watch import PUSHES_EVERY, QueueWatch
from orchestrator.services.work import collector
from tests.acceptance.lanes import LANES, make_repository
from tests.acceptance.producer import TIMESTAMP, Producer
from tests.cast import Driver
from tests.verified import state_problems

pytestmark = pytest.mark.django_db

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "orchestrator/schema/committed-result.schema.json").read_text()
)


def said(event: str, **members: Any) -> bytes:
    value = {"schemaVersion": "1.0", "eventType": event, "timestamp": TIMESTAMP, **members}
    jsonschema.Draft202012Validator(SCHEMA).validate(value)
    return json.dumps(value).encode()


@pytest.fixture
def producer(driver: Driver, settings: Settings) -> Producer:
    driver.start()
    driver.cast.builder("files-only")
    return Producer(settings.WORKSPACE_DIR, "files-only")


def answer(producer: Producer) -> Any:
    return json.loads(producer.git("show", "refs/outbox/files-only:answer.json"))


def test_fr014_claim_brief_and_completion_by_files_alone(driver: Driver, producer: Producer) -> None:
    producer.push({"claim.result.json": said("claim")})
    driver.advance()
    collector.collect(now=driver.tick())
    (held,) = answer(producer)["held"]
    assert (held["attempt"]["key"], held["token"]) == ("A1", driver.task("A1").last_token)
    brief = producer.git("show", f"refs/outbox/files-only:BRIEF-{held['attempt']['id']}.md")
    assert brief.startswith("# Continue A1: Ledger entries for refunds")
    criterion = held["criteria"][0]
    done = said(
        "attempt-completed",
        attemptId=held["attempt"]["id"],
        token=held["token"],
        outcome="Entries are there.",
        evidence={str(criterion["id"]): "42 passed"},
        outputs=["notes.md"],
    )
    producer.push({"done.result.json": done, "notes.md": b"# Notes\n"})
    driver.advance()
    collector.collect(now=driver.tick())
    assert driver.task("A1").status == TaskStatus.COMPLETE
    told = answer(producer)
    assert told["held"] == []
    assert [(one["path"], one["state"]) for one in told["files"]] == [
        ("done.result.json", "ingested"),
        ("claim.result.json", "ingested"),
    ]
    assert state_problems(driver.reload()) == []


def test_fr014_a_named_attempt_and_a_refused_claim(driver: Driver, producer: Producer) -> None:
    name = f"card-refunds/B1/{driver.attempt('B1').number}"
    producer.push({"b.result.json": said("claim", attemptId=name)})
    collector.collect(now=driver.tick())
    assert answer(producer)["held"][0]["attempt"]["key"] == "B1"
    producer.push({"again.result.json": said("claim", workstream="card-refunds")})
    collector.collect(now=driver.tick())
    (held,) = answer(producer)["held"]
    assert held["attempt"]["key"] == "B1", "who runs one gets that again"
    producer.push({"other.result.json": said("claim", attemptId=driver.attempt("A1").pk)})
    collector.collect(now=driver.tick())
    problem = answer(producer)["files"][0]["problem"]
    assert "already runs B1" in problem
    assert driver.attempt("A1").status == AttemptStatus.QUEUED


def test_fr014_nothing_free_is_told(driver: Driver, producer: Producer) -> None:
    driver.claim("A1")
    driver.claim("B1")
    producer.push({"claim.result.json": said("claim")})
    collector.collect(now=driver.tick())
    assert "Nothing can be claimed by files-only now." in answer(producer)["files"][0]["problem"]
    assert ResultFile.objects.get().state == "quarantined"


def test_fr014_the_outbox_is_written_once_for_what_it_says(driver: Driver, producer: Producer) -> None:
    producer.push({"claim.result.json": said("claim")})
    collector.collect(now=driver.tick())
    tip = producer.git("rev-parse", "refs/outbox/files-only")
    for mark in producer.git("for-each-ref", "--format=%(refname)", "refs/collected/").split():
        producer.git("update-ref", "-d", mark)
    assert collector.collect(now=driver.tick()) == 0
    assert producer.git("rev-parse", "refs/outbox/files-only") == tip
    producer.git("update-ref", "-d", "refs/outbox/files-only")
    for mark in producer.git("for-each-ref", "--format=%(refname)", "refs/collected/").split():
        producer.git("update-ref", "-d", mark)
    collector.collect(now=driver.tick())
    assert answer(producer)["held"][0]["attempt"]["key"] == "A1"


def test_fr014_a_push_is_noticed_at_the_next_look(
    producer: Producer, django_capture_on_commit_callbacks: Any
) -> None:
    """Half a second, without asking git or the database; the queue has the message then."""
    at = [0.0]
    watch = QueueWatch(60, clock=lambda: at[0])
    cache.clear()
    watch.look()
    before = collecting()
    at[0] += PUSHES_EVERY
    watch.look()
    assert collecting() == before, "nothing was pushed"
    producer.push({"claim.result.json": said("claim")})
    at[0] += PUSHES_EVERY
    with django_capture_on_commit_callbacks(execute=True):
        watch.look()
    assert collecting() == before + 1
    at[0] += PUSHES_EVERY
    watch.look()
    assert collecting() == before + 1, "one message for one push"


def collecting() -> int:
    return sum(one.func() == "orchestrator.processes.tasks.collect" for one in OrmQ.objects.all())


def test_fr014_whoever_writes_the_outbox_makes_the_place_first(
    driver: Driver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that took the claim in was killed before it made the worktree, or is at it: a reader of files
    cannot ask for it once more."""
    make_repository(settings.REPOSITORIES_DIR / "sample")
    driver.start(LANES)
    driver.cast.builder("files-only")
    producer = Producer(settings.WORKSPACE_DIR, "files-only")
    producer.push({"claim.result.json": said("claim")})
    with monkeypatch.context() as killed:
        killed.setattr("orchestrator.services.work.places.prepare", lambda *_: None)
        killed.setattr(collector, "answer", lambda *_: None)
        collector.collect(now=driver.tick())
    for mark in producer.git("for-each-ref", "--format=%(refname)", "refs/collected/").split():
        producer.git("update-ref", "-d", mark)
    collector.collect(now=driver.tick())
    place = answer(producer)["held"][0]["brief"]["place"]
    assert (place["state"], bool(place["checkout"])) == ("ready", True)
