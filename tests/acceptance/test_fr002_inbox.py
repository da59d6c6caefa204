"""FR-002, LC-11: one inbox: what unblocks most work first, in pages, with filters, snoozed and in hand."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orchestrator.core.terms import AttemptStatus, BlockerKind, WorkstreamStatus
from orchestrator.models import Attempt, Snooze
from orchestrator.queries.engine.explanations import explained
from orchestrator.services.base.locks import locked_workstream
from orchestrator.services.base.progress import recount
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.freeing import why_task
from orchestrator.services.people import blockers, interventions
from tests.cast import PLAN, Driver
from tests.web.pages import htmx, signed_in, words
from tests.web.rows import workstream

pytestmark = pytest.mark.django_db


def titled(title: str, domain: str = "payments") -> bytes:
    return PLAN.replace(b"Card refunds", title.encode()).replace(
        b"domain: payments", f"domain: {domain}".encode()
    )


def ask(driver: Driver, key: str, note: str = "Which?") -> None:
    interventions.flag_for_human(
        task_id=driver.task(key).pk, note=note, actor=driver.cast.actor("contributor"), now=driver.tick()
    )


def listed(client: Client, query: str = "") -> list[tuple[str, str]]:
    """Title and workstream of each row."""
    text = client.get(f"/?{query}").content.decode()
    return re.findall(r'<th scope="row"><a [^>]*><bdi>([^<]*)</bdi><span class="sr-only"> of ([^<]*)<', text)


def names(client: Client) -> list[str]:
    return re.findall(r'name="item"\s+value="([^"]+)"', client.get("/").content.decode())


def badge(client: Client) -> int:
    found = re.search(r'class="badge"\s*>(\d+)<', client.get("/portfolio/").content.decode())
    return int(found[1]) if found else 0


def test_fr002_what_unblocks_most_work_stands_first(driver: Driver) -> None:
    driver.start()
    for key in ("D1", "B1", "A1"):
        ask(driver, key)
    client = signed_in(driver.cast.reviewer)
    assert [title.partition(":")[0] for title, _ in listed(client)] == ["A1", "B1", "D1"]
    text = words(client.get("/"))
    assert re.search(r"A1: .* 4 tasks .* B1: .* 3 tasks", text)
    found = explained(driver.reload(), driver.now)
    for key, behind in (("A1", 4), ("B1", 3), ("D1", 0)):
        assert driver.task(key).step.behind == behind
        assert why_task(driver.workstream, key, driver.now, found).root.behind == behind


def test_fr002_each_task_stands_there_once(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    driver.fail("A1")
    for note in ("No key.", "No licence."):
        blockers.declare_blocker(
            task_id=driver.task("B1").pk,
            kind=BlockerKind.EXTERNAL,
            note=note,
            actor=driver.cast.actor("contributor"),
            now=driver.tick(),
        )
    ask(driver, "A1")
    rows = listed(signed_in(driver.cast.reviewer))
    assert sorted(title.partition(":")[0] for title, _ in rows) == ["A1", "B1"]


def test_fr002_filters_stand_in_the_address(driver: Driver) -> None:
    driver.start(titled("Price book", "sales"))
    ask(driver, "A1")
    driver.start(titled("Quote service", "support"))
    ask(driver, "B1")
    client = signed_in(driver.cast.approver)
    assert {place for _, place in listed(client)} == {"Price book", "Quote service"}
    assert {place for _, place in listed(client, "domain=sales")} == {"Price book"}
    assert {place for _, place in listed(client, "workstream=quote")} == {"Quote service"}
    assert listed(client, "kind=question&domain=sales") == [("A1: Ledger entries for refunds", "Price book")]
    assert listed(client, "kind=nothing-of-the-kind") == listed(client)
    assert listed(client, "whose=mine") == []
    owner = signed_in(driver.cast.initiator)
    assert len(listed(owner, "whose=mine")) == 2


def test_fr002_a_page_costs_the_same_however_much_waits(driver: Driver) -> None:
    """Ten thousand took a second when the list had no pages."""
    client = signed_in(driver.cast.approver)

    def costs(more: int) -> int:
        for number in range(more):
            workstream(driver.cast.initiator, driver.now, title=f"Done {more} {number}", tasks=(0, 3, 0))
        with CaptureQueriesContext(connection) as statements:
            assert client.get("/").status_code == 200
        return len(statements)

    assert costs(3) == costs(60)
    assert len(listed(client)) == 50
    assert len(listed(client, "page=2")) == 13
    assert not set(listed(client)) & set(listed(client, "page=2"))
    assert badge(client) == 63


def test_fr002_a_list_that_is_too_long_to_page_through_says_so_and_the_file_has_all(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        workstream(driver.cast.initiator, driver.now, title=f"Done {number}", tasks=(0, 3, 0))
    monkeypatch.setattr("orchestrator.web.workstreams.inbox.MOST_LISTED", 3)
    client = signed_in(driver.cast.approver)
    page = words(client.get("/"))
    assert "More than 3 things wait for you" in page
    assert "The first 3 stand here. Filter the list to see others; the file has all of them." in page
    assert "Export all rows as CSV" in page
    assert len(listed(client)) == 3
    file = b"".join(client.get("/?format=csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert len(file.splitlines()) == 1 + 5


def test_fr002_what_waits_behind_an_attempt_is_what_its_step_says(driver: Driver) -> None:
    driver.start()
    waiting = Attempt.objects.filter(status=AttemptStatus.QUEUED).select_related("task__step")
    assert {one.behind for one in waiting} == {one.task.step.behind for one in waiting} != {0}
    Attempt.objects.update(behind=77)
    with unit_of_work():
        recount(locked_workstream(driver.workstream.pk), driver.now)
    assert {one.behind for one in waiting.all()} == {one.task.step.behind for one in waiting}


def test_fr002_what_is_snoozed_is_hidden_until_then_from_its_person_alone(driver: Driver) -> None:
    driver.start()
    ask(driver, "A1")
    ask(driver, "B1")
    mine, other = signed_in(driver.cast.reviewer), signed_in(driver.cast.approver)
    before = badge(mine)
    [first, *_] = names(mine)
    done = mine.post("/inbox/snooze", {"item": [first], "for": "1d"}, follow=True)
    assert "1 item is put off" in words(done)
    assert [title.partition(":")[0] for title, _ in listed(mine)] == ["B1"]
    assert badge(mine) == before - 1
    assert [title.partition(":")[0] for title, _ in listed(mine, "view=snoozed")] == ["A1"]
    assert [title.partition(":")[0] for title, _ in listed(other)][:2] == ["A1", "B1"]
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1), tick=False):
        later = signed_in(driver.cast.reviewer)
        assert [title.partition(":")[0] for title, _ in listed(later)] == ["A1", "B1"]
    mine.post("/inbox/snooze", {"item": [first], "for": "7d"})
    assert Snooze.objects.count() == 1, "one row for each person and item"
    mine.post("/inbox/wake", {"item": [first]})
    assert [title.partition(":")[0] for title, _ in listed(mine)] == ["A1", "B1"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"item": ["task:1"], "until": "1999-01-01T00:00"}, "That time is past."),
        ({"for": "1d"}, "Choose between 1 and 100 items."),
        ({"item": ["question:1"], "for": ""}, "Say until when."),
        ({"item": ["question:1"], "for": "", "until": "2099-01-01T00:00"}, "longer than a year"),
        ({"item": ["<script>"], "for": "1d"}, "is no item of an inbox"),
        ({"item": ["question:99999999999999999999"], "for": "1d"}, "is no item of an inbox"),
    ],
)
def test_fr002_a_snooze_that_says_nothing_is_refused(driver: Driver, body: dict, said: str) -> None:
    answer = signed_in(driver.cast.reviewer).post("/inbox/snooze", body)
    assert answer.status_code == 422
    assert said in words(answer)
    assert not Snooze.objects.exists()


def test_fr002_what_is_in_my_hands_is_listed_apart(driver: Driver) -> None:
    driver.start()
    driver.claim("A1", driver.cast.builder("builder-1"))
    ask(driver, "B1", "Half-up?")
    mine = signed_in(driver.cast.contributor)
    assert [title.partition(":")[0] for title, _ in listed(mine, "view=hands")] == ["A1", "B1"]
    text = words(mine.get("/?view=hands"))
    assert "Held by builder-1 (agent of carl); no breadcrumb yet" in text
    assert "Half-up?" in text
    assert listed(signed_in(driver.cast.approver), "view=hands") == []


def test_fr002_closed_work_is_no_longer_in_the_list(driver: Driver) -> None:
    workstream(
        driver.cast.initiator, driver.now, title="Over", tasks=(0, 3, 0), status=WorkstreamStatus.ARCHIVED
    )
    assert listed(signed_in(driver.cast.approver)) == []


def test_fr002_what_nothing_waits_for_stands_behind_what_holds_work(driver: Driver) -> None:
    """Nobody waits for what a batch taught; the steps of a plan in review wait for its approval."""
    driver.start()
    driver.do("A1", "A2", "B1")
    rows = signed_in(driver.cast.reviewer).get("/").context["items"]
    assert [(item.section.kind, item.behind) for item in rows] == [("gate", 2), ("lesson", 0)]
    driver.submit(titled("Card payments"))
    approver = signed_in(driver.cast.approver)
    rows = approver.get("/").context["items"]
    assert [(item.section.kind, item.behind) for item in rows] == [("approval", 6)]
    assert "Submitted by ines; its 6 steps wait for the decision" in words(approver.get("/"))


def test_fr002_an_unknown_filter_is_said_and_the_file_has_the_filtered_rows(driver: Driver) -> None:
    driver.start()
    ask(driver, "A1")
    client = signed_in(driver.cast.reviewer)
    everything = listed(client)
    for name, label in (("kind", "What"), ("domain", "Domain"), ("whose", "Whose"), ("view", "View")):
        assert f"“q<u>ux” is no choice of “{label}”" in words(client.get("/", {name: "q<u>ux"}))
        assert listed(client, f"{name}=qux") == everything
    narrowed = client.get("/?kind=question&format=csv").getvalue().decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in narrowed] == ["waits_for", "Needs a human"]
    assert "Export 1 row as CSV" in words(client.get("/?kind=question"))


@pytest.mark.parametrize(
    ("address", "part"), [("/", "results"), ("/gates/", "results"), ("/interventions/", "cards")]
)
def test_fr002_a_list_in_which_nothing_can_have_changed_is_answered_cheaply(
    driver: Driver, address: str, part: str
) -> None:
    driver.start()
    ask(driver, "A1")
    client = signed_in(driver.cast.reviewer)
    with time_machine.travel(driver.now, tick=False):
        again = re.search(r'hx-get="([^"]*stood=[^"]*)"', client.get(address).content.decode())
        assert again
        refresh = again[1].replace("&amp;", "&")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = client.get(refresh, **htmx(part))
        assert (answer.status_code, answer.content) == (204, b"")
        assert len(asked) <= 4, [one["sql"] for one in asked]
        ask(driver, "B1")
        assert client.get(refresh, **htmx(part)).status_code == 200


def test_fr002_the_list_is_sorted_as_its_reader_asks(driver: Driver) -> None:
    driver.start()
    for key in ("A1", "B1"):
        ask(driver, key)
    client = signed_in(driver.cast.reviewer)

    def order(query: str) -> list[str]:
        text = client.get(f"/{query}").content.decode()
        return re.findall(r'<th scope="row"><a href="[^"]*"><bdi>(\w+):', text)

    assert order("?sort=-waiting") == list(reversed(order("?sort=waiting")))
    assert set(order("?sort=behind")) == set(order(""))
    assert "“colour” is no column to sort by" in words(client.get("/?sort=colour"))
    assert "sort=-waiting" in client.get("/?sort=waiting&kind=question").content.decode()
