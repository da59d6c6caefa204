"""Checking large plans takes so many processes, so long, and no more of the site than that."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from orchestrator.adapters.apart import apart
from orchestrator.adapters.turns import turn
from orchestrator.core import limits
from orchestrator.core.errors import Busy, InvalidInput
from orchestrator.core.plans.checks.read import read
from orchestrator.mcp.answers import refused
from orchestrator.mcp.plans import PlanTools
from orchestrator.queries.plans import readings
from orchestrator.services.people.callers import caller_by_name
from tests.cast import Cast, Driver
from tests.core.plans.hostile_plans import HOSTILE, numbered
from tests.machines import Machine
from tests.management.web_process import Web, running
from tests.web.pages import signed_in, words

#: Large enough to be read in a process of its own, and read soon.
STEPS = 3_000
LARGE = "# Plan: Long\n\n" + numbered("- A{m}: x (needs A{n})", STEPS).replace(" (needs A0)", "", 1)
#: Ten thousand steps, in as many bytes as a plan may have.
WORST = "\n".join(line + " x" * 170 for line in numbered("- A{m}: x (needs A{n})", 9_999).splitlines())
SMALL = "# Plan: Small\n\n### Stage 1: Build\n\n- A1: Do it\n  - Exit: it is done\n"

HOLDER = """
import sys
from pathlib import Path
from orchestrator.adapters.turns import turn
with turn(Path(sys.argv[1]), int(sys.argv[2]), 0):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(folder: Path, turns: int = limits.CHECKS_AT_ONCE) -> Iterator[list[subprocess.Popen[str]]]:
    """Other processes read large plans and do not come to an end."""
    with ExitStack() as all_of_them:
        holders = []
        for _ in range(turns):
            command = [sys.executable, "-c", HOLDER, str(folder), str(limits.CHECKS_AT_ONCE)]
            holder = all_of_them.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            holders.append(holder)
        try:
            yield holders
        finally:
            for holder in holders:
                holder.kill()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHECK_WAIT_SECONDS", 0.2)


@pytest.mark.django_db
@pytest.mark.usefixtures("impatient")
def test_beyond_so_many_at_once_a_check_is_refused_over_rest(cast: Cast, settings: LazySettings) -> None:
    machine = Machine.of(cast.builder())
    headers = {"authorization": f"Bearer {machine.secret}"}
    with held(settings.TURNS_DIR):
        response = machine.client.post(
            "/api/plans/check", {"source": LARGE}, "application/json", headers=headers
        )
        assert (response.status_code, response.json()["code"]) == (503, "busy")
        assert int(response["Retry-After"]) > 0
        assert machine.post("/api/plans/check", {"source": SMALL})[0] == 200, "small plans wait for nobody"
    status, answer = machine.post("/api/plans/check", {"source": LARGE})
    assert (status, answer["preview"]["tasks"]) == (200, STEPS)


@pytest.mark.django_db
@pytest.mark.usefixtures("impatient")
def test_beyond_so_many_at_once_a_set_of_files_is_refused(cast: Cast, settings: LazySettings) -> None:
    machine = Machine.of(cast.builder())
    files = [{"name": f"{n}/PLAN.md", "source": SMALL + "text\n" * 5_000} for n in range(10)]
    with held(settings.TURNS_DIR):
        status, answer = machine.post("/api/plans/files/check", {"files": files})
    assert (status, answer["code"]) == (503, "busy")


@pytest.mark.django_db
@pytest.mark.usefixtures("impatient")
def test_the_page_keeps_what_was_typed_and_says_when_to_try_again(cast: Cast, settings: LazySettings) -> None:
    client = signed_in(cast.initiator)
    unread = LARGE.replace("Long", "Typed")  # what this process has read already needs no turn
    with held(settings.TURNS_DIR):
        response = client.post(reverse("plan-submit"), {"source": unread, "act": "check"})
        submitted = client.post(reverse("plan-submit"), {"source": unread, "act": "submit"})
    for answer in (response, submitted):
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert "large plans are being read" in words(answer)
    assert f"A{STEPS}: x" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("impatient")
def test_the_page_of_a_version_is_refused_like_its_check(driver: Driver, settings: LazySettings) -> None:
    """What has to be read again for a page is read under the same limits."""
    source = f"{LARGE}\n"
    driver.submit(source.encode())
    version = driver.reload().version
    address = reverse("plan-effect", args=[version.workflow.slug, version.number])
    readings._read.cache_clear()
    readings._previewed.cache_clear()
    client: Client = signed_in(driver.cast.approver)
    with held(settings.TURNS_DIR):
        response = client.get(address)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert client.get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("impatient")
def test_the_mcp_tool_is_refused_like_the_route(cast: Cast, settings: LazySettings) -> None:
    name = cast.builder().name
    tools = PlanTools(lambda: caller_by_name(name))
    with held(settings.TURNS_DIR), pytest.raises(Busy) as refusal:
        tools.check_plan(source=LARGE)
    result = refused(refusal.value)
    assert result.structured_content is not None
    assert result.structured_content["code"] == "busy"
    assert result.structured_content["details"]["retry_after"] > 0


def test_who_finds_the_waiting_places_taken_is_refused_at_once(tmp_path: Path) -> None:
    with held(tmp_path, 1), ExitStack() as places:
        threads = [threading.Thread(target=wait_in_vain, args=(tmp_path,)) for _ in range(1)]
        for thread in threads:
            thread.start()
        places.callback(lambda: [thread.join() for thread in threads])
        time.sleep(0.3)
        began = time.monotonic()
        with pytest.raises(Busy), turn(tmp_path, 1, 5):
            pass
        assert time.monotonic() - began < 0.2


def wait_in_vain(folder: Path) -> None:
    with pytest.raises(Busy), turn(folder, 1, 1):
        pass


def test_a_killed_process_lets_its_turn_go(tmp_path: Path) -> None:
    with held(tmp_path) as holders:
        with pytest.raises(Busy), turn(tmp_path, limits.CHECKS_AT_ONCE, 0.1):
            pass
        holders[0].kill()
        holders[0].wait()
        with turn(tmp_path, limits.CHECKS_AT_ONCE, 0.1):
            pass


def test_who_has_a_turn_needs_no_second_one(tmp_path: Path) -> None:
    with turn(tmp_path, 1, 0), turn(tmp_path, 1, 0):
        pass


@pytest.mark.django_db
def test_a_plan_that_takes_too_long_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that reads it is killed; the field and the way out are named."""
    monkeypatch.setattr(limits, "CHECK_SECONDS", 0.01)
    machine = Machine.of(cast.builder())
    status, answer = machine.post("/api/plans/check", {"source": LARGE + "\n<!-- slow -->"})
    assert (status, answer["code"], answer["details"]["field"]) == (422, "invalid-input", "source")
    assert "longer than" in answer["message"]
    assert "Split the plan" in answer["recovery"]
    page = signed_in(cast.initiator).post(
        reverse("plan-submit"), {"source": LARGE + "\n<!-- slow -->", "act": "check"}
    )
    assert page.status_code == 422
    assert "longer than" in words(page)


def test_a_function_that_hangs_is_killed() -> None:
    began = time.monotonic()
    with pytest.raises(InvalidInput, match="longer than 1 s"):
        apart(time.sleep, 1, limits.CHECK_MEMORY_BYTES, 60)
    assert time.monotonic() - began < 5


def test_a_function_that_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(InvalidInput, match="memory"):
        apart(bytearray, 20, 256 * limits.MIB, 1024 * limits.MIB)


@pytest.mark.parametrize(
    "name", ["loose chain", "circle", "unknown names", "names of threads", "file patterns"]
)
def test_a_plan_reads_the_same_in_a_process_of_its_own(name: str) -> None:
    source = HOSTILE[name][:300_000]
    alone = apart(read, limits.CHECK_SECONDS, limits.CHECK_MEMORY_BYTES, source, frozenset({"pytest"}))
    assert alone == read(source, frozenset({"pytest"}))


@pytest.mark.nightly
def test_the_worst_plans_at_once_do_not_take_the_site_down(tmp_path: Path) -> None:
    """Against a whole web server: a dozen of them together, and a page is still there within a moment."""
    assert len(WORST) < limits.PLAN_BYTES < len(WORST) * 1.3
    for web in running(tmp_path):
        web.manage("add_user", "carl", "--role", "contributor")
        secret = web.manage("create_token", "--executor", "attacker", "--user", "carl").split()[-1]
        statuses: list[int] = []
        threads = [threading.Thread(target=check_worst, args=(web, secret, n, statuses)) for n in range(12)]
        for thread in threads:
            thread.start()
        waited = []
        while any(thread.is_alive() for thread in threads):
            waited.append(web.honest())
            time.sleep(0.1)
        assert sorted(waited)[len(waited) // 2] < 2, waited
        assert max(waited) < 10, waited
        assert set(statuses) <= {200, 503}
        assert len(statuses) == 12
        assert 200 in statuses


def check_worst(web: Web, secret: str, number: int, statuses: list[int]) -> None:
    body = json.dumps({"source": f"{WORST}\n<!-- {number} -->"}).encode()
    head = f"POST /api/plans/check HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n"
    head += f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with web.open(head.encode() + body) as made:
        made.settimeout(60)
        answer = made.recv(65536)
    statuses.append(int(answer.split()[1]))
