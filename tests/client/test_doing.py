"""A coding agent does steps through `orchestrator work` (AD-6, FR-027). A stub stands in for it."""

import json
import signal
import sys
import threading
import time
from pathlib import Path
from urllib.request import Request

import pytest

from orchestrator.client import connection, doing
from orchestrator.client.agent import find_agent
from orchestrator.client.offspring import descendants
from orchestrator.client.printed import whole_lines
from orchestrator.models import Attempt
from orchestrator.services.people.interventions import clear_human_flag
from tests.cast import PLAN, Driver
from tests.client.conftest import Call

#: Edits a file, and proves whatever the brief asks for.
STUB = """
import os, pathlib, re, sys
brief = sys.stdin.read()
if {asks!r} and "The answer:" not in brief:
    print("ASK: " + {asks!r}); sys.exit()
pathlib.Path("made.txt").write_text(brief + repr(sorted(os.environ)))
print("thinking …")
for pk in re.findall(r"^  (\\d+): ", brief, re.M):
    print(f"PROOF {{pk}}: pytest said 3 passed")
print("Made the file, by hand.")
sys.exit({code})
"""

#: Four threads of one step each.
WIDE = PLAN[: PLAN.index(b"###### Thread 01")] + b"".join(
    b"###### Thread 0%d: t%d\n- Role: contributor\n- S%d: Step %d\n  - Exit: done\n\n" % (n, n, n, n)
    for n in range(1, 5)
)

#: What two of the agents print: events, one a line; and words for people, with lines about the program.
OPENCODE = """{"type":"step_start","part":{"type":"step-start"}}
{"type":"tool_use","part":{"type":"tool","state":{"output":"3 passed"}}}
{"type":"step_finish","part":{"tokens":{"input":7,"output":2,"reasoning":1,"cache":{"write":40,"read":0}},"cost":0.01}}
! permission requested: bash (rm *); auto-rejecting
{"type":"text","part":{"type":"text","text":"PROOF 7: ran it\\nAll green.","time":{"end":2}}}
{"type":"step_finish","part":{"tokens":{"input":3,"output":4,"reasoning":0,"cache":{"write":0,"read":50}},"cost":0.005}}
{"type":"done","reason":"idle","rejected":["bash"]}
"""
AIDER = """Aider v0.86.1
Main model: anthropic/claude-sonnet-4 with diff edit format
Weak model: anthropic/claude-haiku-4

Some talk.
Tokens: 2.3k sent, 512 received. Cost: $0.01 message, $0.01 session.
Applied edit to prices.py
PROOF 7: ran it
All green.

Tokens: 11k sent, 1.2k cache write, 9.8k cache hit, 1,204 received.
Cost: $0.0035 message, $0.01
session.
Applied edit to prices.py
"""


@pytest.fixture
def stub(tmp_path: Path):
    def made(asks: str = "", code: int = 0) -> list[str]:
        program = tmp_path / "stub.py"
        program.write_text(STUB.format(asks=asks, code=code))
        return [
            "--command",
            f"{sys.executable} {program}",
            "--folder",
            str(tmp_path),
            "--log",
            str(tmp_path / "logs"),
        ]

    return made


def test_fr009_what_an_agent_was_given_alone_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, call: Call, driver: Driver, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOP_LOGIN", "open-sesame")
    driver.start()
    program = tmp_path / "prints.py"
    program.write_text("import os; print('it is', os.environ['SHOP_LOGIN']); raise SystemExit(1)")
    more = ["--env", "SHOP_LOGIN", "--folder", str(tmp_path), "--command", f"{sys.executable} {program}"]
    told = call("work", "--once", "--log", str(tmp_path), *more)
    key = told.out.split(":")[0]
    assert "it is [masked SHOP_LOGIN]" in driver.attempt(key).error
    (log,) = tmp_path.glob("*.log")
    assert log.read_text() == "it is [masked SHOP_LOGIN]\n"
    assert oct(log.stat().st_mode)[-3:] == "600"


def test_ad6_a_step_is_done_by_a_program_that_reads_the_brief(
    call: Call, driver: Driver, stub, tmp_path
) -> None:
    driver.start()
    told = call("work", "--once", *stub())
    assert (told.code, told.err) == (0, "")
    key = told.out.split(":")[0]
    attempt = driver.attempt(key)
    assert (attempt.status, attempt.outcome) == ("completed", "Made the file, by hand.")
    assert {check.evidence for check in attempt.checks.all()} == {"pytest said 3 passed"}
    assert "thinking …" in (tmp_path / "logs" / f"{key}-{attempt.pk}.log").read_text()


def test_ad6_the_agent_is_given_no_token_of_ours(call: Call, driver: Driver, stub, tmp_path) -> None:
    driver.start()
    call("work", "--once", *stub())
    made = (tmp_path / "made.txt").read_text()
    assert "ORCHESTRATOR_TOKEN" not in made
    assert "'PATH'" in made


def test_ad6_work_counts_though_its_agent_prints_an_impossible_usage(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    driver.start()
    program = tmp_path / "boasts.py"
    program.write_text(
        "import re, sys\n"
        "for pk in re.findall(r'^  (\\d+): ', sys.stdin.read(), re.M): print(f'PROOF {pk}: ran')\n"
        "print('Used 900000000000 tokens.')\nprint('All of it.')\n"
    )
    agents = tmp_path / "agents.toml"
    command = json.dumps([sys.executable, str(program)])
    agents.write_text(
        f'[boaster]\ncommand = {command}\nprompt = "stdin"\nanswer = "text"\n'
        "usage = { tokens_in = 'Used ([0-9]+) tokens' }\n"
    )
    more = ["--agents", str(agents), "--agent", "boaster", "--folder", str(tmp_path)]
    told = call("work", "--once", "--log", str(tmp_path), *more)
    assert told.code == 0, told
    assert "cannot have used more than" in told.out
    attempt = driver.attempt(told.out.split(":")[0])
    assert (attempt.status, attempt.used.tokens_in) == ("completed", 0)


def test_ad6_an_agent_that_fails_fails_the_attempt_with_its_log(call: Call, driver: Driver, stub) -> None:
    driver.start()
    key = call("work", "--once", *stub(code=3)).out.split(":")[0]
    error = driver.attempt(key).error
    assert "exit code 3" in error
    assert "thinking …" in error


def test_ad6_a_program_that_proves_nothing_completes_nothing(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    driver.start()
    told = call("work", "--once", "--command", "true", "--folder", str(tmp_path))
    assert told.code == 3
    assert "did not say how it proved" in driver.attempt(told.out.split(":")[0]).error


def test_ad6_a_question_waits_for_a_person_and_the_answer_is_given(
    call: Call, driver: Driver, stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()

    def answer(_: float) -> None:
        person = driver.cast.actor("reviewer")
        for task in driver.reload().tasks.filter(needs_human=True):
            clear_human_flag(task_id=task.pk, answer="Half up.", actor=person, now=driver.tick())

    monkeypatch.setattr(doing.time, "sleep", answer)
    told = call("work", "--once", *stub(asks="Which rounding?"))
    attempt = driver.attempt(told.out.split(":")[0])
    assert attempt.status == "completed"
    assert attempt.task.interventions.get().note == "Which rounding?"


def test_ad6_one_that_never_ends_is_ended_with_all_that_it_started(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    driver.start()
    program = tmp_path / "long.py"
    program.write_text("import subprocess, time; subprocess.Popen(['sleep', '300']); time.sleep(300)")
    begun = time.monotonic()
    told = call(
        "work",
        "--once",
        "--minutes",
        "0.01",
        "--folder",
        str(tmp_path),
        "--command",
        f"{sys.executable} {program}",
    )
    assert time.monotonic() - begun < 60
    assert "did not end within" in driver.attempt(told.out.split(":")[0]).error


def test_ad6_a_worker_that_is_stopped_gives_the_step_back(call: Call, driver: Driver, tmp_path: Path) -> None:
    driver.start()
    threading.Timer(3, lambda: signal.raise_signal(signal.SIGTERM)).start()
    before = signal.getsignal(signal.SIGTERM)
    try:
        told = call("work", "--folder", str(tmp_path), "--command", "sleep 300")
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert told.code == 3
    assert driver.reload().tasks.filter(status="active").count() == 0


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("claude", '{"type": "result", "result": "PROOF 7: ran it\\nAll green.", "is_error": false}'),
        (
            "codex",
            '{"item": {"text": "first"}}\n{"item": {"text": "PROOF 7: ran it\\nAll green."}}\n{"usage": {}}',
        ),
        ("gemini", 'Loaded.\n{"response": "PROOF 7: ran it\\nAll green."}'),
        ("opencode", OPENCODE),
        ("aider", AIDER),
    ],
)
def test_ad6_the_last_words_of_each_known_agent_are_found(name: str, output: str) -> None:
    ending = find_agent(name).ending(output)
    assert (ending.outcome, dict(ending.proofs), ending.question) == ("All green.", {"7": "ran it"}, "")


def test_ad6_three_quick_failures_in_a_row_end_the_worker(call: Call, driver: Driver, tmp_path: Path) -> None:
    """It is not the steps: nothing more is taken that a person would have to queue again."""
    driver.start(WIDE)
    told = call("work", "--folder", str(tmp_path), "--command", "false")
    assert told.code == 2
    assert "Nothing came of 3 steps in a row" in told.err
    assert told.err.count("generic ended with exit code 1.") == 3
    assert Attempt.objects.filter(status="failed").count() == 3


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "1e99", "inf", "soon"])
def test_ad6_only_a_time_that_can_be_is_taken(call: Call, driver: Driver, minutes: str) -> None:
    told = call("work", "--minutes", minutes, "--command", "true")
    assert told.code == 2
    assert "is no number of minutes" in told.err


def test_ad6_why_a_step_failed_is_printed(call: Call, driver: Driver, tmp_path: Path) -> None:
    driver.start()
    told = call("work", "--once", "--folder", str(tmp_path), "--command", "false")
    assert "fail (generic ended with exit code 1.)" in told.out
    assert told.out.endswith("failed: generic ended with exit code 1.\n")


def test_ad6_a_step_without_a_repository_needs_no_folder(call: Call, driver: Driver, stub) -> None:
    driver.start()
    words = stub()
    del words[words.index("--folder") : words.index("--folder") + 2]
    told = call("work", "--once", *words)
    assert (told.code, "The plan has no repository" in told.out) == (0, True)


def test_ad6_an_unknown_agent_is_named_with_those_that_there_are(call: Call, driver: Driver) -> None:
    told = call("work", "--agent", "nobody")
    assert told.code == 2
    assert "aider, claude, codex" in told.err


def test_ad6_more_agents_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    file.write_text('[mine]\ncommand = ["mine", "{prompt}"]\nprompt = "argument"\nneeds = ["MINE"]\n')
    mine = find_agent("mine", str(file))
    assert mine.words("the brief", file) == ["mine", "the brief"]
    assert mine.environment({"MINE": "1", "OTHER": "2", "PATH": "p"}) == {"PATH": "p", "MINE": "1"}


def test_ad6_a_step_that_was_taken_away_ends_the_run(
    call: Call, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent of a step that a person declared failed does not go on."""
    driver.start()
    monkeypatch.setattr(doing, "LOOK", 0)
    real = doing.Worker._why_stop

    def declared(worker: doing.Worker, held: doing.HeldStep) -> str:
        if said := real(worker, held):
            return said
        driver.fail(held.key)
        return real(worker, held)

    monkeypatch.setattr(doing.Worker, "_why_stop", declared)
    told = call("work", "--once", "--folder", str(tmp_path), "--command", "sleep 300")
    assert told.code == 3
    assert "Stop work on this attempt" in told.out


def test_ad6_a_step_that_is_still_held_is_let_run(
    call: Call, driver: Driver, stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    monkeypatch.setattr(doing, "LOOK", 0)
    assert call("work", "--once", *stub()).code == 0


def test_ad7_what_was_done_is_handed_over_when_the_server_is_back(
    call: Call, driver: Driver, stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    answer, lost = connection.Connection._answer, []

    def away(self: connection.Connection, request: Request, seconds: float) -> object:
        if request.full_url.endswith("/complete") and len(lost) < 5:
            lost.append(request.get_header("Idempotency-key"))
            raise connection.Unreachable("The server does not answer.")
        return answer(self, request, seconds)

    monkeypatch.setattr(connection.Connection, "_answer", away)
    monkeypatch.setattr(connection.time, "sleep", lambda _: None)
    told = call("work", "--once", *stub())
    assert told.out.count("It is tried again.") == 1
    assert driver.attempt(told.out.split(":")[0]).status == "completed"
    assert len(set(lost)) == 1


def test_a_worker_that_takes_one_step_does_not_wait_for_a_server(
    call: Call, driver: Driver, stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise connection.Unreachable("The server does not answer.")

    monkeypatch.setattr(connection.Connection, "_answer", away)
    monkeypatch.setattr(connection.time, "sleep", lambda _: None)
    assert call("work", "--once", *stub()).code == 4


def test_ad6_an_agent_that_is_not_installed_takes_no_step(
    call: Call, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.start()
    monkeypatch.setenv("PATH", "/nowhere")
    told = call("work", "--agent", "claude")
    assert (told.code, "claude is not installed here" in told.err) == (2, True)
    assert driver.reload().tasks.filter(status="active").count() == 0


def test_ad6_a_program_that_cannot_be_started_fails_no_step(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    """It would fail one step after another."""
    driver.start()
    told = call("work", "--folder", str(tmp_path), "--command", "./agent.sh")
    assert (told.code, "could not be started" in told.err) == (2, True)
    assert not Attempt.objects.filter(status="failed").exists()
    assert Attempt.objects.filter(status="cancelled").count() == 1


def test_ad6_what_an_agent_started_ends_with_it_wherever_it_went(
    call: Call, driver: Driver, tmp_path: Path
) -> None:
    driver.start()
    program = tmp_path / "leaves.sh"
    program.write_text(f"setsid sleep 300 & echo $! > {tmp_path}/pid; exit 1")
    before = descendants()
    call("work", "--once", "--folder", str(tmp_path), "--command", f"sh {program}")
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert descendants() <= before


def test_fr009_no_part_of_a_secret_is_written_before_its_line_is_whole() -> None:
    assert whole_lines(b"a\nit is open-") == (b"a\n", b"it is open-")
    key = b"-----BEGIN KEY-----\nabc\n"
    assert whole_lines(b"a\n" + key) == (b"a\n", key)
    assert whole_lines(key + b"-----END KEY-----\nb") == (key + b"-----END KEY-----\n", b"b")
    long = b"x" * 2_000_000
    assert len(whole_lines(long)[1]) == 10_000


def test_ad6_a_worker_waits_for_a_workstream_that_is_not_there_yet(
    call: Call, driver: Driver, stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`serve` starts the workers of executors.toml, which may name what is submitted later."""
    asked = []

    def later(server: object, wanted: dict[str, object], wait: int) -> dict[str, object]:
        asked.append(wanted["workstream"])
        if len(asked) < 3:
            return real(server, wanted, wait)
        signal.raise_signal(signal.SIGTERM)
        return {"claim": None}

    real = doing.take_next
    monkeypatch.setattr(doing, "take_next", later)
    monkeypatch.setattr(doing.time, "sleep", lambda _: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        told = call("work", "--workstream", "refunds-of-tomorrow", *stub())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told.out.count("There is no workstream 'refunds-of-tomorrow'.") == 1
    assert len(asked) == 3
    assert told.code == 3
