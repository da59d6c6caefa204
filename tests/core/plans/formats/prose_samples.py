"""Small plans in prose and the forms of coding agents, with what real ones show."""

SUPERPOWERS = """# Receipts Implementation Plan

> **For agentic workers:** work through this task by task.

**Goal:** Print receipts.

### Task 1: Reader

**Files:**
- Create: `till/reader.py`
- Test: `tests/test_reader.py:3-9`

- [x] **Step 1: Write the failing test**

```markdown
# Not a heading
- [ ] not a box
```

- [ ] **Step 2: Make it pass**

Run: `pytest tests/test_reader.py`
Expected: PASS

### Task 2: Printer

**Files:**
- Modify: `till/printer.py`

**Step 1: Implement**

**Step 2: Commit**
"""

OPENSPEC = """## 1. Store
- [x] 1.1 Write the table
- [ ] 1.2 Keep entries in `store/entries.py`
  - one row for each

## 2. Validation
- [ ] 2.1 Check the sums
- 2.2 Announce it
"""

KIRO = """# Implementation Plan

- [x] 1. Set up the module
  - Create `shop/booking.py`
  - _Requirements: 1.1_

- [ ] 2. Booking rules
- [-] 2.1 Refuse double bookings
  - _Requirements: 1.2, 1.3_
- [ ]* 2.2 Property tests

- [ ] 3. Calendar
  - [ ] 3.1 Month
  - [ ] 3.2 Week
"""

CONDUCTOR = """# Implementation Plan: Loyalty

## Phase 1: Points [checkpoint: 1a2b3c4]
- [x] Task: Count points 9f8e7d6
    - [x] Write tests
- [~] Task: Show points
    - [x] Write tests
    - [ ] Implement

## Phase 2: Rewards
- [ ] Task: Redeem points
"""

PLAN_MODE = """# Booking

## Overview
A clerk books.

## Phase 1: Table

### Changes Required:

#### 1. Model
**File**: `desk/model.py`
A row for each booking.

#### 2. Page
**File**: `desk/page.py`

### Success Criteria:

#### Automated Verification:
- [ ] Tests pass: `make test`

#### Manual Verification:
- [ ] The page shows a booking

## Phase 2: Mail

Write the mail in `desk/mail.py`.

### Success Criteria:
- [ ] A mail arrives
"""

GSD = """---
phase: 02-desk
plan: 01
wave: 1
depends_on: []
files_modified:
  - desk/model.py
---
<objective>
Book a desk.
</objective>

<tasks>
<task type="auto">
  <name>Task 1: Model</name>
  <files>desk/model.py, desk/store.py</files>
  <action>Write it.</action>
  <verify>pytest</verify>
  <done>A booking is kept</done>
</task>
<task type="checkpoint:human-verify">
  <what-built>The page</what-built>
  <how-to-verify>Open it</how-to-verify>
</task>
<task type="auto"><name>Task 2: Page</name><action>Show it.</action></task>
</tasks>
"""

SPEC_KITTY = """# Work Packages: Clerk

## Work Package WP01: Join (Priority: P1)
**Dependencies**: WP02, WP03.
- [ ] T001 Join both lists
- [ ] T002 Show them

## Work Package WP02: Left
**Dependencies**: none (parallel-safe with WP03; T003 does not depend on T004).
- [x] T003 Left list

## Work Package WP03: Right
### Included Subtasks
- [ ] T004 [P] Right list
- [ ] T005 [P] Sort it
"""

TODO = """{"explanation": "Next", "plan": [
  {"step": "Read the till", "status": "completed"},
  {"step": "Write the sum", "status": "in_progress"},
  {"step": "Print", "status": "pending"}]}"""

YAML = """name: Till
description: A till for the shop.
stages:
  - name: Base
    steps:
      - id: table
        title: Table
        files: [till/table.py, till/rows.py]
        completion_signals:
          - The table is there
      - title: Page   # for the clerk
        role: builder
        depends_on: [table]
        description: |
          Two lines
          of text
  - name: Ship
    depends_on: Base
    steps:
      - title: Release
        depends_on:
          - Page
        status: pending
"""

LIST = """# Newsletter

Some words about it.

## Week 1

1. **Collect addresses** from the shop
2. Write the text (after 1)

## Week 2
- [ ] Send a trial
  - Depends on: Collect addresses, 2
- [?] Send to all, once Send a trial is done

| # | Risk |
|---|------|
| 1 | Spam |
"""

PROSE = {
    "superpowers": SUPERPOWERS,
    "openspec": OPENSPEC,
    "kiro": KIRO,
    "conductor": CONDUCTOR,
    "plan-mode": PLAN_MODE,
    "get-shit-done": GSD,
    "spec-kitty": SPEC_KITTY,
    "to-do": TODO,
    "yaml": YAML,
    "list": LIST,
}
