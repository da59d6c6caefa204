"""The one door to plans: from a text in any format to what it says and what is wrong with it (WF-2)."""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.collector import without_collector
from orchestrator.core.findings import Finding
from orchestrator.core.plans.account.take import account_of, findings_of
from orchestrator.core.plans.checks.check import check_plan, sort_findings
from orchestrator.core.plans.checks.checkpoints import as_remarks, wants_remarks
from orchestrator.core.plans.checks.hidden import hidden_in_text, hidden_in_values
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.finished import settle_finished
from orchestrator.core.plans.formats.recognise import IN_JSON, OWN, READERS, TWO_WAYS, recognise
from orchestrator.core.plans.impossible import NeedPair, without_needs
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.json_start import unfenced
from orchestrator.core.plans.text.conflicts import conflicts_in, without_marks
from orchestrator.core.plans.text.lines import open_comment, remembered_lines
from orchestrator.core.plans.text.source import decode_source, readable, with_plain_spaces
from orchestrator.core.plans.text.spellings import plain_marks
from orchestrator.core.plans.ways import SHOWN, WayToRead
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
    with without_collector(), remembered_lines():
        return _read(source, tools, wanted, dropped)


def read_both_ways(
    source: bytes | str,
    tools: frozenset[str],
    wanted: Format | None = None,
    dropped: tuple[NeedPair, ...] = (),
) -> Reading:
    """The same, with both ways to read a text whose nested items may be details or steps."""
    with without_collector(), remembered_lines():
        reading = _read(source, tools, wanted, dropped)
        text = decode_source(source)
        if reading.format is None or reading.plan is None or isinstance(text, Finding):
            return reading
        form = _other_form(text, reading.format)
        own, other = _taken(text, form) if form else ("", Reading(None))
        if form is None or other.plan is None:
            return reading
        account = account_of(own, other, form)
        ways = [_way(reading, here=True), _way(replace(other, account=account))]
        if ways[0].steps == ways[1].steps:
            return reading
        return replace(reading, ways=tuple(sorted(ways, key=lambda way: way.nested)))


def _other_form(text: str, form: Format) -> Format | None:
    """The other format that a text can be read in; None when there is only one."""
    if form in TWO_WAYS:
        return Format.LIST_FINE
    other = format_of(text) if form is Format.LIST_FINE else None
    return other if other in TWO_WAYS else None


def _way(reading: Reading, *, here: bool = False) -> WayToRead:
    assert reading.format is not None
    assert reading.plan is not None
    titles = [step.title for step in reading.plan.steps()]
    nested = reading.format is Format.LIST_FINE
    first = tuple(titles[:SHOWN])
    return WayToRead(reading.format, len(titles), nested, here, first, reading.account.sentence)


def _read(
    source: bytes | str, tools: frozenset[str], wanted: Format | None, dropped: tuple[NeedPair, ...]
) -> Reading:
    text = decode_source(source)
    if isinstance(text, Finding):
        return Reading(None, (text,))
    form = wanted or format_of(text)
    own, reading = _taken(text, form)
    account = account_of(own, reading, form)
    reading = without_needs(settle_finished(reading), dropped)
    told = frozenset(found.line for found in reading.findings if found.code == "conflict-marker")
    findings = [*reading.findings, *hidden_in_text(text), *conflicts_in(text, told), *_open_comment(text)]
    findings += findings_of(account, reading, form)
    if reading.plan is not None:
        findings += check_plan(reading.plan, tools)
        findings += hidden_in_values(reading.plan, text)
    return Reading(reading.plan, sort_findings(findings), reading.progress, form, account)


def _taken(text: str, form: Format) -> tuple[str, Reading]:
    """The text as its reader takes it, and what that makes of it, before all checks."""
    # Trackers resolve a conflict line by line, as their own tools do.
    own = _as_read(text if form is Format.BEADS else without_marks(text), form)
    reading = replace(READERS[form](own), format=form)
    return own, as_remarks(reading) if wants_remarks(text) else reading


def _open_comment(text: str) -> Iterator[Finding]:
    if line := open_comment(text):
        message = "The comment that starts here is never closed, so only this line was read as one."
        yield finding("open-fence", line, message, "Close it with `-->`, or take the mark out.")


def _as_read(text: str, form: Format) -> str:
    if form is Format.PLAN:
        return with_plain_spaces(text)
    text = unfenced(text) if form in IN_JSON else text
    return text if form in OWN else plain_marks(readable(text))


def format_of(text: str) -> Format:
    """The format that the content of a text shows."""
    return recognise(plain_marks(readable(without_marks(text))))
