"""Is the history what it was? Everything is compared with everything, and the first bad thing is named
(FR-009).

One walk over the entries, oldest first: columns against leaf, leaf against hash, chain, tree, every
checkpoint that anybody has, the stored tiles, the rows that entries speak of, and the state that follows
from them. Then what the walk cannot see: rows that no entry speaks of, and the workspace. Memory grows with
the number of workstreams and checkpoints, not with that of entries.
"""

import gc
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.contrib.auth.models import User

from orchestrator.core.replay import Fact, Unreadable, apply, changes_nothing
from orchestrator.core.sealing.chain import Breach, Claim, Walk
from orchestrator.core.sealing.notes import BadNote, PublicKey, read_head, read_note
from orchestrator.core.sealing.tiles import BYTES, WIDTH, root_of_tile
from orchestrator.core.state_differences import differences
from orchestrator.models import HistoryCheckpoint, HistoryEntry, HistoryTile, Workstream
from orchestrator.queries.base.recorded import UNREADABLE, Recorded, recorded
from orchestrator.queries.base.sealed import entries_sealed
from orchestrator.queries.base.spoken import SpokenRows
from orchestrator.queries.base.state import stored_state, stored_states
from orchestrator.services.sealing.kept_states import KeptStates
from orchestrator.services.sealing.keys import is_right

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Verified:
    """What a walk found: the first breach, or how much was looked at, with what the tables say otherwise than
    history."""

    breach: Breach | None = None
    entries: int = 0
    checkpoints: int = 0
    workstreams: int = 0
    differences: list[str] = field(default_factory=list)


GoOn = Callable[[], Breach | None]
#: How often a workstream in which people work on is compared before it counts as different.
TRIES = 3
#: Things that were made and are kept before Python looks for those that hold themselves.
SELDOM = 200_000
#: Tiles that are read at a time.
TILES = 32


def verify(keys: Iterable[PublicKey], kept: Iterable[Claim] = ()) -> Verified:
    """Walk the whole history. `keys` are those that may have signed it; `kept` is what others saw of it.
    What cannot be read is bad, too."""
    try:
        with _seldom_collected():
            return _verified(keys, kept)
    except UNREADABLE as problem:
        logger.exception("The history cannot be read.")
        return Verified(Breach(0, f"The history cannot be read: {in_words(problem)}"))


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Nothing that a walk makes holds itself, and Python looks for such things in all that is kept: a tenth
    of the time."""
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def in_words(problem: Exception) -> str:
    """What went wrong when something was read, on one line."""
    return f"{type(problem).__name__}: {' '.join(str(problem).split())}"[:300]


def _verified(keys: Iterable[PublicKey], kept: Iterable[Claim]) -> Verified:
    found = Verified()
    known = tuple(keys)
    try:
        claims = [*_stored_claims(known), *kept]
    except Disproved as problem:
        found.breach = problem.breach
        return found
    walk, rows, tiles, replays = Walk(claims), SpokenRows(), _Tiles(), _Replays()

    def go_on() -> Breach | None:
        """Walk over what was written meanwhile, too: people work on while this looks."""
        try:
            for entry in recorded(after=walk.size):
                if breach := _breach(entry, walk, rows, tiles, replays):
                    return breach
        except UNREADABLE as problem:
            return Breach(walk.size + 1, f"it cannot be read: {in_words(problem)}")
        return rows.problem_so_far()

    def missing() -> Breach | None:
        said = walk.problem_at_end()
        return Breach(0, said) if said else None

    found.breach = go_on() or missing() or _suspect(rows, go_on) or _account_gone() or tiles.rest()
    found.entries, found.checkpoints = walk.size, len(claims)
    if not found.breach:
        found.workstreams, found.differences = replays.compared(go_on)
    return found


def _suspect(rows: SpokenRows, go_on: GoOn) -> Breach | None:
    """A row that no entry speaks of, or otherwise. The act that writes a row speaks of it in the same
    transaction, so the entries are read once more behind the rows."""
    suspects = list(rows.suspects())
    for _ in range(TRIES):
        if not suspects:
            return None
        if breach := go_on():
            return breach
        suspects = rows.still(suspects)
    return rows.breach_of(suspects[0]) if suspects else None


def _account_gone() -> Breach | None:
    """Accounts are never removed: entries name who acted by them."""
    known = User.objects.values("pk")
    entry = HistoryEntry.objects.exclude(user=None).exclude(user_id__in=known).order_by("sequence").first()
    return Breach(entry.sequence, f"the account {entry.account} that acted is gone") if entry else None


def _breach(
    entry: Recorded, walk: Walk, rows: SpokenRows, tiles: "_Tiles", replays: "_Replays"
) -> Breach | None:
    link, beside = entry.link, entry.beside
    if problem := walk.problem_of(link):
        return Breach(link.sequence, problem)
    tiles.add(link.leaf_hash)
    if tiles.problem:
        return Breach(0, tiles.problem)
    if "rows" in beside and (breach := rows.problem_of(link.sequence, beside["rows"])):
        return breach
    replays.add(entry)
    return None


class Disproved(Exception):
    """Something is bad before the walk begins."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.breach = Breach(0, problem)


def claim_of(note: str, keys: Iterable[PublicKey], who: str) -> Claim:
    """What a checkpoint says, if one of the keys signed it. Raises Disproved."""
    try:
        read = read_note(note)
        head = read_head(read.text)
        if not read.signed_by(keys, is_right):
            raise BadNote("no known key signed it")
    except BadNote as problem:
        raise Disproved(f"{who[0].upper()}{who[1:]} is not valid: {problem}") from problem
    return Claim(head.size, head.root, who)


def _stored_claims(keys: tuple[PublicKey, ...]) -> Iterator[Claim]:
    """Every checkpoint of the database, each signed and saying what its columns say."""
    origins = set()
    rows = HistoryCheckpoint.objects.order_by("size").values_list("size", "root", "note")
    for size, root, note in rows.iterator(chunk_size=1000):
        who = f"the checkpoint over {size} entries"
        if not isinstance(note, str):
            raise Disproved(f"The note of {who} is no text")
        claim = claim_of(note, keys, who)
        if (claim.size, claim.root.hex()) != (size, root):
            raise Disproved(f"The columns of {who} do not say what was signed")
        origins.add(read_head(read_note(note).text).origin)
        if len(origins) > 1:
            raise Disproved(f"{who[0].upper()}{who[1:]} is of another log: {' and '.join(sorted(origins))}")
        yield claim


class _Tiles:
    """Builds the tiles of the tree anew, and compares each full one with its row."""

    def __init__(self) -> None:
        self._leaves = list[str]()
        self._levels: list[bytearray] = []
        self._made: list[int] = []
        self._stored: dict[tuple[int, int], tuple[object, object]] = {}
        self.problem = ""

    def add(self, leaf_hash: str) -> None:
        self._leaves.append(leaf_hash)
        if len(self._leaves) == WIDTH:
            self._full(0, bytes.fromhex("".join(self._leaves)))
            self._leaves.clear()

    def _full(self, level: int, made: bytes) -> None:
        """A tile is full; its root is a hash of the level above."""
        if level == len(self._levels):
            self._levels.append(bytearray())
            self._made.append(0)
        root, row = root_of_tile(made), self._levels[level]
        self._compare(level, self._made[level], made, root)
        self._made[level] += 1
        row += root
        if len(row) == WIDTH * BYTES:
            self._full(level + 1, bytes(row))
            row.clear()

    def _compare(self, level: int, number: int, made: bytes, root: bytes) -> None:
        """A tile whose row is not there yet is none of a sealed tree: `rest` sees what is missing."""
        if (level, number) not in self._stored:
            self._read(level, number)
        stored = self._stored.get((level, number))
        if stored and stored != (made, root) and tuple(map(_bytes, stored)) != (made, root):
            self.problem = self.problem or f"Tile {number} of level {level} has other hashes than the entries"

    def _read(self, level: int, first: int) -> None:
        """A few rows, in one statement."""
        rows = HistoryTile.objects.filter(level=level, number__range=(first, first + TILES - 1))
        found = rows.values_list("number", "hashes", "root")
        self._stored = {(level, number): (hashes, root) for number, hashes, root in found}

    def rest(self) -> Breach | None:
        """Rows of tiles that the sealed tree has not, and tiles that have no row."""
        for _ in range(TRIES):
            sealed = entries_sealed()
            breach = self._rest(sealed)
            if breach is None or entries_sealed() == sealed:
                break
        return breach

    @staticmethod
    def _rest(sealed: int) -> Breach | None:
        level = 0
        while number := sealed // WIDTH ** (level + 1):
            numbers = HistoryTile.objects.filter(level=level).values_list("number", flat=True)
            for expected, stored in enumerate(numbers.order_by("number").iterator()):
                if stored != expected:
                    return Breach(0, f"Tile {expected} of level {level} is missing")
            if numbers.count() != number:
                return Breach(0, f"Level {level} has {numbers.count()} full tiles where {number} are due")
            level += 1
        above = HistoryTile.objects.filter(level__gte=level).order_by("level", "number").first()
        if above is None:
            return None
        if not sealed:
            return Breach(0, "Tiles are stored, and every checkpoint over them is gone from the database")
        return Breach(0, f"Tile {above.number} of level {above.level} is none of the tree")


def _bytes(stored: object) -> bytes:
    """Drivers give the bytes of a column in different types; what is no bytes is none of ours."""
    return bytes(stored) if isinstance(stored, bytes | memoryview) else b""


class _Replays:
    """The state of every workstream, as it follows from its entries."""

    def __init__(self) -> None:
        self._states = KeptStates()
        self._unreadable: dict[int, str] = {}

    def add(self, entry: Recorded) -> None:
        own = entry.link.chain
        if own is None or changes_nothing(entry.action) or own in self._unreadable:
            return
        data = entry.beside.get("data") or {}
        fact = Fact(entry.link.sequence, entry.actor, entry.action, entry.subject, entry.reason, data)
        try:
            apply(self._states.of(own), fact)
        except Unreadable as problem:
            self._unreadable[own] = str(problem)

    def compared(self, go_on: GoOn) -> tuple[int, list[str]]:
        """How many workstreams there are, and a sentence for each thing in which the tables differ."""
        count, said = 0, []
        ids = Workstream.objects.order_by("pk").values_list("pk", flat=True)
        for some in self._states.in_groups(ids.iterator()):
            count += len(some)
            for pk in self._suspects(some):
                said += self._said(pk, go_on)
        return count, said

    def _suspects(self, some: Sequence[int]) -> Sequence[int]:
        """Those of some workstreams that may differ: all of them, where they cannot be read together."""
        try:
            stored = stored_states(some)
        except UNREADABLE:
            return some
        return [
            pk
            for pk in some
            if pk in self._unreadable or pk not in stored or self._states.of(pk) != stored[pk]
        ]

    def _said(self, pk: int, go_on: GoOn) -> list[str]:
        try:
            workstream = _workstream(pk)
            return [f"{workstream.slug}: {problem}" for problem in self._problems(workstream, go_on)]
        except UNREADABLE as problem:
            return [f"The workstream with the id {pk} cannot be read: {in_words(problem)}"]

    def _problems(self, workstream: Workstream, go_on: GoOn) -> list[str]:
        """What differs and stays so: an act between the walk and this look makes no difference."""
        problems: list[str] = []
        for _ in range(TRIES):
            if workstream.pk in self._unreadable:
                return [self._unreadable[workstream.pk]]
            problems = differences(self._states.of(workstream.pk), stored_state(workstream))
            if not problems:
                break
            if breach := go_on():
                return [f"{breach}"]
            workstream = _workstream(workstream.pk)
        return problems


def _workstream(pk: int) -> Workstream:
    return Workstream.objects.select_related("version").get(pk=pk)
