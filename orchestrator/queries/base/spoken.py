"""What entries say of rows by digests, and the comparison of it with the rows (FR-009).

`queries/base/covered.py` declares which columns of which tables those are.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from django.db.models import Model

from orchestrator.core.sealing.chain import Breach
from orchestrator.core.sealing.merkle import leaf_hash, root_of
from orchestrator.core.sealing.rows import Value, read_ids, row_of, rows_root, written_ids
from orchestrator.queries.base.covered import PARTS
from orchestrator.queries.base.last_words import DIGEST, Ids, LastWords
from orchestrator.queries.base.parts import MANY, in_parts
from orchestrator.queries.base.parts_of_rows import RowPart
from orchestrator.queries.base.recorded import UNREADABLE
from orchestrator.queries.base.row_digests import is_quick, quick_changed, quick_digests

Values = list[Value]


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
    part = PARTS[kind]
    return ((row_id, _bytes(part, row_id, values)) for row_id, values in _values(part, list(ids)))


def _bytes(part: RowPart, row_id: int, values: Values | None) -> bytes:
    """None of a row that cannot be read, or holds what no row's bytes have."""
    try:
        return b"" if values is None else row_of(part.kind, part.columns, row_id, values)
    except (TypeError, ValueError):
        return b""


def _values(part: RowPart, wanted: Sequence[int]) -> Iterator[tuple[int, Values | None]]:
    """The columns of rows; None for those of one that cannot be read."""
    try:
        yield from list(part.values(wanted))
    except UNREADABLE:
        if len(wanted) == 1:
            yield wanted[0], None
        else:
            yield from (found for one in wanted for found in _values(part, [one]))


def _all_values(part: RowPart) -> Iterator[tuple[int, Values | None]]:
    """The same of all rows that entries may speak of."""
    ids = part.rows.order_by(part.key).values_list(part.key, flat=True).iterator(chunk_size=CHUNK)
    while some := list(islice(ids, MANY)):
        yield from _values(part, some)


#: Rows that are compared at a time, and that are read at a time.
AT_ONCE, CHUNK = 10_000, 2_000


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
    is is compared on the way; its ids are kept, a byte each, to find at the end the rows that nobody speaks
    of. Of what changes the last word is kept, and compared at the end.

    A row whose quick digest is the one that was said is right. Any other is read and written by Python before
    anything is said of it.
    """

    def __init__(self) -> None:
        self._waiting: list[_Spoken] = []
        self._ids: dict[str, list[int]] = {}
        self._count = 0
        self._seen = {kind: Ids() for kind, one in PARTS.items() if one.once}
        self._last = {kind: LastWords() for kind, one in PARTS.items() if not one.once}

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
        return self.problem_so_far() if self._count >= AT_ONCE else None

    def _take_in(self, sequence: int, kind: str, said: Mapping[str, str]) -> None:
        ids = read_ids(said["ids"])
        last = self._last.get(kind)
        if last is None:
            self._waiting.append(_Spoken(sequence, kind, ids, said["root"]))
            self._ids.setdefault(kind, []).extend(ids)
            self._count += len(ids)
            return
        digests, who = bytes.fromhex(said["digests"]), sequence.to_bytes(8)
        if len(digests) != len(ids) * DIGEST:
            raise ValueError("There is a digest for each id.")
        for one, start in zip(ids, range(0, len(digests), DIGEST), strict=True):
            last.put(one, digests[start : start + DIGEST] + who)

    def problem_so_far(self) -> Breach | None:
        """The first row that is not what an entry says of it, of those that wait."""
        waiting, wanted, self._waiting, self._ids, self._count = self._waiting, self._ids, [], {}, 0
        digests: dict[str, Mapping[int, bytes]] = {}
        for kind, ids in wanted.items():
            self._seen[kind].update(ids)
            digests[kind] = _digests(kind, sorted(set(ids)))
        for one in waiting:
            if not _is_right(one, digests[one.kind]) and (problem := _problem(one)):
                return Breach(one.sequence, problem)
        return None

    def seen(self, kind: str) -> Container[int]:
        """The ids of the rows of a kind that an entry spoke of."""
        return self._seen[kind]

    def suspects(self) -> Iterator[SuspectRow]:
        """The rows that no entry spoke of so far, and those of which the last one says something else."""
        for kind in self._seen:
            yield from self._unspoken(kind)
        for kind in self._last:
            yield from self._doubtful(kind)

    def _unspoken(self, kind: str) -> Iterator[SuspectRow]:
        part, known = PARTS[kind], self._seen[kind]
        if part.rows.count() <= len(known):
            return
        for pk in part.rows.order_by("pk").values_list("pk", flat=True).iterator():
            if pk not in known:
                yield SuspectRow(kind, pk)

    def _doubtful(self, kind: str) -> Iterator[SuspectRow]:
        """Those of a part that the quick digests do not show to be right, if they are not so when they are
        looked at."""
        try:
            odd = self._odd(kind) if is_quick(PARTS[kind]) else None
        except UNREADABLE:
            odd = None
        if odd is None:
            yield from self._changed(kind)
        else:
            yield from (bad for some in in_parts(odd) for bad in self._changed(kind, some))

    def _odd(self, kind: str) -> list[int]:
        last, right, odd = self._last[kind], Ids(), list[int]()
        for row_id, digest in quick_changed(PARTS[kind]):
            said = last.get(row_id)
            if said is not None and said[:DIGEST] == digest:
                right.add(row_id)
            else:
                odd.append(row_id)
        if len(right) == len(last):
            return odd
        return sorted({*odd, *(one for one in last if one not in right)})

    def _changed(self, kind: str, only: Sequence[int] | None = None) -> Iterator[SuspectRow]:
        """Of all rows, or of these: those that the last word about them, if any, does not say."""
        part, last, there = PARTS[kind], self._last[kind], Ids()
        blank = [part.blank[name] for name in part.columns]
        for row_id, values in _all_values(part) if only is None else _values(part, only):
            said = last.get(row_id)
            if said is not None:
                there.add(row_id)
            # Most are as the model made them, and nobody spoke of them.
            good = (
                values == blank if said is None else leaf_hash(_bytes(part, row_id, values)) == said[:DIGEST]
            )
            if not good:
                yield SuspectRow(kind, row_id)
        if only is None and len(there) == len(last):
            return
        spoken = last if only is None else filter(last.get, only)
        yield from (SuspectRow(kind, one) for one in spoken if one not in there)

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


def _digests(kind: str, ids: Sequence[int]) -> Mapping[int, bytes]:
    """Of those of the rows that are there."""
    if is_quick(PARTS[kind]):
        with suppress(*UNREADABLE):  # else they are read one by one
            return dict(quick_digests(PARTS[kind], ids))
    return {row_id: leaf_hash(content) for row_id, content in stored(kind, ids)}


def _is_right(said: _Spoken, digests: Mapping[int, bytes]) -> bool:
    if len(said.ids) == 1:
        return digests.get(said.ids[0], b"").hex() == said.root
    own = [digests.get(one, b"") for one in said.ids]
    return all(own) and root_of(own).hex() == said.root


def _problem(said: _Spoken) -> str:
    rows = dict(stored(said.kind, said.ids))
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
