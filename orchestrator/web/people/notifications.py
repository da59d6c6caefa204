"""Notifications: what came in on the page, what one is told of and where, and the Atom feed (FR-009)."""

from datetime import datetime
from functools import partial
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orchestrator.core.errors import InvalidInput, NotFound, Refusal
from orchestrator.core.people.topics import SENT_TO, DeliveryState, NoticeChannel, Rhythm, Topic
from orchestrator.models import Delivery, Executor, Subscription
from orchestrator.queries.work.tasks import find_workstream_by_slug
from orchestrator.queries.workstreams.notices import Notice, notices_of
from orchestrator.services.people import subscriptions
from orchestrator.services.people.messages import address_of
from orchestrator.services.people.subscriptions import (
    feed_key,
    mark_read,
    signing_secret,
    subscribe,
    unsubscribe,
)
from orchestrator.web.acting import act_of, does, now, number, perform, viewer
from orchestrator.web.show import show

#: Notices on a page, and in a feed.
PER_PAGE, IN_A_FEED = 50, 50
CHANNEL_WORDS = {
    NoticeChannel.PAGE: "here, on this page",
    NoticeChannel.EMAIL: "by e-mail",
    NoticeChannel.WEBHOOK: "web hook: a signed POST of JSON",
    NoticeChannel.SLACK: "web hook of Slack, or of what understands its form",
    NoticeChannel.FEED: "Atom feed",
}
RHYTHM_WORDS = {Rhythm.AT_ONCE: "at once", Rhythm.DAILY: "once a day, at 8 in the morning"}


class SubscriptionForm(forms.Form):
    """What to be told of, where and when."""

    topics = forms.MultipleChoiceField(
        choices=[(topic.value, topic.value.capitalize()) for topic in Topic],
        widget=forms.CheckboxSelectMultiple,
        label="What about",
        required=False,
    )
    channel = forms.ChoiceField(
        label="Where", choices=[(one.value, word) for one, word in CHANNEL_WORDS.items()]
    )
    rhythm = forms.ChoiceField(
        label="When",
        help_text="What is read here or as a feed stands there at once.",
        choices=[(one.value, word) for one, word in RHYTHM_WORDS.items()],
    )
    address = forms.CharField(
        label="Address of the web hook", required=False, max_length=500, help_text="Only for a web hook."
    )
    executor = forms.ChoiceField(
        label="For whom", required=False, help_text="Who is not told of what they did themselves."
    )
    workstream = forms.CharField(
        label="Only of the workstream",
        required=False,
        max_length=100,
        help_text="Its short name, as commands and files say it; empty for all.",
    )

    def __init__(self, executors: list[str], typed: QueryDict | None) -> None:
        super().__init__(typed, label_suffix="")
        field = self.fields["executor"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "me"), *((name, name) for name in executors)]


@never_cache
@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    return _page(request)


@act_of("notifications")
def add(request: HttpRequest) -> HttpResponse:
    again = partial(_page, request)
    return perform(request, partial(_subscribe, request), then=_here(), again=again)


@act_of("notifications")
def end(request: HttpRequest) -> HttpResponse:
    act, again = partial(_unsubscribe, request), partial(_page, request)
    return perform(request, act, then=_here(), again=again, several=True)


@act_of("notifications")
def read(request: HttpRequest) -> HttpResponse:
    act, again = partial(_mark_read, request), partial(_page, request)
    return perform(request, act, then=_here(), again=again, several=True)


@login_not_required
@never_cache
@require_safe
def feed(request: HttpRequest, subscription_id: int, key: str) -> HttpResponse:
    """For whoever has its address, as feed readers cannot sign in; ending the subscription ends it."""
    rows = Subscription.objects.in_force().select_related("person", "executor")
    found = rows.filter(pk=subscription_id, channel=NoticeChannel.FEED).first()
    if found is None or not constant_time_compare(feed_key(found), key):
        raise NotFound("There is no such feed.", recovery="Copy its address from the page Notifications.")
    mine = found.deliveries.select_related("entry__workstream").order_by("-entry__sequence")[:IN_A_FEED]
    body = _atom(found, request.build_absolute_uri(), notices_of(mine))
    return HttpResponse(body, content_type="application/atom+xml; charset=utf-8")


@does(subscribe)
def _subscribe(request: HttpRequest) -> str:
    form = SubscriptionForm(_executors(request), request.POST)
    if not form.is_valid():
        field, problems = next(iter(form.errors.items()))
        raise InvalidInput(f"{form.fields[field].label}: {problems[0]}", field=str(field))
    given = form.cleaned_data
    actor = viewer(request).actor
    name, slug = given["executor"], given["workstream"].strip()
    subscription = subscribe(
        topics=[Topic(one) for one in given["topics"]],
        channel=NoticeChannel(given["channel"]),
        rhythm=Rhythm(given["rhythm"]),
        address=given["address"].strip(),
        executor=Executor.objects.get(name=name) if name else None,
        workstream=find_workstream_by_slug(slug) if slug else None,
        actor=actor,
        now=now(),
    )
    return f"You are told {CHANNEL_WORDS[NoticeChannel(subscription.channel)]} from now on."


@does(unsubscribe)
def _unsubscribe(request: HttpRequest) -> str:
    unsubscribe(subscription_id=number(request, "subscription"), actor=viewer(request).actor, now=now())
    return "The subscription is over."


@does(mark_read)
def _mark_read(request: HttpRequest) -> str:
    mark_read(actor=viewer(request).actor, now=now())
    return "Everything is read."


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    person = viewer(request).actor.account
    mine = Subscription.objects.filter(person=person, ended_at=None).select_related("executor", "workstream")
    told = Delivery.objects.filter(
        subscription__person=person, subscription__channel=NoticeChannel.PAGE, subscription__ended_at=None
    )
    rows = told.select_related("entry__workstream", "subscription").order_by("-entry__sequence", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    listed = list(page)
    unread = [row.entry.sequence > row.subscription.read_to for row in listed]
    form = SubscriptionForm(_executors(request), request.POST if refusal else None)
    context = {
        "page_obj": page,
        "notices": list(zip(notices_of(listed), unread, strict=True)),
        "any_unread": any(unread),
        "subscriptions": [_facts(request, one) for one in mine.prefetch_related("topics")],
        "form": form,
        "mail": subscriptions.mail_is_sent(),
        "now": now(),
    }
    return show(request, "account/notifications.html", context, refusal=refusal)


def _facts(request: HttpRequest, one: Subscription) -> dict[str, Any]:
    channel = NoticeChannel(one.channel)
    posted = channel in (NoticeChannel.WEBHOOK, NoticeChannel.SLACK)
    failed = one.deliveries.exclude(problem="").exclude(state=DeliveryState.SENT).order_by("-pk").first()
    feed_at = reverse("feed", args=[one.pk, feed_key(one)]) if channel == NoticeChannel.FEED else ""
    return {
        "row": one,
        "where": CHANNEL_WORDS[channel],
        "rhythm": RHYTHM_WORDS[Rhythm(one.rhythm)] if channel in SENT_TO else "",
        "topics": [topic.topic for topic in one.topics.all()],
        "secret": signing_secret(one) if posted else "",
        "feed": request.build_absolute_uri(feed_at) if feed_at else "",
        "failed": failed,
    }


def _executors(request: HttpRequest) -> list[str]:
    person = viewer(request).actor.account
    return list(Executor.objects.filter(user=person).order_by("name").values_list("name", flat=True))


def _here() -> str:
    return reverse("notifications")


def _atom(subscription: Subscription, address: str, notices: list[Notice]) -> str:
    """RFC 4287. Every text is escaped; what XML has no character for is left out."""
    newest = max((one.at for one in notices), default=subscription.created_at)
    entries = "".join(_atom_entry(subscription, one) for one in notices)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>Orchestrator: {_text(str(subscription.executor or subscription.person))}</title>"
        f"<id>urn:orchestrator:subscription:{subscription.nonce}</id>"
        f'<link rel="self" href={quoteattr(address)}/>{_updated(newest)}'
        f"<author><name>Orchestrator</name></author>{entries}</feed>\n"
    )


def _atom_entry(subscription: Subscription, one: Notice) -> str:
    where = f" in {one.workstream}" if one.workstream else ""
    return (
        f"<entry><title>{_text(one.said + where)}</title>"
        f"<id>urn:orchestrator:subscription:{subscription.nonce}:{one.sequence}</id>"
        f"<link href={quoteattr(address_of(one))}/>{_updated(one.at)}"
        f"<author><name>{_text(one.actor)}</name></author>"
        f'<summary type="text">{_text(one.reason)}</summary></entry>'
    )


def _updated(at: datetime) -> str:
    return f"<updated>{at.isoformat()}</updated>"


def _text(text: str) -> str:
    return escape("".join(one for one in text if one in "\t\n" or (one >= " " and one not in "\ufffe\uffff")))


urlpatterns: list[Any] = [
    path("notifications/", notifications, name="notifications"),
    path("notifications/add", add, name="subscribe"),
    path("notifications/end", end, name="unsubscribe"),
    path("notifications/read", read, name="notifications-read"),
    path("notifications/<int:subscription_id>/<str:key>.atom", feed, name="feed"),
]
