"""The one door to plans: from a text in any format to what it says and what is wrong with it (WF-2)."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from orchestrator.core.findings import Finding
from orchestrator.core.plans.account.take import account_of, findings_of
from orchestrator.core.plans.checks.check import check_plan, sort_findings
from orchestrator.core.plans.checks.checkpoints import as_remarks, wants_remarks
from orchestrator.core.plans.checks.hidden import hidden_in_text, hidden_in_values
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.finished import settle_finished
from orchestrator.core.plans.formats.recognise import IN_JSON, OWN, READERS, recognise
from orchestrator.core.plans.impossible import NeedPair, without_needs
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.json_start import unfenced
from orchestrator.core.plans.text.conflicts import conflicts_in, without_marks
from orchestrator.core.plans.text.lines import open_comment, remembered_lines
from orchestrator.core.plans.text.source import decode_source, readable, with_plain_spaces
from orchestrator.core.terms import Format


def read(
    source: bytes | str,
    tools: frozenset[str],
    wanted: Format | None = None,
    dropped: tuple[NeedPair, ...] = (),
) -> Reading:
    """Decode, read and check a source; `tools` are the registered ones, `dropped` are dependencies that a
    review dropped.

    It is read in the wanted format, or else in the one that its content shows; the reading says which.
    Findings: blocking first, then by line. The plan is None when nothing in the source can be scheduled.
    Never raises on what a source may hold.
    """
    with _without_collector(), remembered_lines():
        return _read(source, tools, wanted, dropped)


def _read(
    source: bytes | str, tools: frozenset[str], wanted: Format | None, dropped: tuple[NeedPair, ...]
) -> Reading:
    text = decode_source(source)
    if isinstance(text, Finding):
        return Reading(None, (text,))
    form = wanted or format_of(text)
    # Trackers resolve a conflict line by line, as their own tools do.
    plain = text if form is Format.BEADS else without_marks(text)
    own = _as_read(plain, form)
    reading = READERS[form](own)
    if wants_remarks(text):
        reading = as_remarks(replace(reading, format=form))
    account = account_of(own, reading, form)
    reading = without_needs(settle_finished(reading), dropped)
    told = frozenset(found.line for found in reading.findings if found.code == "conflict-marker")
    findings = [*reading.findings, *hidden_in_text(text), *conflicts_in(text, told), *_open_comment(text)]
    findings += findings_of(account, reading, form)
    if reading.plan is not None:
        findings += check_plan(reading.plan, tools)
        findings += hidden_in_values(reading.plan, text)
    return Reading(reading.plan, sort_findings(findings), reading.progress, form, account)


def _open_comment(text: str) -> Iterator[Finding]:
    if line := open_comment(text):
        message = "The comment that starts here is never closed, so only this line was read as one."
        yield finding("open-fence", line, message, "Close it with `-->`, or take the mark out.")


def _as_read(text: str, form: Format) -> str:
    if form is Format.PLAN:
        return with_plain_spaces(text)
    text = unfenced(text) if form in IN_JSON else text
    return text if form in OWN else readable(text)


def format_of(text: str) -> Format:
    """The format that the content of a text shows."""
    return recognise(readable(without_marks(text)))


@contextmanager
def _without_collector() -> Iterator[None]:
    """A reading makes many small objects and no cycles: looking for some takes a third of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
