"""WF-2, WF-3, AD-5: another tool's plan is submitted as it is, reviewed, approved and projected.

Schemas have URLs.
"""

import json
from pathlib import Path

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from orchestrator.core.errors import PlanRejected
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.models import Task, WorkflowVersion
from orchestrator.queries.plans.readings import checked, plan_of
from orchestrator.queries.work.projection import projected_files
from orchestrator.services.plans.plans import submit_plan
from tests.cast import Driver
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db

SPEC_KIT = b"# Tasks: Lending\n\n## Phase 1: Setup\n\n- [ ] T001 Create shelf.py\n- [ ] T002 Create card.py\n"
CIRCLE = (
    b'{"tasks": [{"id": 1, "title": "a", "dependencies": [2]}, {"id": 2, "title": "b", "dependencies": [1]}]}'
)


def test_wf3_a_foreign_plan_is_kept_as_submitted_and_projected_as_plan_md(driver: Driver) -> None:
    workstream = driver.start(SPEC_KIT)
    assert (workstream.version.format, workstream.version.source.encode()) == ("spec-kit", SPEC_KIT)
    assert Task.objects.filter(workstream=workstream).count() == 2
    files = projected_files(workstream)
    written = next(data for path, data in files.items() if path.endswith("/PLAN.md")).decode()
    plan = read_plan(written).plan
    assert plan
    assert [step.title for step in plan.steps()] == ["Create shelf.py", "Create card.py"]


def test_ad1_a_circle_in_a_foreign_plan_is_refused(driver: Driver) -> None:
    with pytest.raises(PlanRejected) as refused:
        submit_plan(
            source=CIRCLE, source_name="tasks.json", actor=driver.cast.actor("initiator"), now=driver.tick()
        )
    assert any("cycle" in finding.code for finding in refused.value.findings)


def test_ad5_every_schema_is_published_without_sign_in() -> None:
    files = {path.read_bytes() for path in Path("orchestrator/schema").glob("*.json")}
    rows = Client().get("/schema/").json()["schemas"]
    bodies = {Client().get(row["url"]).content for row in rows}
    assert bodies == files
    for body in bodies:
        Draft202012Validator.check_schema(json.loads(body))


def test_ad5_a_version_is_taken_along_in_every_form_and_reads_back(driver: Driver) -> None:
    version = driver.submit(SPEC_KIT).version
    client = signed_in(driver.cast.observer)
    address = f"/plans/{version.workflow.slug}/v1/files/"
    page = client.get(f"/plans/{version.workflow.slug}/v1/").content.decode()
    assert client.get(f"{address}source.txt").content == SPEC_KIT
    titles = [step.title for step in plan_of(version).steps()]
    for name in ("PLAN.md", "plan.json", "tasks.json"):
        answer = client.get(address + name)
        assert f"{address}{name}" in page
        assert answer["Content-Disposition"] == f'attachment; filename="{version.workflow.slug}-v1-{name}"'
        plan = checked(answer.content).plan
        assert plan, name
        assert [step.title for step in plan.steps()] == titles
    assert "⏳" in client.get(f"{address}EXECUTION-DASHBOARD.md").content.decode()
    assert client.get(f"{address}passwd").status_code == 404
    assert Client().get(f"{address}PLAN.md").status_code == 302


def test_wf2_the_form_says_what_a_text_was_read_as_and_takes_another_format(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    source = SPEC_KIT.decode()
    assert "Read as spec-kit." in words(client.post("/plans/submit/", {"act": "check", "source": source}))
    forced = client.post("/plans/submit/", {"act": "check", "source": source, "format": "task-master"})
    assert "Read as task-master." in words(forced)
    client.post(
        "/plans/submit/",
        {
            "act": "submit",
            "source": "# Plan: Lending\n\n## Phase 1: Setup\n\n- [ ] T001 Create shelf.py\n",
            "format": "spec-kit",
        },
    )
    assert WorkflowVersion.objects.get().format == "spec-kit"


CHECKPOINTS = "# Tasks: Lending\n## Phase 1: Shelf\n- [ ] T001 Build it\n**Checkpoint**: it stands\n"


def test_wf2_checkpoints_are_made_remarks_with_one_click(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    page = words(client.post("/plans/submit/", {"act": "check", "source": CHECKPOINTS}))
    assert "1 checkpoint is a gate that somebody signs. Make it a remark" in page
    answer = client.post("/plans/submit/", {"checkpoints": "remarks", "source": CHECKPOINTS})
    assert "checkpoints: remarks" in answer.content.decode()
    assert "is a gate that somebody signs" not in words(answer)
    assert not WorkflowVersion.objects.exists(), "nothing is stored"

    client.post("/plans/submit/", {"act": "submit", "source": CHECKPOINTS})
    version = WorkflowVersion.objects.get()
    review = client.get(f"/plans/{version.workflow.slug}/v1/").content.decode()
    link = f"of={version.workflow.slug}&amp;from=1&amp;checkpoints=remarks"
    assert link in review
    assert "checkpoints: remarks" in client.get(f"/plans/submit/?{link.replace('amp;', '')}").content.decode()
