"""Small plans in other tools' formats, written for these tests, with the oddities that real files show."""

from tests.core.plans.formats.prose_samples import PROSE

SPEC_KIT = """# Tasks: Parcel tracking

**Input**: plan.md

## Phase 1: Setup (Shared)

**Purpose**: a place to work

- [X] T001 Create the module in `tracking/__init__.py`
- [ ] T002 [P] Model in `tracking/model.py`
- [ ] T003 [P] Store in `tracking/store.py`

**Checkpoint**: the module can be imported

## Phase 2: User Story 1 - 追踪 a parcel

### Implementation

- [ ] - [X] T004 [US1] Read the carrier's feed
- [ ] **T005** [P] [US1] Show it in `tracking/page.py`
- [ ] a box without an id

## Dependencies

- T004-T005 depend on T002-T003
- T005 → T001
- T003 (the store) can proceed

## Success Criteria
- [ ] parcels are found
"""

TASK_MASTER = """{
  "master": {
    "tasks": [
      {"id": 1, "title": "Read orders", "description": "From the feed", "testStrategy": "Ten orders are read",
       "status": "done", "dependencies": [], "priority": "high",
       "subtasks": [
         {"id": 1, "title": "Open the feed", "dependencies": [], "status": "completed"},
         {"id": "1.2", "title": "Parse a line", "dependencies": [1], "status": null}]},
      {"id": "2", "title": "Pack them", "dependencies": ["1.2", 1], "status": "pending"}
    ],
    "metadata": {"projectName": "Packing"}
  }
}"""

BEADS = "\n".join(
    [
        '{"id":"shop-1","title":"Checkout","status":"open","priority":1,"issue_type":"epic"}',
        "<<<<<<< ours",
        '{"id":"shop-1.1","title":"Basket","status":"closed","priority":1,"issue_type":"task",'
        '"acceptance_criteria":"- sums up\\n- empties",'
        '"dependencies":[{"issue_id":"shop-1.1","depends_on_id":"shop-1","type":"parent-child"}]}',
        '{"id":"shop-1.2","title":"Pay","priority":0,"issue_type":"task",'
        '"dependencies":[{"depends_on_id":"shop-1","type":"parent-child"},'
        '{"depends_on_id":"shop-1.1","type":"blocks"},{"depends_on_id":"shop-9","type":"blocks"}]}',
        '{"id":"shop-9","title":"Gone","status":"tombstone","priority":0,"issue_type":"task"}',
        "not json at all",
    ]
)

BACKLOG = """---
id: BACK-7
title: 'Labels: print them'
status: To Do
assignee:
  - '@sam'
labels: [print, desk]
dependencies:
  - task-6
---

## Description

<!-- SECTION:DESCRIPTION:BEGIN -->
Print the labels.
<!-- SECTION:DESCRIPTION:END -->

<!-- AC:BEGIN -->
- [x] #1 A label comes out
- [ ] #2 It can be read
<!-- AC:END -->
---
id: BACK-6
title: Choose a printer
status: Done
dependencies: []
parent_task_id: BACK-7
---
Body
"""

BUNDLE_WS = """{
  "id": "ws-10-ledger", "openspec_change": "OS-4", "ccpm_issue": 12, "gate": 1,
  "files_scope": ["ledger/**"], "files_create": ["ledger/new.py"],
  "tasks": ["Add the table", "Write entries"], "acceptance_tests": ["Entries add up"],
  "tool": "pytest", "depends_on": ["ws-09-base"],
  "circuit_breaker": {"max_attempts": 3}, "conflict_group": "db",
  "metadata": {"priority": "high", "owner": "ledger-team", "description": "A ledger."}
}"""

TASKS = """{
  "version": "1.0.0", "stream_id": "005-ledger", "tasks": [
    {"id": "01.01.01.01", "name": "Table", "stage_name": "Build", "batch_name": "Base", "thread_name": "Data",
     "status": "completed", "report": "Done in one go."},
    {"id": "01.01.02.01", "name": "Page", "stage_name": "Build", "batch_name": "Base", "thread_name": "Web",
     "status": "in_progress"},
    {"id": "02.01.01.01", "name": "Check", "stage_name": "Prove", "batch_name": "Base", "thread_name": "Data",
     "status": "pending"}]
}"""

TASKS_MD = """# Tasks: Ledger

## Stage 01: Build

### Batch 01: Base

#### Thread 01: Data @agent:backend

- [x] Task 01.01.01.01: Table
  > Report: Done in one go.
- [~] Task 01.01.01.02: Index (later)

#### Thread 02: Web

- [!] Task 01.01.02.01: Page
- [-] Task 01.01.02.02: Banner
- [ ] Task 01.01.02.03: Footer @agent:writer
"""

JSON_PLAN = """{
  "schemaVersion": "1.0",
  "plan": {
    "name": "Ledger",
    "priority": 2,
    "questions": [{"text": "Which database? PostgreSQL", "answered": true}],
    "stages": [
      {
        "name": "Build",
        "batches": [
          {
            "name": "Base",
            "threads": [
              {
                "name": "Data",
                "files": ["ledger/**"],
                "steps": [
                  {"key": "A1", "title": "Table", "role": "contributor", "exit": ["It is there"], "estimate": 30},
                  {"key": "A2", "title": "Index", "parallel": true, "needs": ["A1"], "tool": "pytest", "run": "-q"}
                ]
              }
            ]
          },
          {
            "name": "Merge point",
            "threads": [
              {
                "name": "Merge point MP1",
                "steps": [
                  {"key": "MP1", "title": "Merge point MP1", "needs": ["A2"], "tool": "pytest",
                   "gate": {"kind": "merge", "reviewers": ["reviewer"], "action": "Run all tests"}}
                ]
              }
            ]
          }
        ]
      }
    ]
  }
}
"""

PLAN_FILE = """---
owner: ines
---
# Plan: Ledger

## Stages

### Stage 01: Build

##### Batch 01: Foundations

###### Thread 01: Data

**Summary:**
Keep entries.

**Details:**
In one table.

###### Thread 02: Web

###### Thread 03: Alone
"""

INDEX = """{"version": "1.0.0", "streams": [{"id": "005-ledger", "name": "ledger",
  "approval": {"status": "approved", "approved_by": "user"},
  "assignments": [{"task": "01.01.02.01", "agent": "webber"}]}]}"""

FOLDER_FILES = {
    "PLAN.md": PLAN_FILE,
    "TASKS.md": TASKS_MD,
    "tasks.json": TASKS,
    "index.json": INDEX,
}

FOLDER = "".join(f"<!-- file: {name} -->\n{text.rstrip()}\n\n" for name, text in FOLDER_FILES.items())

PLAN = f"""{PLAN_FILE}
- [x] Task 01.01.03.01: Ticked (needs MP1)

##### Merge Point MP1: Together
- Trigger: 01.01.01 complete
- Run: `pytest -q`
- Unlocks: C1

##### Batch 02: Then (Parallel)
- C1: Pay (needs A1)
  - Role: contributor
  - Files: `pay/**`, `x,y`
  - When: 01.01.01 is done
  - Estimate: 1h 30m
"""

#: Every format's sample, and the format that it is recognised as.
SAMPLES = {
    "spec-kit": SPEC_KIT,
    "task-master": TASK_MASTER,
    "beads": BEADS,
    "backlog": BACKLOG,
    "bundle-ws": BUNDLE_WS,
    "tasks": TASKS,
    "tasks-md": TASKS_MD,
    "plan-file": JSON_PLAN,
    "folder": FOLDER,
    **PROSE,
}
