"""The rows B11 to B37 of bad inputs, through the interfaces that take them: 4xx or inert, soon, and nothing
is changed.

B15's body that is never read, on a real socket: `tests/management/test_slow_clients.py`. Each value in each
place: `test_ends_of_values.py`.
"""

import csv
import gzip
import io
import json
import logging
import socket
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from orchestrator.core.terms import Role
from orchestrator.models import AccessToken, HistoryEntry, WorkflowVersion, Workstream
from orchestrator.services.workstreams.policies import change_policy
from tests.cast import NOON, PLAN, Cast, Driver, UserFactory
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine(driver: Driver) -> Machine:
    driver.start()
    return Machine.of(driver.cast.builder())


@pytest.fixture
def planner(cast: Cast) -> Machine:
    """Whose account may submit plans."""
    user = UserFactory(username="planner", roles=[Role.INITIATOR, Role.CONTRIBUTOR])
    cast.contributor = user
    return Machine.of(cast.builder("planner-agent"))


@contextmanager
def soon(seconds: float = 1) -> Iterator[None]:
    """Measured in this thread's own time: other work on the machine is not its fault."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < seconds


def flagged(machine: Machine, driver: Driver, body: str) -> None:
    """The body is refused with its field and the way out, and changes nothing."""
    entries = HistoryEntry.objects.count()
    with soon():
        status, answer = machine.patch(f"/tasks/{driver.task('A1').pk}/", body)
    assert status in {413, 422}, answer
    assert answer["recovery"]
    assert HistoryEntry.objects.count() == entries
    assert not driver.task("A1").needs_human


def test_b11_duplicate_json_keys(machine: Machine, driver: Driver) -> None:
    flagged(machine, driver, '{"needs_human": true, "intervention_note": "a", "needs_human": false}')
    flagged(machine, driver, '{"needs_human": true, "intervention_note": "a", "intervention_note": "b"}')


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_b12_nan(machine: Machine, driver: Driver, number: str) -> None:
    flagged(machine, driver, f'{{"needs_human": true, "intervention_note": "a", "x": {number}}}')


@pytest.mark.parametrize("number", ["9007199254740993", "-9007199254740993", "1e400", "9" * 5000])
def test_b13_beyond_2_to_the_53(machine: Machine, driver: Driver, number: str) -> None:
    flagged(machine, driver, f'{{"needs_human": true, "intervention_note": "a", "x": {number}}}')


@pytest.mark.parametrize("opened", ['{"a":', "["])
def test_b14_nesting_10_000_deep(machine: Machine, driver: Driver, opened: str) -> None:
    closed = "}" if opened == '{"a":' else "]"
    flagged(machine, driver, opened * 10_000 + "1" + closed * 10_000)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b", "text/plain"])
@pytest.mark.parametrize("address", ["/api/plans/check", "/plans/submit/", "/accounts/login/", "/tasks/1/"])
def test_b15_a_body_of_50_mb(machine: Machine, cast: Cast, address: str, kind: str) -> None:
    class Unread:
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

        readline = read

        def __len__(self) -> int:
            return 50 * 1024 * 1024

    client = signed_in(cast.initiator)
    method = "PATCH" if address.startswith("/tasks") else "POST"
    body = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(len(Unread()))}
    headers = {"authorization": f"Bearer {machine.secret}"} if address != "/plans/submit/" else {}
    response = client.generic(method, address, "", content_type=kind, headers=headers, **body)
    assert response.status_code == 413
    assert "MiB" in response.content.decode()


ALIASES = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)
YAML = {
    "b16_aliases": ALIASES,
    "b17_python_tag": "domain: !!python/object/apply:os.system ['touch /tmp/b17']\n",
    "b17_python_name": "!!python/name:os.system: x\n",
}


@pytest.mark.parametrize("front", YAML.values(), ids=YAML.keys())
def test_b16_b17_yaml_that_does_something(planner: Machine, front: str) -> None:
    """The front matter is read as what it is, keys and plain words: nothing is built, called or
    multiplied.
    """
    source = PLAN.decode().replace("domain: payments\n", front)
    with soon(3):
        status, answer = planner.post("/api/plans/check", {"source": source})
    assert status == 200
    assert len(json.dumps(answer)) < 100_000
    assert any(found["line"] <= 30 for found in answer["findings"]), "the line is named"
    status, answer = planner.post("/api/plans/", {"source": source})
    assert status == 422, answer
    assert not Workstream.objects.exists()


def archives() -> dict[str, bytes]:
    """Small files that would be large ones."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("PLAN.md", b"\0" * 20_000_000)
    return {
        "PLAN.zip": zipped.getvalue(),
        "PLAN.md.gz": gzip.compress(b"\0" * 20_000_000),
        "PLAN.md": zipped.getvalue(),
    }


@pytest.mark.parametrize("name", ["PLAN.zip", "PLAN.md.gz", "PLAN.md"])
@pytest.mark.parametrize("act", ["check", "submit"])
def test_b18_archive_bombs(cast: Cast, name: str, act: str) -> None:
    """No archive is ever unpacked: it is no text."""
    client = signed_in(cast.initiator)
    file = SimpleUploadedFile(name, archives()[name])
    with soon(3):
        response = client.post(reverse("plan-submit"), {"file": file, "act": act})
    assert response.status_code == (422 if act == "submit" else 200)
    assert "not UTF-8 text" in words(response) or "not a text file" in words(response)
    assert not WorkflowVersion.objects.exists()


def test_b18_a_packed_body_is_not_unpacked(machine: Machine, driver: Driver) -> None:
    body = gzip.compress(b'{"needs_human": true, "intervention_note": "x"}')
    headers = {"authorization": f"Bearer {machine.secret}", "content-encoding": "gzip"}
    address = f"/tasks/{driver.task('A1').pk}/"
    response = machine.client.generic(
        "PATCH", address, body, content_type="application/json", headers=headers
    )
    assert response.status_code == 422


MARKDOWN = {
    "b19_script": "<script>alert(1)</script> <b onclick=alert(1)>x</b>",
    "b20_javascript_links": "[x](javascript:alert(1)) [y](JaVaScRiPt:a()) "
    "[z](&#106;avascript:a()) <javascript:a()>",
    "b21_svg_onload": "<svg onload=alert(1)></svg> ![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "b22_nested_emphasis": "*_" * 5_000 + "x" + "_*" * 5_000,
    "b22_nested_brackets": "[" * 9_000 + "x" + "](y)" * 2_000,
    "b22_nested_quotes": ">" * 9_000 + " x",
}


@pytest.mark.parametrize("text", MARKDOWN.values(), ids=MARKDOWN.keys())
def test_b19_b22_markdown_is_inert_and_soon_shown(cast: Cast, text: str) -> None:
    change_policy(
        slug="dod",
        title="Done",
        body=text,
        reason="x",
        impact="None.",
        actor=cast.actor("approver"),
        now=NOON,
    )
    client = signed_in(cast.observer)
    with soon():
        page = client.get(reverse("policy", args=["dod"])).content.decode()
    shown = page[page.index("<main") :].lower()
    for harm in ("<script>alert", "<svg onload", 'href="javascript', "<b onclick", "<img", 'href="data'):
        assert harm not in shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_b23_csv_cells(cast: Cast, driver: Driver, start: str) -> None:
    driver.submit(PLAN.replace(b"# Plan: Card refunds", b"# Plan: Refunds"))
    Workstream.objects.update(title=f"{start}HYPERLINK(1)")
    response = signed_in(cast.observer).get(reverse("portfolio-csv"))
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"), newline="")))
    assert rows[0]["title"] == f"'{start}HYPERLINK(1)"


def test_b24_cr_and_lf_in_header_and_log_fields(
    cast: Cast, driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    """What a stranger sends stands in no header and on no line of its own in the log."""
    client = signed_in(cast.observer)
    with caplog.at_level(logging.WARNING):
        response = client.get("/nothing%0d%0aSet-Cookie:%20a=b%0d%0a2026-01-01 ERROR forged/")
    assert response.status_code == 404
    assert "a" not in response.cookies
    assert [
        record for record in caplog.records if "\n" in record.getMessage() or "\r" in record.getMessage()
    ] == []
    for query in ("?page=%0d%0aX-Forged:1", "?format=csv&domain=%0d%0aX-Forged:1"):
        answer = client.get(f"/portfolio/{query}")
        assert answer.status_code < 500
        assert "X-Forged" not in answer


def test_b25_a_foreign_host(client: Client, machine: Machine) -> None:
    for address in ("/", "/accounts/login/", "/api/tasks/"):
        headers = {"Host": "evil.example", "authorization": f"Bearer {machine.secret}"}
        assert client.get(address, headers=headers).status_code == 400


def test_b26_a_foreign_origin(cast: Cast) -> None:
    client = signed_in(cast.contributor, strict=True)
    token = client.get(reverse("tokens")).cookies["csrftoken"].value
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        response = client.post(
            reverse("tokens"), {"csrfmiddlewaretoken": token, "executor": "x"}, headers=headers
        )
        assert response.status_code == 403
    assert not AccessToken.objects.exists()


def test_b27_a_missing_csrf_token(cast: Cast, driver: Driver) -> None:
    driver.start()
    client = signed_in(cast.contributor, strict=True)
    flag = reverse("task-act", args=[driver.reload().uuid, "A1", "flag"])
    assert client.post(flag, {"note": "x"}).status_code == 403
    answer = client.patch(f"/tasks/{driver.task('A1').pk}/", {"needs_human": True}, "application/json")
    assert answer.status_code == 403
    assert not driver.task("A1").needs_human


def test_b28_another_users_object(driver: Driver, machine: Machine, cast: Cast) -> None:
    """A token, a draft and a claim of somebody else."""
    other = signed_in(cast.reviewer)
    token = AccessToken.objects.get()
    assert other.post(reverse("token-revoke", args=[token.pk])).status_code in {403, 404}
    assert AccessToken.objects.get().revoked_at is None
    slug = driver.reload().version.workflow.slug
    discussions = machine.post(f"/api/workflows/{slug}/versions/1/discussions", {"body": "mine"})[1]
    stranger = Machine.of(cast.builder("stranger"))
    cast.contributor = cast.reviewer
    stranger = Machine.of(cast.builder("reviewer-agent"))
    status, _ = stranger.post(f"/api/discussions/{discussions[0]['id']}/reply", {"body": "x"})
    assert status in {403, 404}


def test_b29_a_mass_assigned_status(driver: Driver, machine: Machine) -> None:
    body = {
        "needs_human": True,
        "intervention_note": "Which?",
        "status": "complete",
        "id": 1,
        "breadcrumb": "forged",
    }
    status, refusal = machine.patch(f"/tasks/{driver.task('A1').pk}/", body)
    assert (status, refusal["details"]["field"]) == (422, "status")
    task = driver.task("A1")
    assert (task.status, task.breadcrumb) == ("pending", "")


def test_b30_a_revoked_token(driver: Driver, machine: Machine, cast: Cast) -> None:
    assert machine.get("/api/tasks/")[0] == 200
    signed_in(cast.contributor).post(reverse("token-revoke", args=[AccessToken.objects.get().pk]))
    status, answer = machine.get("/api/tasks/")
    assert (status, answer["code"]) == (401, "not-signed-in")


def test_b32_a_dependency_circle(planner: Machine) -> None:
    named(
        planner, PLAN.replace(b"- A1: Ledger entries for refunds", b"- A1: Ledger entries (needs A2)"), "A1"
    )


def test_b33_an_unknown_dependency(planner: Machine) -> None:
    named(
        planner, PLAN.replace(b"- A1: Ledger entries for refunds", b"- A1: Ledger entries (needs Z9)"), "Z9"
    )


def test_b34_more_than_10_000_steps(planner: Machine) -> None:
    source = "# Plan: Many\n\n### Stage 1: x\n" + "".join(f"- A{n}: x\n  - Exit: y\n" for n in range(10_001))
    with soon(20):
        named(planner, source.encode(), "10,000")


def test_b35_empty_criteria(planner: Machine) -> None:
    """A step without a way to tell that it is done is found, with its line; an empty criterion is none."""
    source = PLAN.replace(b"  - Exit: unit tests pass", b"  - Exit:   ")
    _, answer = planner.post("/api/plans/check", {"source": source.decode()})
    line = source.decode().splitlines().index("- A1: Ledger entries for refunds") + 1
    assert any(found["line"] in {line, line + 1} for found in answer["findings"]), answer["findings"]


def named(planner: Machine, source: bytes, what: str) -> None:
    """The finding names the line and the thing; the plan is refused."""
    _, answer = planner.post("/api/plans/check", {"source": source.decode()})
    assert not answer["approvable"]
    assert any(what in found["message"] for found in answer["findings"]), answer["findings"][:3]
    status, answer = planner.post("/api/plans/", {"source": source.decode()})
    assert status == 422
    assert answer["findings"][0]["message"]
    assert not Workstream.objects.exists()


def test_b36_needs_human_without_a_note(driver: Driver, machine: Machine, cast: Cast) -> None:
    task = driver.task("A1").pk
    for body in ({"needs_human": True}, {"needs_human": True, "intervention_note": " \n"}):
        status, answer = machine.patch(f"/tasks/{task}/", body)
        assert (status, answer["details"]) == (422, {"field": "intervention_note"})
    page = signed_in(cast.contributor)
    flag = reverse("task-act", args=[driver.reload().uuid, "A1", "flag"])
    assert page.post(flag, {"note": " "}).status_code == 422
    assert not driver.task("A1").needs_human


def test_b37_the_server_calls_nobody(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, planner: Machine
) -> None:
    """There are no web hooks. Addresses in a plan are text: while work runs to its end, no connection is
    opened but the database's own."""
    called: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: called.append(address))
    monkeypatch.setattr(socket, "create_connection", lambda address, *_, **__: called.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **__: called.append(address) or [])
    hook = "http://169.254.169.254/latest/meta-data/"
    source = PLAN.replace(b"Customers get their money back.", f"See {hook} and ![x]({hook}).".encode())
    driver.start(source)
    driver.finish()
    page = signed_in(driver.cast.approver)
    shown: HttpResponse = page.get(reverse("plan-latest", args=[driver.reload().version.workflow.slug]))
    assert shown.status_code in {200, 302}
    planner.post("/api/plans/check", {"source": source.decode()})
    assert called == []
