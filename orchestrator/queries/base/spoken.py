"""The rows that the history speaks of by digests: which tables, and which of their columns are frozen
(FR-009).

One line here is all there is to add for another table; the act that writes the row says `speaks_of(row)`.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from django.db.models import Model, QuerySet

from orchestrator.core.sealing.chain import Breach
from orchestrator.core.sealing.rows import Value, read_ids, row_bytes, rows_root, written_ids
from orchestrator.models import (
    Approval,
    BaselineIntegration,
    CriterionCheck,
    GateReview,
    HandoffArtifact,
    Learning,
    OutputFile,
    PolicyChange,
    PreHandoffReview,
    Verification,
    WorkflowVersion,
)
from orchestrator.queries.base.parts import in_parts
from orchestrator.queries.base.recorded import UNREADABLE


class Frozen(NamedTuple):
    """A table whose rows entries speak of: its word, the columns that never change once they are written,
    and which rows some entry has to speak of (all of them, as a rule)."""

    kind: str
    model: type[Model]
    columns: tuple[str, ...]
    spoken_of: Callable[["QuerySet[Model]"], "QuerySet[Model]"] = lambda rows: rows

    @property
    def rows(self) -> "QuerySet[Model]":
        return self.spoken_of(self.model._default_manager.all())


def _ended(rows: "QuerySet[Model]") -> "QuerySet[Model]":
    """Receipts: what is still to be run says nothing yet."""
    return rows.exclude(state__in=("pending", "late"))


FROZEN = (
    Frozen(
        "version",
        WorkflowVersion,
        (
            *("workflow_id", "number", "source", "format", "source_name", "source_sha256", "adopts"),
            *("author_id", "submitted_as", "submitted_at", "change_reason", "repository", "base_branch"),
        ),
    ),
    Frozen("approval", Approval, ("version_id", "sha256", "person_id", "signed_as", "note", "signed_at")),
    Frozen(
        "pre-handoff review",
        PreHandoffReview,
        ("workstream_id", "reviewer_id", "signed_as", "rationale", "signed_at"),
    ),
    Frozen(
        "signature",
        GateReview,
        (
            *("attempt_id", "reviewer_id", "signed_as", "decision", "reason", "follow_ups"),
            *("follow_up_version_id", "return_step_id", "signed_at"),
        ),
    ),
    Frozen(
        "evidence",
        CriterionCheck,
        ("attempt_id", "criterion_id", "evidence", "checked_by_id", "checked_as", "checked_at"),
    ),
    Frozen(
        "receipt",
        Verification,
        (
            *("attempt_id", "tool", "run", "source", "executor_id", "token", "outcome", "commit"),
            *("state", "exit_code", "tree", "milliseconds", "log", "log_end", "problem", "ended_at"),
        ),
        _ended,
    ),
    Frozen(
        "artifact",
        HandoffArtifact,
        ("workstream_id", "sequence", "attempt_id", "event", "path", "body", "sha256", "created_at"),
    ),
    Frozen("output", OutputFile, ("artifact_id", "path", "content", "sha256")),
    Frozen(
        "learning",
        Learning,
        (
            "workstream_id",
            "after",
            "went_wrong",
            "worked",
            "tighten",
            "author_id",
            "recorded_as",
            "recorded_at",
        ),
    ),
    Frozen(
        "policy change",
        PolicyChange,
        ("policy_id", "author_id", "changed_as", "reason", "impact", "body", "changed_at"),
    ),
    Frozen(
        "integration",
        BaselineIntegration,
        ("workstream_id", "source", "commit", "note", "integrated_by", "integrated_at"),
    ),
)
BY_KIND: Mapping[str, Frozen] = {one.kind: one for one in FROZEN}
BY_MODEL: Mapping[type[Model], Frozen] = {one.model: one for one in FROZEN}


def value_of(value: object) -> Value:
    """A column as it stands in a row's bytes: times in UTC, contents by their SHA-256."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    raise TypeError(f"A column of {type(value)} is in no row's bytes.")


def bytes_of(row: Model) -> bytes:
    """The bytes of a row that is written, by what its object holds."""
    frozen = BY_MODEL[type(row)]
    columns = {name: value_of(getattr(row, name)) for name in frozen.columns}
    return row_bytes(frozen.kind, row.pk, columns)


def said_of(rows: Iterable[Model]) -> dict[str, dict[str, str]]:
    """What a leaf says of rows: of each kind their ids, and the root over them."""
    by_kind: dict[str, dict[int, Model]] = {}
    for row in rows:
        by_kind.setdefault(BY_MODEL[type(row)].kind, {})[row.pk] = row
    said = {}
    for kind, found in by_kind.items():
        ids = sorted(found)
        said[kind] = {"ids": written_ids(ids), "root": rows_root(bytes_of(found[one]) for one in ids)}
    return said


def stored(kind: str, ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Ids and bytes of those of the rows that are there, by what the database holds; one that cannot be read
    has none."""
    wanted = list(ids)
    try:
        yield from list(_stored(BY_KIND[kind], wanted))
    except UNREADABLE:
        if len(wanted) == 1:
            yield wanted[0], b""
        else:
            yield from (found for one in wanted for found in stored(kind, [one]))


def _stored(frozen: Frozen, ids: list[int]) -> Iterator[tuple[int, bytes]]:
    rows = frozen.model._default_manager.filter(pk__in=ids).order_by()
    for pk, *values in rows.values_list("pk", *frozen.columns):
        columns = dict(zip(frozen.columns, map(value_of, values), strict=True))
        yield pk, row_bytes(frozen.kind, pk, columns)


#: Rows that are compared at a time.
AT_ONCE = 500


class _Spoken(NamedTuple):
    """What an entry says of rows of a kind."""

    sequence: int
    kind: str
    ids: list[int]
    root: str


class SpokenRows:
    """Compares what entries say of rows with the rows, as a walk over the entries comes by. Ids are kept,
    eight bytes each, to find at the end the rows that nobody speaks of."""

    def __init__(self) -> None:
        self._waiting: list[_Spoken] = []
        self._ids = 0
        self._seen: dict[str, array[int]] = {one.kind: array("Q") for one in FROZEN}

    def problem_of(self, sequence: int, said: object) -> Breach | None:
        """Take in what the leaf of an entry says of rows; the first that is not so, once some have come
        together."""
        if not isinstance(said, dict):
            return Breach(sequence, "what it says of rows cannot be read")
        for kind, one in said.items():
            if kind not in BY_KIND:
                return Breach(sequence, f"it speaks of a {kind}, which this release does not know")
            try:
                ids, root = read_ids(one["ids"]), one["root"]
            except (ValueError, KeyError, TypeError, AttributeError):
                return Breach(sequence, f"what it says of the {kind} cannot be read")
            self._waiting.append(_Spoken(sequence, kind, ids, root))
            self._seen[kind].extend(ids)
            self._ids += len(ids)
        return self.problem_so_far() if self._ids >= AT_ONCE else None

    def problem_so_far(self) -> Breach | None:
        """The first row that is not what an entry says of it, of those that wait."""
        waiting, self._waiting, self._ids = self._waiting, [], 0
        rows: dict[str, dict[int, bytes]] = {}
        for kind in {one.kind for one in waiting}:
            wanted = sorted({pk for one in waiting if one.kind == kind for pk in one.ids})
            rows[kind] = {pk: row for some in in_parts(wanted) for pk, row in stored(kind, some)}
        for one in waiting:
            if problem := _problem(one, rows[one.kind]):
                return Breach(one.sequence, problem)
        return None

    def seen(self, kind: str) -> frozenset[int]:
        """The ids of the rows of a kind that an entry spoke of."""
        return frozenset(self._seen[kind])

    def unknown(self) -> Iterator[tuple[str, int]]:
        """Kind and id of the rows that no entry spoke of so far."""
        for frozen in FROZEN:
            if frozen.rows.count() <= len(self._seen[frozen.kind]):
                continue
            seen = self.seen(frozen.kind)
            for pk in frozen.rows.order_by("pk").values_list("pk", flat=True).iterator():
                if pk not in seen:
                    yield frozen.kind, pk

    def unspoken(self, unknown: Iterable[tuple[str, int]]) -> Breach | None:
        """The first of these rows that still no entry speaks of: somebody put it there."""
        for kind, pk in unknown:
            if pk not in self.seen(kind):
                return Breach(0, f"No entry speaks of the {kind} with the id {pk}")
        return None


def _problem(said: _Spoken, rows: Mapping[int, bytes]) -> str:
    for pk in said.ids:
        if pk not in rows:
            return f"the {said.kind} with the id {pk} that it speaks of is gone"
    if rows_root(rows[pk] for pk in said.ids) == said.root:
        return ""
    which = (
        f"the {said.kind} with the id {said.ids[0]}"
        if len(said.ids) == 1
        else f"one of the rows {said.kind} {written_ids(said.ids)}"
    )
    return f"{which} is another one than it speaks of"
