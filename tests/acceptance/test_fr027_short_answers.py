"""FR-027, WF-9: a brief fits the context of an agent, 2,000 tokens of four characters, whatever is in the
plan and whatever happened before; the rest is there page by page.
"""

import json
from typing import Any

import pytest

from orchestrator.services.base.actor import Actor
from orchestrator.services.work import claims, completions
from tests.cast import Driver
from tests.machines import Machine

MOST = 8_000
#: A batch of so many steps stands before the step whose brief is read.
BEFORE = 30


def long_plan(many: int = BEFORE) -> bytes:
    before = "".join(
        f"- S{n}: Step {n} of the first batch\n  - Parallel: yes\n  - Exit: part {n} is there\n"
        for n in range(many)
    )
    criteria = "".join(f"  - Exit: criterion {n}, {'which says much, ' * 5}\n" for n in range(30))
    return (
        "# Plan: Long\n\n## Stages\n\n### Stage 1: All\n\n##### Batch 01: first\n\n"
        f"###### Thread 01: parts\n- Role: contributor\n{before}\n"
        "##### Batch 02: last\n\n###### Thread 01: join\n- Role: contributor\n"
        f"- J1: Join the parts (needs {', '.join(f'S{n}' for n in range(many))})\n"
        f"  - Details: {'A long story. ' * 700}\n{criteria}"
    ).encode()


def size(answer: Any) -> int:
    return len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.fixture
def joined(driver: Driver) -> Driver:
    """Everything before J1 is done with outputs; J1 is held, failed three times, with long breadcrumbs."""
    return done_before(driver, BEFORE)


def done_before(driver: Driver, many: int) -> Driver:
    """One worker does every step before the last."""
    driver.start(long_plan(many))
    worker = driver.cast.builder("worker")
    for number in range(many):
        attempt = driver.attempt(f"S{number}").pk
        actor = Actor.member(worker)
        held = claims.claim(attempt_id=attempt, executor=worker, actor=actor, now=driver.tick())
        completions.complete(
            attempt_id=held.attempt_id,
            token=held.token,
            executor=held.executor,
            evidence=dict.fromkeys(held.attempt.task.step.criteria.values_list("pk", flat=True), "seen"),
            outputs={f"part-{number}.md": b"# Part\n", "notes.md": b"# Notes\n"},
            outcome="Done.",
            now=driver.tick(),
        )
    driver.advance()
    return driver


@pytest.mark.django_db
def test_fr027_brief_claim_and_continuation_are_short(joined: Driver) -> None:
    builder = joined.cast.builder("joiner")
    machine = Machine.of(builder)
    claim = machine.post("/api/next", {})[1]["claim"]
    assert claim["attempt"]["key"] == "J1"
    for number in range(12):
        claims.report(
            attempt_id=claim["attempt"]["id"],
            token=claim["token"],
            executor=builder,
            breadcrumb=f"{number}: " + "tried another way, " * 300,
            now=joined.tick(),
        )
    task = joined.task("J1").pk
    short = machine.get(f"/api/tasks/{task}/")[1]
    assert size(short) <= MOST
    assert next(iter(short)) == "summary"
    assert short["summary"].startswith("J1: Join the parts. Complete it with evidence for criterion ")
    assert size(machine.get(f"/api/tasks/{task}/continue")[1]) <= MOST
    assert size(machine.post(f"/api/attempts/{claim['attempt']['id']}/claim")[1]) <= MOST
    assert size(machine.get("/api/mine")[1]) <= MOST
    told = {one["what"]: (one["shown"], one["of"]) for one in short["left_out"]}
    assert told["upstream"][1] == BEFORE
    assert told["upstream"][0] == len(short["upstream"])
    assert len(short["criteria"]) > 0
    whole_by_pages(machine, short)


def whole_by_pages(machine: Machine, short: Any) -> None:
    """What a brief leaves out is there page by page."""
    seen, offset = [], 0
    while True:
        page = machine.get(f"{short['address']}?offset={offset}&limit=11")[1]
        seen += [one["step"] for one in page["upstream"]]
        assert page["details"].count("A long story.") == 700
        rest = {one["what"]: one["shown"] for one in page["left_out"]}
        if "upstream" not in rest:
            break
        offset = rest["upstream"]
    assert sorted(seen) == sorted(f"S{n}" for n in range(BEFORE))


@pytest.mark.django_db
def test_fr027_a_small_brief_is_whole(driver: Driver) -> None:
    driver.start()
    brief = Machine.of(driver.cast.builder()).get(f"/api/tasks/{driver.task('A1').pk}/")[1]
    assert brief["left_out"] == []
    proof = f"Complete it with evidence for criterion {brief['criteria'][0]['id']}."
    assert brief["summary"] == f"A1: Ledger entries for refunds. {proof}"


@pytest.mark.nightly
@pytest.mark.django_db
def test_fr027_a_brief_behind_two_hundred_steps_is_as_short(driver: Driver) -> None:
    machine = Machine.of(done_before(driver, 200).cast.builder("joiner"))
    claim = machine.post("/api/next", {})[1]["claim"]
    task = claim["brief"]["task"]["id"]
    assert size(claim) <= MOST
    assert size(machine.get(f"/api/tasks/{task}/")[1]) <= MOST
    assert size(machine.get(f"/api/tasks/{task}/continue")[1]) <= MOST
