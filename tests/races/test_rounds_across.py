"""AD-3, EC-1: rounds of workstreams on one repository meet on PostgreSQL.

They never deadlock nor hold the same.
"""

import pytest
from django.db import connection

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Attempt
from orchestrator.services.work.scheduling import run_round
from tests.cast import Cast, Driver
from tests.races.contest import contest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


class Quiet(Driver):
    """Nothing is scheduled before the contest."""

    def advance(self) -> None:
        pass


@pytest.mark.parametrize("rounds", [5, pytest.param(200, marks=pytest.mark.nightly)])
def test_ad3_rounds_that_meet_give_a_resource_to_one_workstream(cast: Cast, rounds: int) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("rounds overlap on PostgreSQL only: name a server in DATABASE_URL")
    for turn in range(rounds):
        drivers = [Quiet(cast) for _ in range(4)]
        for number, driver in enumerate(drivers):
            name = f"Meeting {chr(97 + number) * 9} {turn}"
            front = (
                f"---\nrepository: shop-{turn}\n---\n# Plan: {name}\n## Stages\n### Stage 1: "
                f"all\n##### Batch 01: b\n"
            )
            lanes = "".join(f"###### Thread 0{n}: {n}\n- A{n}: step\n  - Resources: db{n}\n" for n in (1, 2))
            driver.start((front + lanes).encode())
        contest(
            *(
                lambda one=driver: run_round(workstream_id=one.workstream.pk, now=one.now)
                for driver in drivers
            )
        )
        queued = Attempt.objects.filter(task__workstream__in=[d.workstream for d in drivers])
        assert sorted(queued.values_list("task__step__key", flat=True)) == ["A1", "A2"]
        assert set(queued.values_list("status", flat=True)) == {AttemptStatus.QUEUED}
