"""DC-4: the admin handles workflows and audit records, grouped by area, and never goes round the services."""

import re
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from orchestrator.admin import site
from orchestrator.admin.site import AREAS
from orchestrator.models import HistoryEntry, Task, Workflow
from orchestrator.services.people.executors import issue_token
from tests.cast import NOON, Cast, Driver, UserFactory


@pytest.fixture
def admin(client: Client, cast: Cast) -> Client:
    client.force_login(cast.admin)
    return client


def test_dc4_the_index_is_grouped_by_area(admin: Client) -> None:
    text = admin.get("/admin/").content.decode()
    areas = re.findall(r'<a href="[^"]*" class="section"[^>]*>\s*([^<]+?)\s*</a>', text)
    assert areas == [
        "Workflows and plans",
        "Work",
        "Decisions of people",
        "Audit records",
        "Notifications",
        "Executors",
        "People and roles",
    ]


def test_dc4_every_model_stands_in_its_area() -> None:
    grouped = [model for models in AREAS.values() for model in models]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(site._registry)


def test_dc4_rows_and_pages_lead_to_one_another_with_the_same_dates(
    admin: Client, driver: Driver, settings
) -> None:
    settings.PROJECT_TIME_ZONE = "Europe/Berlin"
    work = driver.start()
    row = f"/admin/orchestrator/workstream/{work.pk}/change/"
    assert f'href="/workstreams/{work.uuid}/"' in admin.get(row).content.decode()
    page = admin.get(f"/workstreams/{work.uuid}/").content.decode()
    assert f'href="{row}"' in page
    assert 'href="/portfolio/"' in admin.get("/admin/").content.decode()
    entry = HistoryEntry.objects.earliest("sequence")
    local = entry.recorded_at.astimezone(ZoneInfo("Europe/Berlin"))
    shown = f"{local.day} {local:%b %Y, %H:%M}"
    assert shown in admin.get("/history/").content.decode()
    assert shown in admin.get(f"/admin/orchestrator/historyentry/{entry.pk}/change/").content.decode()


def test_dc4_every_list_and_row_opens(admin: Client, driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    for model in site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert admin.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200, model
        if row := model.objects.first():
            assert admin.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, model


def test_dc4_history_is_found_and_cannot_be_changed(admin: Client, driver: Driver) -> None:
    driver.start()
    entry = HistoryEntry.objects.get(action="plan approved")
    page = f"/admin/orchestrator/historyentry/{entry.pk}/change/"
    text = admin.get(page).content.decode()
    assert entry.leaf_hash in text
    assert 'name="_save"' not in text
    for address in (page, "/admin/orchestrator/historyentry/add/"):
        assert admin.post(address, {"reason": "other"}).status_code == 403
    assert HistoryEntry.objects.get(pk=entry.pk).reason == entry.reason


def test_dc4_state_is_read_only(admin: Client, driver: Driver) -> None:
    work = driver.start()
    task = driver.task("A1")
    for address in (f"task/{task.pk}", f"workstream/{work.pk}"):
        assert admin.post(f"/admin/orchestrator/{address}/change/", {"status": "complete"}).status_code == 403
    assert Task.objects.get(pk=task.pk).status == task.status
    assert driver.reload().status == work.status


def test_dc4_a_change_of_a_workflow_stands_in_the_history(admin: Client, driver: Driver) -> None:
    workflow = driver.submit().version.workflow
    address = f"/admin/orchestrator/workflow/{workflow.pk}/change/"
    answer = admin.post(
        address,
        {
            "name": "Refunds",
            "domain": "money",
            "allow_self_approval": "on",
            "required_approvals": 1,
            "slug": "other",
            "_save": "Save",
        },
    )
    assert answer.status_code == 302
    workflow = Workflow.objects.get(pk=workflow.pk)
    assert (workflow.name, workflow.domain, workflow.allow_self_approval) == ("Refunds", "money", True)
    assert workflow.slug != "other"
    entry = HistoryEntry.objects.get(action="workflow changed")
    assert entry.actor == "root"
    assert '"allow_self_approval":false' in entry.leaf
    assert '"allow_self_approval":true' in entry.leaf
    admin.post(
        address,
        {
            "name": "Refunds",
            "domain": "money",
            "allow_self_approval": "on",
            "required_approvals": 1,
            "_save": "Save",
        },
    )
    assert HistoryEntry.objects.filter(action="workflow changed").count() == 1


def test_dc4_only_staff_gets_in(client: Client, cast: Cast) -> None:
    client.force_login(cast.approver)
    assert client.get("/admin/").status_code == 302
    staff = UserFactory(username="staff-without-rights", is_staff=True)
    client.force_login(staff)
    assert client.get("/admin/orchestrator/historyentry/").status_code == 403


def test_dc4_no_token_digest_is_shown(admin: Client, cast: Cast) -> None:
    token, _ = issue_token(
        executor=cast.builder(),
        label="a",
        scopes=frozenset({"read"}),
        actor=cast.actor("contributor"),
        now=NOON,
    )
    text = admin.get(f"/admin/orchestrator/accesstoken/{token.pk}/change/").content.decode()
    assert token.digest not in text
