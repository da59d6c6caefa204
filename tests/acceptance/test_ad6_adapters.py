"""AD-6: one interface for every tool: an address that the operator named, and a person's own hands."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from orchestrator.adapters.registry import registered, that_run
from orchestrator.adapters.tool import Job, Result
from orchestrator.client.agent import find_agent
from orchestrator.client.login import Misconfigured
from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import ExecutorKind
from orchestrator.processes.local_executor import LocalExecutor
from tests.acceptance.lanes import make_repository
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

PLAN = b"""---
repository: sample
---
# Plan: Bell

## Stages

### Stage 1: Ring

##### Batch 01: bell

###### Thread 01: bell
- P1: Press the bell
  - Tool: human
  - Run: Press it twice, and listen
  - Exit: it rings
- H1: Tell the house
  - Tool: http
  - Run: house bell
  - Exit: the house knows
"""


class House(BaseHTTPRequestHandler):
    """Answers as it is told to, and keeps what it was sent."""

    sent: list[dict[str, Any]] = []
    answers: list[tuple[int, str]] = []
    tokens: list[str] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.sent.append(json.loads(body))
        self.tokens.append(self.headers.get("Authorization", ""))
        status, text = self.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def house(settings: Settings) -> Iterator[type[House]]:
    server = HTTPServer(("127.0.0.1", 0), House)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    House.sent, House.answers, House.tokens = [], [], []
    settings.HTTP_ENDPOINTS = {"house": f"http://127.0.0.1:{server.server_port}/bell"}
    settings.HTTP_TOKENS = {"house": "open-sesame"}
    yield House
    server.shutdown()
    server.server_close()


def asked(run: str, folder: Path, **more: Any) -> Result:
    return registered()["http"].run(Job(directory=folder, state=folder, run=run, **more))


def test_ad6_http_asks_the_named_endpoint_and_its_answer_is_the_evidence(
    house: type[House], tmp_path: Path
) -> None:
    house.answers.append((200, "ringing\nThe bell rang twice."))
    told = asked("house bell twice", tmp_path, environment={"STEP_KEY": "H1", "STEP_COMMIT": "abc"})
    assert (told.ok, told.exit_code) == (True, 0)
    assert told.summary == "http house bell twice: 200; The bell rang twice."
    assert house.sent == [
        {"step": "H1", "attempt": "", "commit": "abc", "words": ["bell", "twice"], "answer": ""}
    ]
    assert house.tokens == ["Bearer open-sesame"]


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (500, "boom", "500; boom"),
        (302, "elsewhere", "302; elsewhere"),
        (200, '{"outcome": "failed", "said": "No bell."}', "No bell."),
    ],
)
def test_ad6_http_fails_where_the_endpoint_says_so(
    house: type[House], tmp_path: Path, status: int, text: str, said: str
) -> None:
    house.answers.append((status, text))
    told = asked("house", tmp_path)
    assert not told.ok
    assert said in told.error


def test_ad6_http_asks_a_person_and_hands_the_answer_on(house: type[House], tmp_path: Path) -> None:
    house.answers += [(200, '{"outcome": "ask", "said": "Which bell?"}'), (200, "Done.")]
    assert asked("house", tmp_path).question == "Which bell?"
    assert asked("house", tmp_path, answer="The left one").ok
    assert house.sent[1]["answer"] == "The left one"


def test_ad6_http_stops_when_the_run_is_no_longer_wanted(settings: Settings, tmp_path: Path) -> None:
    silent = HTTPServer(("127.0.0.1", 0), House)  # nobody serves: the connection stands and says nothing
    settings.HTTP_ENDPOINTS = {"house": f"http://127.0.0.1:{silent.server_port}/"}
    assert asked("house", tmp_path, cancelled=lambda: True).cancelled
    told = asked("house", tmp_path, timeout=0.3)
    assert "did not answer within" in told.error
    silent.server_close()


def test_ad6_a_plan_names_an_endpoint_and_never_an_address(house: type[House], tmp_path: Path) -> None:
    for run in ("", "elsewhere", "http://127.0.0.1/"):
        with pytest.raises(InvalidInput) as refused:
            asked(run, tmp_path)
        assert "(house)" in refused.value.message


@pytest.mark.django_db(transaction=True)
def test_ad6_a_person_s_step_is_offered_to_people_and_the_next_one_to_a_tool(
    driver: Driver, settings: Settings, house: type[House]
) -> None:
    make_repository(settings.REPOSITORIES_DIR / "sample")
    driver.start(PLAN)
    assert "human" not in that_run()
    agent, tool = driver.cast.builder("agent"), driver.cast.builder("tool", ExecutorKind.TOOL)
    for one in (agent, tool):
        assert Machine.of(one).post("/api/next", {})[1]["claim"] is None
    runner = LocalExecutor(tool, driver.tick, lambda: False)
    assert not runner.turn()
    page = words(signed_in(driver.cast.contributor).get("/"))
    assert "P1" in page
    hands = driver.cast.builder("hands", ExecutorKind.PERSON)
    claim = Machine.of(hands).post("/api/next", {})[1]["claim"]
    assert claim["attempt"]["key"] == "P1"
    asked_for = {one["id"]: "it rang" for one in claim["criteria"] if one["asked"]}
    done = {"token": claim["token"], "outcome": "Pressed twice.", "evidence": asked_for}
    assert Machine.of(hands).post(f"/api/attempts/{claim['attempt']['id']}/complete", done)[0] == 200
    assert driver.task("P1").proof == "asserted"
    driver.advance()
    house.answers.append((200, "The house knows."))
    assert runner.turn()
    assert driver.attempt("H1").outcome == "http house bell: 200; The house knows."
    assert (driver.task("H1").status, driver.task("H1").proof) == ("complete", "proved")
    assert len(house.sent[0]["commit"]) == 40


def test_ad6_the_generic_agent_is_any_program() -> None:
    with pytest.raises(Misconfigured, match="--command"):
        find_agent("generic")
    for command, prompt in (("mine -q", "stdin"), ("mine '{prompt}'", "argument"), ("mine {file}", "file")):
        assert find_agent("generic", command=command).prompt == prompt
    spaced = find_agent("", command="'/a b/mine' '{prompt}'")
    assert (spaced.name, spaced.words("Do it.", Path("x"))) == ("generic", ["/a b/mine", "Do it."])
