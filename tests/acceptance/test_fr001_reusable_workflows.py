"""FR-001: stakeholders define reusable workflows: ordered steps with entry, exit and a definition of done."""

import pytest

from orchestrator.core.terms import TaskStatus
from orchestrator.models import Task, Workstream
from tests.acceptance.public import PublicDriver
from tests.cast import Cast, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

BLUEPRINT = b"""# Plan: Onboard a shop

## Stages

### Stage 1: Onboard

##### Batch 01: steps

###### Thread 01: shop
- Role: contributor
- S3: Sign the contract
  - Entry: the shop is registered
  - Exit: both have signed
  - Done when: a copy is with the lawyers
- S1: Ship the terminal
  - Exit: it was received
- S2: Try a payment
  - Exit: a payment of one cent went through
"""


@pytest.fixture
def defined(cast: Cast) -> PublicDriver:
    driver = PublicDriver(cast)
    driver.start(BLUEPRINT)
    return driver


def another(driver: Driver, title: str) -> PublicDriver:
    answer = signed_in(driver.cast.initiator).post(
        "/plans/onboard-a-shop/workstreams/start", {"title": title}
    )
    assert answer.status_code == 302
    second = PublicDriver(driver.cast, driver.now)
    second.workstream = Workstream.objects.get(title=title)
    second.override_suspects()
    sign = f"/workstreams/{second.workstream.uuid}/prehandoff/sign"
    assert signed_in(driver.cast.approver).post(sign, {"rationale": "Another shop."}).status_code == 302
    second.advance()
    return second


def order_of(driver: Driver) -> list[str]:
    """Which step may start after which, played to the end."""
    seen: list[str] = []
    while ready := driver.ready():
        assert len(ready) == 1, "steps run one after the other"
        seen += ready
        driver.do(ready[0])
    return seen


def test_fr001_every_use_of_a_workflow_runs_its_steps_in_their_order(defined: PublicDriver) -> None:
    second = another(defined, "Onboard Bakery Lund")
    assert order_of(defined) == order_of(second) == ["S3", "S1", "S2"], (
        "the order of the plan, not of the keys"
    )
    for one in (defined, second):
        assert set(Task.objects.filter(workstream=one.workstream).values_list("status", flat=True)) == {
            TaskStatus.COMPLETE
        }


def test_fr001_each_use_shows_entry_exit_and_definition_of_done(defined: PublicDriver) -> None:
    second = another(defined, "Onboard Bakery Lund")
    reader = signed_in(defined.cast.observer)
    for one in (defined, second):
        page = words(reader.get(f"/tasks/{one.task('S3').pk}/", follow=True))
        for said in ("the shop is registered", "both have signed", "a copy is with the lawyers"):
            assert said in page, said


def test_fr001_a_step_is_not_complete_before_its_exit_criteria_are(defined: PublicDriver) -> None:
    builder = defined.cast.builder()
    claim = defined.claim("S3", builder)
    body = {"token": claim.token, "outcome": "Done.", "evidence": {}}
    address = f"/api/attempts/{claim.attempt_id}/complete"
    status, refusal = Machine.of(builder).post(address, body)
    assert (status, refusal["code"]) == (422, "criteria-unmet")


def test_fr001_a_plan_of_one_shop_becomes_a_workflow_for_every_shop(defined: PublicDriver) -> None:
    ines = signed_in(defined.cast.initiator)
    body = {
        "act": "save",
        "name": "Onboard any shop",
        "name-0": "shop",
        "text-0": "Onboard a shop",
        "use-0": "on",
    }
    assert ines.post("/plans/onboard-a-shop/v1/save/", body).status_code == 302
    values = {"act": "submit", "value-shop": "Onboard Bakery Lund"}
    ines.post("/library/onboard-any-shop/start/", values)
    workstream = Workstream.objects.get(slug="onboard-bakery-lund")
    assert workstream.title == "Onboard Bakery Lund"
    assert workstream.version.source.count("a copy is with the lawyers") == 1
