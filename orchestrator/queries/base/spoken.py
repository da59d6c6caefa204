"""What entries say of rows by digests, and the comparison of it with the rows (FR-009).

`queries/base/covered.py` declares which columns of which tables those are.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import lt
from typing import NamedTuple

from django.db.models import Model

from orchestrator.core.sealing.chain import Breach
from orchestrator.core.sealing.merkle import leaf_hash
from orchestrator.core.sealing.rows import read_ids, row_bytes, rows_root, written_ids
from orchestrator.queries.base.covered import PARTS
from orchestrator.queries.base.parts import MANY, in_parts
from orchestrator.queries.base.parts_of_rows import RowPart
from orchestrator.queries.base.recorded import UNREADABLE
from orchestrator.queries.base.row_values import value_of


class Told(NamedTuple):
    """A part of a row that an entry is to speak of: by what the object of the row holds when the entry is
    written, or by these `values` of its columns."""

    part: RowPart
    row_id: int
    row: Model | None
    values: Mapping[str, object] = {}

    @property
    def content(self) -> bytes:
        if self.row is not None:
            return self.part.bytes_of(self.row)
        return self.part.bytes_with(self.row_id, self.values)


def said_of(told: Iterable[Told]) -> dict[str, dict[str, str]]:
    """What a leaf says of rows: of each kind their ids, and the root over them where they stay as they are,
    or the digest of each."""
    by_kind: dict[str, dict[int, Told]] = {}
    for one in told:
        by_kind.setdefault(one.part.kind, {})[one.row_id] = one
    said = {}
    for kind, found in by_kind.items():
        ids = sorted(found)
        contents = (found[one].content for one in ids)
        if PARTS[kind].once:
            said[kind] = {"ids": written_ids(ids), "root": rows_root(contents)}
        else:
            digests = "".join(leaf_hash(content).hex() for content in contents)
            said[kind] = {"ids": written_ids(ids), "digests": digests}
    return said


def stored(kind: str, ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Ids and bytes of those of the rows that are there, by what the database holds; one that cannot be read
    has none."""
    wanted = list(ids)
    try:
        yield from list(_stored(PARTS[kind], wanted))
    except UNREADABLE:
        if len(wanted) == 1:
            yield wanted[0], b""
        else:
            yield from (found for one in wanted for found in stored(kind, [one]))


def all_stored(kind: str) -> Iterator[tuple[int, bytes]]:
    """The same of all rows that entries may speak of."""
    part = PARTS[kind]
    ids = part.rows.order_by(part.key).values_list(part.key, flat=True).iterator(chunk_size=CHUNK)
    while some := list(islice(ids, MANY)):
        yield from stored(kind, some)


def _stored(part: RowPart, ids: list[int]) -> Iterator[tuple[int, bytes]]:
    rows = part.model._base_manager.filter(**{f"{part.key}__in": ids}).order_by()
    for key, *values in rows.values_list(part.key, *part.columns):
        yield key, row_bytes(part.kind, key, dict(zip(part.columns, map(value_of, values), strict=True)))


#: Rows that are compared at a time, and that are read at a time.
AT_ONCE, CHUNK = 500, 2_000
#: Bytes of a digest.
DIGEST = 32


class _Spoken(NamedTuple):
    """What an entry says of rows of a kind that stay as they are."""

    sequence: int
    kind: str
    ids: list[int]
    root: str


class SuspectRow(NamedTuple):
    """A part of a row that no entry speaks of, or of which the last entry says something else."""

    kind: str
    row_id: int


class SpokenRows:
    """Compares what entries say of rows with the rows, as a walk over the entries comes by. What stays as it
    is is compared on the way; its ids are kept, eight bytes each, to find at the end the rows that nobody
    speaks of. Of what changes the last word is kept, and compared at the end."""

    def __init__(self) -> None:
        self._waiting: list[_Spoken] = []
        self._ids = 0
        self._seen: dict[str, array[int]] = {kind: array("Q") for kind, one in PARTS.items() if one.once}
        self._last: dict[str, dict[int, bytes]] = {kind: {} for kind, one in PARTS.items() if not one.once}

    def problem_of(self, sequence: int, said: object) -> Breach | None:
        """Take in what the leaf of an entry says of rows; the first that is not so, once some have come
        together."""
        if not isinstance(said, dict):
            return Breach(sequence, "what it says of rows cannot be read")
        for kind, one in said.items():
            if kind not in PARTS:
                return Breach(sequence, f"it speaks of a {kind}, which this release does not know")
            try:
                self._take_in(sequence, kind, one)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
                return Breach(sequence, f"what it says of the {kind} cannot be read")
        return self.problem_so_far() if self._ids >= AT_ONCE else None

    def _take_in(self, sequence: int, kind: str, said: Mapping[str, str]) -> None:
        ids = read_ids(said["ids"])
        if PARTS[kind].once:
            self._waiting.append(_Spoken(sequence, kind, ids, said["root"]))
            self._seen[kind].extend(ids)
            self._ids += len(ids)
            return
        digests, who = bytes.fromhex(said["digests"]), sequence.to_bytes(8)
        if len(digests) != len(ids) * DIGEST:
            raise ValueError("There is a digest for each id.")
        last = self._last[kind]
        for place, one in enumerate(ids):
            last[one] = digests[place * DIGEST : (place + 1) * DIGEST] + who

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

    def suspects(self) -> Iterator[SuspectRow]:
        """The rows that no entry spoke of so far, and those of which the last one says something else."""
        for kind in self._seen:
            yield from self._unspoken(kind)
        for kind in self._last:
            yield from self._changed(kind)

    def _unspoken(self, kind: str) -> Iterator[SuspectRow]:
        part, seen = PARTS[kind], self._seen[kind]
        rises = all(map(lt, seen, islice(seen, 1, None)))
        if part.rows.count() <= (len(seen) if rises else len(set(seen))):
            return
        known = self.seen(kind)
        for pk in part.rows.order_by("pk").values_list("pk", flat=True).iterator():
            if pk not in known:
                yield SuspectRow(kind, pk)

    def _changed(self, kind: str, only: Iterable[int] | None = None) -> Iterator[SuspectRow]:
        last, blank, there = self._last[kind], PARTS[kind].blank, 0
        wanted = only if only is None else list(only)
        found = set[int]()
        for row_id, row in all_stored(kind) if wanted is None else stored(kind, wanted):
            said = last.get(row_id)
            there += said is not None
            if wanted is not None:
                found.add(row_id)
            good = row == row_bytes(kind, row_id, blank) if said is None else leaf_hash(row) == said[:DIGEST]
            if not good:
                yield SuspectRow(kind, row_id)
        if wanted is not None:
            yield from (SuspectRow(kind, one) for one in wanted if one in last and one not in found)
        elif there < len(last):
            known = {row_id for row_id, _ in all_stored(kind)}
            yield from (SuspectRow(kind, one) for one in last if one not in known)

    def still(self, suspects: Iterable[SuspectRow]) -> list[SuspectRow]:
        """Those that are so still, after more entries were taken in."""
        by_kind: dict[str, list[int]] = {}
        for one in suspects:
            by_kind.setdefault(one.kind, []).append(one.row_id)
        return [bad for kind, ids in by_kind.items() for bad in self.compared(kind, ids)]

    def compared(self, kind: str, ids: Sequence[int]) -> list[SuspectRow]:
        """Those of the rows with these ids that no entry speaks of, or otherwise."""
        if PARTS[kind].once:
            known = self.seen(kind)
            return [SuspectRow(kind, one) for one in ids if one not in known]
        return [bad for some in in_parts(ids) for bad in self._changed(kind, some)]

    def breach_of(self, suspect: SuspectRow) -> Breach:
        kind, row_id = suspect
        said = self._last[kind].get(row_id) if kind in self._last else None
        if said is None:
            return Breach(0, f"No entry speaks of the {_named(kind, row_id)}")
        sequence = int.from_bytes(said[DIGEST:])
        return Breach(sequence, f"the {_named(kind, row_id)} is another one than it speaks of, or gone")


def _named(kind: str, row_id: int) -> str:
    return f"{kind} with the id {row_id}"


def _problem(said: _Spoken, rows: Mapping[int, bytes]) -> str:
    for pk in said.ids:
        if pk not in rows:
            return f"the {_named(said.kind, pk)} that it speaks of is gone"
    if rows_root(rows[pk] for pk in said.ids) == said.root:
        return ""
    which = (
        f"the {_named(said.kind, said.ids[0])}"
        if len(said.ids) == 1
        else f"one of the rows {said.kind} {written_ids(said.ids)}"
    )
    return f"{which} is another one than it speaks of"
