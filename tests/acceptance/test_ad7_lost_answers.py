"""F1 to F3, AD-7: whatever becomes of the web process, a call that is repeated with its key has
one effect.
"""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Assignment, HistoryEntry, IdempotencyKey, Workstream
from tests.acceptance.installation import wait_for
from tests.acceptance.web_process import answers, web_process
from tests.cast import Driver
from tests.machines import secret_of
from tests.verified import first_breach

pytestmark = pytest.mark.django_db(transaction=True)
TITLES = ("Returns in Norway", "Bicycle parking", "Faster invoices")
FILES = {"files": [{"name": f"{t.split()[0]}.md", "source": f"# Plan: {t}\n\n- A1: one\n"} for t in TITLES]}
points = pytest.mark.parametrize(
    "point",
    [
        pytest.param("before", id="f1-before-the-commit"),
        pytest.param("inside", id="f2-inside-the-transaction"),
        pytest.param("after", id="f3-after-the-commit"),
    ],
)


def killed_and_asked_again(
    folder: Path, point: str, path: str, secret: str, body: object, between: Callable[[], None]
) -> httpx.Response:
    """The call that kills its process, a look at what is there, and the same call again."""
    headers = {
        "authorization": f"Bearer {secret}",
        "idempotency-key": "once",
        "content-type": "application/json",
    }
    sent = json.dumps(body) if body else ""
    mark = folder / "dead"
    server = web_process(
        folder, application="tests.acceptance.dying", DYING_POINT=point, DYING_MARK=str(mark)
    )
    with server as address:
        with pytest.raises(httpx.HTTPError):
            httpx.post(address + path, headers=headers, content=sent, timeout=60)
        assert mark.exists(), "the process was not killed"
        between()
        wait_for(lambda: answers(address), 60, lambda: "the process was not started again")
        first = httpx.post(address + path, headers=headers, content=sent, timeout=60)
        again = httpx.post(address + path, headers=headers, content=sent, timeout=60)
    assert (again.status_code, again.text) == (first.status_code, first.text)
    return first


@points
def test_f1_f2_f3_a_claim_whose_process_is_killed_is_absent_or_answered_from_its_key(
    driver: Driver, tmp_path: Path, point: str
) -> None:
    driver.start()
    attempt = driver.attempt("A1")

    def look() -> None:
        attempt.refresh_from_db()
        there = point == "after"
        assert attempt.status == (AttemptStatus.RUNNING if there else AttemptStatus.QUEUED)
        assert IdempotencyKey.objects.filter(status=200).exists() is there

    secret = secret_of(driver.cast.builder())
    answer = killed_and_asked_again(tmp_path, point, f"/api/attempts/{attempt.pk}/claim", secret, None, look)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token"] == Assignment.objects.get(attempt=attempt).token == 1
    assert HistoryEntry.objects.filter(action="attempt claimed").count() == 1
    assert first_breach() is None


@points
def test_f1_f2_f3_plans_of_a_call_whose_process_is_killed_are_each_submitted_once(
    driver: Driver, tmp_path: Path, point: str
) -> None:
    """An act of several transactions: the kill strikes in the first one, and the repetition does the rest."""

    def look() -> None:
        assert Workstream.objects.count() == (1 if point == "after" else 0)
        key = IdempotencyKey.objects.get(step="")
        assert key.status == 0, "a call that has begun and told nobody how it ended"

    secret = secret_of(driver.cast.builder())
    driver.cast.builder().user.groups.add(*driver.cast.initiator.groups.all())
    answer = killed_and_asked_again(tmp_path, point, "/api/plans/files", secret, FILES, look)
    assert answer.status_code == 201, answer.text
    outcomes = answer.json()["plans"]
    assert [one["refusal"] for one in outcomes] == [""] * 3
    slugs = [one["submission"]["workstream_slug"] for one in outcomes]
    assert sorted(Workstream.objects.values_list("slug", flat=True)) == sorted(slugs)
    assert sorted(Workstream.objects.values_list("title", flat=True)) == sorted(TITLES)
    assert first_breach() is None
