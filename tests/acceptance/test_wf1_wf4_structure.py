"""WF-1, WF-4: the hierarchy of the framework, and agents that find the plan, the codebase and earlier
outputs.
"""

from orchestrator.core.terms import StageKind
from orchestrator.models import Stage, Step
from orchestrator.queries.work.briefs import brief
from tests.cast import Driver

TWO_STAGES = b"""---
repository: sample
base_branch: main
---
# Plan: Two stages

## Stages

### Stage 1: Build
##### Batch 00: setup
###### Thread 01: tooling
- T1: Set up
- T2: Configure
##### Batch 01: implementation
###### Thread 01: backend
- B1: Write the backend
###### Thread 02: frontend
- F1: Write the page
- F2: Style the page
  - Parallel: yes
- F3: Test the page
  - Parallel: yes
##### Gate: Stage 1 evaluation
- Kind: evaluation
- Reviewers: reviewer

### Stage 2: Document
##### Batch 99: document
###### Thread 01: manual
- M1: Write the manual
"""


def test_wf1_stages_and_batches_are_serial_threads_parallel_tasks_hybrid(driver: Driver) -> None:
    driver.start(TWO_STAGES)
    seen = []
    while ready := driver.ready():
        seen.append(ready)
        for key in ready:
            driver.sign(key) if driver.task(key).step.is_gate else driver.do(key)
    gate = seen[4]
    assert len(gate) == 1
    assert seen == [["T1"], ["T2"], ["B1", "F1"], ["F2", "F3"], gate, ["M1"]]
    assert driver.reload().finished_at is not None


def test_wf1_the_structure_is_kept_as_rows(driver: Driver) -> None:
    version = driver.start(TWO_STAGES).version
    stages = Stage.objects.filter(version=version)
    assert [stage.slug for stage in stages] == ["stage-1-build", "stage-2-document"]
    batches = [batch.slug for stage in stages for batch in stage.batches.all()]
    assert batches[:2] == ["00-setup", "01-implementation"]
    assert batches[-1] == "99-document"
    assert Step.objects.get(version=version, key="F2").parallel
    assert not Step.objects.get(version=version, key="F1").parallel
    assert stages[0].kind == StageKind.NORMAL


def test_wf4_an_agent_finds_plan_codebase_and_earlier_outputs(driver: Driver) -> None:
    driver.start(TWO_STAGES)
    driver.claim("T1")
    driver.complete("T1", outputs={"notes.md": b"# Notes\n"})
    found = brief(driver.task("T2").pk)
    assert (found.place.repository, found.place.base_branch) == ("sample", "main")
    assert [path for artifact in found.upstream for path in [o.path for o in artifact.outputs]] == [
        "workstreams/two-stages/files/stage-1-build/00-setup/01-tooling/notes.md"
    ]
