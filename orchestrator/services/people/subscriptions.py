"""Subscriptions: what a person, or an executor of theirs, is told of, where and when (FR-009)."""

import secrets
from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.crypto import salted_hmac

from orchestrator.adapters.webhook import check_address
from orchestrator.core import limits
from orchestrator.core.actions import Action
from orchestrator.core.errors import InvalidInput, LimitReached, NotAllowed, NotFound
from orchestrator.core.people.topics import NoticeChannel, Rhythm, Topic
from orchestrator.core.terms import Scope
from orchestrator.models import Executor, HistoryEntry, SubscribedTopic, Subscription, Workstream
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import EVERY_ROLE, act
from orchestrator.services.base.history import record
from orchestrator.services.base.unit_of_work import unit_of_work


@act(
    roles=EVERY_ROLE,
    scope=Scope.WORK,
    only="for itself or one of its executors",
    records=(Action.SUBSCRIPTION_MADE,),
    # The address of a web hook is a secret by its nature; it is sent to, and shown to nobody else.
    plain=("address",),
)
def subscribe(
    *,
    topics: Collection[Topic],
    channel: NoticeChannel,
    rhythm: Rhythm,
    address: str,
    executor: Executor | None,
    workstream: Workstream | None,
    actor: Actor,
    now: datetime,
) -> Subscription:
    """Have the actor told of these topics from now on. `address` is where a web hook posts to; an e-mail goes
    to the account's. With a `workstream` only what happens there. InvalidInput for what cannot be sent."""
    person = actor.account
    if executor is not None and executor.user_id != person.pk:
        raise NotAllowed(f"The executor {executor} belongs to another account.")
    if not topics:
        raise InvalidInput("Choose at least one topic.", field="topics")
    _check_channel(channel, address, person.email)
    if Subscription.objects.filter(person=person, ended_at=None).count() >= limits.SUBSCRIPTIONS:
        raise LimitReached(
            f"An account has {limits.SUBSCRIPTIONS} subscriptions at most.", recovery="End one of them first."
        )
    with unit_of_work():
        subscription = Subscription.objects.create(
            person=person,
            executor=executor,
            workstream=workstream,
            channel=channel,
            rhythm=rhythm,
            address=address if channel in _POSTED else "",
            nonce=secrets.token_hex(16),
            since=newest(),
            created_at=now,
        )
        rows = [SubscribedTopic(subscription=subscription, topic=topic) for topic in dict.fromkeys(topics)]
        SubscribedTopic.objects.bulk_create(rows)
        record(
            workstream=None,
            actor=actor,
            action=Action.SUBSCRIPTION_MADE,
            subject=f"{subscription}",
            now=now,
            data={"channel": channel, "rhythm": rhythm, "topics": sorted(topics)},
        )
    return subscription


@act(
    roles=EVERY_ROLE,
    scope=Scope.WORK,
    only="whose subscription it is",
    records=(Action.SUBSCRIPTION_ENDED,),
)
def unsubscribe(*, subscription_id: int, actor: Actor, now: datetime) -> Subscription:
    """Nothing more is told through it; what waits is not sent. Ending it again changes nothing."""
    with unit_of_work():
        subscription = _own(subscription_id, actor)
        if Subscription.objects.filter(pk=subscription.pk, ended_at=None).update(ended_at=now):
            record(
                workstream=None,
                actor=actor,
                action=Action.SUBSCRIPTION_ENDED,
                subject=f"{subscription}",
                now=now,
            )
    return subscription


@act(roles=EVERY_ROLE, only="whose notifications they are")
def mark_read(*, actor: Actor, now: datetime) -> int:  # noqa: ARG001  # acts know when they are done
    """What stands on the actor's page now is read."""
    mine = Subscription.objects.filter(person=actor.account, channel=NoticeChannel.PAGE, ended_at=None)
    return mine.update(read_to=newest())


def newest() -> int:
    """The sequence of the newest history entry; 0 before the first."""
    found = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return found or 0


def signing_secret(subscription: Subscription) -> str:
    """What signs the posts of a web hook. Stored nowhere: another secret key makes another one."""
    return salted_hmac("orchestrator.webhook", _named(subscription), algorithm="sha256").hexdigest()


def feed_key(subscription: Subscription) -> str:
    """Who knows it reads the feed, until the subscription ends."""
    return salted_hmac("orchestrator.feed", _named(subscription), algorithm="sha256").hexdigest()[:40]


def mail_is_sent() -> bool:
    """Whether the operator named a mail server."""
    return bool(settings.EMAIL_HOST)


_POSTED = frozenset({NoticeChannel.WEBHOOK, NoticeChannel.SLACK})


def _named(subscription: Subscription) -> str:
    return f"{subscription.pk} {subscription.nonce}"


def _check_channel(channel: NoticeChannel, address: str, email: str) -> None:
    if channel in _POSTED:
        check_address(address, settings.WEBHOOK_HOSTS)
    if channel == NoticeChannel.EMAIL and not mail_is_sent():
        raise InvalidInput(
            "No e-mail is sent from here: the operator named no mail server.",
            recovery="Choose another way; or the operator sets EMAIL_HOST.",
            field="channel",
        )
    if channel == NoticeChannel.EMAIL and not EmailMessage(to=[email] if email else []).recipients():
        raise InvalidInput(
            "Your account has no e-mail address.",
            recovery="An administrator gives it one under Administration, Users.",
            field="channel",
        )


def _own(subscription_id: int, actor: Actor) -> Subscription:
    rows = Subscription.objects.select_related("executor", "person")
    found = rows.filter(pk=subscription_id, person=actor.account).first()
    own = actor.executor if actor.executor is not None and not actor.is_person else None
    if found is None or (own and found.executor_id != own.pk):
        raise NotFound("There is no such subscription.")
    return found
