"""How many wrong secrets one address may send: counted in memory, bounded, by a clock that only goes on.

A counter in the database would cost a write for each wrong secret, which is what somebody who floods the
server wants.
"""

from collections import OrderedDict
from threading import Lock
from typing import Final

#: Addresses that are remembered; beyond that the one that failed longest ago is forgotten.
ADDRESSES: Final = 10_000


class Guesses:
    """Counts failures of an address within a window of seconds that begins with its first one."""

    def __init__(self, window: float, addresses: int = ADDRESSES) -> None:
        self._window, self._addresses = window, addresses
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def failed(self, address: str, now: float) -> int:
        """Note a failure; how many there are now."""
        with self._lock:
            since, count = self._seen.pop(address, (now, 0))
            if now - since > self._window:
                since, count = now, 0
            self._seen[address] = (since, count + 1)
            while len(self._seen) > self._addresses:
                self._seen.popitem(last=False)
            return count + 1

    def wait(self, address: str, limit: int, now: float) -> int:
        """Whole seconds for which the address is to be refused; 0 while it may try."""
        with self._lock:
            since, count = self._seen.get(address, (now, 0))
        left = since + self._window - now
        return max(1, round(left)) if count >= limit and left > 0 else 0
