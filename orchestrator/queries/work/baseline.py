"""Baseline integration: whether a workstream's work is part of its base branch, and since when (FR-010)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from orchestrator.adapters.base_branch import BaseBranch, MadeCommit
from orchestrator.adapters.repository import REPOSITORY_NAME
from orchestrator.contract.workstreams import IntegrationFacts
from orchestrator.core.actions import Action
from orchestrator.core.git_names import is_commit_word
from orchestrator.core.terms import IntegrationSource, TaskStatus
from orchestrator.models import Attempt, BaselineIntegration, HistoryEntry, Workstream
from orchestrator.queries.engine.signatures import latest_completed

INTEGRATED: Final = Action.BASELINE_INTEGRATED
REVERTED: Final = Action.BASELINE_REVERTED


def integration_in_force(workstream: Workstream) -> BaselineIntegration | None:
    """The integration that no revert decision has ended."""
    return next(iter(_in_force(workstream.pk)), None)


def _in_force(workstream: int) -> list[BaselineIntegration]:
    return list(BaselineIntegration.objects.filter(workstream=workstream, reverted_at=None)[:1])


def integrations(workstream: Workstream) -> tuple[IntegrationFacts, ...]:
    """Every integration of a workstream, newest first."""
    rows = BaselineIntegration.objects.filter(workstream=workstream).select_related("reverted_by")
    found = list(rows.order_by("-integrated_at", "-pk"))
    said = _what_was_checked(workstream) if found else {}
    return tuple(_facts(row, said) for row in found)


def _facts(row: BaselineIntegration, said: dict[tuple[str, int], str]) -> IntegrationFacts:
    return IntegrationFacts(
        commit=row.commit,
        source=IntegrationSource(row.source),
        note=row.note,
        integrated_by=row.integrated_by,
        integrated_at=row.integrated_at,
        checked=said.get((INTEGRATED, row.pk), ""),
        reverted_by=row.reverted_as,
        reverted_at=row.reverted_at,
        revert_reason=row.revert_reason,
        revert_commit=row.revert_commit,
        revert_checked=said.get((REVERTED, row.pk), ""),
    )


def _what_was_checked(workstream: Workstream) -> dict[tuple[str, int], str]:
    """By act and integration; the history holds it, because it is evidence."""
    entries = HistoryEntry.objects.filter(workstream=workstream, action__in=[INTEGRATED, REVERTED])
    facts = ((entry.action, json.loads(entry.leaf)["data"]) for entry in entries)
    return {(action, data["integration"]): data["checked"] for action, data in facts}


def base_branch_of(workstream: Workstream) -> BaseBranch | None:
    """The base branch of the plan's repository.

    None when the plan names none or it is not on this machine.
    """
    version = workstream.version
    if not REPOSITORY_NAME.fullmatch(version.repository):
        return None
    branch = BaseBranch(Path(settings.REPOSITORIES_DIR) / version.repository, version.base_branch)
    return branch if branch.head() else None


@dataclass(frozen=True, slots=True)
class WorkCommits:
    """The commits that the results in force made, as full ids.

    `unknown` are those the repository does not know.
    """

    known: tuple[str, ...]
    unknown: tuple[str, ...]


def work_commits(workstream: Workstream, branch: BaseBranch) -> WorkCommits:
    """What to look for on the base branch: the results since the last revert decision.

    A step that changed nothing reports a commit that was there before it: it proves nothing and is left out.
    """
    attempts = [attempt for attempt in _results(workstream) if is_commit_word(attempt.commit)]
    made = branch.made([attempt.commit for attempt in attempts])
    pairs = list(zip(attempts, made, strict=True))
    own = [one.commit for attempt, one in pairs if one and _own(attempt, one)]
    unknown = [attempt.commit for attempt, one in pairs if one is None]
    return WorkCommits(tuple(dict.fromkeys(own)), tuple(dict.fromkeys(unknown)))


def _results(workstream: Workstream) -> list[Attempt]:
    """The latest completed attempt of every complete task."""
    found = latest_completed().filter(
        task__workstream=workstream,
        task__status=TaskStatus.COMPLETE,
        task__step__version=workstream.version_id,
    )
    found = found.exclude(commit="")
    last = BaselineIntegration.objects.filter(workstream=workstream, reverted_at__isnull=False)
    if reverted := last.order_by("-reverted_at").first():
        found = found.filter(ended_at__gt=reverted.reverted_at)
    return list(found.select_related("task__step").order_by("pk"))


def _own(attempt: Attempt, made: MadeCommit) -> bool:
    """Local executors name the step; who commits by hand does it after the claim, in whole seconds."""
    if made.subject.startswith(f"{attempt.task.step.key}: "):
        return True
    return attempt.started_at is not None and made.at > int(attempt.started_at.timestamp())
