"""Subscriptions: what a person, or one of their executors, is told of, where and when; and each delivery."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from orchestrator.core.people.topics import DeliveryState, NoticeChannel, Rhythm, Topic
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.people.executor import Executor
from orchestrator.models.workstreams.history import HistoryEntry
from orchestrator.models.workstreams.workstream import Workstream


class Subscriptions(models.QuerySet["Subscription"]):
    def in_force(self) -> "Subscriptions":
        """Not ended, and of a person who may still come in: an active account with a role."""
        person = models.Q(person__is_superuser=True) | models.Exists(
            Group.objects.filter(user=models.OuterRef("person"))
        )
        return self.filter(person, ended_at=None, person__is_active=True)


class Subscription(models.Model):
    """In force until `ended_at`. `executor` is whom it is for, where that is not the person itself. With a
    `workstream` only of that one. `since` is the newest history entry when it was made, `read_to` the newest
    one that its person has read. The secrets of signatures and feeds are made of `nonce` and the secret key,
    and stored nowhere.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="subscriptions")
    executor = models.ForeignKey(
        Executor, models.PROTECT, null=True, blank=True, related_name="subscriptions"
    )
    workstream = models.ForeignKey(Workstream, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=20, choices=choices(NoticeChannel))
    rhythm = models.CharField(max_length=20, choices=choices(Rhythm), default=Rhythm.AT_ONCE)
    address = models.CharField(max_length=500, blank=True)
    nonce = models.CharField(max_length=32)
    since = models.PositiveBigIntegerField(default=0)
    read_to = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = Subscriptions.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            one_of("channel", NoticeChannel, "subscription_channel_known"),
            one_of("rhythm", Rhythm, "subscription_rhythm_known"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of {self.executor or self.person}"


class SubscribedTopic(models.Model):
    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="topics")
    topic = models.CharField(max_length=40, choices=choices(Topic))

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "topic"], name="one_row_per_subscribed_topic"),
            one_of("topic", Topic, "subscribed_topic_known"),
        ]

    def __str__(self) -> str:
        return self.topic


class Delivery(models.Model):
    """An entry of the history that a subscription is told of, once. What waits is sent when `due_at` is past;
    while it is being sent that is set ahead, so that a kill in between sends it again (at least once)."""

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="deliveries")
    entry = models.ForeignKey(HistoryEntry, models.PROTECT, related_name="+")
    topic = models.CharField(max_length=40, choices=choices(Topic))
    state = models.CharField(max_length=20, choices=choices(DeliveryState))
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["state", "due_at"])]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "entry"], name="one_delivery_per_entry"),
            one_of("state", DeliveryState, "delivery_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.entry}"


class NotifiedUpTo(models.Model):
    """The one row that says which entry of the history was looked at last for what subscriptions ask."""

    sequence = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.sequence)
