"""Subscriptions of whoever asks: a person's, or those of the executor whose token it is (FR-009)."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.notifications import SubscriptionFacts, SubscriptionList, SubscriptionRequest
from orchestrator.core.people.topics import DeliveryState, NoticeChannel, Rhythm, Topic
from orchestrator.core.terms import Scope
from orchestrator.models import Executor, Subscription
from orchestrator.queries.work.tasks import find_workstream_by_slug
from orchestrator.services.people.subscriptions import feed_key, signing_secret, subscribe, unsubscribe

router = Routes(tags=["subscriptions"])


@router.get("/", response=SubscriptionList)
@needs(Scope.READ)
def listing(request: HttpRequest) -> SubscriptionList:
    return _mine(request)


@router.post("/", response={201: SubscriptionFacts})
@act(subscribe, status=201)
def add(request: HttpRequest, body: SubscriptionRequest) -> SubscriptionFacts:
    """Be told of these topics from now on."""
    made = subscribe(
        topics=body.topics,
        channel=body.channel,
        rhythm=body.rhythm,
        address=body.address.strip(),
        executor=_for(request),
        workstream=find_workstream_by_slug(body.workstream) if body.workstream else None,
        actor=caller_of(request).actor,
        now=timezone.now(),
    )
    return _facts(made)


@router.post("/{int:subscription_id}/end", response=SubscriptionList)
@act(unsubscribe)
def end(request: HttpRequest, subscription_id: int) -> SubscriptionList:
    """Nothing more is told through it; answers with those that are left."""
    unsubscribe(subscription_id=subscription_id, actor=caller_of(request).actor, now=timezone.now())
    return _mine(request)


def _for(request: HttpRequest) -> Executor | None:
    """An agent or a tool is told for itself, whoever its account is; a person for the account."""
    executor = caller_of(request).executor
    return None if executor.is_person else executor


def _mine(request: HttpRequest) -> SubscriptionList:
    caller, executor = caller_of(request), _for(request)
    rows = Subscription.objects.filter(person=caller.actor.account, ended_at=None)
    rows = rows.filter(executor=executor) if executor else rows
    rows = rows.select_related("executor", "workstream", "person").prefetch_related("topics")
    return SubscriptionList(tuple(_facts(one) for one in rows.order_by("pk")))


def _facts(one: Subscription) -> SubscriptionFacts:
    channel = NoticeChannel(one.channel)
    posted = channel in (NoticeChannel.WEBHOOK, NoticeChannel.SLACK)
    failed = one.deliveries.exclude(problem="").exclude(state=DeliveryState.SENT).order_by("-pk").first()
    feed = reverse("feed", args=[one.pk, feed_key(one)]) if channel == NoticeChannel.FEED else ""
    return SubscriptionFacts(
        id=one.pk,
        topics=tuple(Topic(topic.topic) for topic in one.topics.all()),
        channel=channel,
        rhythm=Rhythm(one.rhythm),
        executor=one.executor.name if one.executor else "",
        workstream=one.workstream.slug if one.workstream else "",
        address=one.address,
        secret=signing_secret(one) if posted else "",
        feed=f"{settings.PUBLIC_URL}{feed}" if feed else "",
        problem=failed.problem if failed else "",
        created_at=one.created_at,
    )
