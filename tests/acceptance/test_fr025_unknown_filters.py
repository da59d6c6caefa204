"""FR-025, DC-7: a filter that means nothing is said by a page, and refused by a file and by REST."""

import json

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
    "/portfolio/?domain=zzz": "“zzz” is no domain here, so it filters nothing. Known: -, payments.",
    "/portfolio/?owner=zzz": "“zzz” is no owner here, so it filters nothing.",
    "/portfolio/?state=zzz": "“zzz” is no state here, so it filters nothing. Known: accepted, active,",
    "/portfolio/?sort=zzz": "“zzz” is no sort here",
    "/?workstream=zzz": "No workstream is called “zzz”, so it filters nothing.",
    "/?kind=zzz": "“zzz” is no kind here",
    "/blockers/?owner=zzz": "“zzz” is no owner here",
    "/history/?actor=zzz": "“zzz” is no actor here",
    "/history/?since=zzz": "“zzz” is no day (“since”), so it filters nothing. Write it like 2026-03-31.",
    "/plans/?state=zzz": "“zzz” is no state here",
    "/gates/?sort=zzz": "“zzz” is no sort here",
    "/collected/?state=zzz": "“zzz” is no state here",
    "/search/?q=refunds&kind=zzz": "“zzz” is no kind here",
    "/workstreams/{uuid}/dashboard/?mark=zzz": "“zzz” is no mark here",
    f"/search/?q={'refunds ' * 40}": "“q” has 319 characters, of which the first 200 count.",
    f"/library/?q={'x' * 101}": "“q” has 101 characters, of which the first 100 count.",
}
FILES = {
    "/portfolio.csv?domain=zzz": ("domain", "“zzz” is no domain here. Known: -, payments."),
    "/portfolio.csv?state=zzz&owner=ines": ("state", "“zzz” is no state here. Known: accepted, active,"),
    f"/portfolio.csv?text={'x' * 201}": ("text", "“text” has 201 characters. 200 are the most."),
    "/?format=csv&workstream=zzz": ("workstream", "No workstream is called “zzz”."),
    "/?format=csv&view=zzz": ("view", "“zzz” is no view here. Known: hands, snoozed."),
    "/blockers/?format=csv&kind=zzz": ("kind", "“zzz” is no kind here. Known: decision, defect,"),
    "/history/?format=csv&action=zzz": ("action", "“zzz” is no action here."),
    "/flow.csv?domain=zzz": ("domain", "No workstream has the domain 'zzz'"),
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


@pytest.mark.parametrize("address", ANSWERS)
def test_fr025_rest_names_the_field_and_what_is_known(started: Driver, address: str) -> None:
    field, said = ANSWERS[address]
    robot = register_executor(
        name="carl-bot", kind=ExecutorKind.AGENT, user=started.cast.contributor, now=started.tick()
    )
    status, answer = Machine.of(robot).get(f"/api/{address}")
    told = json.dumps(answer, ensure_ascii=False)
    assert (status, field in told, said in told) == (422, True, True), told
