"""Messages: notices as an e-mail or as the post of a web hook."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from smtplib import SMTPException
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage

from orchestrator.adapters.webhook import NotDelivered, post
from orchestrator.core.people.topics import NoticeChannel
from orchestrator.models import Subscription
from orchestrator.queries.workstreams.notices import Notice
from orchestrator.services.people.subscriptions import signing_secret

#: Characters of a subject, and of a question or a reason where all has to be short.
SUBJECT: Final = 150
REASON: Final = 500


def send_message(subscription: Subscription, notices: Sequence[Notice], number: int, now: datetime) -> None:
    """One message with all of these. `number` is the same when it is sent again. NotDelivered when nobody
    took it."""
    if subscription.channel == NoticeChannel.EMAIL:
        _send_mail(subscription.person.email, notices)
        return
    slack = subscription.channel == NoticeChannel.SLACK
    body = json.dumps(slack_payload(notices) if slack else payload(notices, number)).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "plan-to-execution-orchestrator",
        "Orchestrator-Delivery": str(number),
        "Orchestrator-Signature": signature(signing_secret(subscription), body, now),
    }
    post(subscription.address, body, headers, settings.WEBHOOK_HOSTS)


def signature(secret: str, body: bytes, now: datetime) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA-256 of the seconds, a point and the body, so that an old post is known."""
    seconds = int(now.timestamp())
    signed = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"


def payload(notices: Sequence[Notice], number: int) -> Mapping[str, Any]:
    return {"delivery": number, "notices": [_facts(one) for one in notices]}


def slack_payload(notices: Sequence[Notice]) -> Mapping[str, Any]:
    """As Slack, and what understands its web hooks, shows it: `text` in its own marks."""
    return {"text": "\n".join(_in_slack(one) for one in notices)}


def _in_slack(notice: Notice) -> str:
    """With the question, or why it was done, in one line."""
    reason = " ".join(notice.reason.split())[:REASON]
    said = f"<{address_of(notice)}|{_plain(notice.said)}>{_plain(_where(notice))}"
    return f"{said}: {_plain(reason)}" if reason else said


def address_of(notice: Notice) -> str:
    return f"{settings.PUBLIC_URL}{notice.path}"


def _facts(notice: Notice) -> Mapping[str, Any]:
    return {
        "sequence": notice.sequence,
        "topic": notice.topic,
        "said": notice.said,
        "reason": notice.reason,
        "actor": notice.actor,
        "at": notice.at.isoformat(),
        "workstream": notice.workstream,
        "url": address_of(notice),
    }


def _where(notice: Notice) -> str:
    return f" in {notice.workstream}" if notice.workstream else ""


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "¦")


def _send_mail(to: str, notices: Sequence[Notice]) -> None:
    first = notices[0]
    subject = f"{first.said}{_where(first)}" if len(notices) == 1 else f"{len(notices)} notifications"
    lines = [line for one in notices for line in (*_lines(one), "")]
    lines += ["--", f"You chose this under {settings.PUBLIC_URL}/notifications/, where you can end it."]
    mail = EmailMessage(" ".join(subject.split())[:SUBJECT], "\n".join(lines), to=[to])
    try:
        if not mail.send():
            raise NotDelivered("The account has no e-mail address any more.")
    except (OSError, SMTPException, ValueError) as problem:
        raise NotDelivered(
            f"The mail server did not take it: {type(problem).__name__}: {problem}"
        ) from problem


def _lines(notice: Notice) -> list[str]:
    told = [f"{notice.said}{_where(notice)}", f"  by {notice.actor}, {notice.at:%Y-%m-%d %H:%M} UTC"]
    reason = [f"  {notice.reason}"] if notice.reason else []
    return [*told, *reason, f"  {address_of(notice)}"]
