"""Who could claim a task that waits for somebody, and whether they are free now (FR-015, FR-027)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from orchestrator.adapters.pool import PooledExecutor, read_pool
from orchestrator.contract.why import PossibleClaimer
from orchestrator.core.engine.explain import who_could_claim
from orchestrator.core.errors import InvalidInput
from orchestrator.core.people.roles import is_awaited
from orchestrator.core.terms import ExecutorKind, Role
from orchestrator.models import Assignment, Executor, Step, Workstream
from orchestrator.queries.base.roles import doers_of
from orchestrator.queries.engine.threads import sole_executor

#: Names are given of so many executors, and of so many people.
FEW: Final = 5
FEW_PEOPLE: Final = 3
_ROLES: Final = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class Claimers:
    """Executors whose account has one of the `roles`: the free ones first, `count` of them in all.

    The `sentence` is empty where no executor is registered yet, and people with a role claim for themselves.
    """

    roles: tuple[str, ...] = ()
    shown: tuple[PossibleClaimer, ...] = ()
    count: int = 0
    sentence: str = ""


def claimers_of(step: Step, workstream: Workstream) -> Claimers:
    """Who could claim the step; in a thread that is assigned to an executor that one alone, else nobody who
    is started for other work only (`executors.toml`)."""
    roles = tuple(sorted(doers_of(step)))
    sole = sole_executor(workstream, step.thread)
    kinds = [kind for kind in ExecutorKind if is_awaited(kind, step.tool)]
    able = Executor.objects.filter(_of_accounts(roles), kind__in=kinds)
    rows = Executor.objects.filter(pk=sole.pk) if sole else able
    found = rows.filter(user__is_active=True).select_related("user").distinct()
    started = {} if sole else _started_here()
    names = [one for one in found if _takes(started.get(one.name), step, workstream)]
    running = _running([one.pk for one in names])
    everybody = [
        PossibleClaimer(one.name, ExecutorKind(one.kind), one.user.get_username(), running.get(one.pk, ""))
        for one in names
    ]
    everybody.sort(key=lambda one: (one.busy_with != "", one.executor))
    free = [one.executor for one in everybody if not one.busy_with]
    by_hand = not everybody and not sole and ExecutorKind.PERSON in kinds and _has_people(roles)
    said = "" if by_hand else who_could_claim(free, len(everybody), roles)
    return Claimers(roles, tuple(everybody[:FEW]), len(everybody), said)


def _started_here() -> dict[str, PooledExecutor]:
    """By name the executors that `serve` starts; none where its file cannot be read, which its page says."""
    try:
        return {one.name: one for one in read_pool(settings.EXECUTORS_FILE)}
    except InvalidInput:
        return {}


def _takes(one: PooledExecutor | None, step: Step, workstream: Workstream) -> bool:
    return one is None or (
        one.workstream in ("", workstream.slug)
        and one.repository in ("", workstream.version.repository)
        and (not one.tools or step.tool in one.tools)
    )


def names_in(asked: Sequence[str]) -> tuple[str, ...]:
    """The accounts that hold one of these roles or have one of these names; none when they are many."""
    roles = [name for name in asked if name in _ROLES]
    found = User.objects.filter(Q(groups__name__in=roles) | Q(username__in=set(asked) - _ROLES))
    names = found.filter(is_active=True).order_by("username").values_list("username", flat=True).distinct()
    few = list(names[: FEW_PEOPLE + 1])
    return tuple(few) if len(few) <= FEW_PEOPLE else ()


def _has_people(roles: Collection[str]) -> bool:
    return User.objects.filter(groups__name__in=roles, is_active=True).exists()


def _of_accounts(roles: Collection[str]) -> Q:
    return Q(user__groups__name__in=roles) | Q(user__is_superuser=True)


def _running(executors: Sequence[int]) -> dict[int, str]:
    """By executor the task that it runs."""
    held = Assignment.objects.filter(released_at=None, alone=True, executor__in=executors)
    rows = held.values_list("executor", "attempt__task__step__key", "attempt__task__workstream__slug")
    return {executor: f"{slug}/{key}" for executor, key, slug in rows}
