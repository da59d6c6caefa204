"""What a plan's text hides from its reviewer: where it changes what is read, it blocks approval (B8).

Elsewhere it is told, with its line; emoji and scripts that need such characters are left alone
(`core/invisible.py`).
"""

import itertools
import re
from collections.abc import Iterator
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.invisible import code_point, deceives, holds_any, unseen, without_any
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan, StepSpec
from orchestrator.core.plans.text.lines import split_lines
from orchestrator.core.plans.text.phrases import read_keyed, read_opening, read_property

_MARK: Final = re.compile(r"[ \t]*(?:#{1,6}|[-*+]|\d{1,9}[.)])?[ \t]*")
#: Properties whose value is a sentence.
_SENTENCES: Final = frozenset({"entry", "exit", "done_when", "action"})
_FIX: Final = "Delete the character, so that all read the same text."


def hidden_in_text(text: str) -> Iterator[Finding]:
    """Lines that say something else than they show; one finding a line, the gravest."""
    if not holds_any(text):
        return
    for number, line in enumerate(split_lines(text), 1):
        if holds_any(line) and (found := _of_line(number, line)):
            yield found


def _of_line(number: int, line: str) -> Finding | None:
    bare = without_any(line)
    if _read(line) != _read(bare):
        message = f"Line {number} is read otherwise because of a character that nobody sees ({_first(line)})."
        return finding("hidden-in-name", number, message, _FIX)
    return _of_characters(f"Line {number}", line, number)


def _of_characters(what: str, text: str, line: int) -> Finding | None:
    """The gravest that a text holds; None where all of it is ordinary."""
    characters = list(unseen(text))
    if deceiving := next((one for one in characters if deceives(one)), ""):
        message = (
            f"{what} has a character that turns the direction or spells hidden text "
            f"({code_point(deceiving)})."
        )
        return finding("deceiving-characters", line, message, _FIX)
    if characters:
        message = f"{what} has an invisible character ({code_point(characters[0])})."
        return finding("hidden-characters", line, message, _FIX)
    return None


def _read(line: str) -> tuple[object, ...]:
    """What the reader takes from a line.

    The key, the property with its name or value, the part of a plan it opens.
    """
    body = _MARK.sub("", line, count=1).rstrip()
    keyed, given, opening = read_keyed(body), read_property(body), read_opening(body)
    return (
        keyed.key if keyed else "",
        (given[0], "" if given[0] in _SENTENCES else given[1]) if given else (),
        (opening.what, opening.number, opening.lane) if opening else (),
    )


def hidden_in_values(plan: Plan, source: str) -> Iterator[Finding]:
    """Sentences whose invisible characters the source escapes, as JSON can, so that no line shows them."""
    if "\\" not in source and "&" not in source and not holds_any(source):
        return
    for text, line in _sentences(plan):
        if holds_any(text) and any(one not in source for one in unseen(text)):
            found = _of_characters(f"The text “{without_any(text)[:60]}”", text, line)
            yield from (found,) if found else ()


def _sentences(plan: Plan) -> Iterator[tuple[str, int]]:
    yield from ((text, 0) for text in (plan.name, plan.summary))
    yield from ((question.text, question.line) for question in plan.questions)
    for stage in plan.stages:
        yield from ((text, stage.line) for text in (stage.name, stage.definition))
        for batch in stage.batches:
            yield from ((text, batch.line) for text in (batch.name, batch.summary))
            yield from ((text, one.line) for one in batch.threads for text in (one.name, one.summary))
    for step in plan.steps():
        action = (step.gate.action,) if step.gate else ()
        for text in (step.title, step.details, *step.entry, *step.exit, *step.done_when, *action):
            yield text, step.line


def hidden_in_names(plan: Plan) -> Iterator[Finding]:
    """Names, paths, commands and conditions of a plan, whichever format it was read from."""
    for what, text, line in _names(plan):
        if holds_any(text):
            message = (
                f"The {what} “{without_any(text)[:60]}” has a character that nobody sees ({_first(text)})."
            )
            yield finding("hidden-in-name", line, message, _FIX)


def _names(plan: Plan) -> Iterator[tuple[str, str, int]]:
    own = {
        "domain": plan.domain,
        "owner": plan.owner,
        "repository": plan.repository,
        "base branch": plan.base_branch,
        "command": plan.verify,
    }
    yield from ((what, text, 0) for what, text in own.items())
    yield from (("needed workstream", name, plan.needs_line) for name in plan.needs)
    yield from (("approver", name, plan.approvers_line) for name in plan.approvers)
    yield from (("parameter", name, 0) for name, _ in plan.parameters)
    for thread in plan.threads():
        yield from (("lane", thread.lane, thread.line), ("role", thread.role, thread.line))
        yield "worktree", thread.worktree, thread.line
        yield from (("file pattern", pattern, thread.line) for pattern in thread.files)
    for step in plan.steps():
        if not _is_plain(step):
            yield from ((what, text, step.line) for what, texts in _step_names(step) for text in texts)


def _is_plain(step: StepSpec) -> bool:
    """Whether all names of a step are plain letters, as they nearly always are."""
    text = step.key + step.role + step.tool + step.run + step.verify + step.when
    lists = (step.files, step.resources, step.outcomes)
    text += "".join([*itertools.chain.from_iterable(lists), *[need.key for need in step.needs]])
    return step.gate is None and text.isascii() and text.isprintable()


def _step_names(step: StepSpec) -> tuple[tuple[str, tuple[str, ...]], ...]:
    gate = step.gate
    return (
        ("key", (step.key,)),
        ("dependency", tuple(need.key for need in step.needs)),
        ("role", (step.role,)),
        ("tool", (step.tool,)),
        ("command", (step.run, step.verify)),
        ("condition", (step.when,)),
        ("file pattern", step.files),
        ("resource", step.resources),
        ("outcome", step.outcomes),
        ("reviewer", gate.reviewers if gate else ()),
        ("step that a gate unlocks", gate.unlocks if gate else ()),
    )


def _first(text: str) -> str:
    return code_point(next(one for one in text if holds_any(one)))
