"""AD-8: an approved plan is saved as a workflow with parameters, looked up in the library, and started from
there.
"""

import asyncio
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orchestrator.models import HistoryEntry, SavedWorkflowVersion, WorkflowVersion, Workstream
from orchestrator.queries.plans import library as queries
from tests.acceptance.versions import approve, next_version
from tests.cast import PLAN, Driver
from tests.machines import Machine, secret_of
from tests.mcp.connection import joined
from tests.web.pages import control, signed_in, words

SAVE = "/plans/card-refunds/v1/save/"
ROWS = {"name-0": "name", "text-0": "Card refunds", "hint-0": "what the work is called", "use-0": "on"}
ROWS |= {"name-1": "ledger folder", "text-1": "ledger", "hint-1": "", "new-1": "1"}
FORM = {"name": "Money back", "description": "Ledger and gateway side by side."} | ROWS


def saved(driver: Driver) -> SavedWorkflowVersion:
    """The driver's plan, approved and saved from its page."""
    driver.start()
    answer = signed_in(driver.cast.initiator).post(SAVE, FORM | {"act": "save"})
    assert answer.status_code == 302, words(answer)
    return SavedWorkflowVersion.objects.get()


def boss(driver: Driver) -> Machine:
    driver.cast.contributor.groups.add(*driver.cast.initiator.groups.all())
    return Machine.of(driver.cast.builder("boss"))


def test_ad8_the_page_suggests_parameters_and_previews_what_is_kept(driver: Driver) -> None:
    driver.start()
    ines = signed_in(driver.cast.initiator)
    assert SAVE in ines.get("/plans/card-refunds/v1/").content.decode()
    form = ines.get(SAVE)
    assert 'value="Card refunds"' in control(form, "text-0")
    assert re.search(r'name="use-0"\s+checked', form.content.decode())
    preview = ines.post(SAVE, FORM | {"act": "preview"})
    said = words(preview)
    for line in ('ledger folder: "ledger"', "# Plan: {{name}}", "`{{ledger folder}}/**`"):
        assert line in said, line
    assert 'value="Money back"' in control(preview, "name")
    assert not SavedWorkflowVersion.objects.exists(), "a preview stores nothing"


def test_ad8_what_makes_no_parameter_is_refused_beside_what_was_typed(driver: Driver) -> None:
    driver.start()
    refused = signed_in(driver.cast.initiator).post(SAVE, FORM | {"act": "save", "text-1": "nowhere"})
    assert refused.status_code == 422
    assert "Parameter ledger folder: “nowhere” does not stand in the plan" in words(refused)
    assert 'value="nowhere"' in control(refused, "text-1")
    assert not SavedWorkflowVersion.objects.exists()


def test_ad8_only_an_approved_plan_is_saved(driver: Driver) -> None:
    driver.submit()
    ines = signed_in(driver.cast.initiator)
    assert SAVE not in ines.get("/plans/card-refunds/v1/").content.decode()
    assert " disabled" in control(ines.get(SAVE), "save")
    refused = ines.post(SAVE, FORM | {"act": "save"})
    assert refused.status_code == 409
    assert "only approved plans are kept" in words(refused)


def test_ad8_the_library_says_what_a_workflow_holds_and_where_it_comes_from(driver: Driver) -> None:
    saved(driver)
    otto = signed_in(driver.cast.observer)
    page = words(otto.get("/library/"))
    for said in (
        "Money back Ledger and gateway side by side. 1 stage, 6 steps (1 gate among them), 4 threads. "
        "Asks for name (Card refunds)",
        "saved by ines on",
        "from Card refunds v1 . Not used yet.",
        "Shipped with the product.",
    ):
        assert said in page, said
    assert "Money back" in words(otto.get("/library/?q=GATEWAY+ledger"))
    assert (
        "Release" not in words(otto.get("/library/?q=gateway+ledger")).split("Words")[1].split("Shortcuts")[0]
    )
    assert "No workflow has these words." in words(otto.get("/library/?q=zebra"))
    assert "Starting is off: You need the role" in words(otto.get("/library/"))


def test_ad8_an_empty_library_names_the_next_step(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "FOLDER", queries.FOLDER / "nothing")
    page = words(signed_in(driver.cast.initiator).get("/library/"))
    assert "The library is empty. Open an approved plan from Plans and choose “Save as a workflow”." in page


def test_ad8_a_workstream_is_started_from_a_saved_workflow(driver: Driver) -> None:
    saved(driver)
    ines = signed_in(driver.cast.initiator)
    start = "/library/money-back/start/"
    assert 'value="Card refunds"' in control(ines.get(start), "value-1"), "the default"
    values = {"value-name": "Payouts", "value-ledger folder": "books"}
    preview = words(ines.post(start, values | {"act": "preview"}))
    assert "Nothing in it blocks approval" in preview
    assert "books/**" in preview
    assert Workstream.objects.count() == 1, "a preview stores nothing"
    refused = ines.post(start, values | {"act": "submit", "value-name": " "})
    assert refused.status_code == 422
    assert "Without a value: name" in words(refused)
    assert 'value="books"' in control(refused, "value-2"), "what was typed is kept"
    review = ines.post(start, values | {"act": "submit"}, follow=True)
    version = WorkflowVersion.objects.get(workflow__slug="payouts")
    assert "Started from a workflow of the library , version 1." in words(review)
    assert (version.status, version.started_from, version.started_from_number) == (
        "in_review",
        "money-back",
        1,
    )
    page = words(ines.get("/library/money-back/"))
    assert "Used 1 time." in page
    assert "Payouts" in page.split("Started from it")[1]


def test_ad8_the_start_is_the_same_plan_with_its_defaults(driver: Driver) -> None:
    source = saved(driver).source
    status, made = boss(driver).post("/api/library/money-back/workstreams", {})
    assert status == 201, made
    again = WorkflowVersion.objects.get(pk=made["version_id"])
    assert again.source == source
    first, second = (queries.plan_with_names(text) for text in (source, again.source))
    assert first == second


def test_ad8_saved_workflows_are_numbered_archived_and_never_deleted(driver: Driver) -> None:
    saved(driver)
    approve(driver, next_version(driver, PLAN.replace(b"Ledger report", b"Ledger report in EUR")))
    ines = signed_in(driver.cast.initiator)
    again = {"act": "save", "of": "money-back", "name-0": "name", "text-0": "Card refunds", "use-0": "on"}
    assert ines.post("/plans/card-refunds/v2/save/", again).status_code == 422, (
        "a next version needs a reason"
    )
    assert ines.post("/plans/card-refunds/v2/save/", again | {"reason": "One more."}).status_code == 302
    assert [one.number for one in queries.versions_saved("money-back")] == [2, 1]
    assert "ledger folder" in words(ines.get("/library/money-back/?version=1"))
    assert ines.post("/library/money-back/act/archive", {"reason": " "}).status_code == 422
    assert ines.post("/library/money-back/act/archive", {"reason": "Too old."}).status_code == 302
    assert "Money back is archived" in words(ines.get("/library/"))
    assert "Money back" not in words(ines.get("/library/"))
    assert "Money back Archived" in words(ines.get("/library/?archived=1"))
    refused = ines.post("/library/money-back/start/", {"act": "submit", "value-name": "Payouts"})
    assert refused.status_code == 409
    assert "Bring it back first." in words(refused)
    ines.post("/library/money-back/act/bring-back", {"reason": "Still needed."})
    assert "Money back" in words(ines.get("/library/"))
    assert SavedWorkflowVersion.objects.count() == 2
    told = HistoryEntry.objects.filter(subject__startswith="money-back").order_by("sequence")
    assert list(told.values_list("action", "reason")) == [
        ("workflow saved", ""),
        ("workflow saved", "One more."),
        ("workflow archived", "Too old."),
        ("workflow brought back", "Still needed."),
    ]


def test_ad8_observers_neither_save_nor_archive_nor_start(driver: Driver) -> None:
    saved(driver)
    otto = signed_in(driver.cast.observer)
    assert otto.post(SAVE, FORM | {"act": "save"}).status_code == 403
    assert otto.post("/library/money-back/act/archive", {"reason": "No."}).status_code == 403
    values = {"act": "submit", "value-name": "Payouts", "value-ledger folder": "books"}
    assert otto.post("/library/money-back/start/", values).status_code == 403
    assert Workstream.objects.count() == 1


def test_ad8_saved_and_started_over_rest(driver: Driver) -> None:
    driver.start()
    machine = boss(driver)
    body = {
        "plan": "card-refunds",
        "version": 1,
        "name": "Release",
        "parameters": [{"name": "n", "text": "Card refunds"}],
    }
    status, made = machine.post("/api/library", body, key="k1")
    assert (status, made["name"], made["version"], made["saved_by"]) == (
        201,
        "release-2",
        1,
        "boss (agent of carl)",
    ), "a name of its own"
    assert machine.post("/api/library", body, key="k1") == (status, made)
    status, listed = machine.get("/api/library?q=card")
    assert (status, [one["name"] for one in listed["items"]]) == (200, ["release-2", "feature-delivery"])
    assert "{{n}}" in machine.get("/api/library/release-2")[1]["source"]
    assert machine.get("/api/library/release-2?version=9")[0] == 404
    status, started = machine.post("/api/library/release-2/workstreams", {"values": {"n": "Payouts"}})
    assert (status, started["workstream_slug"]) == (201, "payouts")
    status, refusal = machine.post("/api/library/release-2/workstreams", {"values": {"colour": "red"}})
    assert (status, refusal["details"]["field"]) == (422, "colour")
    assert machine.post("/api/library/release/archive", {"reason": "No."})[0] == 404, "a shipped one stays"
    assert machine.post("/api/library/release-2/archive", {"reason": "Old."})[1]["archived"] is True
    assert machine.post("/api/library/release-2/bring-back", {"reason": "Needed."})[1]["archived"] is False


@pytest.mark.django_db(transaction=True)
def test_ad8_saved_and_started_over_mcp(driver: Driver) -> None:
    driver.start()
    driver.cast.contributor.groups.add(*driver.cast.initiator.groups.all())
    secret = secret_of(driver.cast.builder())

    async def agent() -> None:
        async with joined(secret) as session:
            parameters = {"name": "Card refunds"}
            call = {"plan": "card-refunds", "version": 1, "name": "Money back"}
            made = await session.ok("save_plan_as_workflow", parameters=parameters, **call)
            assert made["parameters"] == [{"name": "name", "default": "Card refunds", "hint": ""}]
            refused = await session.refused("save_plan_as_workflow", parameters={"x": "nowhere"}, **call)
            assert refused["code"] == "invalid-input"
            names = [one["name"] for one in (await session.ok("list_workflows", words="refunds"))["items"]]
            assert names == ["money-back", "feature-delivery"]
            begun = await session.ok("start_from_workflow", name="money-back", values={"name": "Payouts"})
            assert begun["workstream_slug"] == "payouts"

    asyncio.run(agent())
    assert Workstream.objects.get(slug="payouts").status == "planning", "people review it first"


def test_ad8_saved_by_command(driver: Driver) -> None:
    driver.start()
    out = StringIO()
    call_command("save_workflow", "card-refunds", "--as", "ines", stdout=out)
    assert "--parameter 'name=Card refunds'" in out.getvalue()
    assert not SavedWorkflowVersion.objects.exists()
    arguments = ["card-refunds", "--as", "ines", "--name", "Money back", "--parameter"]
    with pytest.raises(CommandError, match="names no text"):
        call_command("save_workflow", *arguments, "name")
    with pytest.raises(CommandError, match="does not stand in the plan"):
        call_command("save_workflow", *arguments, "name=nowhere")
    call_command("save_workflow", *arguments, "name=Card refunds", stdout=out)
    assert "“Money back” (money-back) v1 is in the library." in out.getvalue()
