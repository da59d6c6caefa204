"""Runs a function of `core` in a process of its own, which has its own memory and is killed when its time is
over.

What a stranger sent is worked on there: it takes neither this process's interpreter lock nor its memory,
however long it takes. The process is this file; it gets the function's name and its arguments, and answers
with the result.
"""

import gc
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from orchestrator.core.collector import without_collector
from orchestrator.core.errors import InvalidInput

P = ParamSpec("P")
T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parents[2]
#: What the process ends with when its memory is used up.
NO_MEMORY: Final = 3

#: How far it steps back behind the processes that answer.
NICE: Final = 5


def apart(function: Callable[P, T], seconds: int, memory: int, *arguments: P.args, **named: P.kwargs) -> T:
    """The function's result; InvalidInput when it takes more time or memory than it may."""
    order = pickle.dumps((seconds, memory, function, arguments, named))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator.adapters.apart"],
            input=order,
            stdout=subprocess.PIPE,
            timeout=seconds,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_hard(f"takes longer than {seconds} s to read") from None
    if done.returncode == NO_MEMORY:
        raise _too_hard(f"takes more than {memory // 1024 // 1024} MiB of memory to read")
    if done.returncode:
        raise RuntimeError(f"{function.__name__} ended with {done.returncode} in a process of its own")
    with without_collector():
        result: T = pickle.loads(done.stdout)  # noqa: S301 - our own process wrote it
    return result


def _too_hard(what: str) -> InvalidInput:
    return InvalidInput(
        f"The plan {what}.", recovery="Split the plan into several workstreams.", field="source"
    )


def main() -> int:
    """Bounds itself before it looks at what it got."""
    gc.disable()  # It ends soon, and its memory is bounded.
    seconds, memory, function, arguments, named = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process wrote it
    # Whoever waits for a page goes first.
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sys.stdout.buffer.write(pickle.dumps(function(*arguments, **named)))
    except MemoryError:
        return NO_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
