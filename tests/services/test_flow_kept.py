"""FR-013: what acts keep of the flow is what the history says, and what a hand reckons."""

from datetime import timedelta

from orchestrator.models import StateInterval
from orchestrator.queries.flow.rebuilt import flow_problems
from orchestrator.services.people import blockers
from orchestrator.services.work.rework import send_back
from tests.cast import Driver


def test_fr013_a_whole_life(driver: Driver) -> None:
    driver.start()
    driver.claim("A1")
    started = driver.now
    blocker = blockers.declare_blocker(
        task_id=driver.task("B1").pk,
        kind="external",
        note="no key",
        actor=driver.cast.actor("contributor"),
        now=driver.tick(),
    )
    blocked = driver.now
    driver.complete("A1")
    driver.do("A2")
    assert driver.reload().active_time == timedelta(minutes=2 + 1)
    blockers.resolve_blocker(
        blocker_id=blocker.pk, resolution="here", actor=driver.cast.actor("reviewer"), now=driver.tick()
    )
    unblocked = driver.now
    driver.advance()
    send_back(
        task_id=driver.task("A2").pk, reason="wrong", actor=driver.cast.actor("reviewer"), now=driver.tick()
    )
    back = driver.now
    driver.advance()
    assert flow_problems(driver.reload()) == []
    driver.do("A2")
    redone = driver.now
    row = driver.reload()
    assert flow_problems(row) == []
    assert (row.flow_state, row.started_at, row.back_moves, row.reworking) == ("started", started, 1, 0)
    assert row.blocked_time == unblocked - blocked
    assert timedelta(0) < row.rework_time <= redone - back
    driver.finish()
    row = driver.reload()
    assert flow_problems(row) == []
    assert row.flow_state == "finished"
    assert row.first_finished_at == row.finished_at
    states = list(StateInterval.objects.filter(workstream=row).values_list("state", flat=True))
    assert sorted(states) == ["blocked", "planned", "rework", "started"]
