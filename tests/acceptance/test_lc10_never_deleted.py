"""LC-10: nothing is hard-deleted; workstreams are completed or archived."""

import pytest
from django.contrib.auth.models import User
from django.db.models import ProtectedError
from django.test import Client

from orchestrator.admin import site
from orchestrator.core.terms import TaskStatus
from orchestrator.models import Workstream
from orchestrator.services.workstreams import workstreams
from tests.cast import Cast, Driver
from tests.verified import state_problems
from tests.web.pages import words


def test_lc10_an_archived_workstream_keeps_everything(client: Client, cast: Cast, driver: Driver) -> None:
    work = driver.start()
    before = work.tasks.count()
    workstreams.archive_workstream(
        workstream_id=work.pk, reason="Not needed.", actor=cast.actor("approver"), now=driver.tick()
    )
    client.force_login(cast.observer)
    assert work.title in client.get("/portfolio/?state=archived").content.decode()
    assert "Not needed." in client.get(f"/workstreams/{work.uuid}/history/").content.decode()
    assert work.tasks.count() == before


def test_lc10_a_gate_of_an_archived_workstream_waits_for_nobody(
    client: Client, cast: Cast, driver: Driver
) -> None:
    """Its attempt is cancelled, so it is in review no more, in the tables and in what history
    says of them.
    """
    driver.start()
    driver.do("A1", "A2", "B1")
    assert driver.task("MP1").status == TaskStatus.REVIEW
    assert driver.workstream is not None
    workstreams.archive_workstream(
        workstream_id=driver.workstream.pk,
        reason="Not needed.",
        actor=cast.actor("approver"),
        now=driver.tick(),
    )
    assert driver.task("MP1").status == TaskStatus.PENDING
    assert state_problems(driver.reload()) == []
    client.force_login(cast.reviewer)
    assert "MP1" not in words(client.get("/gates/"))


def test_lc10_the_administration_deletes_nothing(client: Client, cast: Cast, driver: Driver, rf) -> None:
    work = driver.start()
    request = rf.get("/admin/")
    request.user = cast.admin
    for model, model_admin in site._registry.items():
        assert not model_admin.has_delete_permission(request), model
        assert "delete_selected" not in model_admin.get_actions(request), model
    client.force_login(cast.admin)
    assert (
        client.post(f"/admin/orchestrator/workstream/{work.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert client.post(f"/admin/auth/user/{cast.initiator.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Workstream.objects.filter(pk=work.pk).exists()
    assert User.objects.filter(pk=cast.initiator.pk).exists()


def test_lc10_the_database_protects_what_history_names(cast: Cast, driver: Driver) -> None:
    work = driver.start()
    with pytest.raises(ProtectedError):
        work.delete()
    with pytest.raises(ProtectedError):
        cast.initiator.delete()
