"""The state machine: every rule does one act in the product and in the model, then everything is compared."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.core import errors
from orchestrator.core.files.handoff import RESULT_EVENTS
from orchestrator.core.terms import ArtifactState, CriterionKind, IntegrationSource
from orchestrator.models import (
    Attempt,
    Blocker,
    Criterion,
    Executor,
    HandoffArtifact,
    Migration,
    Task,
    Workstream,
)
from orchestrator.services.advance import advance
from orchestrator.services.base.actor import Actor
from orchestrator.services.changes.roll_back import roll_back
from orchestrator.services.handoff import baseline
from orchestrator.services.people import blockers, interventions
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.review import gates
from orchestrator.services.review.decisions import approve_version
from orchestrator.services.work import claims, completions, failures, recoveries, rework
from orchestrator.services.workstreams.workstreams import (
    accept_workstream,
    archive_workstream,
    sign_prehandoff,
)
from tests.cast import NOON, Cast
from tests.model import blueprint
from tests.model.blueprint import OUTCOMES, Blueprint, blueprints
from tests.model.engine import SIGNERS, Engine, Refused
from tests.model.invariants import Watch, Writes
from tests.model.workspaces import GitWorkspace, Killed, MemoryWorkspace
from tests.rolled_back import around_an_example

some = st.integers(0, 11)
#: Rules that need a task's number only.
ALONE = ("reports", "fails", "declares_failure", "requeues", "signs", "sends_back", "clears")
#: Mostly those who may decide.
DECIDERS = (*SIGNERS, *SIGNERS, "contributor")
#: The word of a completion; mostly one that its step declares, or none.
RESULTS = ("", *OUTCOMES)
CRASHES = ("before-blob", "before-files", "before-mark")


def often(work: Callable[..., None]) -> Any:
    """A rule that stands in the machine several times, to be chosen more often than the others."""
    chosen = rule(numbers=st.lists(some, min_size=2, max_size=8))(work)
    return precondition(lambda self: self.model.status == "active")(chosen)


class World:
    """What outlives an example: people, executors, and the kind of workspace (see `workspaces`)."""

    def __init__(self, cast: Cast, workspace: type[MemoryWorkspace] | type[GitWorkspace]) -> None:
        self.cast, self.workspace, self.writes = cast, workspace, Writes()
        self.reached = Counter[str]()
        self.executors = [cast.builder(f"e{number}") for number in (1, 2, 3)]


class EngineMachine(RuleBasedStateMachine):
    """One workstream. An example is a transaction that is rolled back, so no message is sent: `advances` is a
    rule.
    """

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.now = world, NOON
        self.old_claims: list[tuple[str, int, int, Executor]] = []
        self.submitted, self.fresh = 1, 0
        #: Threads of completions that are not published: in one thread each writes over the one before.
        self.unpublished: list[tuple[int, ...]] = []
        world.workspace.forget()
        self.atomic = around_an_example()
        self.atomic.__enter__()

    def teardown(self) -> None:
        if hasattr(self, "watch"):
            self.watch.end()
            self.counts()
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def counts(self) -> None:
        """How far the example came."""
        reached, tasks = self.world.reached, self.model.tasks
        batches = {step.place[:2] for step in self.model.plan.steps}
        left = {step.place[:2] for step in self.model.plan.steps if not tasks[step.key].over}
        reached["examples"] += 1
        reached["several batches"] += len(batches - left) > 1
        reached["finished"] += self.model.finished
        reached["accepted"] += self.model.status == "completed"
        reached["skipped"] += any(task.skipped for task in tasks.values())
        reached["done again"] += any(task.rework and task.done for task in tasks.values())

    # -- ways to say it

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def person(self, role: str) -> Actor:
        return self.world.cast.actor(role)

    def does(self, due: Refused, act: Callable[[], Any]) -> Any:
        """The product refuses when the model does, by the same name, and says the way out."""
        answer, refusal = None, None
        try:
            answer = act()
        except errors.Refusal as said:
            refusal = said
        if refusal is None:
            assert due is None, f"the model refuses with {due}"
            return answer
        # The product also says who was first; to the model that is a state like any other.
        kind = errors.WrongState if isinstance(refusal, errors.AlreadyDecided) else type(refusal)
        assert kind is due, f"refused: {refusal.code}: {refusal.message}; the model says {due}"
        assert refusal.message
        assert refusal.way_out
        return None

    def key(self, number: int) -> str:
        keys = sorted(self.model.tasks)
        return keys[number % len(keys)]

    def chosen(self, number: int, wanted: Callable[[str], bool]) -> str:
        """A task of which something is so; any task when it is so of none, for the refusals."""
        keys = [key for key in sorted(self.model.tasks) if wanted(key)]
        return keys[number % len(keys)] if keys else self.key(number)

    def task(self, key: str) -> Task:
        return Task.objects.get(
            workstream=self.workstream, step__version=self.workstream.version_id, step__key=key
        )

    def attempt(self, key: str) -> Attempt | None:
        found = Attempt.objects.filter(
            task__workstream=self.workstream, task__step__version=self.workstream.version_id
        )
        return found.filter(task__step__key=key).order_by("-number").first()

    def holder(self, key: str) -> Executor:
        name = self.model.tasks[key].holder
        return next((one for one in self.world.executors if one.name == name), self.world.executors[0])

    def any_task(self, fact: str) -> bool:
        return any(getattr(task, fact) for task in self.model.tasks.values())

    def gate_waits(self) -> bool:
        return any(step.gate and self.model.tasks[step.key].queued for step in self.model.plan.steps)

    # -- the beginning

    @initialize(plan=blueprints())
    def start(self, plan: Blueprint) -> None:
        self.model = Engine(plan)
        submission = self._submit(plan)
        self.workstream = submission.workstream
        sign_prehandoff(
            workstream_id=self.workstream.pk, rationale="New.", actor=self.person("approver"), now=self.tick()
        )
        self._approve(submission)
        self.watch = Watch(self.workstream, self.world.writes)
        self.advances()

    def _submit(self, plan: Blueprint) -> Any:
        existing = getattr(self, "workstream", None)
        return submit_plan(
            source=plan.text(self.submitted).encode(),
            source_name="PLAN.md",
            actor=self.person("initiator"),
            now=self.tick(),
            workstream=existing,
            change_reason="It changes." if existing else "",
        )

    def _approve(self, submission: Any) -> None:
        version = submission.version
        approve_version(
            version_id=version.pk,
            seen_sha256=version.source_sha256,
            actor=self.person("approver"),
            now=self.tick(),
        )

    # -- the orchestrator's own part

    @rule()
    def advances(self) -> None:
        self._publishes()
        self.model.notice()
        launched = self.model.rounds()
        advance(workstream_id=self.workstream.pk, clock=self.tick)
        self.watch.launched(launched, self.model)

    def _publishes(self) -> None:
        self.model.publish()
        self.unpublished.clear()

    @rule(write=st.integers(1, 2), crash=st.sampled_from(CRASHES))
    def is_killed_while_advancing(self, write: int, crash: str) -> None:
        """The queue sends the message again later; whatever was done stays done."""
        if len(set(self.unpublished)) < len(self.unpublished):
            write = 1  # the second one belongs to the same publishing
        announced = self._announced()
        self.world.workspace.faults.update({write: crash})
        made = self._rounds_of_an_advance(Killed)
        self.world.workspace.faults.clear()
        if not announced & self._announced():  # else it was killed before its round
            self._publishes()
            self.model.notice()
        self.watch.launched(self._rounds(made), self.model)

    @rule()
    def advances_with_a_full_disk(self) -> None:
        self.world.workspace.faults.update({1: "full"})
        announced = self._announced()
        made = self._rounds_of_an_advance(errors.WorkspaceUnavailable)
        self.world.workspace.faults.clear()
        if not announced & self._announced():
            self._publishes()
        self.model.notice()
        self.watch.launched(self._rounds(made), self.model)

    def _announced(self) -> set[int]:
        """Ids of the artifacts that an advance commits before its round."""
        pending = self.workstream.artifacts.filter(state=ArtifactState.PENDING)
        return set(pending.values_list("pk", flat=True))

    def _rounds_of_an_advance(self, trouble: type[BaseException]) -> int:
        """How many rounds an advance recorded that ends with this trouble, if it comes to that."""
        before = Workstream.objects.get(pk=self.workstream.pk).last_round
        with suppress(trouble):
            advance(workstream_id=self.workstream.pk, clock=self.tick)
        return Workstream.objects.get(pk=self.workstream.pk).last_round - before

    def _rounds(self, made: int) -> list[str]:
        """What so many rounds of the model launch."""
        return [key for _ in range(made) for key in self.model.round()[1]]

    # -- executors

    def works(self, numbers: list[int]) -> None:
        """The straight way on, so that examples get far: what can be done is done, then more is launched."""
        for number in numbers:
            if not self.goes_on(number):
                self.advances()
        if self.model.finished and numbers[0] % 3 == 0:
            self.accepts()

    works_1, works_2, works_3, works_4, works_5 = (
        often(works),
        often(works),
        often(works),
        often(works),
        often(works),
    )

    def goes_on(self, number: int) -> bool:
        """Claim and complete, sign, or clear what is in the way; False when there is nothing to do."""
        free = [key for key in sorted(self.model.tasks) if self.model.tasks[key].free]
        if free:
            self.does_one(free[number % len(free)], number)
        else:
            self.clears_the_way(number)
        return bool(free)

    def does_one(self, key: str, number: int) -> None:
        if self.model.steps[key].gate:
            unsigned = [role for role in SIGNERS if role not in self.model.tasks[key].signers]
            self.sign(key, unsigned[number % len(unsigned)])
            return
        if self.model.tasks[key].queued:
            busy = {task.holder for task in self.model.tasks.values()}
            idle = [member for member in self.world.executors if member.name not in busy]
            self.claim(key, idle[0] if idle else self.world.executors[0])
        if self.model.tasks[key].running:
            self.complete(
                key, result=OUTCOMES[number % len(OUTCOMES)] if self.model.steps[key].outcomes else ""
            )

    @rule(number=some)
    def clears_the_way(self, number: int) -> None:
        """Everything that holds up a task; going on before that is refused."""
        key = self.chosen(number, self.is_held_up)
        task = self.model.tasks[key]
        if task.live and not task.free:
            self.does_one(key, number)
        for blocker in sorted(task.blockers):
            self.unblock(key, blocker)
        if task.flagged and task.flag != "artifact":
            self.clear(key)
        if task.undecided:
            self.requeue(key)
        if key in self.model.damaged:
            self.recover(key, "republish")

    def is_held_up(self, key: str) -> bool:
        task = self.model.tasks[key]
        return bool(
            task.blockers
            or task.undecided
            or key in self.model.damaged
            or task.flag in ("question", "breaker")
        )

    @rule(number=some, act=st.sampled_from(ALONE))
    def tries_out_of_turn(self, number: int, act: str) -> None:
        """Acts on whatever task comes, mostly refused: by the same name as the model's."""
        getattr(self, act)(number)

    @precondition(lambda self: self.any_task("live"))
    @rule(number=some, executor=st.integers(0, 2))
    def claims(self, number: int, executor: int) -> None:
        self.claim(
            self.chosen(number, lambda key: self.model.tasks[key].live), self.world.executors[executor]
        )

    def claim(self, key: str, member: Executor) -> None:
        attempt = self.attempt(key)
        if attempt is None:
            return
        due = self.model.claim(key, member.name)
        held = self.does(
            due,
            lambda: claims.claim(
                attempt_id=attempt.pk, executor=member, actor=Actor.member(member), now=self.tick()
            ),
        )
        if held:
            self.old_claims.append((key, attempt.pk, held.token, member))

    @precondition(lambda self: self.any_task("running"))
    @rule(
        number=some,
        proved=st.sampled_from([True, True, True, False]),
        held=st.sampled_from([True, True, False]),
        result=st.sampled_from(RESULTS),
    )
    def completes(self, number: int, proved: bool, held: bool, result: str) -> None:
        self.complete(self.chosen(number, lambda key: self.model.tasks[key].running), proved, held, result)

    def complete(self, key: str, proved: bool = True, held: bool = True, result: str = "") -> None:
        attempt, task = self.attempt(key), self.model.tasks[key]
        if attempt is None:
            return
        token, held = (task.token, task.running) if held else (task.token + 1, False)
        member = self.holder(key)
        due = self.model.complete(key, held=held, proved=proved, result=result)
        self.does(due, lambda: self._complete(attempt.pk, key, token, member, proved, result))
        if due is None:
            self.unpublished.append(self.model.steps[key].lane)

    def _complete(
        self, attempt: int, key: str, token: int, member: Executor, proved: bool, result: str = ""
    ) -> Any:
        step = self.task(key).step_id if key in self.model.tasks else 0
        exits = Criterion.objects.filter(step=step, kind=CriterionKind.EXIT)
        return completions.complete(
            attempt_id=attempt,
            token=token,
            executor=member,
            outcome="Done.",
            result=result,
            evidence={one.pk: "seen" for one in exits} if proved else {},
            outputs={"result.txt": f"{key} {attempt}".encode()},
            now=self.tick(),
        )

    @precondition(lambda self: self.old_claims)
    @rule(number=some)
    def wakes_up_late(self, number: int) -> None:
        """An executor that was frozen completes what it once held: evidence, never an effect (F26)."""
        key, attempt, token, member = self.old_claims[number % len(self.old_claims)]
        if Attempt.objects.filter(pk=attempt, status="running").exists():
            return
        due = errors.StaleToken if self.model.status == "active" else errors.WrongState
        self.does(due, lambda: self._complete(attempt, key, token, member, proved=True))

    @precondition(lambda self: self.any_task("running"))
    @rule(number=some)
    def reports(self, number: int) -> None:
        key = self.chosen(number, lambda key: self.model.tasks[key].running)
        attempt, task = self.attempt(key), self.model.tasks[key]
        if attempt is None:
            return
        due = self.model.held(key)
        self.does(
            due,
            lambda: claims.report(
                attempt_id=attempt.pk,
                token=task.token,
                executor=self.holder(key),
                breadcrumb=f"at {self.now}",
                now=self.tick(),
            ),
        )

    @precondition(lambda self: self.any_task("running"))
    @rule(number=some)
    def fails(self, number: int) -> None:
        key = self.chosen(number, lambda key: self.model.tasks[key].running)
        attempt, task, member = self.attempt(key), self.model.tasks[key], self.holder(key)
        if attempt is None:
            return
        due = self.model.fail(key, held=task.running)
        self.does(
            due,
            lambda: failures.fail(
                attempt_id=attempt.pk,
                token=task.token,
                executor=member,
                error=f"E{self.now}",
                now=self.tick(),
            ),
        )

    # -- people

    @precondition(lambda self: self.any_task("running"))
    @rule(number=some)
    def declares_failure(self, number: int) -> None:
        key = self.chosen(number, lambda key: self.model.tasks[key].running)
        attempt = self.attempt(key)
        if attempt is None:
            return
        self.does(
            self.model.declare_failure(key),
            lambda: failures.declare_failure(
                attempt_id=attempt.pk,
                reason=f"gone {self.now}",
                actor=self.person("reviewer"),
                now=self.tick(),
            ),
        )

    @precondition(lambda self: self.any_task("undecided"))
    @rule(number=some)
    def requeues(self, number: int) -> None:
        self.requeue(self.chosen(number, lambda key: self.model.tasks[key].undecided))

    def requeue(self, key: str) -> None:
        task = self.task(key)
        self.does(
            self.model.requeue(key),
            lambda: failures.requeue(
                task_id=task.pk, reason="again", actor=self.person("reviewer"), now=self.tick()
            ),
        )

    @precondition(lambda self: self.gate_waits())
    @rule(number=some, role=st.sampled_from(DECIDERS))
    def signs(self, number: int, role: str = "reviewer") -> None:
        self.sign(
            self.chosen(number, lambda key: self.model.steps[key].gate and self.model.tasks[key].queued), role
        )

    def sign(self, key: str, role: str) -> None:
        task = self.task(key)
        self.does(
            self.model.approve(key, role),
            lambda: gates.approve_gate(task_id=task.pk, actor=self.person(role), now=self.tick()),
        )

    @precondition(lambda self: self.gate_waits())
    @rule(number=some, back=some, role=st.sampled_from(DECIDERS))
    def rejects(self, number: int, back: int, role: str) -> None:
        key = self.chosen(number, lambda key: self.model.steps[key].gate and self.model.tasks[key].queued)
        to, task = self.key(back), self.task(key)
        self.does(
            self.model.reject(key, to, role),
            lambda: gates.reject_gate(
                task_id=task.pk, return_key=to, reason="wrong", actor=self.person(role), now=self.tick()
            ),
        )

    @precondition(lambda self: self.any_task("done"))
    @rule(number=some)
    def sends_back(self, number: int) -> None:
        key = self.chosen(number, lambda key: self.model.tasks[key].done)
        task = self.task(key)
        self.does(
            self.model.send_back(key),
            lambda: rework.send_back(
                task_id=task.pk, reason="wrong", actor=self.person("reviewer"), now=self.tick()
            ),
        )

    @rule(number=some)
    def blocks(self, number: int) -> None:
        key = self.chosen(number, lambda key: self.model.tasks[key].live) if number % 2 else self.key(number)
        newest = Blocker.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        task, due = self.task(key), self.model.block(key, -1)
        made = self.does(
            due,
            lambda: blockers.declare_blocker(
                task_id=task.pk,
                kind="external",
                note="in the way",
                actor=self.person("contributor"),
                now=self.tick(),
            ),
        )
        if made:
            assert made.pk > newest
            self.model.tasks[key].blockers = (self.model.tasks[key].blockers - {-1}) | {made.pk}

    @precondition(lambda self: Blocker.objects.filter(task__workstream=self.workstream).exists())
    @rule(number=some)
    def unblocks(self, number: int) -> None:
        found = list(
            Blocker.objects.filter(
                task__workstream=self.workstream, task__step__version=self.workstream.version_id
            )
            .order_by("pk")
            .values_list("pk", "task__step__key")
        )
        if not found:
            return
        blocker, key = found[number % len(found)]
        self.unblock(key, blocker)

    def unblock(self, key: str, blocker: int) -> None:
        self.does(
            self.model.unblock(key, blocker),
            lambda: blockers.resolve_blocker(
                blocker_id=blocker, resolution="gone", actor=self.person("reviewer"), now=self.tick()
            ),
        )

    @rule(number=some)
    def flags(self, number: int) -> None:
        key = self.chosen(number, lambda key: self.model.tasks[key].live) if number % 2 else self.key(number)
        task = self.task(key)
        self.does(
            self.model.flag(key),
            lambda: interventions.flag_for_human(
                task_id=task.pk, note="which one?", actor=self.person("contributor"), now=self.tick()
            ),
        )

    @precondition(lambda self: self.any_task("flagged"))
    @rule(number=some)
    def clears(self, number: int) -> None:
        self.clear(self.chosen(number, lambda key: self.model.tasks[key].flagged))

    def clear(self, key: str) -> None:
        task = self.task(key)
        self.does(
            self.model.clear(key),
            lambda: interventions.clear_human_flag(
                task_id=task.pk, answer="this one", actor=self.person("reviewer"), now=self.tick()
            ),
        )

    # -- files

    @precondition(lambda self: self.any_task("done"))
    @rule(number=some)
    def loses_a_file(self, number: int) -> None:
        key = self.chosen(number, lambda key: self.model.tasks[key].done)
        artifact = self._handover(key)
        if artifact and artifact.state == ArtifactState.COMMITTED and self.model.tasks[key].done:
            self.world.workspace.lose(artifact.path)
            self.model.lost.add(key)

    @precondition(lambda self: self.model.damaged)
    @rule(number=some, way=st.sampled_from(["retry", "republish", "restore", "withdraw"]))
    def recovers(self, number: int, way: str) -> None:
        self.recover(self.chosen(number, lambda key: key in self.model.damaged), way)

    def recover(self, key: str, way: str) -> None:
        artifact = self._handover(key)
        if artifact is None or artifact.state == ArtifactState.PENDING:
            return
        actor, now = self.person("reviewer"), self.tick()
        acts: dict[str, Callable[[], Any]] = {
            "retry": lambda: recoveries.retry_artifact(artifact_id=artifact.pk, actor=actor, now=now),
            "republish": lambda: recoveries.republish_artifact(artifact_id=artifact.pk, actor=actor, now=now),
            "restore": lambda: recoveries.restore_artifact(artifact_id=artifact.pk, actor=actor, now=now),
            "withdraw": lambda: recoveries.withdraw_artifact(
                artifact_id=artifact.pk, reason="lost", actor=actor, now=now
            ),
        }
        self.does(self.model.recover(key, way), acts[way])

    def _handover(self, key: str) -> HandoffArtifact | None:
        results = HandoffArtifact.objects.filter(attempt__task=self.task(key), event__in=RESULT_EVENTS)
        return results.exclude(state=ArtifactState.QUARANTINED).order_by("-sequence").first()

    # -- versions and the end

    @rule(number=some, change=st.sampled_from(["append", "append", "drop", "retitle"]))
    def plans_anew(self, number: int, change: str) -> None:
        plan = self._changed(number, change)
        if plan is None:
            return
        self.submitted += 1
        if self.model.status != "active":
            self.does(errors.WrongState, lambda: self._submit(plan))
            return
        submission = self._submit(plan)
        refused = self.model.migrate(plan, self.submitted)
        self.model.undecided_version = refused is not None
        self.does(refused, lambda: self._approve(submission))
        self.workstream.refresh_from_db()

    def _changed(self, number: int, change: str) -> Blueprint | None:
        plan, work = self.model.plan, [step for step in self.model.plan.steps if not step.gate]
        self.fresh += 1
        step = work[number % len(work)]
        if change == "append":
            return blueprint.with_step(plan, f"N{self.fresh}", number)
        if change == "retitle":
            return blueprint.retitled(plan, step.key, f"Do it the {self.fresh}th way")
        alone = any(other.gate and other.needs == (step.key,) for other in plan.steps)
        return None if alone or len(work) == 1 else blueprint.without_step(plan, step.key)

    @rule()
    def integrates(self) -> None:
        self.does(
            self.model.integrate(),
            lambda: baseline.integrate(
                workstream_id=self.workstream.pk,
                source=IntegrationSource.PERSON,
                actor=self.person("reviewer"),
                now=self.tick(),
            ),
        )

    @rule()
    def reverts(self) -> None:
        self.does(
            self.model.revert(),
            lambda: baseline.revert(
                workstream_id=self.workstream.pk,
                reason="undone",
                actor=self.person("reviewer"),
                now=self.tick(),
            ),
        )

    @precondition(lambda self: self.model.untouched)
    @rule()
    def rolls_back(self) -> None:
        migration = Migration.objects.filter(workstream=self.workstream).latest("pk")
        self.does(
            self.model.roll_back(),
            lambda: roll_back(
                migration_id=migration.pk, reason="too early", actor=self.person("approver"), now=self.tick()
            ),
        )
        self.workstream.refresh_from_db()

    @precondition(lambda self: self.model.finished)
    @rule()
    def accepts(self) -> None:
        self.does(
            self.model.accept(),
            lambda: accept_workstream(
                workstream_id=self.workstream.pk, actor=self.person("approver"), now=self.tick()
            ),
        )

    @rule(really=st.integers(0, 9))
    def archives(self, really: int) -> None:
        """Rarely, because little can happen afterwards."""
        if really == 9:
            self.does(
                self.model.archive(),
                lambda: archive_workstream(
                    workstream_id=self.workstream.pk,
                    reason="over",
                    actor=self.person("approver"),
                    now=self.tick(),
                ),
            )

    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "watch"):
            self.watch.check(self.model)
