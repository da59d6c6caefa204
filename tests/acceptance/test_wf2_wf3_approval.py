"""WF-2, WF-3: a plan is the reviewable contract.

Only after a person approved it are tasks and tasks.json there.
"""

import json
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from orchestrator.models import HandoffArtifact, Task, WorkflowVersion, Workstream
from orchestrator.services.advance import advance
from tests.cast import NOON, PLAN, Cast
from tests.web.pages import signed_in, words


def tasks_json(workstream: Workstream) -> Path:
    return Path(settings.WORKSPACE_DIR) / "workstreams" / workstream.slug / "tasks.json"


def submit(cast: Cast) -> WorkflowVersion:
    signed_in(cast.initiator).post("/plans/submit/", {"act": "submit", "source": PLAN.decode()})
    return WorkflowVersion.objects.select_related("workflow").get()


def test_wf2_a_submitted_plan_is_shown_as_the_contract(cast: Cast) -> None:
    version = submit(cast)
    text = words(signed_in(cast.reviewer).get(f"/plans/{version.workflow.slug}/v1/"))
    for part in (
        "Stage 1: Build",
        "Batch 01: foundations",
        "Thread 01: ledger",
        "A1 : Ledger entries for refunds",
    ):
        assert part in text


def test_wf3_no_task_exists_before_a_person_approved(cast: Cast) -> None:
    version = submit(cast)
    workstream = Workstream.objects.get()
    advance(workstream_id=workstream.pk, clock=lambda: NOON)
    assert not Task.objects.exists()
    assert not HandoffArtifact.objects.exists()
    page = f"/plans/{version.workflow.slug}/v1/"
    client = signed_in(cast.approver)
    client.post(page + "prehandoff", {"rationale": "Nothing similar."})
    form = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    client.post(page + "decide", form)
    advance(workstream_id=workstream.pk, clock=lambda: NOON + timedelta(minutes=1))
    assert Task.objects.filter(workstream=workstream).count() == 6
    written = json.loads(tasks_json(workstream).read_text())
    assert len(written["tasks"]) == 6
