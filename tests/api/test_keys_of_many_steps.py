"""AD-7, B31: acts of several transactions under an idempotency key stay several; each step is done once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import connection

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HistoryEntry, IdempotencyKey, Workstream
from orchestrator.services.plans import submissions
from tests.acceptance.versions import ONE
from tests.cast import Cast, Driver
from tests.machines import Machine, secret_of
from tests.verified import first_breach

FILES = "/api/plans/files"


def plans(*titles: str) -> dict[str, object]:
    return {
        "files": [{"name": f"{t.split()[0]}.md", "source": f"# Plan: {t}\n\n- A1: one\n"} for t in titles]
    }


BODY = plans("Returns in Norway", "Bicycle parking", "Faster invoices")


@pytest.fixture
def submitter(cast: Cast) -> Machine:
    executor = cast.builder("ines-s")
    executor.kind = ExecutorKind.PERSON  # An integration is reverted by people only.
    executor.save()
    executor.user.groups.add(*cast.initiator.groups.all(), *cast.approver.groups.all())
    return Machine.of(executor)


class CutOff(BaseException):
    """The process is gone."""


@pytest.mark.django_db
def test_ad7_a_call_that_was_cut_off_goes_on_where_it_was(
    submitter: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = submissions.submit_plan
    with monkeypatch.context() as patched:

        def cut_off(**values: object) -> object:
            if Workstream.objects.count() == 2:
                raise CutOff
            return submit(**values)

        patched.setattr(submissions, "submit_plan", cut_off)
        with pytest.raises(CutOff):
            submitter.post(FILES, BODY, key="k")
    assert Workstream.objects.count() == 2
    status, answer = submitter.post(FILES, BODY, key="k")
    assert status == 201
    assert [one["refusal"] for one in answer["plans"]] == ["", "", ""]
    assert Workstream.objects.count() == 3
    assert submitter.post(FILES, BODY, key="k") == (status, answer)
    assert HistoryEntry.objects.filter(action="plan submitted").count() == 3


@pytest.mark.django_db
def test_b31_a_key_whose_call_was_cut_off_is_not_taken_for_another_body(
    submitter: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(**values: object) -> object:
        raise CutOff

    with monkeypatch.context() as patched:
        patched.setattr(submissions, "submit_plan", cut_off)
        with pytest.raises(CutOff):
            submitter.post(FILES, BODY, key="k")
    status, answer = submitter.post(FILES, plans("Something else"), key="k")
    assert (status, answer["code"]) == (409, "idempotency-key-reused")
    assert not Workstream.objects.exists()


@pytest.mark.django_db
def test_ad7_a_bundle_under_a_key_is_one_step_with_the_same_answer(submitter: Machine) -> None:
    first = submitter.post(FILES, BODY | {"bundle": "spring"}, key="k")
    assert first[0] == 201, first
    assert len(first[1]["plans"]) == 3
    assert submitter.post(FILES, BODY | {"bundle": "spring"}, key="k") == first
    assert Workstream.objects.count() == 3


@pytest.mark.django_db
def test_ad7_every_route_of_several_transactions_takes_a_key_without_becoming_one(
    driver: Driver, submitter: Machine
) -> None:
    """The suite fails of an act of several transactions that runs inside another one."""
    driver.start(ONE)
    workstream, slug = driver.workstream.uuid, driver.workstream.version.workflow.slug
    artifact = driver.workstream.artifacts.first().pk
    calls = {
        "/api/collected/": None,
        f"/api/workstreams/{workstream}/republish": None,
        f"/api/artifacts/{artifact}/recover": {"way": "retry"},
        f"/api/workstreams/{workstream}/integration/look": None,
        f"/api/workstreams/{workstream}/integration": {"note": "By hand."},
        f"/api/workstreams/{workstream}/revert": {"reason": "Wrong."},
        f"/api/workflows/{slug}/versions/1/migrations": {"workstreams": [str(workstream)], "reason": "More."},
        FILES: BODY,
    }
    for path, body in calls.items():
        first = submitter.post(path, body, key=path)
        assert first[0] in (200, 201, 403, 409), (path, first)
        assert submitter.post(path, body, key=path) == first
        assert IdempotencyKey.objects.get(key=path, step="").status == first[0]


@pytest.mark.django_db(transaction=True)
def test_ad7_calls_with_one_key_at_once_do_every_step_once_and_get_one_answer(
    cast: Cast, live_server
) -> None:
    executor = cast.builder("ines-s")
    executor.user.groups.add(*cast.initiator.groups.all())
    headers = {"authorization": f"Bearer {secret_of(executor)}", "idempotency-key": "together"}
    callers = 8 if connection.vendor == "postgresql" else 3
    start = threading.Barrier(callers)

    def call(_: int) -> httpx.Response:
        start.wait()
        return httpx.post(f"{live_server.url}{FILES}", headers=headers, json=BODY, timeout=60)

    with ThreadPoolExecutor(callers) as pool:
        answers = list(pool.map(call, range(callers)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert Workstream.objects.count() == 3
    assert first_breach() is None
