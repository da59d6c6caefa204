"""What the rows say of some tasks, their steps and their threads, read in one statement."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from django.db import connection

from orchestrator.core.terms import AttemptStatus
from orchestrator.models import Task, Workstream
from orchestrator.models.work.attempt import LIVE
from orchestrator.queries.base.parts import MANY


@dataclass(frozen=True, slots=True)
class FactScope:
    """Which rows facts are read for: the ids of tasks, of their steps and of the threads; or, without them, a
    whole workstream under its version."""

    workstream: int
    version: int
    tasks: Sequence[int] | None = None
    steps: Sequence[int] = ()
    threads: Sequence[int] = ()

    @classmethod
    def whole(cls, workstream: Workstream) -> "FactScope":
        return cls(workstream.pk, workstream.version_id)

    @classmethod
    def of(cls, tasks: Sequence[Task], workstream: Workstream) -> "FactScope":
        """Just these tasks; all of their workstream when they are many."""
        places = [(task.pk, task.step_id, task.step.thread_id) for task in tasks]
        return cls.of_places(places, workstream)

    @classmethod
    def of_places(cls, places: Sequence[tuple[int, int, int]], workstream: Workstream) -> "FactScope":
        """Just these, given as ids of task, step and thread; all of their workstream when they are many."""
        if len(places) > MANY:
            return cls.whole(workstream)
        return cls(
            workstream.pk,
            workstream.version_id,
            [task for task, _, _ in places],
            [step for _, step, _ in places],
            sorted({thread for _, _, thread in places}),
        )


class Live(NamedTuple):
    """A live attempt, and who runs it."""

    status: AttemptStatus
    executor: str


@dataclass(slots=True)
class Facts:
    """By task: its live attempt, the error of its last failure that nobody has followed up, the number of its
    latest attempt, the note of the open blocker that was declared first. By step: the keys and ids of the
    steps it names, reviewers, files, resources, criteria with their kind. By thread: the files it owns."""

    live: dict[int, Live] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    last_number: dict[int, int] = field(default_factory=dict)
    blockers: dict[int, str] = field(default_factory=dict)
    needs: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    needed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    reviewers: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    files: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    resources: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    criteria: dict[int, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    owned: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, kind: str, of: int, number: int, word: str, said: str) -> None:
        """One row of the statement; rows come in the order of their numbers and words."""
        names = {
            "reviewer": self.reviewers,
            "file": self.files,
            "resource": self.resources,
            "owned": self.owned,
        }
        if kind in names:
            names[kind][of].add(word)
        elif kind == "need":
            self.needs[of].add(word)
            self.needed[of].add(number)
        elif kind == "criterion":
            self.criteria[of].append((word, said))
        elif kind == "last":
            self.last_number[of] = number
        elif kind == "blocker":
            self.blockers.setdefault(of, said)
        elif word in LIVE:
            self.live[of] = Live(AttemptStatus(word), said)
        else:
            self.errors[of] = said


#: What claims of files and resources are made from; what a verdict is made from; what a launch needs beside.
CLAIMS: Final = frozenset({"claim", "owned"})
VERDICTS: Final = CLAIMS | {"attempt", "blocker", "need", "reviewer"}
LAUNCHES: Final = VERDICTS | {"last", "criterion"}


def facts_of(scope: FactScope, kinds: Collection[str] = VERDICTS) -> Facts:
    """One statement, whatever the scope."""
    facts = Facts()
    if scope.tasks is not None and not scope.tasks:
        return facts
    for row in _rows(scope, kinds):
        facts.add(*row)
    return facts


def _rows(scope: FactScope, kinds: Collection[str]) -> Iterable[tuple[str, int, int, str, str]]:
    sizes = (-1, -1, -1)
    if scope.tasks is not None:
        sizes = (len(scope.tasks), len(scope.steps), len(scope.threads))
    given: list[int] = []
    for kind in _PARTS:
        if kind in kinds:
            given += _parameters(scope, kind)
    with connection.cursor() as cursor:
        cursor.execute(_text(frozenset(kinds), sizes), given)
        rows: list[tuple[str, int, int, str, str]] = cursor.fetchall()
    return sorted(rows, key=lambda row: row[:4])


def _parameters(scope: FactScope, kind: str) -> Sequence[int]:
    by = _PARTS[kind].by
    if scope.tasks is None:
        return [scope.version if by == "thread" else scope.workstream]
    return {"task": scope.tasks, "step": scope.steps, "thread": scope.threads}[by]


class _FactPart(NamedTuple):
    """A part of the statement: which ids it goes by, and its SQL with `{own}` for the condition on them."""

    by: str
    sql: str


_LIVE = ", ".join(f"'{status}'" for status in LIVE)
_FAILED = f"'{AttemptStatus.FAILED.value}'"
_PARTS: Final = {
    "attempt": _FactPart(
        "task",
        f"""SELECT 'attempt', a.task_id, a.number, a.status,
  CASE WHEN a.status = {_FAILED} THEN a.error ELSE COALESCE(h.claimed_as, '') END
FROM orchestrator_attempt a LEFT JOIN orchestrator_assignment h ON h.attempt_id = a.id
WHERE a.task_id {{own}} AND (a.status IN ({_LIVE}) OR (a.status = {_FAILED} AND a.followed_up_at IS NULL))""",
    ),
    "last": _FactPart(
        "task",
        """SELECT 'last', l.task_id, MAX(l.number), '', '' FROM orchestrator_attempt l
WHERE l.task_id {own} GROUP BY l.task_id""",
    ),
    "blocker": _FactPart(
        "task",
        """SELECT 'blocker', b.task_id, 0, CAST(b.declared_at AS VARCHAR(40)), b.note
FROM orchestrator_blocker b WHERE b.task_id {own} AND b.resolved_at IS NULL""",
    ),
    "need": _FactPart(
        "step",
        """SELECT 'need', n.step_id, n.needed_id, s.key, '' FROM orchestrator_stepneed n
JOIN orchestrator_step s ON s.id = n.needed_id WHERE n.step_id {own}""",
    ),
    "reviewer": _FactPart(
        "step",
        "SELECT 'reviewer', v.step_id, 0, v.name, '' FROM orchestrator_gatereviewer v WHERE v.step_id {own}",
    ),
    "claim": _FactPart(
        "step",
        """SELECT CASE WHEN r.is_files THEN 'file' ELSE 'resource' END, r.step_id, 0, r.name, ''
FROM orchestrator_stepresource r WHERE r.step_id {own}""",
    ),
    "criterion": _FactPart(
        "step",
        """SELECT 'criterion', c.step_id, c.position, c.kind, c.text FROM orchestrator_criterion c
WHERE c.step_id {own}""",
    ),
    "owned": _FactPart(
        "thread",
        """SELECT 'owned', o.thread_id, 0, o.pattern, '' FROM orchestrator_ownedfiles o
WHERE o.thread_id {own}""",
    ),
}
_WHOLE: Final = {
    "task": "IN (SELECT t.id FROM orchestrator_task t WHERE t.workstream_id = %s)",
    "step": "IN (SELECT t.step_id FROM orchestrator_task t WHERE t.workstream_id = %s)",
    "thread": """IN (SELECT lane.id FROM orchestrator_thread lane
  JOIN orchestrator_batch lb ON lb.id = lane.batch_id JOIN orchestrator_stage ls ON ls.id = lb.stage_id
  WHERE ls.version_id = %s)""",
}


@lru_cache(500)
def _text(kinds: frozenset[str], sizes: tuple[int, int, int]) -> str:
    own = dict(zip(("task", "step", "thread"), sizes, strict=True))
    parts = [
        part.sql.format(own=_own(part.by, own[part.by])) for kind, part in _PARTS.items() if kind in kinds
    ]
    return " UNION ALL ".join(parts)


def _own(by: str, size: int) -> str:
    if size < 0:
        return _WHOLE[by]
    return f"IN ({', '.join(['%s'] * size)})"
