"""FR-003: hundreds of suspects are paged, everywhere, and decided at once with one rationale."""

import gzip
import re

import pytest

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import DuplicateDecision, HistoryEntry, Workstream
from orchestrator.queries.work.duplicates import undecided
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine
from tests.web.pages import htmx, signed_in, words
from tests.web.rows import workstream

pytestmark = pytest.mark.django_db
MANY = 121
TITLE = "Sign-in for staff, the house plan"


@pytest.fixture
def suspected(driver: Driver) -> Workstream:
    for number in range(MANY):
        workstream(driver.cast.initiator, driver.now, title=f"{TITLE} {number}")
    made = driver.submit(PLAN.replace(b"Card refunds", TITLE.encode())).workstream
    assert len(undecided(made)) == MANY
    return made


def review_of(found: Workstream) -> str:
    return f"/plans/{found.version.workflow.slug}/v1/"


def test_fr003_a_review_with_many_suspects_stays_light(driver: Driver, suspected: Workstream) -> None:
    page = signed_in(driver.cast.approver).get(review_of(suspected))
    said = words(page)
    assert f"Suspected duplicates: {MANY}" in said
    assert f"1–10 of {MANY}" in said
    assert page.content.count(b"Decide about it") == 10
    assert len(gzip.compress(page.content)) < 15_000
    assert "and 111 more" in said


def test_fr003_every_suspect_is_on_some_page(driver: Driver, suspected: Workstream) -> None:
    client, seen = signed_in(driver.cast.approver), set()
    address: str | None = review_of(suspected)
    while address:
        body = client.get(address).content.decode()
        seen |= set(re.findall(r'name="other" value="([^"]+)"', body))
        following = re.search(r'rel="next"\s+href="\?(suspects=\d+)#prehandoff"', body)
        address = f"{review_of(suspected)}?{following[1]}" if following else None
    assert seen == {one.workstream.slug for one in undecided(suspected)}


def test_fr003_the_next_suspects_come_as_a_part_of_the_page(driver: Driver, suspected: Workstream) -> None:
    client = signed_in(driver.cast.approver)
    part = client.get(f"/workstreams/{suspected.uuid}/prehandoff/?suspects=13", **htmx("prehandoff"))
    assert "121–121 of 121" in words(part)
    assert part.content.count(b"Decide about it") == 1
    assert b"<html" not in part.content


def test_fr003_many_suspects_are_decided_at_once_and_later_ones_are_not(
    driver: Driver, suspected: Workstream
) -> None:
    client = signed_in(driver.cast.approver)
    body = client.get(review_of(suspected)).content.decode()
    shown = re.search(r'name="others" value="([^"]+)"', body)
    assert shown
    late = workstream(driver.cast.initiator, driver.now, title=f"{TITLE} once more")
    address = f"{review_of(suspected)}prehandoff/decide-all"
    form = {"others": shown[1] + " 99999999 x", "outcome": "override", "rationale": "Other staff."}
    page = client.post(address, form, follow=True)
    assert f"{MANY} workstreams are decided with one rationale" in words(page)
    assert DuplicateDecision.objects.filter(workstream=suspected).count() == MANY
    assert [one.workstream for one in undecided(suspected)] == [late]
    assert len(gzip.compress(page.content)) < 15_000
    entries = HistoryEntry.objects.count()
    stale = client.post(address, form)
    assert stale.status_code == 409
    assert f"All {MANY} are decided already, last by {driver.cast.approver}" in words(stale)
    again = client.post(address, form | {"others": f"{shown[1]} {late.pk}"}, follow=True)
    assert "1 workstream is decided with one rationale" in words(again)
    kept = f"{TITLE} 0, {TITLE} 1, {TITLE} 2 and {MANY - 3} more."
    assert f"Decided before, and left as decided: {kept}" in words(again)
    assert HistoryEntry.objects.count() == entries + 2


def test_fr003_a_refused_decision_shows_the_page_of_its_suspect(
    driver: Driver, suspected: Workstream
) -> None:
    last = undecided(suspected)[-1].workstream
    address = f"{review_of(suspected)}prehandoff/decide"
    form = {"other": last.slug, "outcome": "link", "rationale": ""}
    page = signed_in(driver.cast.approver).post(address, form)
    assert f"121–121 of {MANY}" in words(page)
    assert f'name="other" value="{last.slug}"' in page.content.decode()


def test_fr003_rest_answers_with_a_page_of_suspects(driver: Driver, suspected: Workstream) -> None:
    steward = Machine.of(
        register_executor(name="steward", kind=ExecutorKind.PERSON, user=driver.cast.approver, now=NOON)
    )
    address = f"/api/workstreams/{suspected.uuid}"
    _, answer = steward.get(f"{address}/suspects?limit=20&offset=110")
    assert (answer["count"], answer["undecided"], len(answer["suspects"])) == (MANY, MANY, 11)
    _, answer = steward.get(f"{address}/suspects")
    assert len(answer["suspects"]) == 100
    others = [one["uuid"] for one in answer["suspects"]]
    body = {"others": others, "outcome": "link", "rationale": "One sign-in for all."}
    _, answer = steward.post(f"{address}/suspects/several", body)
    assert (answer["count"], answer["undecided"]) == (MANY, MANY - 100)
    status, answer = steward.post(f"{address}/prehandoff", {"rationale": "Looked."})
    assert (status, answer["details"]["count"]) == (409, 21)
    assert answer["details"]["suspects"].endswith(" and 11 more")
    assert len(answer["message"]) < 1_000
