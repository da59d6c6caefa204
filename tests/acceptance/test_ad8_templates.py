"""AD-8: a template is started with values, by page, REST and command, and runs to its end whichever way it
goes.
"""

from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.text.parameters import parameters_of, with_values
from orchestrator.core.terms import Format, TaskStatus
from orchestrator.models import Task, WorkflowVersion, Workstream
from orchestrator.queries.plans.library import library
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.web.pages import control, signed_in, words

WORKFLOWS = Path(__file__).resolve().parents[2] / "fixtures" / "workflows"
VALUES = {
    "test-fix-verify": {"name": "Nightly ledger tests", "component": "ledger", "repository": "sample"},
    "feature-delivery": {"name": "Refunds by card", "goal": "A customer gets the money back."},
    "release": {"product": "shop", "version": "2.4.0"},
}
#: What every template's step ends with when it does not end as usual, and what then becomes of its
#: conditional step.
OTHER_WAY = {
    "test-fix-verify": ("T1", "failed", "F1"),
    "feature-delivery": None,
    "release": ("R1", "findings", "R2"),
}


def source(name: str) -> str:
    return (WORKFLOWS / f"{name}.PLAN.md").read_text()


def started(driver: Driver, name: str) -> None:
    driver.start(with_values(source(name), VALUES[name]).encode())


def finished(driver: Driver) -> Workstream:
    """Everything is done and signed, each gate by whom the plan names."""
    while ready := driver.ready():
        for key in ready:
            step = driver.task(key).step
            if step.is_gate:
                driver.sign(key, step.reviewers.get().name)
            else:
                driver.do(key)
    return driver.reload()


def statuses(driver: Driver) -> dict[str, str]:
    return dict(Task.objects.filter(workstream=driver.workstream).values_list("step__key", "status"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", VALUES)
def test_ad8_a_shipped_template_is_good_once_it_has_its_values(name: str) -> None:
    tools = frozenset({"pytest", "script", "ruff"})
    bare = read(source(name), tools, Format.PLAN)
    assert {f.code for f in bare.blockers} - {"unusable-name"} == {"parameter-without-value"}
    reading = read(with_values(source(name), VALUES[name]), tools, Format.PLAN)
    assert reading.blockers == ()
    assert [f for f in reading.findings if f.severity == "warns"] == []
    steps = list(reading.plan.steps()) if reading.plan else []
    assert all(step.exit for step in steps if step.gate is None), "every step says when it is done"
    assert all(step.gate.reviewers for step in steps if step.gate), "every gate says who signs"
    assert all(parameter.hint for parameter in parameters_of(source(name))), "every parameter says what it is"
    assert {entry.name for entry in library()} == set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_ad8_a_template_runs_to_its_end_as_usual(driver: Driver, name: str) -> None:
    started(driver, name)
    workstream = finished(driver)
    assert workstream.finished_at is not None
    if other := OTHER_WAY[name]:
        assert statuses(driver)[other[2]] == TaskStatus.SKIPPED


@pytest.mark.parametrize("name", [name for name, other in OTHER_WAY.items() if other])
def test_ad8_a_template_runs_to_its_end_the_other_way(driver: Driver, name: str) -> None:
    first, word, then = OTHER_WAY[name] or ("", "", "")
    started(driver, name)
    driver.claim(first)
    driver.complete(first, result=word)
    assert driver.ready() == [then]
    assert finished(driver).finished_at is not None
    assert statuses(driver)[then] == TaskStatus.COMPLETE


def test_ad8_a_template_is_started_from_its_page(driver: Driver) -> None:
    ines = signed_in(driver.cast.initiator)
    assert "Test fix verify" in words(ines.get(reverse("library")))
    form = reverse("plan-submit")
    page = ines.get(form, {"template": "test-fix-verify"})
    assert "Starts from the text of Test fix verify ; what is submitted counts as a use of it." in words(page)
    assert 'name="value-component"' in control(page, "value-2")
    body = {"act": "submit", "source": source("test-fix-verify")}
    refused = ines.post(form, body | {"value-name": "Nightly", "value-component": ""})
    assert refused.status_code == 422
    assert "Without a value: component, repository" in words(refused)
    assert 'value="Nightly"' in control(refused, "value-1"), "what was typed is kept"
    assert not Workstream.objects.exists()
    given = {f"value-{name}": value for name, value in VALUES["test-fix-verify"].items()}
    review = ines.post(form, body | given, follow=True)
    assert "Nightly ledger tests" in words(review)
    version = Workstream.objects.get().version
    assert '  component: "ledger"  # the folder' in version.source, "the text is complete in itself"
    assert (version.repository, version.workflow.slug) == ("sample", "nightly-ledger-tests")


def test_ad8_work_from_a_changed_text_of_a_workflow_is_a_use_of_it_and_a_chosen_file_is_none(
    driver: Driver,
) -> None:
    ines, form = signed_in(driver.cast.initiator), reverse("plan-submit")
    page = ines.get(form, {"template": "release"})
    assert 'name="template" value="release"' in page.content.decode()
    given = {f"value-{name}": value for name, value in VALUES["release"].items()}
    changed = source("release").replace("\n## ", "\nOne line more.\n\n## ", 1)
    body = {"act": "submit", "template": "release", "template_number": "0"} | given
    assert ines.post(form, body | {"source": changed, "act": "check"}).status_code == 200
    assert "Not used yet." in words(ines.get("/library/release/"))
    assert ines.post(form, body | {"source": changed}).status_code == 302
    version = WorkflowVersion.objects.get()
    assert (version.started_from, version.started_from_number) == ("release", 0)
    entry = words(ines.get("/library/release/"))
    assert "Used 1 time." in entry
    assert version.workflow.name in entry.split("Started from it")[1]
    file = SimpleUploadedFile("other.md", PLAN)
    assert ines.post(form, {**body, "source": changed, "file": file}).status_code == 302
    assert WorkflowVersion.objects.latest("pk").started_from == ""
    assert ines.post(form, body | {"template": "nothing", "source": changed}).status_code == 404


def test_ad8_a_template_is_started_by_rest(driver: Driver) -> None:
    machine = Machine.of(driver.cast.builder())
    driver.cast.contributor.groups.add(*driver.cast.initiator.groups.all())
    body = {"source": source("release"), "values": VALUES["release"]}
    status, refusal = machine.post("/api/plans/", body | {"values": {"product": "shop", "colour": "red"}})
    assert (status, refusal["code"], refusal["details"]["field"]) == (422, "invalid-input", "colour")
    status, refusal = machine.post("/api/plans/", {"source": source("release")})
    assert (status, refusal["code"]) == (422, "plan-unreadable")
    status, checked = machine.post("/api/plans/check", body)
    assert (status, checked["approvable"]) == (200, True)
    status, submitted = machine.post("/api/plans/", body)
    assert (status, submitted["workstream_slug"]) == (201, "release-shop-2-4-0")


def test_ad8_a_template_is_started_by_command(driver: Driver) -> None:
    out, file = StringIO(), str(WORKFLOWS / "feature-delivery.PLAN.md")
    with pytest.raises(CommandError, match="Without a value: goal"):
        call_command("submit_plan", file, "--as", "ines", "--set", "name=Refunds", stdout=out)
    with pytest.raises(CommandError, match="--set NAME=VALUE"):
        call_command("submit_plan", file, "--as", "ines", "--set", "name", stdout=out)
    values = ["--set", "name=Refunds", "--set", "goal=Money = back"]
    call_command("submit_plan", file, "--as", "ines", *values, stdout=out)
    workstream = Workstream.objects.get()
    assert workstream.title == "Refunds"
    assert "“Refunds” (refunds), version 1, waits for review." in out.getvalue()
