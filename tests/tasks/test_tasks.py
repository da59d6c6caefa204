"""DC-6: what the queue runs takes ids, may run twice, and picks up what lost messages left."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone
from django_q.models import OrmQ

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.core.terms import ArtifactState, AttemptStatus
from orchestrator.models import Attempt, HandoffArtifact, HistoryEntry, SchedulingDecision
from orchestrator.processes import tasks
from orchestrator.services import advance as service
from orchestrator.services.review import decisions
from orchestrator.services.work.completions import complete
from orchestrator.services.workstreams import workstreams


def counts() -> tuple[int, ...]:
    rows = (Attempt, HandoffArtifact, HistoryEntry, SchedulingDecision)
    return tuple(model.objects.count() for model in rows)


def test_a_message_delivered_twice_changes_nothing(driver):
    """F13."""
    workstream = driver.start()
    before = counts()
    tasks.advance(workstream.pk)
    tasks.advance(workstream.pk)
    assert counts() == before


def test_the_sweep_does_what_lost_messages_would_have_done(driver):
    """F12: the queue was emptied after a step had been completed."""
    driver.start()
    driver.claim("A1")
    OrmQ.objects.all().delete()
    assert HandoffArtifact.objects.filter(state=ArtifactState.PENDING).exists()
    tasks.sweep()
    assert not HandoffArtifact.objects.filter(state=ArtifactState.PENDING).exists()


def test_the_sweep_launches_what_was_left_unlaunched(driver, cast):
    submission = driver.submit()
    approver = cast.actor("approver")
    workstreams.sign_prehandoff(
        workstream_id=submission.workstream.pk, rationale="None like it.", actor=approver, now=driver.tick()
    )
    decisions.approve_version(
        version_id=submission.version.pk,
        seen_sha256=submission.version.source_sha256,
        actor=approver,
        now=driver.tick(),
    )
    assert not Attempt.objects.exists()
    assert tasks.sweep() == 1
    assert driver.attempt("A1").status == AttemptStatus.QUEUED


def test_fr009_a_round_is_dated_when_it_was_made_however_long_the_files_before_it_took(driver, monkeypatch):
    driver.start()
    driver.claim("A1")
    publish, slow = service.publish, timedelta(seconds=53)
    with time_machine.travel(driver.tick(), tick=False) as clock:

        def long(**values):
            clock.shift(slow)
            return publish(**values)

        monkeypatch.setattr(service, "publish", long)
        began = timezone.now()
        attempt = driver.attempt("A1")
        held = attempt.assignment
        complete(
            attempt_id=attempt.pk,
            token=held.token,
            executor=held.executor,
            outcome="Done.",
            evidence={criterion.pk: "ran them" for criterion in driver.task("A1").step.criteria.all()},
            now=began,
        )
        tasks.advance(driver.workstream.pk)
    launched = HistoryEntry.objects.filter(action="steps launched").latest("sequence")
    assert "A2" in launched.subject
    assert launched.recorded_at == began + slow
    assert SchedulingDecision.objects.latest("pk").made_at == began + slow


def test_the_sweep_finds_what_no_act_marked_for_the_next_round(driver):
    """FR-005: rounds trust what acts mark; the sweep looks at the whole frontier all the same."""
    driver.start()
    Attempt.objects.filter(task=driver.task("A1")).update(
        status=AttemptStatus.CANCELLED, ended_at=driver.tick()
    )
    driver.advance()
    assert driver.attempt("A1").status == AttemptStatus.CANCELLED
    tasks.sweep()
    assert (driver.attempt("A1").number, driver.attempt("A1").status) == (2, AttemptStatus.QUEUED)


def test_one_workstream_in_trouble_does_not_hold_up_the_others(driver, monkeypatch):
    """F14: the sweep goes on, and then says that there was trouble."""
    first, second = driver.start(), driver.start()
    seen = []

    def advance(*, workstream_id, clock, afresh=False):
        seen.append(workstream_id)
        if workstream_id == first.pk:
            raise WorkspaceUnavailable("No space left on the device.")

    monkeypatch.setattr(tasks.service, "advance", advance)
    with pytest.raises(WorkspaceUnavailable):
        tasks.sweep()
    assert seen == [first.pk, second.pk]


def test_closed_workstreams_are_not_swept(driver, cast):
    workstream = driver.start()
    workstreams.archive_workstream(
        workstream_id=workstream.pk, reason="not needed", actor=cast.actor("approver"), now=driver.tick()
    )
    driver.advance()
    assert tasks.workstreams_to_sweep() == []


def test_a_heartbeat_leaves_its_word():
    cache.delete(tasks.HEARTBEAT)
    tasks.heartbeat("tick")
    assert cache.get(tasks.HEARTBEAT) == "tick"
