"""Notifications: what a caller is told of, where and when (FR-009)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from orchestrator.contract.values import Body, Slug
from orchestrator.core.people.topics import NoticeChannel, Rhythm, Topic


class SubscriptionRequest(Body):
    """What to be told of. `address` is where a web hook posts to; a `workstream` means only what happens in
    it.

    A person is told what concerns the account, an agent or a tool for itself.
    """

    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=50)]
    channel: NoticeChannel
    rhythm: Rhythm = Rhythm.AT_ONCE
    address: Annotated[str, Field(max_length=500)] = ""
    workstream: Slug = ""


@dataclass(frozen=True)
class SubscriptionFacts:
    """A subscription in force. `secret` signs the posts of a web hook, `address` is where they go, `feed` is
    the address of a feed: all are secrets, and told to whom it belongs. `problem` is why the last delivery
    failed."""

    id: int
    topics: tuple[Topic, ...]
    channel: NoticeChannel
    rhythm: Rhythm
    executor: str
    workstream: str
    address: str
    secret: str
    feed: str
    problem: str
    created_at: datetime


@dataclass(frozen=True)
class SubscriptionList:
    """All that are in force, the oldest first."""

    items: tuple[SubscriptionFacts, ...]
