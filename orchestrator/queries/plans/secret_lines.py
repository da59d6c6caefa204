"""Secrets in the text of a plan: told with their lines, because it is decided about as it was submitted."""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Reading
from orchestrator.core.secrets import Masker

_FIX = "Take it out, say where it is found (the name of a variable, say), and renew it: it was sent here."


def with_secrets(reading: Reading, source: str, masker: Masker) -> Reading:
    """The reading with a finding for each secret that the text holds. None of them repeats the secret."""
    found = list(_secrets_in(source, masker))
    return replace(reading, findings=sort_findings([*reading.findings, *found])) if found else reading


def _secrets_in(source: str, masker: Masker) -> Iterator[Finding]:
    for secret in masker.find(source):
        line = source.count("\n", 0, secret.start) + 1
        code = "secret-in-plan" if secret.certain else "secret-like"
        yield finding(code, line, f"Line {line} holds a secret ({secret.what}).", _FIX)
