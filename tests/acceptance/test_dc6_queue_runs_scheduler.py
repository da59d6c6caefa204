"""DC-6: django-q2 tasks run the scheduler and the handoff dispatch; acts only leave messages with an id."""

import queue
from multiprocessing import Event, Value

import pytest
from django.conf import settings
from django_q.brokers import get_broker
from django_q.models import Failure, OrmQ
from django_q.monitor import monitor
from django_q.pusher import pusher
from django_q.worker import worker

from orchestrator.core.terms import ArtifactState, AttemptStatus
from orchestrator.models import Attempt, HandoffArtifact, SchedulingDecision
from orchestrator.services.review import decisions
from orchestrator.services.work import completions
from orchestrator.services.workstreams import workstreams

pytestmark = pytest.mark.django_db(transaction=True)


def run_queue() -> None:
    """The queue's own pusher, worker and monitor, one after the other in this process, until no message is
    left.
    """
    asked_to_stop = Event()
    asked_to_stop.set()
    while OrmQ.objects.exists():
        todo: queue.Queue[object] = queue.Queue()
        done: queue.Queue[object] = queue.Queue()
        pusher(todo, asked_to_stop, get_broker())
        todo.put("STOP")
        worker(todo, done, Value("f", -1), 60)
        done.put("STOP")
        monitor(done, get_broker())


def approve(driver, cast):
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
    return submission.workstream


def test_dc6_approval_leaves_a_message_with_an_id_and_the_queue_schedules(driver, cast):
    workstream = approve(driver, cast)
    assert not SchedulingDecision.objects.exists()
    messages = [(message.func(), message.task["args"]) for message in OrmQ.objects.all()]
    assert set(messages) == {("orchestrator.processes.tasks.advance", (workstream.pk,))}

    run_queue()

    assert SchedulingDecision.objects.filter(workstream=workstream).exists()
    queued = Attempt.objects.filter(status=AttemptStatus.QUEUED).values_list("task__step__key", flat=True)
    assert sorted(queued) == ["A1", "B1"]
    assert not Failure.objects.exists()


def test_dc6_the_queue_commits_handoff_artifacts_and_only_then_starts_successors(driver, cast):
    approve(driver, cast)
    run_queue()
    driver.claim("A1")
    attempt = driver.attempt("A1")
    finish(driver, attempt)
    assert HandoffArtifact.objects.filter(state=ArtifactState.PENDING).exists()
    assert not Attempt.objects.filter(task__step__key="A2").exists()

    run_queue()

    artifact = HandoffArtifact.objects.get(attempt=attempt, event="attempt-completed")
    assert artifact.state == ArtifactState.COMMITTED
    assert (settings.WORKSPACE_DIR / artifact.path).read_text() == artifact.body
    assert driver.attempt("A2").status == AttemptStatus.QUEUED


def finish(driver, attempt) -> None:
    """Complete an attempt without the driver's own scheduling."""
    held = attempt.assignment
    criteria = attempt.task.step.criteria.values_list("pk", flat=True)
    completions.complete(
        attempt_id=attempt.pk,
        token=held.token,
        executor=held.executor,
        outcome="Done.",
        evidence=dict.fromkeys(criteria, "seen"),
        now=driver.tick(),
    )
