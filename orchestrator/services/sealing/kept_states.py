"""The states of all workstreams that a walk over the history is making, in little memory (FR-009)."""

import pickle
import zlib
from collections.abc import Iterable, Iterator

from orchestrator.core.replay import State

#: Tasks whose states stand unpacked, and after how many looks they are counted again. A task takes half a
#: kilobyte so, and packed a thirtieth of it.
UNPACKED, LOOKS = 20_000, 2_000
#: Tasks that are compared with the tables at a time.
COMPARED = 2_000


class KeptStates:
    """Those that were asked for last stand as they are; the others are packed until they are asked for."""

    def __init__(self) -> None:
        self._unpacked: dict[int, State] = {}
        self._packed: dict[int, bytes] = {}
        self._looks = 0

    def of(self, workstream: int) -> State:
        """To be read and changed; a new one of a workstream that nothing is known of."""
        state = self._unpacked.pop(workstream, None)
        if state is None:
            packed = self._packed.pop(workstream, None)
            # What is unpacked was packed here, by this process.
            state = pickle.loads(zlib.decompress(packed)) if packed else State()  # noqa: S301
        self._unpacked[workstream] = state
        self._looks += 1
        if self._looks % LOOKS == 0:
            self._pack()
        return state

    def _pack(self) -> None:
        """Down to half, beginning with what nobody asked for the longest; never the newest."""
        standing = sum(map(_size, self._unpacked.values()))
        if standing <= UNPACKED:
            return
        for workstream in list(self._unpacked)[:-1]:
            state = self._unpacked.pop(workstream)
            self._packed[workstream] = zlib.compress(pickle.dumps(state), 1)
            standing -= _size(state)
            if standing <= UNPACKED // 2:
                return

    def in_groups(self, workstreams: Iterable[int]) -> Iterator[list[int]]:
        """All of them, so many at a time that their tasks stand in memory."""
        group, size = list[int](), 0
        for workstream in workstreams:
            group.append(workstream)
            size += _size(self.of(workstream))
            if size >= COMPARED:
                yield group
                self._pack()
                group, size = [], 0
        if group:
            yield group


def _size(state: State) -> int:
    return 1 + len(state.tasks) + len(state.dropped)
