"""Acts of the version tests: submit the next version of the driver's plan, approve it through its pages."""

from django.http import HttpResponse
from django.urls import reverse

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.models import Task, WorkflowVersion, Workstream
from orchestrator.services.plans import plans
from orchestrator.services.review import decisions
from tests.cast import Driver
from tests.web.pages import signed_in

ONE = b"""# Plan: Card refunds

## Stages

### Stage 1: Build

##### Batch 01: foundations

###### Thread 01: ledger
- Role: contributor
- A1: Ledger entries for refunds
  - Exit: unit tests pass
- A2: Ledger report
  - Exit: report shows refunds

###### Thread 02: gateway
- Role: contributor
- B1: Gateway call
  - Exit: contract test passes

##### Gate: G1
- Kind: review
- Reviewers: reviewer

##### Batch 02: joining

###### Thread 01: refunds
- Role: contributor
- C1: Refund end to end
  - Exit: end-to-end test passes
"""
GROWN = (
    ONE
    + b"""
##### Batch 03: more

###### Thread 01: extra
- Role: contributor
- E1: One more
  - Exit: it is there
"""
)


def next_version(driver: Driver, source: bytes, reason: str = "We know more now.") -> WorkflowVersion:
    return plans.submit_plan(
        source=source,
        source_name="PLAN.md",
        actor=driver.cast.actor("initiator"),
        now=driver.tick(),
        workstream=driver.reload(),
        change_reason=reason,
    ).version


def approve(driver: Driver, version: WorkflowVersion, *mapping: StepMapping) -> None:
    decisions.approve_version(
        version_id=version.pk,
        seen_sha256=version.source_sha256,
        actor=driver.cast.actor("approver"),
        now=driver.tick(),
        mapping=mapping,
    )
    driver.reload()


def decide(driver: Driver, version: WorkflowVersion, **fields: str) -> HttpResponse:
    """Press Approve on the review page."""
    body = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256} | fields
    address = reverse("plan-decide", args=[version.workflow.slug, version.number])
    return signed_in(driver.cast.approver).post(address, body)


def migration_page(driver: Driver, version: WorkflowVersion, **fields: str) -> HttpResponse:
    """Open the page, or press one of its buttons (`act`)."""
    client = signed_in(driver.cast.approver)
    address = reverse("migration", args=[driver.reload().uuid, version.number])
    if not fields:
        return client.get(address)
    body = {"seen_sha256": version.source_sha256} | {
        name.replace("__", "-"): value for name, value in fields.items()
    }
    return client.post(address, body)


def standing(workstream: Workstream) -> dict[str, tuple[int, str, tuple[str, ...]]]:
    """Every task by key: version, status, and the statuses of its attempts."""
    tasks = Task.objects.filter(workstream=workstream).select_related("step__version").order_by("pk")
    return {
        f"{task.step.key}@{task.step.version.number}": (
            task.rework,
            task.status,
            tuple(task.attempts.order_by("number").values_list("status", flat=True)),
        )
        for task in tasks
    }
