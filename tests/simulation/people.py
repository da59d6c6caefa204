"""The person of a simulation who looks after the work: signs, answers, queues again, repairs, accepts."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from django.db.models import Q

from orchestrator.core.errors import Refusal
from orchestrator.core.terms import ArtifactState, AttemptStatus, StepKind, TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, HandoffArtifact, Task, Workstream
from orchestrator.services.people.interventions import clear_human_flag
from orchestrator.services.review.gates import approve_gate, reject_gate
from orchestrator.services.work.failures import declare_failure, requeue
from orchestrator.services.work.recoveries import republish_artifact
from orchestrator.services.workstreams.workstreams import accept_workstream
from tests.cast import Cast
from tests.model.workspaces import Killed
from tests.simulation.clock import Clock, Life
from tests.simulation.disturbances import REACH, Disturbances, dying_at

#: Hours after which a person takes a silent attempt for lost.
SILENCE = 24


class Person:
    """Comes by now and then and does what waits, most of it."""

    def __init__(self, cast: Cast, clock: Clock, disturbances: Disturbances, random: Random) -> None:
        self.cast, self.clock, self.disturbances, self.random = cast, clock, disturbances, random

    def life(self) -> Life:
        while True:
            yield self.random.uniform(20, 240)
            for act in self._waiting():
                if self.disturbances.over or self.random.random() < 0.8:
                    self._does(act)
                    yield self.random.uniform(0, 10)

    def _waiting(self) -> list[Callable[[], Any]]:
        tasks = list(Task.objects.filter(workstream__status=WorkstreamStatus.ACTIVE).select_related("step"))
        acts = [act for task in tasks for act in self._about(task)]
        silent = Q(started_at__lt=self.clock.now - timedelta(hours=SILENCE))
        for attempt in Attempt.objects.filter(silent, status=AttemptStatus.RUNNING):
            acts.append(lambda number=attempt.pk: self._declare(number))
        for artifact in HandoffArtifact.objects.filter(state=ArtifactState.DAMAGED):
            acts.append(lambda number=artifact.pk: self._republish(number))
        for one in Workstream.objects.filter(status=WorkstreamStatus.ACTIVE, finished_at__isnull=False):
            acts.append(lambda number=one.pk: self._accept(number))
        return acts

    def _about(self, task: Task) -> list[Callable[[], Any]]:
        if task.step.kind != StepKind.WORK and task.status == TaskStatus.REVIEW:
            return [lambda: self._sign(task)]
        if task.needs_human:
            return [lambda: self._answer(task)]
        return [lambda: self._requeue(task)] if task.status == TaskStatus.BLOCKED else []

    def _sign(self, task: Task) -> None:
        reviewer = self.cast.actor("reviewer")
        before = Task.objects.filter(
            workstream=task.workstream_id, step__kind=StepKind.WORK, status=TaskStatus.COMPLETE
        )
        if before and self.disturbances.happens("gate rejected", 0.2):
            back = self.random.choice(list(before.select_related("step"))).step.key
            reject_gate(
                task_id=task.pk, return_key=back, reason="Not yet.", actor=reviewer, now=self.clock.now
            )
        else:
            approve_gate(task_id=task.pk, actor=reviewer, now=self.clock.now)

    def _answer(self, task: Task) -> None:
        clear_human_flag(
            task_id=task.pk, answer="Go on.", actor=self.cast.actor("reviewer"), now=self.clock.now
        )

    def _requeue(self, task: Task) -> None:
        reviewer = self.cast.actor("reviewer")
        requeue(task_id=task.pk, reason="Once more.", actor=reviewer, now=self.clock.now)

    def _declare(self, attempt: int) -> None:
        contributor = self.cast.actor("contributor")
        declare_failure(attempt_id=attempt, reason="Silent.", actor=contributor, now=self.clock.now)

    def _republish(self, artifact: int) -> None:
        republish_artifact(artifact_id=artifact, actor=self.cast.actor("contributor"), now=self.clock.now)

    def _accept(self, workstream: int) -> None:
        accept_workstream(workstream_id=workstream, actor=self.cast.actor("approver"), now=self.clock.now)

    def _does(self, act: Callable[[], Any]) -> None:
        """One click; the server may die under it, and what was decided meanwhile is refused."""
        try:
            if self.disturbances.happens("server killed under a person", 0.05):
                with dying_at(self.random.randint(1, REACH)):
                    act()
            else:
                act()
        except (Refusal, Killed):
            self.disturbances.counted["person refused or cut off"] += 1
