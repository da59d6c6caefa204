"""The one door to plans: from a text in any format to what it says and what is wrong with it (WF-2)."""

from orchestrator.core.findings import Finding
from orchestrator.core.plans.account.take import account_of, findings_of
from orchestrator.core.plans.checks.check import check_plan, sort_findings
from orchestrator.core.plans.checks.hidden import hidden_in_text, hidden_in_values
from orchestrator.core.plans.formats.recognise import OWN, READERS, recognise
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.text.conflicts import conflicts_in
from orchestrator.core.plans.text.source import decode_source, readable
from orchestrator.core.terms import Format


def read(source: bytes | str, tools: frozenset[str], wanted: Format | None = None) -> Reading:
    """Decode, read and check a source; `tools` are the registered ones.

    It is read in the wanted format, or else in the one that its content shows; the reading says which.
    Findings: blocking first, then by line. The plan is None when nothing in the source can be scheduled.
    Never raises on what a source may hold.
    """
    text = decode_source(source)
    if isinstance(text, Finding):
        return Reading(None, (text,))
    form = wanted or recognise(readable(text))
    own = text if form in OWN else readable(text)
    reading = READERS[form](own)
    account = account_of(own, reading, form)
    told = frozenset(found.line for found in reading.findings if found.code == "conflict-marker")
    findings = [*reading.findings, *hidden_in_text(text), *conflicts_in(text, told)]
    findings += findings_of(account, reading, form)
    if reading.plan is not None:
        findings += check_plan(reading.plan, tools)
        findings += hidden_in_values(reading.plan, text)
    return Reading(reading.plan, sort_findings(findings), reading.progress, form, account)
