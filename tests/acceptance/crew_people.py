"""The people around a crew, as a process of their own on the installation that DATA_DIR names.

`python -m tests.acceptance.crew_people begin NAME…` reads a plan from its input, has it approved, makes an
agent of each name and prints the workstream's slug and their tokens. `… gone NAME…` declares failed what
these agents hold, and queues it again. `… end SLUG` prints what came of it. `begin_several`, `open` and
`end_several` are the same for a JSON list of plans and for everything there is; `waited` says how long the
newest of them waited.
"""

import json
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "orchestrator.settings"
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_q.models import OrmQ  # noqa: E402

from orchestrator.core.terms import AttemptStatus, ExecutorKind, Role, TaskStatus  # noqa: E402
from orchestrator.models import Assignment, Attempt, HandoffArtifact, Task, Workstream  # noqa: E402
from orchestrator.services.base.actor import Actor  # noqa: E402
from orchestrator.services.people.executors import issue_token, register_executor  # noqa: E402
from orchestrator.services.plans.plans import submit_plan  # noqa: E402
from orchestrator.services.review.decisions import approve_version  # noqa: E402
from orchestrator.services.work import failures  # noqa: E402
from orchestrator.services.workstreams.workstreams import sign_prehandoff  # noqa: E402
from tests.verified import first_breach, state_problems  # noqa: E402


def person(role: Role) -> User:
    user, made = User.objects.get_or_create(username=f"p-{role.value}")
    if made:
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    return user


def actor(role: Role) -> Actor:
    return Actor.person(person(role))


def begin(names: list[str]) -> dict[str, object]:
    tokens = {name: token(name) for name in names}
    return {"slug": approved(sys.stdin.buffer.read()), "tokens": tokens}


def begin_several(names: list[str]) -> dict[str, object]:
    tokens = {name: token(name) for name in names}
    return {"slugs": [approved(source.encode()) for source in json.load(sys.stdin)], "tokens": tokens}


def approved(source: bytes) -> str:
    """Submit the plan and have it approved; its workstream's slug."""
    submission = submit_plan(
        source=source, source_name="PLAN.md", actor=actor(Role.INITIATOR), now=timezone.now()
    )
    workstream, version = submission.workstream, submission.version
    approver = actor(Role.APPROVER)
    sign_prehandoff(
        workstream_id=workstream.pk, rationale="None like it.", actor=approver, now=timezone.now()
    )
    approve_version(
        version_id=version.pk, seen_sha256=version.source_sha256, actor=approver, now=timezone.now()
    )
    return workstream.slug


def token(name: str) -> str:
    owner, now = person(Role.CONTRIBUTOR), timezone.now()
    agent = register_executor(name=name, kind=ExecutorKind.AGENT, user=owner, now=now)
    scopes = frozenset({"read", "work"})
    _, secret = issue_token(
        executor=agent, label="crew", scopes=scopes, actor=Actor.person(owner), now=now, in_browser=True
    )
    return secret


def gone(names: list[str]) -> list[str]:
    keys = []
    for held in Assignment.objects.filter(executor__name__in=names, released_at=None):
        task = held.attempt.task
        person_ = actor(Role.CONTRIBUTOR)
        failures.declare_failure(
            attempt_id=held.attempt_id, reason="Its agent is gone.", actor=person_, now=timezone.now()
        )
        failures.requeue(task_id=task.pk, reason="For another one.", actor=person_, now=timezone.now())
        keys.append(task.step.key)
    return keys


def end(slug: str) -> dict[str, object]:
    workstream = Workstream.objects.get(slug=slug)
    attempts = Attempt.objects.filter(task__workstream=workstream)
    done = attempts.filter(status=AttemptStatus.COMPLETED)
    shares = done.values_list("assignment__executor__name").annotate(Count("pk"))
    breach = first_breach()
    return {
        "completed": dict(done.values_list("task__step__key").annotate(Count("pk"))),
        "shares": dict(shares),
        "failed": attempts.filter(status=AttemptStatus.FAILED).count(),
        "touched": list(attempts.exclude(touched=None).values_list("task__step__key", flat=True)),
        "handovers": HandoffArtifact.objects.filter(workstream=workstream, event="attempt-completed").count(),
        "breach": breach.problem if breach else "",
        "problems": [str(one) for one in state_problems(workstream)],
        "places": [
            str(one)
            for one in attempts.exclude(place__state="ready").values_list("task__step__key", flat=True)
        ],
    }


def open_tasks(_: list[str]) -> int:
    return Task.objects.exclude(status__in=[TaskStatus.COMPLETE, TaskStatus.CANCELLED]).count()


def waited(_: list[str]) -> dict[str, object]:
    """Seconds from the approval of the newest plan until its first launch, and messages in the queue."""
    attempt = Attempt.objects.order_by("-task__workstream_id", "queued_at").first()
    assert attempt is not None
    approved_at = attempt.task.step.version.decided_at
    assert approved_at is not None
    return {"seconds": (attempt.queued_at - approved_at).total_seconds(), "messages": OrmQ.objects.count()}


def end_several(_: list[str]) -> dict[str, object]:
    done = Attempt.objects.filter(status=AttemptStatus.COMPLETED)
    breach = first_breach()
    return {
        "completed": done.count(),
        "twice": list(
            done.values("task").annotate(times=Count("pk")).filter(times__gt=1).values_list("task")
        ),
        "handovers": HandoffArtifact.objects.filter(event="attempt-completed").count(),
        "breach": breach.problem if breach else "",
        "problems": [str(said) for one in Workstream.objects.all() for said in state_problems(one)],
    }


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    acts = {
        "begin": begin,
        "gone": gone,
        "end": lambda said: end(said[0]),
        "begin_several": begin_several,
        "open": open_tasks,
        "end_several": end_several,
        "waited": waited,
    }
    print(json.dumps(acts[what](words)))
