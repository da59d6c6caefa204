"""What falls short in a run of `make bench`, and the floor that the machine sets in that same run.

Milliseconds say little on a machine that does other things beside, so what counts is how many times the floor
a step costs: the CPU of the least that would keep its states, one row and one commit for each of them.
"""

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Final

#: States of a step that are kept apart: launched, claimed, complete.
STATES: Final = 3
STEPS: Final = 200

#: What was measured beyond its aim, in the order of the tables.
short: list[str] = []


def judge(name: str, measured: float, most: float, unit: str = "") -> str:
    """What stands beside a row: nothing, or that it falls short, which is kept for the end."""
    if measured <= most:
        return ""
    short.append(f"{name}: {measured:.4g}{unit}, at most {most:.4g}{unit}")
    return "falls short"


def judge_least(name: str, measured: float, least: float, unit: str = "") -> str:
    """The same of what is better the more it is."""
    if measured >= least:
        return ""
    short.append(f"{name}: {measured:.4g}{unit}, at least {least:.4g}{unit}")
    return "falls short"


def ended() -> int:
    """Print what falls short; the exit code of the run."""
    print(f"\n{len(short)} rows fall short" + "".join(f"\n  {one}" for one in short))
    return 1 if short else 0


def raw_step() -> float:
    """CPU milliseconds of a step in bare SQLite: a row for each state, each with a durable commit."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "raw.sqlite3", isolation_level=None)
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE state (step INTEGER, state INTEGER, at TEXT)")
        start = time.process_time()
        for step in range(STEPS):
            for state in range(STATES):
                database.execute("BEGIN IMMEDIATE")
                database.execute("INSERT INTO state VALUES (?, ?, datetime())", (step, state))
                database.execute("COMMIT")
        spent = time.process_time() - start
        database.close()
    return 1000 * spent / STEPS
