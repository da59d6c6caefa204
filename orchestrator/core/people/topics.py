"""What people can be told of, where and when; which entries of the history each topic is made of (FR-009)."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from orchestrator.core.actions import Action


class Topic(StrEnum):
    """In the order in which they are offered."""

    GATE_WAITS = "gate waits"
    QUESTION = "question asked"
    ANSWER = "question answered"
    PLAN_WAITS = "plan waits"
    PLAN_DECIDED = "plan decided"
    STEP_FAILED = "step failed"
    STEP_DONE = "step completed"
    GATE_DECIDED = "gate decided"
    BLOCKER = "blocker"
    SENT_BACK = "work goes back"
    WORKSTREAM_OVER = "workstream accepted or archived"
    INTEGRATED = "work integrated"
    STOPPED = "workspace out of step"


class NoticeChannel(StrEnum):
    """Where it is told."""

    PAGE = "page"
    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"
    FEED = "feed"


class Rhythm(StrEnum):
    AT_ONCE = "at once"
    DAILY = "daily"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


#: Channels that something is sent to; the others are read.
SENT_TO: Final = frozenset({NoticeChannel.EMAIL, NoticeChannel.WEBHOOK, NoticeChannel.SLACK})
TOPICS: Final[Mapping[Action, Topic]] = {
    Action.STEPS_LAUNCHED: Topic.GATE_WAITS,
    Action.FLAGGED_FOR_HUMAN: Topic.QUESTION,
    Action.BREAKER_TRIPPED: Topic.QUESTION,
    Action.BUDGET_USED_UP: Topic.QUESTION,
    Action.INTERVENTION_DONE: Topic.ANSWER,
    Action.PLAN_SUBMITTED: Topic.PLAN_WAITS,
    Action.BUNDLE_SUBMITTED: Topic.PLAN_WAITS,
    Action.PLAN_APPROVED: Topic.PLAN_DECIDED,
    Action.PLAN_SENT_BACK: Topic.PLAN_DECIDED,
    Action.PLAN_WITHDRAWN: Topic.PLAN_DECIDED,
    Action.ATTEMPT_FAILED: Topic.STEP_FAILED,
    Action.COMPLETION_REFUSED: Topic.STEP_FAILED,
    Action.ARTIFACT_DAMAGED: Topic.STEP_FAILED,
    Action.ATTEMPT_COMPLETED: Topic.STEP_DONE,
    Action.GATE_APPROVED: Topic.GATE_DECIDED,
    Action.GATE_REJECTED: Topic.GATE_DECIDED,
    Action.BLOCKER_DECLARED: Topic.BLOCKER,
    Action.BLOCKER_RESOLVED: Topic.BLOCKER,
    Action.WORK_SENT_BACK: Topic.SENT_BACK,
    Action.WORKSTREAM_ACCEPTED: Topic.WORKSTREAM_OVER,
    Action.WORKSTREAM_REOPENED: Topic.WORKSTREAM_OVER,
    Action.WORKSTREAM_ARCHIVED: Topic.WORKSTREAM_OVER,
    Action.BASELINE_INTEGRATED: Topic.INTEGRATED,
    Action.BASELINE_REVERTED: Topic.INTEGRATED,
    Action.WORKSPACE_DIVERGED: Topic.STOPPED,
    Action.WORKSPACE_AGREES_AGAIN: Topic.STOPPED,
}
#: Minutes until something is sent again after it failed once, twice and so on; then it has failed for good.
AGAIN_AFTER: Final = (1, 5, 30, 120, 360, 720, 1440)
#: When a daily message goes out, in the project's time zone.
DAILY_AT: Final = time(8)


def due_at(rhythm: Rhythm, now: datetime, zone: tzinfo) -> datetime:
    """When something that happened at `now` goes out."""
    if rhythm == Rhythm.AT_ONCE:
        return now
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), DAILY_AT, zone)
    return today if local < today else datetime.combine(local.date() + timedelta(days=1), DAILY_AT, zone)


def again_at(tries: int, now: datetime) -> datetime | None:
    """When it is tried again after `tries` failures; None when it has failed for good."""
    return now + timedelta(minutes=AGAIN_AFTER[tries - 1]) if tries <= len(AGAIN_AFTER) else None
