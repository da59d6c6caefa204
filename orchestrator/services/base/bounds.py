"""How much of something there may be.

Refused beyond the numbers of `core/limits.py`, whichever interface brings it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from orchestrator.core import limits
from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, TooLarge, TooMany, TooOften
from orchestrator.models import (
    AccessToken,
    Attempt,
    Comment,
    Executor,
    HistoryEntry,
    IdempotencyKey,
    WorkflowVersion,
)
from orchestrator.services.base.actor import Actor

HOUR = timedelta(hours=1)


def check_text(text: str, field: str) -> None:
    if len(text) > limits.TEXT_CHARACTERS:
        raise InvalidInput(
            f"{field}: {len(text)} characters, and {limits.TEXT_CHARACTERS} is the most.",
            recovery="Say it shorter; longer texts belong into an output file.",
            field=field,
        )


def check_evidence(evidence: Mapping[int, str]) -> None:
    if len(evidence) > limits.EVIDENCE_TEXTS:
        raise InvalidInput(f"evidence: {limits.EVIDENCE_TEXTS} pieces are the most.", field="evidence")
    for text in evidence.values():
        check_text(text, "evidence")


def check_outputs(outputs: Mapping[str, bytes]) -> None:
    if len(outputs) > limits.OUTPUT_FILES:
        raise InvalidInput(
            f"outputs: {len(outputs)} files, and {limits.OUTPUT_FILES} are the most.",
            recovery="Pack them into one file, or put them into the repository and name the commit.",
            field="outputs",
        )
    if (size := sum(map(len, outputs.values()))) > limits.OUTPUT_BYTES:
        raise TooLarge(f"outputs: {size} bytes, and {limits.OUTPUT_BYTES} is the most.", field="outputs")


def refuse_more_breadcrumbs(attempt: Attempt) -> None:
    """Read behind the workstream's lock."""
    task = attempt.task
    left = HistoryEntry.objects.filter(workstream=task.workstream_id, action=Action.BREADCRUMB_LEFT)
    if left.filter(subject=f"{task.step.key} attempt {attempt.number}").count() >= limits.BREADCRUMBS:
        raise TooMany(
            f"{attempt} has {limits.BREADCRUMBS} breadcrumbs already.",
            recovery="Complete the attempt or declare it failed; the next one starts with none.",
            limit=limits.BREADCRUMBS,
        )


def refuse_more_comments(version: WorkflowVersion, actor: Actor) -> None:
    said = Comment.objects.filter(discussion__version__workflow=version.workflow_id, discarded_at=None)
    if said.filter(author=actor.account, sent_at=None).count() >= limits.DRAFTS:
        raise TooMany(
            f"You have {limits.DRAFTS} comments on this plan that are not sent.",
            recovery="Send or discard some of them first.",
            limit=limits.DRAFTS,
        )
    if said.count() >= limits.COMMENTS:
        raise TooMany(
            f"This plan has {limits.COMMENTS} comments already.",
            recovery="Decide about the version, with what is left to say as the reason.",
            limit=limits.COMMENTS,
        )


def refuse_more_executors(user: User) -> None:
    if Executor.objects.filter(user=user).count() >= limits.EXECUTORS:
        raise TooMany(
            f"{user} has {limits.EXECUTORS} executors already.",
            recovery="Use one of them: a token can be made for each.",
            limit=limits.EXECUTORS,
        )


def refuse_more_tokens(executor: Executor) -> None:
    if AccessToken.objects.filter(executor=executor, revoked_at=None).count() >= limits.TOKENS:
        raise TooMany(
            f"{executor.name} has {limits.TOKENS} live tokens already.",
            recovery="Revoke those that nothing uses any more.",
            limit=limits.TOKENS,
        )


def refuse_more_keys(executor: Executor, now: datetime) -> None:
    """Every key keeps an answer for good, so one executor makes so many of them and no more."""
    lately = IdempotencyKey.objects.filter(executor=executor, created_at__gt=now - HOUR)
    oldest = list(
        lately.order_by("-created_at").values_list("created_at")[
            limits.KEYS_AN_HOUR - 1 : limits.KEYS_AN_HOUR
        ]
    )
    if oldest:
        wait = int((oldest[0][0] + HOUR - now).total_seconds()) + 1
        raise TooOften(
            f"{executor.name} made {limits.KEYS_AN_HOUR} idempotency keys within an hour.",
            recovery="Repeat calls with the key they had, and wait before you make new ones.",
            retry_after=wait,
            limit=limits.KEYS_AN_HOUR,
        )
