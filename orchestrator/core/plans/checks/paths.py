"""Paths to look at before somebody owns them: everything, secrets, CI, lock files, migrations (WF-3)."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import Plan

_OWNERS_SHOWN: Final = 5
#: What a pattern reaches, in words -> how such a pattern looks. The first that fits is told.
RISKS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("the whole repository", re.compile(r"(\./)?(\*\*?)(/\*\*?)*(\.\*)?/?|\.?/?")),
    (
        "secrets",
        re.compile(
            r"(.*/)?(\.env(\.(?!example$|sample$|template$).*)?|.*\.(pem|key|p12|pfx)|id_(rsa|ed25519)|secrets(/.*)?)"
        ),
    ),
    (
        "what runs in CI",
        re.compile(
            r"\.github(/(workflows(/.*)?|\*.*|actions(/.*)?))?/?|\.gitlab-ci\.yml|\.circleci(/.*)?|(.*/)?Jenkinsfile"
        ),
    ),
    ("what git itself obeys", re.compile(r"(.*/)?\.git(modules|attributes|ignore|\*)")),
    (
        "a lock file of dependencies",
        re.compile(r"(.*/)?(package-lock\.json|pnpm-lock\.yaml|[^/]+\.lock|go\.sum|npm-shrinkwrap\.json)"),
    ),
    ("migrations of a database", re.compile(r"(.*/)?migrations(/.*)?")),
)
#: All of them in one: most patterns are none, and that is known at once.
_RISKY: Final = re.compile("|".join(f"(?:{looks.pattern})" for _, looks in RISKS))


def check_paths(plan: Plan) -> Iterator[Finding]:
    """One finding for each risky pattern, with everyone who owns it."""
    owners: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for pattern, owner, line in _owned(plan):
        owners[pattern].append((owner, line))
    for pattern, who in owners.items():
        if risk := risk_of(pattern):
            names = list(dict.fromkeys(name for name, _ in who))
            shown = ", ".join(names[:_OWNERS_SHOWN]) + (" …" if len(names) > _OWNERS_SHOWN else "")
            message = f"{shown} may change {risk}: `{pattern[:80]}`."
            yield finding(
                "risky-path", who[0][1], message, "Name only the files that the work needs, or accept it."
            )


def risk_of(pattern: str) -> str:
    """What the pattern reaches that a reviewer should know of; empty when nothing."""
    if not _RISKY.fullmatch(pattern):
        return ""
    return next((risk for risk, looks in RISKS if looks.fullmatch(pattern)), "")


def _owned(plan: Plan) -> Iterator[tuple[str, str, int]]:
    for stage in plan.stages:
        for thread in (thread for batch in stage.batches for thread in batch.threads):
            yield from ((pattern, f"Thread {thread.lane}", thread.line) for pattern in thread.files)
            for step in thread.steps:
                yield from ((pattern, step.key, step.line) for pattern in step.files)
