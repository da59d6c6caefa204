"""Turns what a process did into a result: the evidence line, the question or the error."""

import shlex
from collections.abc import Sequence

from orchestrator.adapters.process import Finished
from orchestrator.adapters.tool import Job, Result

SUMMARY_LENGTH = 300


def result_of(shown: Sequence[str], finished: Finished, job: Job) -> Result:
    """Exit code 0 is done; anything else is an error that quotes the tool's last line."""
    command = shlex.join(shown)
    last = last_line(finished.output)
    if finished.stopped == "cancelled":
        return Result(False, command, finished.output, error="The run was stopped.", cancelled=True)
    if finished.stopped == "timeout":
        return Result(
            False, command, finished.output, error=f"{command} took longer than {job.timeout:.0f} s."
        )
    summary = f"{command}: exit code {finished.exit_code}; {last or 'it printed nothing'}"
    code = finished.exit_code
    if code == 0:
        return Result(True, command, finished.output, summary=summary, exit_code=code)
    return Result(False, command, finished.output, summary=summary, error=summary, exit_code=code)


def last_line(output: str) -> str:
    """The last line that says something, shortened."""
    lines = [line.strip(" =\t") for line in output.splitlines()]
    return next((line for line in reversed(lines) if line), "")[:SUMMARY_LENGTH]
