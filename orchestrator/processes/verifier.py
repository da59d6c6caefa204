"""Runs the commands that prove what was handed in, on the very commit and in a worktree of their own (BX-9).

Whoever holds the lock of a verification runs it. A killed runner leaves the row pending and the lock free, so
the next one takes it up again.
"""

import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError

from orchestrator.adapters.registry import that_run
from orchestrator.adapters.repository import locked
from orchestrator.adapters.tool import Job, Result
from orchestrator.core.engine.verification import LOG_END, Receipt
from orchestrator.core.errors import Busy, Refusal, ToolUnknown
from orchestrator.models import Verification
from orchestrator.queries.handoff.worktrees import verification_tree
from orchestrator.queries.work.proof import is_held, pending_verification, pending_verifications
from orchestrator.services.base.masking import masked_text
from orchestrator.services.work.verifying import begin, settle

logger = logging.getLogger(__name__)

#: A run that takes its runner with it so often is red.
MOST_RUNS: Final = 5
#: Seconds between two looks whether a running verification is still wanted.
LOOK: Final = 1.0


class _Taken(Exception):
    """Another process runs it."""


class Verifier:
    """`clock` gives the time of acts, `stopping` says when to leave."""

    def __init__(self, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> None:
        self.clock, self.stopping = clock, stopping

    def turn(self) -> bool:
        """Run the first verification that nobody runs; false when there is none."""
        return any(self._take_up(pk) for pk in pending_verifications())

    def _take_up(self, pk: int) -> bool:
        row = pending_verification(pk)
        if row is None:
            return False
        lock = verification_tree(row.attempt).lock
        try:
            with locked(lock, _taken) as held:
                row = pending_verification(pk)
                if row is None:
                    return False
                self._verify(row, held)
                if not pending_verification(pk):
                    lock.unlink(missing_ok=True)  # whoever waits for it finds that nothing is to be done
        except _Taken:
            return False
        return True

    def _verify(self, row: Verification, held: int) -> None:
        if not is_held(row):
            settle(verification_id=row.pk, receipt=None, now=self.clock())
        elif begin(row, self.clock()):
            watch = _NoLongerWanted(row, self.stopping)
            receipt = self._receipt(row, held, watch)
            if receipt is not None:
                settle(verification_id=row.pk, receipt=receipt, now=self.clock())
            elif not self.stopping():
                settle(verification_id=row.pk, receipt=None, now=self.clock())

    def _receipt(self, row: Verification, held: int, watch: "_NoLongerWanted") -> Receipt | None:
        """What the run showed; None when it was stopped in the middle."""
        began = time.monotonic()
        try:
            if row.runs >= MOST_RUNS:
                return _broken(row, f"The run ended with its runner {MOST_RUNS} times.")
            tree, result = self._run(row, held, watch)
        except (OperationalError, InterfaceError, Busy):
            raise
        except Refusal as refusal:
            return _broken(row, f"It could not run: {refusal.message} {refusal.way_out}")
        except Exception as error:
            logger.exception("%s could not be verified.", row)
            return _broken(row, f"It could not run: {type(error).__name__}: {error}")
        if result.cancelled:
            return None
        return Receipt(
            command=row.command,
            exit_code=result.exit_code,
            commit=row.commit,
            tree=tree,
            milliseconds=int((time.monotonic() - began) * 1000),
            log=hashlib.sha256(result.output.encode()).hexdigest(),
            # Cut off behind the mask, so that no part of a secret is left at the beginning.
            log_end=masked_text(result.output[-3 * LOG_END :])[-LOG_END:],
            problem="" if result.ok else masked_text(result.error or result.question),
        )

    def _run(self, row: Verification, held: int, watch: "_NoLongerWanted") -> tuple[str, Result]:
        tool = that_run().get(row.tool)
        if tool is None:
            raise ToolUnknown(f"The tool “{row.tool}” is no longer registered here.")
        tree, step = verification_tree(row.attempt), row.attempt.task.step
        with ExitStack() as stack:
            name = stack.enter_context(tree.for_a_while(row.commit))
            state = tree.folder.with_name(f"{tree.folder.name}.state")
            shutil.rmtree(state, ignore_errors=True)
            state.mkdir()
            stack.callback(shutil.rmtree, state, ignore_errors=True)
            job = Job(
                directory=tree.folder,
                state=state,
                run=row.run,
                environment={
                    "STEP_KEY": step.key,
                    "STEP_ATTEMPT": str(row.attempt.number),
                    "STEP_COMMIT": row.commit,
                },
                cancelled=watch,
                inherited=(held,),
                network=row.tool in settings.TOOLS_NETWORK,
            )
            return name, tool.run(job)


def _broken(row: Verification, problem: str) -> Receipt:
    empty = hashlib.sha256(b"").hexdigest()
    return Receipt(row.command, None, row.commit, "", 0, empty, "", masked_text(problem))


def _taken() -> None:
    raise _Taken


class _NoLongerWanted:
    """Says whether the run has to stop: the process leaves, or the attempt has ended."""

    def __init__(self, row: Verification, stopping: Callable[[], bool]) -> None:
        self.row, self.stopping, self.looked = row, stopping, time.monotonic()

    def __call__(self) -> bool:
        if self.stopping():
            return True
        if time.monotonic() - self.looked < LOOK:
            return False
        self.looked = time.monotonic()
        return not is_held(self.row)
