"""WF-7, BX-6: state files are written at most once a second while work moves, and surely when it stands."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django_q.models import OrmQ

from orchestrator.core.terms import ArtifactState, EventType
from orchestrator.models import HandoffArtifact, Wake
from orchestrator.processes import tasks
from orchestrator.processes.queue_watch import QueueWatch
from orchestrator.queries.handoff.state_files import overdue
from orchestrator.queries.work.projection import projected_files
from orchestrator.services.advance import advance
from tests.cast import Driver

pytestmark = pytest.mark.django_db(transaction=True)

CHAIN = b"""# Plan: Chain
## Stages
### Stage 1: all
##### Batch 01: b
###### Thread 01: t
- S1: first
- S2: second
- S3: third
"""
SOON = timedelta(milliseconds=300)
LATER = timedelta(seconds=1)


def shown(driver: Driver) -> dict[str, bytes]:
    """The state files as they stand."""
    folder = Path(settings.WORKSPACE_DIR)
    return {path: (folder / path).read_bytes() for path in projected_files(driver.reload())}


def up_to_date(driver: Driver) -> bool:
    return shown(driver) == projected_files(driver.reload())


@pytest.fixture
def written_at(driver: Driver) -> Iterator[datetime]:
    """The chain has begun, and its state files were written at this moment."""
    with time_machine.travel(driver.now, tick=False):
        driver.start_afresh(CHAIN)
        at = driver.now
        advance(workstream_id=driver.reload().pk, clock=lambda: at)
        yield at


def done_within_the_second(driver: Driver, at: datetime) -> None:
    """The next step is complete, and an advance followed at this time."""
    plain, driver.advance = driver.advance, lambda: None  # type: ignore[method-assign]
    driver.do(driver.ready()[0])
    driver.advance = plain  # type: ignore[method-assign]
    advance(workstream_id=driver.reload().pk, clock=lambda: at)


def test_wf7_work_that_moves_fast_leaves_the_files_to_a_later_advance(
    driver: Driver, written_at: datetime
) -> None:
    assert up_to_date(driver)
    before = shown(driver)
    done_within_the_second(driver, written_at + SOON)
    assert driver.ready() == ["S2"]
    assert shown(driver) == before
    assert not up_to_date(driver)
    advance(workstream_id=driver.reload().pk, clock=lambda: written_at + LATER)
    assert up_to_date(driver)
    assert overdue(written_at + 2 * LATER) == []


def test_wf7_the_watch_wakes_what_is_behind_when_its_second_is_over(
    driver: Driver, written_at: datetime
) -> None:
    done_within_the_second(driver, written_at + SOON)
    OrmQ.objects.all().delete()
    Wake.objects.update(waits=False)
    begun = (written_at + SOON).timestamp()
    now = begun
    watch = QueueWatch(60, lambda: now, lambda: now)
    woken = []
    for moment in (0.5, 1.1, 1.7):
        now = begun + moment
        watch.look()
        woken.append([message.args() for message in OrmQ.objects.all() if "advance" in message.func()])
    assert woken == [[], [(driver.reload().pk,)], [(driver.reload().pk,)]]
    with time_machine.travel(written_at + LATER, tick=False):
        tasks.advance(driver.reload().pk)
    assert up_to_date(driver)


def test_wf7_a_claim_wakes_nobody_and_is_committed_when_the_second_is_over(
    driver: Driver, written_at: datetime
) -> None:
    """Nothing can start because of it, so the completion that follows finds neither queue nor workspace busy
    with it."""
    OrmQ.objects.all().delete()
    Wake.objects.update(waits=False)
    driver.claim("S1")
    assert not [message for message in OrmQ.objects.all() if "advance" in message.func()]
    assert overdue(written_at + SOON) == []
    assert overdue(written_at + LATER) == [driver.reload().pk]
    advance(workstream_id=driver.reload().pk, clock=lambda: written_at + LATER)
    started = HandoffArtifact.objects.get(event=EventType.ATTEMPT_STARTED)
    assert started.state == ArtifactState.COMMITTED
    assert up_to_date(driver)


def test_wf7_what_stands_still_is_shown_at_once(driver: Driver, written_at: datetime) -> None:
    for _ in range(3):
        assert driver.ready()
        done_within_the_second(driver, written_at + SOON)
    assert driver.ready() == []
    assert up_to_date(driver)


def test_wf7_the_files_of_a_large_plan_wait_longer(driver: Driver, written_at: datetime) -> None:
    """What writing them costs grows with the plan: a second for each thousand tasks begun."""
    type(driver.reload()).objects.update(open_tasks=4_500)
    done_within_the_second(driver, written_at + SOON)
    assert overdue(written_at + 4 * LATER) == []
    assert overdue(written_at + 5 * LATER) == [driver.reload().pk]


def test_wf7_a_kill_before_the_note_is_mended_by_the_sweep(
    driver: Driver, written_at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(_workstream: int) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("orchestrator.services.advance.leave_behind", killed)
        with pytest.raises(Killed):
            done_within_the_second(driver, written_at + SOON)
    assert not up_to_date(driver)
    with time_machine.travel(written_at + SOON, tick=False):
        tasks.sweep()
    assert up_to_date(driver)


def test_wf7_a_clock_that_was_set_back_makes_no_file_wait(driver: Driver, written_at: datetime) -> None:
    done_within_the_second(driver, written_at - timedelta(hours=1))
    assert up_to_date(driver)
