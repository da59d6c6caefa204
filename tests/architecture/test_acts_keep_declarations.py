"""FR-011: what an act locks and records while it runs is what its declaration says."""

from dataclasses import replace

import pytest

from orchestrator.core.actions import Action
from orchestrator.services.base.acts import Undeclared
from orchestrator.services.base.locks import Lock
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review.decisions import approve_version
from tests.acceptance.versions import GROWN, ONE, approve, next_version
from tests.cast import Driver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def strict(settings) -> None:
    settings.STRICT_DECLARATIONS = True


def test_fr011_a_plan_is_approved_done_and_changed_as_declared(driver: Driver) -> None:
    driver.start_afresh(ONE)
    driver.do("A1")
    approve(driver, next_version(driver, GROWN))


@pytest.mark.parametrize(
    ("act", "field", "missing"),
    [
        (submit_plan, "locks", Lock.NEEDS),
        (approve_version, "locks", Lock.WORKFLOW),
        (submit_plan, "records", Action.PLAN_SUBMITTED),
    ],
)
def test_fr011_what_is_done_undeclared_is_found(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, act, field: str, missing: object
) -> None:
    declared = tuple(one for one in getattr(act.declaration, field) if one != missing)
    monkeypatch.setattr(act, "declaration", replace(act.declaration, **{field: declared}))
    with pytest.raises(Undeclared, match=act.name):
        driver.start_afresh(ONE)
