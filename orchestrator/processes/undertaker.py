"""Ends what a supervisor left behind, however the supervisor ended.

Run as a process of its own, in a session of its own, with the supervisor's pipe as standard input. The
supervisor writes `+ID` when it starts a process group and `-ID` when the group is gone; the kernel closes the
pipe when the supervisor dies, even from SIGKILL. Whatever group is still listed then is killed.

Why not PR_SET_PDEATHSIG: it is Linux only and reaches the direct child only, but the queue's cluster has
children of its own that outlive it. The executor still uses it for its tools, where it is exact.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 1.0


def groups_left(lines: Iterable[str]) -> list[int]:
    """The groups that were announced and not taken back, once the lines have ended."""
    groups: dict[int, None] = {}
    for line in lines:
        word = line.strip()
        if word[1:].isdigit() and word[:1] == "+":
            groups[int(word[1:])] = None
        elif word[1:].isdigit() and word[:1] == "-":
            groups.pop(int(word[1:]), None)
    return list(groups)


def signal_groups(groups: Iterable[int], number: int) -> None:
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            continue


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    left = groups_left(sys.stdin)
    if left:
        signal_groups(left, signal.SIGTERM)
        time.sleep(GRACE)
        signal_groups(left, signal.SIGKILL)


if __name__ == "__main__":
    main()
