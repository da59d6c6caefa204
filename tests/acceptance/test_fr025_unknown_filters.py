"""FR-025, DC-7: a filter that means nothing is said by a page, and refused by a file and by REST."""

import html
import json
import re

import pytest

from orchestrator.core.terms import ExecutorKind
from orchestrator.services.people.blockers import declare_blocker
from orchestrator.services.people.executors import register_executor
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db
NOBODY = "00000000-0000-4000-8000-000000000000"
#: What an address asks for in vain, the field, and what is said of it.
PAGES = {
    "/portfolio/?domain=zzz": "“zzz” is no choice of “Domain”, so it filters nothing. Known: -, payments.",
    "/portfolio/?owner=zzz": "“zzz” is no choice of “Owner”, so it filters nothing.",
    "/portfolio/?state=zzz": "“zzz” is no choice of “State”, so it filters nothing. Known: Accepted, Active,",
    "/portfolio/?signal=zzz": "“zzz” is no choice of “Attention”, so it filters nothing. Known: Blocked,",
    "/portfolio/?window=zzz": "so it filters nothing. Known: 1 hour, 24 hours, 30 days, 7 days, This month,",
    "/portfolio/?sort=zzz": "“zzz” is no column to sort by",
    "/?workstream=zzz": "No workstream is called “zzz”, so it filters nothing.",
    "/?kind=zzz": "“zzz” is no choice of “What”, so it filters nothing. Known: Blocks others,",
    "/blockers/?kind=zzz": "“zzz” is no choice of “Class”, so it filters nothing. Known: Decision, Defect,",
    "/flow/?time=zzz": "so it filters nothing. Known: All time, Last 12 months,",
    "/blockers/?owner=zzz": "“zzz” is no choice of “Owner”",
    "/history/?actor=zzz": "“zzz” is no choice of “Who”",
    "/history/?since=zzz": "“zzz” is no day for “From”, so it filters nothing. Write it like 2026-03-31.",
    "/plans/?state=zzz": "“zzz” is no choice of “State”",
    "/gates/?sort=zzz": "“zzz” is no column to sort by",
    "/collected/?state=zzz": "“zzz” is no choice of “State”",
    "/search/?q=refunds&kind=zzz": "“zzz” is no choice of “Kind”",
    "/workstreams/{uuid}/dashboard/?mark=zzz": "“zzz” is no choice of “State”",
    "/flow/?by=zzz": "“zzz” is no choice of “Figures by”, so it filters nothing. Known: Domain, Owner,",
    "/flow/?status=zzz": "“zzz” is no choice of “Status”",
    "/flow/items/?until=zzz": "“zzz” is no day for “To day”",
    "/flow/items/?sort=zzz": "“zzz” is no column to sort by",
    "/flow/steps/?sort=zzz": "“zzz” is no column to sort by",
    "/flow/forecast/?items=zzz": "“zzz” is no number for “When are so many done”",
    f"/search/?q={'refunds ' * 40}": "“Words” has 319 characters, of which the first 200 count.",
    f"/library/?q={'x' * 101}": "“Words” has 101 characters, of which the first 100 count.",
}
FILES = {
    "/portfolio.csv?domain=zzz": ("Domain", "“zzz” is no choice of “Domain”. Known: -, payments."),
    "/portfolio.csv?state=zzz&owner=ines": (
        "State",
        "“zzz” is no choice of “State”. Known: accepted, active,",
    ),
    f"/portfolio.csv?text={'x' * 201}": (
        "Title contains",
        "“Title contains” has 201 characters. 200 are the most.",
    ),
    "/?format=csv&workstream=zzz": ("workstream", "No workstream is called “zzz”."),
    "/?format=csv&view=zzz": ("View", "“zzz” is no choice of “View”. Known: hands, snoozed."),
    "/blockers/?format=csv&kind=zzz": ("Class", "“zzz” is no choice of “Class”. Known: decision, defect,"),
    "/history/?format=csv&action=zzz": ("What", "“zzz” is no choice of “What”."),
    "/flow.csv?domain=zzz": ("domain", "No workstream has the domain “zzz”"),
    "/flow.csv?since=zzz": ("From day", "“zzz” is no day for “From day”. Write it like 2026-03-31."),
}
#: Files that ask for a filter that does not exist, and its name.
NO_FILTER = {
    "/flow.csv?zzz=1": "zzz",
    "/flow/steps.csv?by=zzz": "by",
    "/portfolio.csv?zzz=1": "zzz",
    "/history/?format=csv&zzz=1": "zzz",
    "/?format=csv&zzz=1": "zzz",
}
ANSWERS = {
    "workstreams/?domain=zzz": ("domain", "“zzz” is no domain here. Known: payments."),
    "workstreams/?status=zzz": ("status", "planning"),
    "blockers/?owner=zzz": ("owner", "“zzz” is no owner here. Known: "),
    f"blockers/?workstream={NOBODY}": ("workstream", f"There is no workstream {NOBODY}."),
    "blockers/?kind=zzz": ("kind", "external"),
    f"tasks/?workstream={NOBODY}": ("workstream", f"There is no workstream {NOBODY}."),
    "collected/?executor=zzz": ("executor", "“zzz” is no executor here."),
    "search/?q=refunds&domain=zzz": ("domain", "“zzz” is no domain here. Known: -, payments."),
    "search/?q=refunds&workstream=zzz": ("workstream", "“zzz” is no workstream here. Known: card-refunds."),
}


@pytest.fixture
def started(driver: Driver) -> Driver:
    driver.start()
    declare_blocker(
        task_id=driver.task("A1").pk,
        kind="external",
        note="No key.",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    return driver


@pytest.mark.parametrize("address", PAGES)
def test_fr025_a_page_says_what_a_filter_does_not_do(started: Driver, address: str) -> None:
    shown = signed_in(started.cast.admin).get(address.replace("{uuid}", str(started.reload().uuid)))
    assert shown.status_code == 200
    assert PAGES[address] in words(shown)


@pytest.mark.parametrize("address", FILES)
def test_fr025_dc7_a_file_is_not_written_of_other_rows_than_were_asked_for(
    started: Driver, address: str
) -> None:
    field, said = FILES[address]
    refused = signed_in(started.cast.admin).get(address)
    assert refused.status_code == 422
    assert said in words(refused)
    assert field in words(refused)
    known = address.replace("zzz", "").replace("x" * 201, "")
    assert signed_in(started.cast.admin).get(known).status_code == 200


LISTS = (
    "/portfolio/",
    "/",
    "/blockers/",
    "/history/",
    "/plans/",
    "/gates/",
    "/collected/",
    "/search/",
    "/library/",
)
LISTS = (
    *LISTS,
    "/flow/",
    "/flow/items/",
    "/flow/steps/",
    "/flow/forecast/",
    "/workstreams/{uuid}/dashboard/",
)


@pytest.mark.parametrize("address", NO_FILTER)
def test_fr025_dc7_a_file_is_not_written_for_a_filter_that_does_not_exist(
    started: Driver, address: str
) -> None:
    refused = signed_in(started.cast.admin).get(address)
    assert refused.status_code == 422
    assert f"“{NO_FILTER[address]}” is no filter here." in words(refused)


@pytest.mark.parametrize("address", LISTS)
def test_fr025_a_filter_that_does_not_exist_is_said(started: Driver, address: str) -> None:
    client, place = signed_in(started.cast.admin), address.replace("{uuid}", str(started.reload().uuid))
    assert "“zz” is no filter here, so it filters nothing." in words(client.get(place, {"zz": "1"}))
    assert "is no filter here" not in words(client.get(place))


@pytest.mark.parametrize("address", LISTS)
def test_fr025_no_link_of_a_list_asks_for_what_does_not_exist(started: Driver, address: str) -> None:
    client, place = signed_in(started.cast.admin), address.replace("{uuid}", str(started.reload().uuid))
    body = client.get(place).content.decode()
    links = {html.unescape(link) for link in re.findall(r'(?:href|hx-get)="([^"#]*\?[^"#]*)', body)}
    for link in links:
        answer = client.get(f"{place}{link}" if link.startswith("?") else link)
        assert answer.status_code in {200, 204}, link
        if not answer.streaming and answer.content:
            assert "is no filter here" not in words(answer), link


@pytest.mark.parametrize("address", ANSWERS)
def test_fr025_rest_names_the_field_and_what_is_known(started: Driver, address: str) -> None:
    field, said = ANSWERS[address]
    robot = register_executor(
        name="carl-bot", kind=ExecutorKind.AGENT, user=started.cast.contributor, now=started.tick()
    )
    status, answer = Machine.of(robot).get(f"/api/{address}")
    told = json.dumps(answer, ensure_ascii=False)
    assert (status, field in told, said in told) == (422, True, True), told
