"""FR-003, AS-5: what is alike on purpose is no suspect; several are decided with one rationale."""

from datetime import timedelta

import pytest

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import DuplicateDecision, WorkflowVersion, Workstream
from orchestrator.queries.work.duplicates import suspects, undecided
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words


@pytest.fixture
def three(driver: Driver) -> Workstream:
    """Three workstreams with the same title; the last one is looked at."""
    for changed in (b"back.", b"back soon.", b"back now."):
        driver.submit(PLAN.replace(b"back.", changed))
    return driver.reload()


def test_fr003_one_library_workflow_with_other_values_is_no_suspect(three: Workstream) -> None:
    assert len(undecided(three)) == 2
    WorkflowVersion.objects.update(started_from="release")
    three = Workstream.objects.get(pk=three.pk)
    assert suspects(three) == []
    digest = three.version.source_sha256
    WorkflowVersion.objects.exclude(pk=three.version_id).update(source_sha256=digest)
    assert len(undecided(three)) == 2, "with the same values it is the same work"


def test_fr003_what_was_accepted_long_ago_is_no_suspect(three: Workstream, settings) -> None:
    settings.DUPLICATE_DAYS = 30
    others = Workstream.objects.exclude(pk=three.pk)
    others.update(status="completed", accepted_at=three.created_at - timedelta(days=29))
    assert len(undecided(three)) == 2
    others.update(accepted_at=three.created_at - timedelta(days=31))
    assert undecided(three) == []
    settings.DUPLICATE_DAYS = 0
    assert len(undecided(three)) == 2


def test_as5_all_suspects_are_decided_with_one_rationale(driver: Driver, three: Workstream) -> None:
    client, page = signed_in(driver.cast.reviewer), f"/workstreams/{three.uuid}/prehandoff/"
    assert "None of the 2 is a duplicate" in words(client.get(page))
    others = " ".join(str(suspect.workstream.pk) for suspect in undecided(three))
    form = {"others": others, "outcome": "override", "rationale": " "}
    assert client.post(f"{page}decide-all", form).status_code == 422
    form["rationale"] = "Other regions."
    said = words(client.post(f"{page}decide-all", form, follow=True))
    assert "2 workstreams are decided with one rationale: no duplicates." in said
    assert set(DuplicateDecision.objects.values_list("rationale", flat=True)) == {"Other regions."}
    assert undecided(three) == []
    assert client.post(f"{page}decide-all", form | {"outcome": "merge"}).status_code == 422


def test_as5_machines_decide_several_too(driver: Driver, three: Workstream) -> None:
    own = register_executor(name="rita-bot", kind=ExecutorKind.PERSON, user=driver.cast.reviewer, now=NOON)
    others = [str(suspect.workstream.uuid) for suspect in undecided(three)]
    body = {"others": others, "outcome": "link", "rationale": "They share a vendor."}
    status, facts = Machine.of(own).post(f"/api/workstreams/{three.uuid}/suspects/several", body)
    assert status == 200
    assert {one["decision"]["outcome"] for one in facts["suspects"]} == {"link"}
