"""The cast of the tests: people with roles, executors, and a driver that reaches every state through
services.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User

from orchestrator.core.terms import AttemptStatus, ExecutorKind, Role
from orchestrator.models import Assignment, Attempt, Executor, Task, Workstream
from orchestrator.queries.work.duplicates import undecided
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.services.advance import advance
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.executors import register_executor
from orchestrator.services.plans import plans
from orchestrator.services.review import decisions, gates
from orchestrator.services.work import claims, completions, failures
from orchestrator.services.workstreams import workstreams
from orchestrator.services.workstreams.duplicates import decide_duplicate
from tests import starts

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

PLAN = b"""---
domain: payments
---
# Plan: Card refunds

## Summary
Customers get their money back.

## Stages

### Stage 1: Build

##### Batch 01: foundations

###### Thread 01: ledger
- Role: contributor
- Files: `ledger/**`
- A1: Ledger entries for refunds
  - Exit: unit tests pass
- A2: Ledger report
  - Exit: report shows refunds

###### Thread 02: gateway
- Role: contributor
- Files: `gateway/**`
- B1: Gateway call
  - Exit: contract test passes

### Merge Point MP1
- **Trigger:** A2 + B1 complete
- **Action:** Integration test ledger and gateway
- **Reviewers:** reviewer
- **Unlocks:** C1

##### Batch 02: joining

###### Thread 01: refunds
- Role: contributor
- C1: Refund end to end
  - Exit: end-to-end test passes

##### Batch 99: document

###### Thread 01: docs
- Role: contributor
- D1: Write the manual
  - Exit: manual exists
"""


@cache
def _password() -> str:
    """Hashed once in a process."""
    return make_password("secret-for-tests")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        django_get_or_create = ("username",)
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user-{n}")
    password = factory.django.Password("secret-for-tests")

    @factory.post_generation
    def roles(self, create: bool, extracted: Iterable[Role] | None) -> None:
        for role in extracted or ():
            self.groups.add(Group.objects.get_or_create(name=role.value)[0])


class Cast:
    """One person per role, under the role's name; `builder` makes executors.

    Their ids are the same in every test, far from those that a sequence gives: recorded starts refer to them.
    """

    PEOPLE = {
        "ines": Role.INITIATOR,
        "carl": Role.CONTRIBUTOR,
        "rita": Role.REVIEWER,
        "anna": Role.APPROVER,
        "otto": Role.OBSERVER,
        "root": None,
    }
    FIRST_ID = 900_000_001

    def __init__(self) -> None:
        known = User.objects.in_bulk(self.PEOPLE, field_name="username")
        missing = [self._person(place) for place, name in enumerate(self.PEOPLE) if name not in known]
        people = known | {user.username: user for user in User.objects.bulk_create(missing)}
        self._give_roles(people)
        self.initiator, self.contributor, self.reviewer = people["ines"], people["carl"], people["rita"]
        self.approver, self.observer, self.admin = people["anna"], people["otto"], people["root"]

    def _person(self, place: int) -> User:
        name = list(self.PEOPLE)[place]
        mighty = self.PEOPLE[name] is None
        person = User(pk=self.FIRST_ID + place, username=name, is_superuser=mighty, is_staff=mighty)
        person.password = _password()
        return person

    def _give_roles(self, people: dict[str, User]) -> None:
        names = [role.value for role in self.PEOPLE.values() if role]
        Group.objects.bulk_create([Group(name=name) for name in names], ignore_conflicts=True)
        groups = {group.name: group for group in Group.objects.filter(name__in=names)}
        membership = User.groups.through
        memberships = [
            membership(user_id=people[name].pk, group_id=groups[role.value].pk)
            for name, role in self.PEOPLE.items()
            if role
        ]
        membership.objects.bulk_create(memberships, ignore_conflicts=True)

    def actor(self, role: str) -> Actor:
        return Actor.person(getattr(self, role))

    def builder(self, name: str = "builder-1", kind: ExecutorKind = ExecutorKind.AGENT) -> Executor:
        return register_executor(name=name, kind=kind, user=self.contributor, now=NOON)


class Driver:
    """Drives one workstream through services.

    `now` moves a minute with every act, so times are reproducible.
    """

    def __init__(self, cast: Cast, start: datetime = NOON) -> None:
        self.cast, self.now = cast, start
        self.workstream: Workstream | None = None

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def submit(self, source: bytes = PLAN, role: str = "initiator") -> plans.Submission:
        submission = plans.submit_plan(
            source=source, source_name="PLAN.md", actor=self.cast.actor(role), now=self.tick()
        )
        self.workstream = submission.workstream
        return submission

    def start(self, source: bytes = PLAN) -> Workstream:
        """Submitted, signed, approved, first steps launched.

        Put back where that is the same (`tests/starts.py`).
        """
        starts.start(self, source, self.start_afresh)
        return self.reload()

    def start_afresh(self, source: bytes) -> None:
        submission = self.submit(source)
        self.override_suspects()
        approver = self.cast.actor("approver")
        workstreams.sign_prehandoff(
            workstream_id=submission.workstream.pk,
            rationale="No similar work.",
            actor=approver,
            now=self.tick(),
        )
        decisions.approve_version(
            version_id=submission.version.pk,
            seen_sha256=submission.version.source_sha256,
            actor=approver,
            now=self.tick(),
        )
        self.advance()

    def override_suspects(self) -> None:
        """Tests start the same plan more than once: it is no duplicate."""
        assert self.workstream is not None
        for suspect in undecided(self.workstream):
            self.decide(suspect.workstream, "override")

    def decide(self, other: Workstream, outcome: str, rationale: str = "Compared both plans.") -> None:
        assert self.workstream is not None
        decide_duplicate(
            workstream_id=self.workstream.pk,
            other_id=other.pk,
            outcome=outcome,
            rationale=rationale,
            actor=self.cast.actor("reviewer"),
            now=self.tick(),
        )

    def reload(self) -> Workstream:
        assert self.workstream is not None
        self.workstream = Workstream.objects.get(pk=self.workstream.pk)
        return self.workstream

    def advance(self) -> None:
        assert self.workstream is not None
        at = self.tick()
        advance(workstream_id=self.workstream.pk, clock=lambda: at)

    def task(self, key: str) -> Task:
        return Task.objects.select_related("step", "workstream").get(
            workstream=self.workstream, step__key=key
        )

    def attempt(self, key: str) -> Attempt:
        """The latest attempt."""
        latest = Attempt.objects.filter(task=self.task(key)).order_by("-number").first()
        assert latest is not None, f"{key} has no attempt"
        return latest

    def claim(self, key: str, executor: Executor | None = None) -> Assignment:
        executor = executor or self.cast.builder(f"builder-{key.replace('.', '-')}")
        tool = self.task(key).step.tool
        return claims.claim(
            attempt_id=self.attempt(key).pk,
            executor=executor,
            actor=Actor.member(executor),
            now=self.tick(),
            runs=[tool] if tool else [],
        )

    def complete(
        self, key: str, outputs: dict[str, bytes] | None = None, outcome: str = "Done.", result: str = ""
    ) -> Attempt:
        """Complete the running attempt with evidence for every criterion and, if the step declares
        outcomes, with `result` or the first of them; then schedule.
        """
        assignment = Assignment.objects.select_related("executor").get(attempt=self.attempt(key))
        asked = criteria_to_prove(self.task(key))
        attempt = completions.complete(
            attempt_id=assignment.attempt_id,
            token=assignment.token,
            executor=assignment.executor,
            outcome=outcome,
            evidence={criterion.pk: f"seen: {criterion.text}" for criterion in asked},
            outputs=outputs,
            result=result or self.usual_outcome(key),
            now=self.tick(),
        )
        self.advance()
        return attempt

    def usual_outcome(self, key: str) -> str:
        return next(iter(self.task(key).step.outcome_words), "")

    def do(self, *keys: str) -> None:
        for key in keys:
            self.claim(key)
            self.complete(key)

    def fail(self, key: str, error: str = "It broke.") -> Attempt:
        assignment = Assignment.objects.select_related("executor").get(attempt=self.attempt(key))
        attempt = failures.fail(
            attempt_id=assignment.attempt_id,
            token=assignment.token,
            executor=assignment.executor,
            error=error,
            now=self.tick(),
        )
        self.advance()
        return attempt

    def sign(self, key: str, role: str = "reviewer") -> None:
        gates.approve_gate(task_id=self.task(key).pk, actor=self.cast.actor(role), now=self.tick())
        self.advance()

    def ready(self) -> list[str]:
        """Keys of the queued attempts, in launch order."""
        queued = Attempt.objects.filter(task__workstream=self.workstream, status=AttemptStatus.QUEUED)
        return list(
            queued.order_by(
                "task__step__thread__batch__stage__position",
                "task__step__thread__batch__position",
                "task__step__position",
                "task__step__key",
            ).values_list("task__step__key", flat=True)
        )

    def finish(self) -> Workstream:
        """Do whatever is ready, sign whatever waits, until nothing is left."""
        while ready := self.ready():
            for key in ready:
                if self.task(key).step.is_gate:
                    self.sign(key)
                else:
                    self.do(key)
        return self.reload()
