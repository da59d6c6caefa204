"""FR-010, AD-7: a step that is done again with unchanged inputs and the same result makes no
second effect.
"""

from django.urls import reverse

from orchestrator.core.terms import EventType
from orchestrator.models import Assignment, HandoffArtifact, HistoryEntry, OutputFile
from orchestrator.queries.work.briefs import brief
from orchestrator.services.work.rework import send_back
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

PLAN = b"""# Plan: Login

## Stages
### Stage 1: Build
##### Batch 01: setup
###### Thread A: auth
- A1: Tables
  - Exit: tables are there
##### Batch 02: service
###### Thread B: api
- B1: Service
### Merge Point MP1
- **Trigger:** B1 complete
- **Action:** Try it
##### Batch 03: shop
###### Thread C: shop
- C1: Shop
"""
SCHEMA = {"schema.sql": b"create table users;\n"}


def back(driver: Driver, key: str) -> None:
    """A contributor sends work back."""
    send_back(
        task_id=driver.task(key).pk,
        reason="Look again.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    driver.advance()


def redo(driver: Driver, key: str, outputs: dict[str, bytes] | None = None, outcome: str = "Done.") -> None:
    driver.claim(key, driver.cast.builder(f"builder-{driver.attempt(key).pk}"))
    driver.complete(key, outputs=outputs, outcome=outcome)


def results(driver: Driver, key: str) -> list[HandoffArtifact]:
    found = HandoffArtifact.objects.filter(attempt__task=driver.task(key), event=EventType.ATTEMPT_COMPLETED)
    return list(found.order_by("sequence"))


def done(driver: Driver) -> None:
    driver.start(PLAN)
    redo(driver, "A1", SCHEMA)
    redo(driver, "B1", {"api.py": b"pass\n"})


def test_fr010_unchanged_inputs_and_result_make_no_second_artifact(driver: Driver, files: Files) -> None:
    done(driver)
    [first] = results(driver, "A1")
    back(driver, "A1")
    redo(driver, "A1", SCHEMA, outcome="Looked again, nothing to change.")

    assert results(driver, "A1") == [first]
    assert OutputFile.objects.filter(path__endswith="schema.sql").count() == 1
    assert files.git("rev-list", "--count", "HEAD", "--", first.path, first.outputs.get().path) == "1"
    attempt = driver.attempt("A1")
    assert (attempt.number, attempt.status, attempt.same_as) == (2, "completed", first.attempt)
    assert driver.task("A1").step.criteria.get().checks.count() == 2, "criteria are proved again all the same"
    assert driver.ready() == ["B1"]
    queued = HandoffArtifact.objects.get(attempt=driver.attempt("B1"), event=EventType.ATTEMPT_QUEUED)
    assert first.path in [link["path"] for link in files.json(queued.path)["links"]], (
        "successors see what stands"
    )


def test_fr010_unchanged_results_are_named_in_history_page_brief_and_rest(driver: Driver) -> None:
    done(driver)
    back(driver, "A1")
    redo(driver, "A1", SCHEMA)
    attempt = driver.attempt("A1")

    entry = HistoryEntry.objects.get(action="attempt completed", subject="A1 attempt 2")
    assert "Same inputs and result as attempt 1" in entry.reason
    assert '"same_as":1' in entry.leaf
    assert [a.same_as for a in brief(attempt.task_id).earlier_attempts] == [None, 1]
    page = signed_in(driver.cast.observer).get(reverse("task", args=[driver.reload().uuid, "A1"]))
    assert "Same inputs and result as attempt 1" in words(page)
    holder = Assignment.objects.select_related("executor").get(attempt=attempt).executor
    _, told = Machine.of(holder).get(f"/api/tasks/{attempt.task_id}/")
    assert [one["same_as"] for one in told["earlier_attempts"]] == [None, 1]


def test_fr010_unchanged_chain_keeps_its_digests_through_a_gate(driver: Driver) -> None:
    done(driver)
    driver.sign("MP1")
    redo(driver, "C1")
    before = {key: driver.attempt(key).input_digest for key in ("A1", "B1", "MP1", "C1")}
    back(driver, "A1")
    redo(driver, "A1", SCHEMA)
    redo(driver, "B1", {"api.py": b"pass\n"})
    driver.sign("MP1")
    redo(driver, "C1")
    assert {key: driver.attempt(key).input_digest for key in before} == before
    assert [len(results(driver, key)) for key in ("A1", "B1", "C1")] == [1, 1, 1]


def test_fr010_a_changed_output_is_a_new_artifact_and_a_new_input_for_everything_after_it(
    driver: Driver,
) -> None:
    done(driver)
    driver.sign("MP1")
    redo(driver, "C1")
    before = {key: driver.attempt(key).input_digest for key in ("A1", "B1", "MP1", "C1")}
    back(driver, "A1")
    redo(driver, "A1", {"schema.sql": b"create table accounts;\n"})
    redo(driver, "B1", {"api.py": b"pass # accounts\n"})
    driver.sign("MP1")
    redo(driver, "C1")
    changed = [key for key, digest in before.items() if driver.attempt(key).input_digest != digest]
    assert changed == ["B1", "MP1", "C1"]
    assert [len(results(driver, key)) for key in ("A1", "B1", "C1")] == [2, 2, 2]
    assert driver.attempt("C1").same_as is None, "words alone do not stand when the inputs are others"


def test_fr010_an_older_result_that_was_written_over_is_handed_over_again(
    driver: Driver, files: Files
) -> None:
    done(driver)
    for content in (b"create table accounts;\n", SCHEMA["schema.sql"]):
        back(driver, "A1")
        redo(driver, "A1", {"schema.sql": content})
    assert len(results(driver, "A1")) == 3
    assert files.text(results(driver, "A1")[-1].outputs.get().path) == "create table users;\n"


def test_fr010_words_alone_are_a_result_too(driver: Driver) -> None:
    driver.start(PLAN)
    redo(driver, "A1", outcome="Two tables.")
    back(driver, "A1")
    redo(driver, "A1", outcome="Three tables.")
    assert [a.attempt.outcome for a in results(driver, "A1")] == ["Two tables.", "Three tables."]
