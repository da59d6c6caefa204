"""AD-3, FR-028: submissions and migrations meet on PostgreSQL; none fails on a name, none waits in a ring."""

import uuid

import pytest
from django.db import connection

from orchestrator.services.plans.bundles import PlanFile, submit_bundle
from orchestrator.services.plans.comments import open_discussion
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review.decisions import approve_version
from tests.acceptance.versions import GROWN, ONE
from tests.cast import Cast, Driver
from tests.races.contest import contest, refused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
many = pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.nightly)])


@pytest.fixture(autouse=True)
def _overlapping() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("acts overlap on PostgreSQL only: name a server in DATABASE_URL")


def plan(title: str, needs: str = "") -> bytes:
    front = f"---\nneeds: {needs}\n---\n" if needs else ""
    return f"{front}# Plan: {title}\n\n### Batch 1\n\n- A1: one\n".encode()


@many
def test_fr002_the_same_title_at_once_gets_two_addresses(cast: Cast, rounds: int) -> None:
    who, now = cast.actor("initiator"), Driver(cast).now
    for _ in range(rounds):
        title = uuid.uuid4().hex
        done = contest(
            *[lambda title=title: submit_plan(source=plan(title), source_name="PLAN.md", actor=who, now=now)]
            * 3,
            lambda title=title: submit_bundle(
                name="b", files=[PlanFile("a.md", plan(title))], actor=who, now=now
            ),
        )
        assert not any(refused(one) for one in done)


@many
def test_fr028_a_migration_and_submissions_that_need_others_never_deadlock(cast: Cast, rounds: int) -> None:
    who = cast.actor("initiator")
    for _ in range(rounds):
        driver = Driver(cast)
        title = uuid.uuid4().hex
        driver.advance = lambda: None  # type: ignore[method-assign]
        started = driver.start(ONE.replace(b"Card refunds", title.encode()))
        source = GROWN.replace(b"Card refunds", title.encode())
        version = submit_plan(
            source=source,
            source_name="P",
            actor=who,
            now=driver.tick(),
            workstream=started,
            change_reason="More.",
        ).version
        # Its approver has a draft of a comment, which the decision sends: an entry of history before the
        # needs.
        open_discussion(version_id=version.pk, body="Fine.", actor=cast.actor("approver"), now=driver.tick())
        done = contest(
            lambda version=version, driver=driver: approve_version(
                version_id=version.pk,
                seen_sha256=version.source_sha256,
                actor=cast.actor("approver"),
                now=driver.now,
            ),
            *[
                lambda slug=started.slug, driver=driver: submit_plan(
                    source=plan(uuid.uuid4().hex, slug), source_name="P", actor=who, now=driver.now
                )
            ]
            * 4,
        )
        assert not any(refused(one) for one in done)
