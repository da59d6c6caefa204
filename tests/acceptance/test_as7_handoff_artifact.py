"""AS-7, FR-014, FR-028: results travel as committed files, one per event, and nobody starts without them."""

import json
from collections import Counter
from pathlib import Path

import jsonschema

from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import HandoffArtifact
from orchestrator.queries.engine.explanations import explain
from orchestrator.queries.work.briefs import brief
from orchestrator.services.advance import advance
from orchestrator.services.review import gates
from orchestrator.services.work import completions, failures
from orchestrator.services.work.scheduling import run_round
from tests.acceptance.workspace_files import Files
from tests.cast import Driver

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "orchestrator/schema/handoff-artifact.schema.json").read_text()
)
PLAN = b"""# Plan: Login

## Stages
### Stage 1: Build
##### Batch 01: setup
###### Thread A: auth
- A1: Tables
##### Batch 02: service
###### Thread B: api
- B1: Service
### Merge Point MP1
- **Trigger:** B1 complete
- **Action:** Try it
"""


def test_as7_a_completed_step_commits_an_artifact_and_only_then_the_next_one_starts(
    driver: Driver, files: Files
) -> None:
    driver.start(PLAN)
    held = driver.claim("A1")
    completions.complete(
        attempt_id=held.attempt_id,
        token=held.token,
        executor=held.executor,
        outcome="Tables are there.",
        evidence={},
        outputs={"schema.sql": b"create table users;\n"},
        now=driver.tick(),
    )
    run_round(workstream_id=driver.reload().pk, now=driver.tick())
    assert driver.ready() == []
    assert "is not committed yet" in explain(driver.reload())[driver.task("B1").pk].sentence

    driver.advance()

    artifact = HandoffArtifact.objects.get(event=EventType.ATTEMPT_COMPLETED)
    assert driver.ready() == ["B1"]
    told = json.loads(files.git("show", f"{artifact.commit}:{artifact.path}"))
    assert told["outcome"] == "Tables are there."
    assert told["actor"] == "builder-A1 (agent of carl)"
    assert told["workItemId"] == str(driver.reload().uuid)
    assert told["baselineIntegration"] == "pre"
    assert files.text(told["outputs"][0]["path"]) == "create table users;\n"


def test_as7_the_next_agent_finds_what_it_works_from(driver: Driver, files: Files) -> None:
    driver.start(PLAN)
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table users;\n"})
    handover = HandoffArtifact.objects.get(event=EventType.ATTEMPT_COMPLETED)

    queued = HandoffArtifact.objects.get(attempt=driver.attempt("B1"), event=EventType.ATTEMPT_QUEUED)

    assert [link["path"] for link in files.json(queued.path)["links"]] == [handover.path]
    assert [artifact.path for artifact in brief(driver.task("B1").pk).upstream] == [handover.path]


def test_as7_every_event_is_one_artifact_that_the_published_schema_accepts(
    driver: Driver, files: Files
) -> None:
    """A run with a failure, a rejection and rework leaves a gapless series of valid files, each committed
    once.
    """
    driver.start(PLAN)
    driver.claim("A1")
    driver.fail("A1")
    failures.requeue(
        task_id=driver.task("A1").pk,
        reason="Try again.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()
    driver.do("A1", "B1")
    gates.reject_gate(
        task_id=driver.task("MP1").pk,
        return_key="B1",
        reason="It is slow.",
        actor=driver.cast.actor("reviewer"),
        now=driver.tick(),
    )
    driver.advance()
    again = driver.cast.builder("builder-again")
    driver.claim("B1", again)
    driver.complete("B1", outcome="Fast now.")
    driver.sign("MP1")

    artifacts = list(HandoffArtifact.objects.order_by("sequence"))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for artifact in artifacts:
        assert artifact.state == ArtifactState.COMMITTED
        assert list(validator.iter_errors(files.json(artifact.path))) == []
        assert files.git("rev-list", "HEAD", "--", artifact.path) == artifact.commit
    assert [a.sequence for a in artifacts] == list(range(1, len(artifacts) + 1))
    assert Counter(a.event for a in artifacts) == {
        EventType.ATTEMPT_QUEUED: 6,
        EventType.ATTEMPT_STARTED: 4,
        EventType.ATTEMPT_COMPLETED: 3,
        EventType.ATTEMPT_FAILED: 1,
        EventType.GATE_REJECTED: 1,
        EventType.REWORK_REQUESTED: 1,
        EventType.GATE_APPROVED: 1,
    }


def test_as7_running_the_handoff_again_has_no_second_effect(driver: Driver, files: Files) -> None:
    driver.start(PLAN)
    driver.do("A1")
    before = files.git("rev-parse", "HEAD"), HandoffArtifact.objects.count()
    for _ in range(3):
        advance(workstream_id=driver.reload().pk, clock=driver.tick)
    assert (files.git("rev-parse", "HEAD"), HandoffArtifact.objects.count()) == before
