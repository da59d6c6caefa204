"""WF-2, AD-3: a file of several tags is a workstream for each, or for the one that is chosen.

No plan is called "Tasks" alone.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orchestrator.core.plans.formats.folder import sources_of
from orchestrator.core.plans.reading.naming import name_of_file
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Workstream
from orchestrator.queries.plans.readings import checked
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver
from tests.machines import Machine
from tests.web.pages import carried, signed_in, words

pytestmark = pytest.mark.django_db


def one_tag(*titles: str, **metadata: str) -> dict[str, Any]:
    listed = [{"id": number, "title": title} for number, title in enumerate(titles, 1)]
    return {"tasks": listed, "metadata": metadata}


SEVERAL = json.dumps(
    {"master": one_tag("Read", "Write"), "new-shop": one_tag("Rent", "Paint", "Open"), "empty": one_tag()}
)


def name(source: dict[str, Any], file: str = "") -> str:
    plan = checked(json.dumps(source), name=file).plan
    assert plan
    return plan.name


@pytest.mark.parametrize(
    ("source", "file", "called"),
    [
        ({"master": one_tag("Read", projectName="Packing")}, "tasks.json", "Packing"),
        ({"new-shop": one_tag("Read", projectName="Packing")}, "tasks.json", "Packing: new-shop"),
        ({"new-shop": one_tag("Read")}, "other.json", "new-shop"),
        ({"master": one_tag("Read")}, "shop_floor.tasks.json", "Shop floor"),
        ({"master": one_tag("Read", "Write")}, "counter/.taskmaster/tasks/tasks.json", "Counter"),
        ({"master": one_tag("Read", "Write", "Sum up")}, "tasks.json", "Read and 2 more"),
        ({"tasks": [{"id": 1, "title": "Read"}]}, "", "Read"),
        ({"master": one_tag("Read", projectName="Tasks")}, "tasks.json", "Read"),
    ],
)
def test_wf2_a_plan_is_called_after_tag_project_file_or_content(
    source: dict[str, Any], file: str, called: str
) -> None:
    assert name(source, file) == called


@pytest.mark.parametrize(
    "file", ["PLAN.md", "tasks.json", "docs/plan.md", ".beads/issues.jsonl", "", "backlog/tasks.json"]
)
def test_wf2_a_usual_file_name_says_nothing(file: str) -> None:
    assert name_of_file(file) == ""


def test_wf2_a_plan_of_our_own_without_a_name_is_called_after_its_file() -> None:
    source = "##### Batch 01: x\n###### Thread 01: y\n- A1: z\n"
    called = [checked(source, name=file).plan for file in ("summer-sale.PLAN.md", "PLAN.md")]
    assert [plan.name if plan else "" for plan in called] == ["Summer sale", "z"]


def test_ad3_a_file_of_several_tags_is_a_plan_for_each() -> None:
    plans = sources_of({"x/tasks.json": SEVERAL.encode()}).plans
    assert [plan.name for plan in plans] == ["x/tasks.json", "x/tasks.new-shop.json"]
    read = [checked(plan.text, name=plan.name).plan for plan in plans]
    assert [[step.key for step in plan.steps()] for plan in read if plan] == [["1", "2"], ["1", "2", "3"]]
    whole = checked(SEVERAL)
    assert [finding.code for finding in whole.blockers] == ["several-plans"]
    assert "master (2 tasks), new-shop (3 tasks)" in whole.blockers[0].message


def test_ad3_on_the_page_one_tag_is_taken_or_each(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    typed = {"source": SEVERAL, "source_name": "shop.json"}
    shown = client.post("/plans/submit/", typed | {"act": "check"})
    assert "The file holds several plans" in words(shown)
    assert "new-shop with 3 tasks" in words(shown)
    taken = client.post("/plans/submit/", typed | {"tag": "new-shop"})
    assert "The check found nothing that blocks approval" in words(taken)
    assert "Paint" in words(taken)
    assert client.post("/plans/submit/", typed | {"tag": "nowhere"}).status_code == 422
    several = client.post("/plans/submit/", typed | {"act": "each"})
    assert "2 plans were read" in words(several)
    assert not Workstream.objects.exists()
    client.post("/plans/submit/", carried(several) | {"act": "submit", "together": "each"})
    assert sorted(Workstream.objects.values_list("title", flat=True)) == ["Shop", "new-shop"]


def test_ad3_over_rest_a_tag_is_chosen(driver: Driver) -> None:
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON
    )
    machine = Machine.of(executor)
    _, checked_all = machine.post("/api/plans/check", {"source": SEVERAL})
    assert not checked_all["approvable"]
    _, one = machine.post("/api/plans/check", {"source": SEVERAL, "tag": "new-shop"})
    assert (one["approvable"], one["preview"]["tasks"]) == (True, 3)
    status, made = machine.post("/api/plans/", {"source": SEVERAL, "tag": "new-shop"})
    assert (status, made["workstream_slug"]) == (201, "new-shop")
    status, refused = machine.post("/api/plans/", {"source": SEVERAL, "tag": "nowhere"})
    assert status == 422
    assert "master, new-shop" in json.dumps(refused)
    files = {"files": [{"name": "tasks.json", "source": SEVERAL}]}
    _, read = machine.post("/api/plans/files/check", files)
    assert [plan["tasks"] for plan in read["plans"]] == [2, 3]


def test_ad3_on_the_command_line(driver: Driver, tmp_path: Path) -> None:
    folder = tmp_path / "corner-shop" / ".taskmaster"
    folder.mkdir(parents=True)
    file = folder / "tasks.json"
    file.write_text(SEVERAL)
    user = driver.cast.initiator.get_username()
    with pytest.raises(CommandError, match="2 tags, each a plan of its own"):
        call_command("submit_plan", str(file), "--as", user)
    call_command("submit_plan", str(file), "--tag", "master", "--as", user)
    assert Workstream.objects.get().title == "Corner shop"
    call_command("submit_plan", str(file), "--each", "--as", user)
    assert Workstream.objects.count() == 3


@pytest.mark.parametrize("pasted_as", ["PLAN.md", "notes.md", ""])
def test_ad3_pasted_text_of_several_tags_is_split_too(driver: Driver, pasted_as: str) -> None:
    client = signed_in(driver.cast.initiator)
    shown = client.post("/plans/submit/", {"source": SEVERAL, "source_name": pasted_as, "act": "each"})
    assert "2 plans were read" in words(shown)
    client.post("/plans/submit/", carried(shown) | {"act": "submit", "together": "each"})
    assert Workstream.objects.count() == 2
