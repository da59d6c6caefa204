"""The people of the demo, as a process of their own: they approve, answer, queue again, sign and accept.

`python -m tests.acceptance.people SLUG SECONDS` acts through services on the installation that DATA_DIR
names, prints one line per act and per completed step, and at the end a JSON object with what came of it. Exit
code 0 when accepted.
"""

import json
import os
import sys
import time
from collections import Counter

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "orchestrator.settings"
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from orchestrator.core.errors import Refusal  # noqa: E402
from orchestrator.core.terms import ArtifactState, AttemptStatus, StepKind, TaskStatus, WorkstreamStatus  # noqa: E402
from orchestrator.models import Attempt, HandoffArtifact, PreHandoffReview, Task, Workstream  # noqa: E402
from orchestrator.services.base.actor import Actor  # noqa: E402
from orchestrator.services.people import interventions  # noqa: E402
from orchestrator.services.review import decisions, gates  # noqa: E402
from orchestrator.services.work import failures  # noqa: E402
from orchestrator.services.workstreams import workstreams  # noqa: E402
from tests.verified import first_breach  # noqa: E402


def actor(role: str) -> Actor:
    return Actor.person(User.objects.get(username=role))


def start(workstream: Workstream) -> None:
    """Sign the pre-handoff review and approve the plan, each unless that has happened."""
    if not PreHandoffReview.objects.filter(workstream=workstream).exists():
        workstreams.sign_prehandoff(
            workstream_id=workstream.pk,
            rationale="No similar work.",
            actor=actor("approver"),
            now=timezone.now(),
        )
    if workstream.status == WorkstreamStatus.PLANNING:
        version = workstream.version
        decisions.approve_version(
            version_id=version.pk,
            seen_sha256=version.source_sha256,
            actor=actor("approver"),
            now=timezone.now(),
        )


def act(workstream: Workstream) -> str:
    """One act that waits for a person, if there is one; its name."""
    tasks = Task.objects.filter(workstream=workstream).select_related("step")
    if task := tasks.filter(needs_human=True).exclude(status=TaskStatus.COMPLETE).first():
        interventions.clear_human_flag(
            task_id=task.pk, answer="half-even", actor=actor("contributor"), now=timezone.now()
        )
        return f"answered {task.step.key}"
    if task := tasks.filter(status=TaskStatus.BLOCKED).first():
        failures.requeue(
            task_id=task.pk, reason="The snapshot is right.", actor=actor("contributor"), now=timezone.now()
        )
        return f"queued {task.step.key} again"
    waiting = tasks.filter(step__kind=StepKind.GATE, attempts__status=AttemptStatus.QUEUED)
    if task := waiting.first():
        gates.approve_gate(
            task_id=task.pk, actor=actor("reviewer"), now=timezone.now(), reason="Looks right."
        )
        return f"signed {task.step.key}"
    workstream.refresh_from_db()
    if workstream.finished_at and workstream.status == WorkstreamStatus.ACTIVE:
        workstreams.accept_workstream(
            workstream_id=workstream.pk, actor=actor("approver"), now=timezone.now()
        )
        return "accepted"
    return ""


def outcome(workstream: Workstream) -> dict[str, object]:
    artifacts = HandoffArtifact.objects.filter(workstream=workstream).select_related("attempt__task__step")
    events = Counter(f"{a.attempt.task.step.key}/{a.attempt.number}/{a.event}" for a in artifacts)
    done = Attempt.objects.filter(task__workstream=workstream).select_related("task__step")
    breach = first_breach()
    return {
        "status": workstream.status,
        "attempts": {f"{a.task.step.key}/{a.number}": a.status for a in done},
        "events": events,
        "uncommitted": artifacts.exclude(state=ArtifactState.COMMITTED).count(),
        "breach": breach.problem if breach else "",
    }


def main(slug: str, seconds: float) -> int:
    workstream = Workstream.objects.get(slug=slug)
    deadline, done = time.monotonic() + seconds, 0
    say("start")
    start(workstream)
    while time.monotonic() < deadline:
        completed = Task.objects.filter(workstream=workstream, status=TaskStatus.COMPLETE).count()
        if completed != done:
            done = completed
            say(f"complete {done}")
        try:
            what = act(workstream)
        except Refusal as refusal:
            what = f"refused: {refusal.message}"
        if what:
            say(what)
        if what == "accepted":
            break
        time.sleep(0.1)
    return report(workstream, deadline)


def report(workstream: Workstream, deadline: float) -> int:
    """The last artifacts may still be on their way into the workspace."""
    workstream.refresh_from_db()
    found = outcome(workstream)
    while found["uncommitted"] and time.monotonic() < deadline:
        time.sleep(0.2)
        found = outcome(workstream)
    say(json.dumps(found))
    return 0 if workstream.status == WorkstreamStatus.COMPLETED else 1


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
