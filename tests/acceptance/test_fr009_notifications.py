"""FR-009: people are told of what they subscribed to, where and when they chose, at least once and never of
what they did themselves; a web hook reaches no private machine (B37)."""

import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.adapters import webhook
from orchestrator.adapters.webhook import NotDelivered, post
from orchestrator.core.people.topics import AGAIN_AFTER, DeliveryState
from orchestrator.models import Delivery, HistoryEntry, Subscription
from orchestrator.processes.queue_watch import NOTICES_EVERY, QueueWatch
from orchestrator.services.people.notifying import is_due, look, notify, send_due
from tests.cast import NOON, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

PAGE = "/notifications/"


def told(user: User, *topics: str, **given: str) -> Client:
    """The person's browser, after they subscribed."""
    client = signed_in(user)
    typed = {"channel": "page", "rhythm": "at once", **given, "topics": list(topics)}
    answer = client.post(f"{PAGE}add", typed, follow=True)
    assert "from now on" in words(answer), words(answer)
    return client


class Hook:
    """What came to a web hook, and what it answers."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.status, self.headers = 200, dict[str, str]()

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.came]


@pytest.fixture
def hook(settings: Settings) -> Iterator[tuple[Hook, str]]:
    seen = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.came.append((dict(self.headers), body))
            self.send_response(seen.status)
            for name, value in seen.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    yield seen, f"http://127.0.0.1:{server.server_port}/hook?from=here"
    server.shutdown()
    thread.join()
    server.server_close()


def test_fr009_a_gate_that_waits_is_told_and_leads_to_the_gate(driver: Driver) -> None:
    client = told(driver.cast.reviewer, "gate waits", "step completed")
    driver.start()
    driver.do("A1", "A2", "B1")
    notify(now=driver.tick())
    page = client.get(PAGE)
    assert "New Asks for a signature: MP1" in words(page)
    gate = reverse("gate", args=[driver.task("MP1").pk])
    assert f'href="{gate}"' in page.content.decode()
    assert client.get(gate).status_code == 200
    assert words(page).count("Attempt completed") == 3
    assert Client().get(gate).status_code == 302, "signing needs the session"
    client.post(f"{PAGE}read")
    assert "New Asks" not in words(client.get(PAGE))
    notify(now=driver.tick())
    assert Delivery.objects.count() == 4, "looked at once"


def test_fr009_nobody_is_told_of_what_they_did_or_did_not_ask_for(driver: Driver) -> None:
    mine = told(driver.cast.contributor, "question asked")
    driver.start()
    task = reverse("task-act", args=[driver.reload().uuid, "A1", "flag"])
    mine.post(task, {"note": "Which currency?"})
    signed_in(driver.cast.reviewer).post(task.replace("A1", "B1"), {"note": "Which gateway?"})
    elsewhere = told(driver.cast.observer, "question asked")
    notify(now=driver.tick())
    assert "B1" in words(mine.get(PAGE))
    assert "Which currency?" not in words(mine.get(PAGE))
    assert "Nothing yet." in words(elsewhere.get(PAGE)), "from now on"


def test_fr009_a_post_is_signed_and_sent_once(driver: Driver, hook: tuple[Hook, str]) -> None:
    seen, address = hook
    client = told(driver.cast.reviewer, "step completed", channel="webhook", address=address)
    driver.start()
    driver.do("A1", "B1")
    assert notify(now=driver.tick()) == 1, "one message for what came together"
    assert notify(now=driver.tick()) == 0
    ((headers, body),) = seen.came
    found = re.search(r'class="secret">(\w+)<', client.get(PAGE).content.decode())
    assert found
    seconds, signed = re.findall(r"=(\w+)", headers["Orchestrator-Signature"])
    made = hmac.new(found[1].encode(), seconds.encode() + b"." + body, hashlib.sha256)
    assert made.hexdigest() == signed
    one, other = seen.bodies[0]["notices"]
    assert (one["topic"], one["workstream"], other["said"][:17]) == (
        "step completed",
        "Card refunds",
        "Attempt completed",
    )
    assert one["url"].startswith("http://")


def test_fr009_slack_reads_it(driver: Driver, hook: tuple[Hook, str]) -> None:
    seen, address = hook
    told(driver.cast.reviewer, "question asked", channel="slack", address=address)
    driver.start()
    task = reverse("task-act", args=[driver.reload().uuid, "A1", "flag"])
    signed_in(driver.cast.contributor).post(task, {"note": "<!channel> & more?"})
    notify(now=driver.tick())
    (body,) = seen.bodies
    assert list(body) == ["text"]
    page = rf"<http://[^/]+{reverse('task', args=[driver.reload().uuid, 'A1'])}\|"
    asked = r"Flagged for a human: A1> in Card refunds: &lt;!channel&gt; &amp; more\?"
    assert re.fullmatch(page + asked, body["text"]), body["text"]


def test_fr009_what_fails_is_tried_again_and_shown(driver: Driver, hook: tuple[Hook, str]) -> None:
    seen, address = hook
    client = told(driver.cast.approver, "step completed", channel="webhook", address=address)
    driver.start()
    driver.do("A1")
    seen.status, seen.headers = 302, {"Location": "http://127.0.0.1:1/"}
    at = driver.tick()
    notify(now=at)
    assert "redirect (302), which is not followed" in words(client.get(PAGE))
    assert "1 waits to be sent" in words(client.get("/operating/"))
    notify(now=at + timedelta(seconds=30))
    assert len(seen.came) == 1, "not before its time"
    seen.status = 500
    for minutes in AGAIN_AFTER:
        at += timedelta(minutes=minutes)
        notify(now=at)
    assert Delivery.objects.get().state == DeliveryState.FAILED
    assert len({headers["Orchestrator-Delivery"] for headers, _ in seen.came}) == 1
    page = words(client.get("/operating/"))
    assert "1 failed for good" in page
    assert "127.0.0.1 answered 500" in page
    seen.status = 200
    driver.do("B1")
    notify(now=at)
    assert len(seen.came) == len(AGAIN_AFTER) + 2, "what comes later is sent"


def test_fr009_a_kill_while_it_is_sent_sends_it_again(
    driver: Driver, hook: tuple[Hook, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(driver.cast.reviewer, "step completed", channel="webhook", address=hook[1])
    driver.start()
    driver.do("A1")
    at = driver.tick()
    with monkeypatch.context() as killed:
        killed.setattr(webhook.http.client.HTTPConnection, "getresponse", lambda _: _interrupt())
        with pytest.raises(KeyboardInterrupt):
            notify(now=at)
    assert notify(now=at + timedelta(minutes=1)) == 0, "it may still be under way"
    assert notify(now=at + timedelta(minutes=6)) == 1


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_fr009_by_mail_at_once_and_once_a_day(driver: Driver, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.PROJECT_TIME_ZONE = "mail.example", "Europe/Berlin"
    rita, anna = driver.cast.reviewer, driver.cast.approver
    for person in (rita, anna):
        User.objects.filter(pk=person.pk).update(email=f"{person}@example.org")
    told(rita, "step completed", channel="email")
    told(anna, "step completed", "gate waits", channel="email", rhythm="daily")
    driver.start()
    driver.do("A1", "A2", "B1")
    at = driver.tick()
    notify(now=at)
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["rita@example.org"], "3 notifications")
    assert "/notifications/, where you can end it." in str(message.body)
    notify(now=at.replace(hour=6, minute=59) + timedelta(days=1))
    assert len(mail.outbox) == 1
    notify(now=at.replace(hour=7, minute=0) + timedelta(days=1))
    assert mail.outbox[1].to == ["anna@example.org"]
    assert "Asks for a signature: MP1" in str(mail.outbox[1].body)


def test_fr009_a_feed_is_read_without_signing_in_until_it_ends(driver: Driver) -> None:
    client = told(driver.cast.reviewer, "step completed", channel="feed")
    driver.start()
    driver.do("A1")
    notify(now=driver.tick())
    found = re.search(r"http://testserver(/notifications/\S+\.atom)", client.get(PAGE).content.decode())
    assert found
    answer = Client().get(found[1])
    assert answer["Content-Type"].startswith("application/atom+xml")
    assert b"<title>Attempt completed: A1" in answer.content
    assert Client().get(found[1].replace(".atom", "0.atom")).status_code == 404
    client.post(f"{PAGE}end", {"subscription": Subscription.objects.get().pk})
    assert Client().get(found[1]).status_code == 404


def test_fr009_only_of_a_workstream_and_for_an_executor(driver: Driver, hook: tuple[Hook, str]) -> None:
    seen, address = hook
    driver.start()
    agent = driver.cast.builder("listener")
    given = {"channel": "webhook", "address": address, "executor": agent.name}
    told(agent.user, "step completed", workstream="card-refunds", **given)
    driver.do("A1")
    notify(now=driver.tick())
    assert len(seen.came) == 1
    refused = signed_in(driver.cast.reviewer).post(
        f"{PAGE}add", {"topics": "blocker", "channel": "page", "rhythm": "at once", "executor": agent.name}
    )
    assert refused.status_code == 422, "not theirs"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"topics": []}, "Choose at least one topic."),
        ({"channel": "email"}, "No e-mail is sent from here"),
        ({"channel": "webhook", "address": "ftp://example.org/"}, "A web hook has an address"),
        ({"channel": "webhook", "address": "http://me:secret@example.org/"}, "A web hook has an address"),
        ({"channel": "webhook", "address": "http://169.254.169.254/"}, "a machine of a private network"),
        ({"channel": "webhook", "address": "http://2130706433/"}, "a machine of a private network"),
        ({"channel": "webhook", "address": "http://localhost./"}, "a machine of a private network"),
        ({"channel": "pigeon"}, "Where: Select a valid choice."),
        ({"workstream": "no-such"}, "no-such"),
    ],
)
def test_fr009_what_cannot_be_sent_is_refused_at_once(
    driver: Driver, given: dict[str, Any], said: str
) -> None:
    typed = {"topics": ["blocker"], "channel": "page", "rhythm": "at once", **given}
    answer = signed_in(driver.cast.observer).post(f"{PAGE}add", typed)
    assert answer.status_code in (404, 422)
    assert said in words(answer)
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"),
        *("[fec0::2]", "[::127.0.0.1]", "[::ffff:0:7f00:1]", "[5f00::1]"),
        *("[2002:7f00:1::]", "localhost", "printer.local", "metadata.internal", "2130706433", "127.1"),
    ],
)
def test_b37_no_private_or_link_local_machine_is_reached(host: str) -> None:
    with pytest.raises(NotDelivered, match=r"private network|not known"):
        post(f"http://{host}/", b"{}", {}, [])


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("slack", "https://hooks.slack.com/services/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"),
        ("webhook", "https://ci.example.org/hook?token=aB3dE5fG7hI9jK1lM3nO5"),
    ],
)
def test_fr009_an_address_is_kept_as_it_was_given(driver: Driver, channel: str, address: str) -> None:
    """It is a secret by its nature, so nobody else is shown it."""
    told(driver.cast.reviewer, "blocker", channel=channel, address=address)
    assert Subscription.objects.get().address == address
    driver.cast.reviewer.is_superuser = driver.cast.reviewer.is_staff = True
    driver.cast.reviewer.save()
    admin = signed_in(driver.cast.reviewer)
    for page in ("", f"{Subscription.objects.get().pk}/change/"):
        shown = admin.get(f"/admin/orchestrator/subscription/{page}", follow=True)
        assert (shown.status_code, address in unescape(shown.content.decode())) == (200, False)


def test_fr009_who_may_not_come_in_any_more_is_told_nothing(driver: Driver, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    driver.cast.approver.email = "anna@example.org"
    driver.cast.approver.save()
    told(driver.cast.approver, "step completed", channel="email")
    client = told(driver.cast.reviewer, "step completed", channel="feed")
    found = re.search(r"http://testserver(/notifications/\S+\.atom)", client.get(PAGE).content.decode())
    assert found
    driver.start()
    driver.do("A1")
    look(now=driver.tick())
    driver.cast.approver.is_active = False
    driver.cast.approver.save()
    driver.cast.reviewer.groups.clear()
    assert send_due(now=driver.tick()) == 0
    assert mail.outbox == []
    assert Client().get(found[1]).status_code == 404


def test_b37_an_answer_that_drips_in_is_cut_off(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long each byte takes: the deadline is for the whole of it."""
    monkeypatch.setattr(webhook, "SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with suppress(OSError), connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                for _ in range(100):
                    connection.sendall(b"X: y\r\n")
                    time.sleep(0.1)

        thread = threading.Thread(target=drip)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(NotDelivered, match=r"did not answer"):
            post(address, b"{}", {}, ["127.0.0.1"])
        thread.join(5)
        assert not thread.is_alive()


def test_b37_a_name_that_changes_its_mind_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Public when it is looked at, this machine a moment later: what was looked at is connected to."""
    answers = iter(["93.184.215.14", "127.0.0.1"])
    reached = []

    def looked_up(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 80))]

    def connect(address: tuple[str, int], *_: object) -> Any:
        reached.append(address)
        raise ConnectionRefusedError("nobody is there")

    monkeypatch.setattr(webhook.socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(webhook.socket, "create_connection", connect)
    with pytest.raises(NotDelivered, match=r"rebind\.example did not answer"):
        post("http://rebind.example/", b"{}", {}, [])
    assert reached == [("93.184.215.14", 80)]
    with pytest.raises(NotDelivered, match="private network"):
        post("http://rebind.example/", b"{}", {}, [])


def test_fr009_the_watch_asks_for_it_and_costs_one_statement_where_nobody_subscribed(
    driver: Driver, django_assert_num_queries: Any
) -> None:
    driver.submit()
    with django_assert_num_queries(1):
        assert not is_due(driver.tick())
    told(driver.cast.reviewer, "step completed")
    assert is_due(driver.tick())
    notify(now=driver.tick())
    assert not is_due(driver.tick())
    at = [0.0]
    watch = QueueWatch(60, clock=lambda: at[0], wall=lambda: NOON.timestamp())
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "orchestrator.processes.queue_watch.notifying.notify_later", lambda: asked.append("yes")
        )
        watch.look()
        driver.start()
        assert HistoryEntry.objects.count() > 0
        at[0] += NOTICES_EVERY
        watch.look()
    assert asked == ["yes"]


def test_fr009_web_hooks_are_told_apart_over_rest(driver: Driver) -> None:
    machine = Machine.of(driver.cast.builder())
    addresses = ["https://example.org/a", "https://example.org/b"]
    for address in addresses:
        body = {"topics": ["question asked"], "channel": "webhook", "address": address}
        assert machine.post("/api/subscriptions/", body)[0] == 201
    _, listed = machine.get("/api/subscriptions/")
    assert [one["address"] for one in listed["items"]] == addresses
