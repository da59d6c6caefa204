"""Plans that several tests read, and short ways to look at what was read."""

from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.markdown import read_plan

DECOMPOSITION = """\
## Workstream Decomposition

**WS-A: Authentication Service**
- Handles user auth, sessions, tokens
- Files: `services/auth/*`, `tests/auth/*`
- Worktree: `.worktrees/WS-A`

**WS-B: API Gateway**
- Routes requests, rate limiting, validation
- Files: `services/gateway/*`, `tests/gateway/*`
- Worktree: `.worktrees/WS-B`

**WS-C: Integration Layer**
- Connects A+B, end-to-end flows
- Files: `services/integration/*`, `tests/integration/*`
- Worktree: `.worktrees/WS-C`
"""

DEPENDENCIES = """\
## Task Dependencies

### Batch 1 (Parallel - no dependencies)
- **A1:** Auth service data models
- **A2:** Auth API endpoints
- **B1:** Gateway routing logic
- **E1:** Shared types/interfaces

### Batch 2 (Blocked on Batch 1)
- **A3:** Auth middleware (needs A1, A2)
- **B2:** Rate limiting (needs B1)

### Merge Point MP1
- **Trigger:** A3 + B2 complete
- **Action:** Integration test auth → gateway flow
- **Unlocks:** C1

### Batch 3 (Blocked on MP1)
- **C1:** End-to-end auth flow (needs MP1)
"""

TOOLS = frozenset({"pytest", "ruff", "script"})


def plan_of(source: str) -> Plan:
    plan = read_plan(source).plan
    assert plan is not None
    return plan


def codes(reading: Reading) -> list[str]:
    return [finding.code for finding in reading.findings]


def needs(plan: Plan) -> dict[str, list[str]]:
    """Dependencies by key; an inferred one ends in a question mark."""
    return {s.key: [need.key + "?" * need.inferred for need in s.needs] for s in plan.steps()}


def shape(plan: Plan) -> list[str]:
    """Each step as `stage/batch/lane/key`, with `=` behind parallel ones."""
    return [
        f"{p.stage.number}/{p.batch.prefix}/{p.thread.lane}/{p.step.key}{'=' * p.step.parallel}"
        for p in plan.placed_steps()
    ]
