"""What is stored for somebody is bounded in size and number, over every interface alike; lists come in pages.

Each test sets the limit to a number that it can reach; the real ones stand in `core/limits.py`.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orchestrator.core import limits
from orchestrator.core.errors import Refusal, TooMany
from orchestrator.mcp.answers import check_lengths
from orchestrator.mcp.plans import PlanTools
from orchestrator.models import AccessToken, Comment, Executor, HistoryEntry, IdempotencyKey, OutputFile
from orchestrator.services.people.callers import caller_by_name
from orchestrator.services.plans import comments
from tests.cast import Cast, Driver
from tests.machines import Machine, secret_of
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def holder(driver: Driver) -> Machine:
    """Holds A1."""
    driver.start()
    machine = Machine.of(driver.cast.builder())
    machine.post(f"/api/attempts/{driver.attempt('A1').pk}/claim")
    return machine


def token_of(driver: Driver) -> int:
    return driver.task("A1").last_token


def work(driver: Driver, act: str) -> str:
    return f"/api/attempts/{driver.attempt('A1').pk}/{act}"


def test_breadcrumbs_of_an_attempt(driver: Driver, holder: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BREADCRUMBS", 3)
    for n in range(3):
        assert (
            holder.post(work(driver, "report"), {"token": token_of(driver), "breadcrumb": f"step {n}"})[0]
            == 200
        )
    status, answer = holder.post(
        work(driver, "report"), {"token": token_of(driver), "breadcrumb": "one more"}
    )
    assert (status, answer["code"], answer["details"]["limit"]) == (409, "too-many", 3)
    assert HistoryEntry.objects.filter(action="breadcrumb left").count() == 3


def test_a_brief_shows_the_newest_breadcrumbs(
    driver: Driver, holder: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BREADCRUMBS_SHOWN", 2)
    for n in range(4):
        holder.post(work(driver, "report"), {"token": token_of(driver), "breadcrumb": f"crumb {n}"})
    said = str(holder.get(f"/api/tasks/{driver.task('A1').pk}/continue")[1])
    assert "crumb 0" not in said
    assert "crumb 2" in said
    assert "crumb 3" in said


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("report", {"breadcrumb": "x" * 10_001}),
        ("fail", {"error": "x" * 10_001}),
        ("complete", {"outcome": "x" * 10_001}),
        ("complete", {"evidence": {"1": "x" * 10_001}}),
        ("complete", {"evidence": {str(n): "x" for n in range(1_001)}}),
        ("complete", {"outputs": {f"f{n}": "x" for n in range(1_001)}}),
    ],
)
def test_texts_evidence_and_files_of_a_result(
    driver: Driver, holder: Machine, act: str, body: dict[str, Any]
) -> None:
    status, answer = holder.post(work(driver, act), {"token": token_of(driver), **body})
    assert (status, answer["code"]) == (422, "invalid-input")
    assert next(iter(body)) in answer["details"]["field"]
    assert driver.attempt("A1").status == "running"


def test_bytes_of_the_files_of_a_result(
    driver: Driver, holder: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTPUT_BYTES", 1_000)
    body = {"token": token_of(driver), "outputs": {"a": "x" * 600, "b": "x" * 600}}
    status, answer = holder.post(work(driver, "complete"), body)
    assert (status, answer["code"]) == (413, "too-large")
    assert not OutputFile.objects.exists()


def test_a_stale_result_is_bounded_before_it_is_kept(
    driver: Driver, holder: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTPUT_BYTES", 1_000)
    status, _ = holder.post(work(driver, "complete"), {"token": 99, "outputs": {"a": "x" * 2_000}})
    assert status == 413
    assert not OutputFile.objects.exists()


def test_texts_of_an_mcp_tool() -> None:
    for arguments in ({"note": "x" * 10_001}, {"choices": ["x" * 10_001]}, {"evidence": {1: "x" * 10_001}}):
        with pytest.raises(Refusal, match="is the most"):
            check_lengths(arguments)
    check_lengths({"source": "x" * 20_000, "outputs": {"a": "x" * 20_000}, "limit": 5})


def test_drafts_and_comments_on_a_plan(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.submit()
    workflow, version = driver.reload().version.workflow.slug, driver.reload().version
    machine = Machine.of(driver.cast.builder())
    address = f"/api/workflows/{workflow}/versions/1/discussions"
    monkeypatch.setattr(limits, "DRAFTS", 2)
    assert [machine.post(address, {"body": "x"})[0] for _ in range(3)] == [201, 201, 409]
    page = signed_in(driver.cast.contributor)
    refused = page.post(reverse("plan-comment", args=[workflow, 1, "add"]), {"body": "One more."})
    assert refused.status_code == 409
    assert "not sent" in words(refused)
    assert machine.post(f"{address}/send")[0] == 200
    monkeypatch.setattr(limits, "COMMENTS", 2)
    status, answer = machine.post(address, {"body": "x"})
    assert (status, answer["code"]) == (409, "too-many")
    discussion = version.discussions.first()
    assert discussion is not None
    with pytest.raises(TooMany):
        comments.reply(
            discussion_id=discussion.pk, body="y", actor=driver.cast.actor("reviewer"), now=driver.tick()
        )
    assert Comment.objects.count() == 2


def test_discussions_come_in_pages(driver: Driver) -> None:
    driver.submit()
    workflow = driver.reload().version.workflow.slug
    machine = Machine.of(driver.cast.builder())
    address = f"/api/workflows/{workflow}/versions/1/discussions"
    for n in range(5):
        machine.post(address, {"body": f"remark {n}"})
    first, second = machine.get(f"{address}?limit=3")[1], machine.get(f"{address}?limit=3&offset=3")[1]
    assert [len(first), len(second)] == [3, 2]
    assert machine.get(f"{address}?limit={limits.ROWS + 1}")[0] == 422
    name = driver.cast.builder().name
    found = PlanTools(lambda: caller_by_name(name)).list_comments(workflow, limit=2, offset=4)
    assert (found.count, len(found.discussions)) == (5, 1)


def test_executors_of_an_account_and_their_page(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXECUTORS", 25)
    for n in range(25):
        cast.builder(f"agent-{n:02}")
    with pytest.raises(TooMany, match="25 executors"):
        cast.builder("one-more")
    cast.builder("agent-00")
    page: Client = signed_in(cast.contributor)
    form = {"executor": "one-more", "kind": "agent", "label": "x", "scopes": ["read"]}
    assert page.post(reverse("tokens"), form).status_code == 409
    shown = [words(page.get(reverse("tokens"), {"page": n})) for n in (1, 2)]
    assert "agent-24" not in shown[0]
    assert "agent-24" in shown[1]
    assert Executor.objects.count() == 25


def test_live_tokens_of_an_executor(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS", 2)
    builder = cast.builder()
    secret_of(builder)
    secret_of(builder)
    with pytest.raises(TooMany, match="2 live tokens"):
        secret_of(builder)
    token = AccessToken.objects.filter(executor=builder).first()
    assert token is not None
    signed_in(cast.contributor).post(reverse("token-revoke", args=[token.pk]))
    secret_of(builder)


def test_new_idempotency_keys_within_an_hour(
    driver: Driver, holder: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is known answers all the same, and an hour later there is room again."""
    monkeypatch.setattr(limits, "KEYS_AN_HOUR", 2)
    body = {"token": token_of(driver), "breadcrumb": "half way"}
    assert [holder.post(work(driver, "report"), body, key=key)[0] for key in ("a", "b")] == [200, 200]
    headers = {"authorization": f"Bearer {holder.secret}", "idempotency-key": "c"}
    response = holder.client.post(work(driver, "report"), body, "application/json", headers=headers)
    assert (response.status_code, response.json()["code"]) == (429, "too-often")
    assert 0 < int(response["Retry-After"]) <= 3601
    assert holder.post(work(driver, "report"), body, key="a")[0] == 200
    hour = timedelta(hours=1)
    for key in IdempotencyKey.objects.all():
        IdempotencyKey.objects.filter(pk=key.pk).update(created_at=key.created_at - hour)
    assert holder.post(work(driver, "report"), body, key="c")[0] == 200


def test_the_limits_are_told_with_the_interface(holder: Machine) -> None:
    description = holder.get("/api/openapi.json")[1]["info"]["description"]
    for limit in limits.LIMITS:
        assert limit.amount in description
        assert limit.bounds in description


def test_every_limit_names_a_constant() -> None:
    assert [one.name for one in limits.LIMITS if getattr(limits, one.name) != one.value] == []
