"""What other tools call the state of a task, in our words.

A plan has none, so it is told beside the plan (WF-8).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Progress, Reading
from orchestrator.core.terms import TaskStatus

_WORDS: Final = {
    TaskStatus.PENDING: "pending todo to-do open backlog new ready planned not-started draft hooked pinned",
    TaskStatus.ACTIVE: "active in-progress doing started running wip",
    TaskStatus.REVIEW: "review in-review reviewing needs-review",
    TaskStatus.BLOCKED: "blocked on-hold waiting stuck failed",
    TaskStatus.COMPLETE: "complete completed done closed success succeeded finished resolved merged",
    TaskStatus.CANCELLED: "cancelled canceled tombstone wontfix won't-do dropped archived abandoned",
    TaskStatus.SKIPPED: "skipped deferred postponed",
}
STATUS: Final = {word: status for status, words in _WORDS.items() for word in words.split()}

#: What can be done with the state that a source tells.
ADOPT_IT: Final = (
    "Submit the plan with its state to take that over when it is approved; else all tasks start as open."
)
TAKEN: Final = "Approval takes that over; the review shows what becomes of each task."

#: States of other tools in which a task does not start and holds nobody up, until somebody takes it up again.
_PUT_OFF: Final = frozenset({"deferred", "postponed"})


def status_of(word: str, line: int, findings: Findings) -> TaskStatus:
    """The status that a tool's word means; a word that nobody knows is told, and the task counts as open."""
    known = STATUS.get(_plain(word))
    if known is None and word:
        message = f"The state “{word[:60]}” is not known, so the task counts as open."
        fix = "Use pending, active, review, blocked, complete or cancelled."
        findings.add("unreadable-value", line, message, fix)
    return known or TaskStatus.PENDING


def note_of(word: str) -> str:
    """What a tool's word says beside the status it means: that a task is only put off."""
    known = _plain(word)
    return f"The source has put it off: {known}." if known in _PUT_OFF else ""


def _plain(word: str) -> str:
    return "-".join(word.lower().replace("_", " ").replace("-", " ").split())


def told_as_taken(reading: Reading) -> Reading:
    """The reading of a text that was submitted with its state: nobody has to ask for that any more."""
    findings = tuple(
        replace(found, fix=TAKEN) if found.fix == ADOPT_IT else found for found in reading.findings
    )
    return replace(reading, findings=findings)


def tell_state(progress: Sequence[Progress], findings: Findings) -> None:
    """Say that the source knows how far its tasks are, and what can be done with that."""
    begun = [one for one in progress if one.status is not TaskStatus.PENDING]
    if begun:
        ended = sum(one.status is TaskStatus.COMPLETE for one in begun)
        are = "task is" if len(begun) == 1 else "tasks are"
        message = f"{len(begun)} {are} begun or ended in the source ({ended} complete)."
        findings.add("work-in-progress", begun[0].line, message, ADOPT_IT)
