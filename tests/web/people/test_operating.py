"""The page Operating: what it says of queue, executors, history and database; who sees it; what it costs."""

import os
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from orchestrator.adapters.machine import folder_size, processes
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, Driver
from tests.web.pages import signed_in, words


@pytest.fixture
def begun(driver: Driver) -> Driver:
    driver.start()
    driver.claim("B1")
    return driver


def test_it_shows_who_works_on_what_and_the_end_of_the_history(begun: Driver) -> None:
    shown = words(signed_in(begun.cast.approver).get(reverse("operating")))
    assert f"B1 of {begun.reload()}" in shown
    last = HistoryEntry.objects.order_by("sequence").last()
    assert f"entry {last.sequence}" in shown
    assert last.leaf_hash in shown
    assert connection.display_name in shown


def test_it_counts_what_waits_in_the_queue(begun: Driver) -> None:
    client = signed_in(begun.cast.approver)
    OrmQ.objects.all().delete()
    before = words(client.get(reverse("operating")))
    assert "Nothing waits" in before
    for minutes in (90, 5):
        sent = timezone.now() - timedelta(minutes=minutes)
        OrmQ.objects.create(key="any", payload=SignedPackage.dumps({"started": sent}), lock=sent)
    OrmQ.objects.create(key="any", payload="nothing that anybody signed", lock=timezone.now())
    shown = words(client.get(reverse("operating")))
    assert "3 messages wait, the oldest since 1 hour" in shown


def test_it_is_for_approvers_and_administrators(begun: Driver) -> None:
    for who in (begun.cast.contributor, begun.cast.reviewer, begun.cast.initiator):
        client = signed_in(who)
        assert client.get(reverse("operating")).status_code == 403
        assert reverse("operating") not in client.get(reverse("portfolio")).content.decode()
    begun.cast.contributor.is_superuser = True
    begun.cast.contributor.save()
    client = signed_in(begun.cast.contributor)
    assert client.get(reverse("operating")).status_code == 200
    assert reverse("operating") in client.get(reverse("portfolio")).content.decode()


def test_more_executors_cost_no_more_statements(begun: Driver) -> None:
    client = signed_in(begun.cast.approver)

    def cost() -> int:
        with CaptureQueriesContext(connection) as statements:
            assert client.get(reverse("operating")).status_code == 200
        return len(statements)

    before = cost()
    for number in range(20):
        register_executor(
            name=f"extra-{number}", kind=ExecutorKind.AGENT, user=begun.cast.contributor, now=NOON
        )
    assert cost() == before


def test_processes_are_those_whose_files_stand_there(tmp_path) -> None:
    (tmp_path / "web.pid").write_text(str(os.getpgid(0)))
    (tmp_path / "gone.pid").write_text("2147483646")
    (tmp_path / "half.pid").write_text("")
    assert [(one.name, one.alive) for one in processes(tmp_path)] == [("gone", False), ("web", True)]


def test_a_folder_is_as_large_as_its_files(tmp_path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"12345")
    (tmp_path / "two").symlink_to("/nowhere")
    told = folder_size(tmp_path)
    assert (told.files, told.complete) == (2, True)
    assert 5 <= told.size < 100
