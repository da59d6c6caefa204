"""Search by words: everything that is kept is found, where it says them, on page and REST (FR-012)."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from orchestrator.core.terms import ExecutorKind, SearchKind
from orchestrator.models import Discussion, HandoffArtifact, SearchEntry, Workflow, Workstream
from orchestrator.models.base.search_index import search_problems
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.executors import issue_token, register_executor
from orchestrator.services.plans import comments
from orchestrator.services.work import claims
from orchestrator.services.workstreams.learnings import record_learning
from tests.cast import PLAN, Cast, Driver
from tests.web.pages import words


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.observer)
    return client


def found(reader: Client, query: str) -> list[tuple[str, str]]:
    """Kind and address of everything that the page lists."""
    response = reader.get(f"/search/?{query}")
    assert response.status_code == 200
    return [(hit.kind.value, address) for hit, address in response.context["hits"]]


def submitted(cast: Cast, title: str) -> Workstream:
    return Driver(cast).submit(PLAN.replace(b"Card refunds", title.encode())).workstream


def test_fr012_every_kind_is_found_and_leads_to_what_says_the_words(
    reader: Client, cast: Cast, driver: Driver
) -> None:
    work = driver.start()
    driver.do("A1")
    driver.claim("A2")
    attempt = driver.task("A2").attempts.get()
    claims.report(
        attempt_id=attempt.pk,
        token=attempt.assignment.token,
        breadcrumb="Zanzibar rows are loaded",
        executor=attempt.assignment.executor,
        now=driver.now,
    )
    record_learning(
        workstream=work,
        after="A1",
        went_wrong="The xylophone broke",
        worked="",
        tighten="",
        actor=Actor.person(cast.reviewer),
        now=driver.now,
    )
    task = f"/workstreams/{work.uuid}/tasks/A2/"
    assert ("task", task) in found(reader, "q=zanzi")
    assert ("learning", f"/workstreams/{work.uuid}/") in found(reader, "q=XYLOPHONE")
    assert found(reader, "q=card+refunds")[0] == ("workstream", f"/workstreams/{work.uuid}/")
    line = 1 + PLAN.decode().split("\n").index("- B1: Gateway call")
    assert ("plan", f"/plans/card-refunds/v1/#L{line}") in found(reader, "q=gateway+call&kind=plan")
    assert any(kind == "history" for kind, _ in found(reader, "q=similar"))
    artifact = HandoffArtifact.objects.filter(event="attempt-completed").get()
    assert ("artifact", f"/workstreams/{work.uuid}/files/{artifact.path}") in found(
        reader, "q=attempt+completed&kind=artifact"
    )


def test_fr012_the_page_marks_the_words_and_says_where_they_stand(reader: Client, driver: Driver) -> None:
    driver.start()
    response = reader.get("/search/?q=report+refunds&kind=task")
    text = response.content.decode()
    assert text.count("<mark>") == 3
    assert "Definition: report shows refunds" in words(response)
    assert 'id="find"' in reader.get("/history/").content.decode(), "the field stands on every page"


def test_fr012_a_comment_is_found_once_it_is_sent(reader: Client, cast: Cast, driver: Driver) -> None:
    """A draft is its author's alone, also in the index."""
    version = driver.submit().version
    anna = Actor.person(cast.approver)
    comments.open_discussion(
        version_id=version.pk, body="Which quokka is meant?", line=5, step="", actor=anna, now=driver.now
    )
    assert found(reader, "q=quokka") == []
    assert not SearchEntry.objects.filter(body__contains="quokka").exists()
    comments.send_comments(version_id=version.pk, actor=anna, now=driver.now)
    number = Discussion.objects.get().pk
    assert found(reader, "q=quokka&state=open") == [
        ("discussion", f"/plans/card-refunds/v1/#discussion-{number}")
    ]


def test_fr012_filters_narrow_and_an_unknown_value_is_said(
    reader: Client, cast: Cast, driver: Driver
) -> None:
    driver.start()
    other = submitted(cast, "Gift refunds")
    both = found(reader, "q=refunds&kind=workstream")
    assert len(both) == 2
    assert found(reader, f"q=refunds&kind=workstream&workstream={other.slug}") == [
        ("workstream", f"/workstreams/{other.uuid}/")
    ]
    assert found(reader, "q=refunds&kind=workstream&domain=-") == []
    assert found(reader, "q=refunds&kind=workstream&state=planning") == [
        ("workstream", f"/workstreams/{other.uuid}/")
    ]
    response = reader.get("/search/?q=refunds&kind=wrokstream")
    assert "“wrokstream” is no choice of “Kind”, so it filters nothing." in words(response)
    assert response.context["total"] > 2


@pytest.mark.parametrize(
    "text", ["", "???", '"', "a AND (", "x" * 500, "NEAR(a b)", "é' OR 1=1 --", "日本 *", "%s"]
)
def test_fr012_no_question_breaks_it(reader: Client, driver: Driver, text: str) -> None:
    driver.submit()
    assert reader.get("/search/", {"q": text}).status_code == 200


@pytest.mark.parametrize("text", ["🚀", "*", "???"])
def test_fr012_signs_alone_are_said_not_to_be_searched(reader: Client, text: str) -> None:
    assert "Only letters and digits are searched" in words(reader.get("/search/", {"q": text}))
    assert "What are you looking for?" in words(reader.get("/search/"))


def test_fr012_three_hundred_workflows_are_findable_in_as_many_statements_as_one(
    reader: Client, cast: Cast, driver: Driver, django_assert_max_num_queries
) -> None:
    driver.submit()
    with django_assert_max_num_queries(14) as few:
        assert found(reader, "q=refunds&kind=plan")
    flow = Workflow.objects.get()
    version = flow.versions.get()
    flows = [
        Workflow(slug=f"w-{n}", name=f"Harvest {n:03}", created_at=driver.now, created_by=cast.initiator)
        for n in range(300)
    ]
    for one in Workflow.objects.bulk_create(flows):
        version.pk, version.workflow, version.workstream = None, one, None
        version.save(force_insert=True)
    with django_assert_max_num_queries(len(few)):
        response = reader.get("/search/?q=harvest&kind=plan&page=15")
    assert response.context["total"] == 300
    assert found(reader, "q=harvest+217&kind=plan") == [("plan", "/plans/w-217/v1/")]
    Workflow.objects.filter(slug="w-217").update(name="Vintage")
    assert found(reader, "q=vintage") == [("plan", "/plans/w-217/v1/")]


def test_fr012_rest_answers_the_same(cast: Cast, driver: Driver, client: Client) -> None:
    work = driver.start()
    executor = register_executor(
        name="finder", kind=ExecutorKind.AGENT, user=cast.contributor, now=driver.now
    )
    _, secret = issue_token(
        executor=executor,
        label="t",
        scopes=frozenset({"read"}),
        actor=Actor.person(cast.contributor),
        now=driver.now,
    )
    signed = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    answer = client.get("/api/search/?q=ledger+report&kind=task", **signed).json()
    assert answer["total"] == 1 == answer["counts"]["task"]
    (item,) = answer["items"]
    assert (item["key"], item["address"]) == ("A2", f"/workstreams/{work.uuid}/tasks/A2/")
    assert client.get("/api/search/?q=ledger&state=wrong", **signed).status_code == 422
    assert client.get("/api/search/?q=ledger&state=wrong").status_code == 401


def test_fr012_the_index_is_kept_by_every_act_and_made_again_by_a_command(driver: Driver) -> None:
    driver.start()
    driver.finish()
    assert search_problems() == []
    kinds = set(SearchEntry.objects.values_list("kind", flat=True))
    assert kinds == {kind.value for kind in SearchKind} - {"discussion", "learning"}
    before = set(SearchEntry.objects.values_list("kind", "ref", "title", "body", "notes"))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orchestrator_searchentry WHERE kind = 'task'")
    with pytest.raises(SystemExit):
        call_command("rebuild", "search", check=True, stdout=(said := io.StringIO()))
    assert "task: 6 missing or other, 0 too many." in said.getvalue()
    call_command("rebuild", "search", stdout=io.StringIO())
    call_command("rebuild", "search", check=True, stdout=io.StringIO())
    assert set(SearchEntry.objects.values_list("kind", "ref", "title", "body", "notes")) == before


def test_fr012_the_window_is_the_time_of_the_last_change(reader: Client, driver: Driver) -> None:
    work = driver.submit().workstream
    assert len(found(reader, "q=refunds&kind=workstream&window=1h")) == 1
    Workstream.objects.filter(pk=work.pk).update(updated_at=timezone.now() - timedelta(hours=2))
    assert found(reader, "q=refunds&kind=workstream&window=1h") == []
