"""Every finding a reader or a check can make about a plan: one code, one severity, one meaning."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.terms import Severity

_BLOCKS, _WARNS, _INFO = Severity.BLOCKS, Severity.WARNS, Severity.INFO

MORE: Final = "more-findings"

#: code -> (severity, what it means). Codes are stable: people and programs refer to them.
FINDINGS: Final[dict[str, tuple[Severity, str]]] = {
    # The source cannot be read.
    "source-empty": (_BLOCKS, "The source holds no text."),
    "source-not-text": (_BLOCKS, "The source is not UTF-8 text."),
    "source-too-large": (_BLOCKS, "The source has more bytes or lines than a plan may have."),
    "no-headings": (_WARNS, "The source has no headings, so it shows no structure."),
    "not-json": (_BLOCKS, "A file or a line is not JSON."),
    "odd-json": (_WARNS, "JSON says something twice, or has a value that JSON does not have."),
    "conflict-marker": (_WARNS, "A merge conflict was left in the file."),
    "line-left-out": (_WARNS, "A line cannot be read and is left out."),
    "several-plans": (_BLOCKS, "The source holds several plans, and one workstream has one."),
    "plan-file-field": (
        _BLOCKS,
        "A member of a JSON plan file is missing, unknown or not what its schema asks for.",
    ),
    "bundle-incomplete": (_WARNS, "A bundle lacks keys that its own schema demands."),
    "kept-as-text": (_INFO, "Fields of another tool mean nothing here and are kept as text."),
    "files-differ": (_WARNS, "The files of one workstream do not say the same."),
    "approval-not-read": (_INFO, "The registry says that the plan was approved; here it is decided anew."),
    "left-out": (_INFO, "Something of another tool is no work and is left out."),
    "front-matter": (_BLOCKS, "The front matter has a line or a value that is not read."),
    "front-matter-unknown": (_INFO, "The front matter has a key that means nothing here."),
    "front-matter-as-text": (
        _WARNS,
        "A name above a list has a value that cannot be taken, so it changes nothing.",
    ),
    "open-fence": (_WARNS, "A code block or a comment is opened and never closed."),
    "hidden-characters": (
        _WARNS,
        "A line has invisible characters, other than emoji and joined scripts need.",
    ),
    "hidden-in-name": (_BLOCKS, "An invisible character changes a key, path, command, condition or name."),
    "deceiving-characters": (_BLOCKS, "A line has characters that turn its direction or spell hidden text."),
    "secret-in-plan": (_BLOCKS, "A line holds a key, token or password, which the plan would keep for ever."),
    "secret-like": (_WARNS, "A line holds what may be a password or a key."),
    "more-findings": (_INFO, "There are more findings with the same code than are shown."),
    "not-read": (_WARNS, "A line looks like work and is in no part of the plan."),
    "dependency-not-read": (
        _WARNS,
        "A line says what something waits for, and nothing in the plan waits so.",
    ),
    "work-as-text": (_WARNS, "Boxes or tasks stand in no step and are kept as text, so nobody does them."),
    # What stands in the plan contradicts itself or cannot run.
    "no-step": (_BLOCKS, "Nothing in the plan can be scheduled."),
    "duplicate-key": (_BLOCKS, "Two steps or gates have the same key."),
    "duplicate-id": (_WARNS, "Another tool's file uses one id twice; the second task gets a key of its own."),
    "duplicate-number": (
        _BLOCKS,
        "Two stages, two batches of a stage or two threads of a batch have the same number.",
    ),
    "unknown-dependency": (_BLOCKS, "A dependency names something that is not in the plan."),
    "dependency-cycle": (_BLOCKS, "Steps wait for one another in a circle."),
    "dropped-dependency": (_INFO, "A reviewer dropped a dependency that could never hold."),
    "finished-dependency": (
        _WARNS,
        "A finished task has a dependency that cannot hold; nobody waits for it any more.",
    ),
    "dependency-on-later": (
        _BLOCKS,
        "A step waits for a step of a later batch or stage, so neither can run.",
    ),
    "unknown-workstream": (_BLOCKS, "The plan needs a workstream that is not known."),
    "workstream-cycle": (_BLOCKS, "Workstreams need one another in a circle."),
    "unknown-parameter": (_BLOCKS, "The text uses a parameter that is not declared."),
    "parameter-without-value": (_BLOCKS, "A parameter of the plan has no value."),
    "unreadable-condition": (_BLOCKS, "A condition cannot be read."),
    "condition-unknown": (
        _BLOCKS,
        "A condition asks for a step, an outcome or a parameter that is not there.",
    ),
    "condition-on-later": (_BLOCKS, "A condition asks for its own step or for one that stands later."),
    "condition-on-gate": (_BLOCKS, "A gate has a condition, and gates are never skipped."),
    "unusable-outcome": (_BLOCKS, "A step declares an outcome that conditions cannot ask for."),
    "unknown-approver": (_BLOCKS, "The plan names an approver who is no user, or may not approve plans."),
    "approver-is-author": (
        _BLOCKS,
        "The plan names its own author as an approver, which its workflow does not allow.",
    ),
    "unanswered-question": (_BLOCKS, "The plan leaves a question open."),
    "unsafe-path": (_BLOCKS, "A path leads out of the repository."),
    "unusable-name": (_BLOCKS, "A key, branch or repository name has characters that it may not have."),
    "too-long": (_BLOCKS, "A key, name or title is longer than it may be."),
    "too-many-steps": (_BLOCKS, "The plan has more steps than one workflow may have."),
    "too-few-reviewers": (_BLOCKS, "A gate asks for more signatures than the people it names can give."),
    "unreachable": (_WARNS, "Steps wait for something that can never be done."),
    # The reviewer should look at it.
    "very-large-plan": (_WARNS, "The plan has so many steps that a review of it is hard."),
    "overlapping-files": (_WARNS, "Threads that run side by side own the same files."),
    "overlap-not-checked": (_WARNS, "There are too many file patterns to compare all of them."),
    "no-exit-criteria": (_WARNS, "Steps name nothing that proves they are done."),
    "no-role": (_WARNS, "Steps name nobody who is responsible."),
    "unknown-role": (_WARNS, "A step names a role that does no work, so everybody who may work can take it."),
    "gate-without-reviewer": (_WARNS, "A gate names nobody who may sign it."),
    "unknown-tool": (_WARNS, "A step names a tool that is not registered."),
    "unknown-verification": (_WARNS, "A Verify line names a tool that is not registered."),
    "refused-run": (_WARNS, "A step passes its tool something that no plan may pass, so it would fail."),
    "impossible-verification": (
        _BLOCKS,
        "A Verify line passes its tool something that no plan may pass, so no completion could be proved.",
    ),
    "run-without-tool": (_WARNS, "A step gives a command but no tool to run it."),
    "no-documentation": (_WARNS, "No batch or stage writes the documentation."),
    "number-out-of-order": (_WARNS, "Numbers go down although position decides the order."),
    "empty-stage": (_WARNS, "A stage has no batches."),
    "empty-batch": (_WARNS, "A batch has no steps."),
    "risky-path": (
        _WARNS,
        "A step or thread owns the whole repository, or files that build, release or guard it.",
    ),
    "shared-resource": (
        _WARNS,
        "Steps that run side by side want the same resource, so one waits for the other.",
    ),
    "contradicting-entry": (_WARNS, "An entry criterion asks for a step that starts no earlier."),
    "unused-thread": (_WARNS, "A thread is declared and no step belongs to it."),
    "untitled-step": (_WARNS, "A step has a key and no title."),
    "misplaced-property": (_WARNS, "A property stands where it has no effect."),
    "unreadable-value": (_WARNS, "A property has a value that is not understood."),
    "step-in-details": (_WARNS, "A line looks like a step but stands in the details."),
    "step-outside": (_WARNS, "A line looks like a step but stands in a section that is not read."),
    "gate-not-read": (_WARNS, "A line belongs to a gate, but stands in a section that is not read as one."),
    "box-without-key": (_WARNS, "A check box in a batch has no key, so it is read as text."),
    "question-without-box": (_WARNS, "A line under Questions has no check box."),
    # What the reader inferred.
    "inferred-list": (_INFO, "The text has no grammar of ours and is read as a list of steps."),
    "inferred-name": (_INFO, "The plan gives no name."),
    "inferred-stage": (_INFO, "Batches stand outside a stage, or a stage has no number."),
    "inferred-batch": (_INFO, "Threads or steps stand outside a batch, or a batch has no number."),
    "inferred-levels": (_INFO, "Batches are derived from the dependencies."),
    "order-by-needs": (_INFO, "The source has no batches: steps start by what they need alone."),
    "part-needs-whole": (_INFO, "A subtask names the task that it is a part of as what it waits for."),
    "inferred-thread": (_INFO, "A thread has no number."),
    "undeclared-thread": (_INFO, "A step belongs to a thread that is not declared."),
    "inferred-parallel": (
        _INFO,
        "Steps of a batch are read as parallel although the heading does not say so.",
    ),
    "inferred-key": (_INFO, "Steps or gates have no key of their own."),
    "inferred-needs": (_INFO, "A dependency is implied, not written."),
    "inferred-action": (_INFO, "A gate's tool runs as a step of its own before the gate."),
    "inferred-resource": (
        _INFO,
        "Steps hold a resource because their file says they may not run beside others.",
    ),
    "inferred-kind": (_INFO, "The kind of a stage or a gate follows from its name."),
    "work-in-progress": (
        _INFO,
        "The source knows how far tasks are; that is taken over when the plan is submitted so.",
    ),
    "read-from-code-block": (_INFO, "The plan stands inside code blocks and was read from there."),
}


def finding(code: str, line: int, message: str, fix: str) -> Finding:
    """A finding with the severity its code has in the table."""
    return Finding(code=code, line=line, message=message, fix=fix, severity=FINDINGS[code][0])


#: Findings with one code that are kept; one more says how many there are beside them.
KEPT_PER_CODE: Final = 100


def limited(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The first of every code, and for codes with very many one finding that counts the rest."""
    findings = Findings()
    findings.extend(found)
    return findings.all()


class Findings:
    """What one reading found, in the order it was found; of very many with one code the first are kept."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._counts: Counter[str] = Counter()

    def add(self, code: str, line: int, message: str, fix: str) -> None:
        self._counts[code] += 1
        if self._counts[code] <= KEPT_PER_CODE:
            self._found.append(finding(code, line, message, fix))

    def extend(self, found: Iterable[Finding]) -> None:
        for item in found:
            self._counts[item.code] += 1
            if self._counts[item.code] <= KEPT_PER_CODE or item.code == MORE:
                self._found.append(item)

    def all(self) -> tuple[Finding, ...]:
        return (
            *self._found,
            *(_more(code, n - KEPT_PER_CODE) for code, n in self._counts.items() if self._many(code)),
        )

    def _many(self, code: str) -> bool:
        return code != MORE and self._counts[code] > KEPT_PER_CODE


def _more(code: str, count: int) -> Finding:
    message = f"There are {count:,} more findings of the kind “{code}”."
    return finding(MORE, 0, message, "Correct the ones that are shown, then look again.")
