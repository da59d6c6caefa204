"""FR-012, AD-6: what a run on this machine prints is read in the browser while it runs, never much of it."""

import sys
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from orchestrator.adapters import process
from orchestrator.adapters.live_log import FILES, KEPT, LiveLog, log_end
from orchestrator.adapters.tool import Job
from tests.cast import Driver
from tests.web.pages import htmx, signed_in, words


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RUN_LOGS_DIR = tmp_path / "runs"
    return Path(settings.RUN_LOGS_DIR)


def test_fr012_the_page_of_a_running_step_follows_its_log(driver: Driver, folder: Path) -> None:
    driver.start()
    driver.claim("A1")
    page, log = (reverse(name, args=[driver.reload().uuid, "A1"]) for name in ("task", "task-log"))
    client = signed_in(driver.cast.observer)
    assert log not in client.get(page).content.decode(), "nothing runs here"
    written = LiveLog(folder, driver.attempt("A1").pk)
    written.add(b"collected 3 items\n\x1b[32mgreen\x1b[0m <b>\x00\n")
    assert log in client.get(page).content.decode()
    part = client.get(log, **htmx("log"))
    assert "collected 3 items\ngreen &lt;b&gt;\n" in part.content.decode()
    again = part.content.decode().partition('hx-get="')[2].partition('"')[0]
    assert "every 2s" in part.content.decode()
    assert client.get(again, **htmx("log")).status_code == 204, "nothing new"
    written.add(b"3 passed\n")
    assert "3 passed" in words(client.get(again, **htmx("log")))
    assert "Run of A1" in words(client.get(log)), "a page where no script runs"
    driver.complete("A1")
    over = client.get(again, **htmx("log"))
    assert "What its last run printed; it is over" in words(over)
    assert "What its last run printed" in words(client.get(page))
    assert "3 passed" in words(client.get(log)), "afterwards too"
    assert "hx-trigger" not in over.content.decode(), "it is asked no more"


def test_fr012_no_secret_is_shown(driver: Driver, folder: Path) -> None:
    driver.start()
    driver.claim("A1")
    secret = "ghp_" + "0aB1cD2eF3gH4iJ5kL6m" + "N7oP8qR9sT0uV1wX"
    LiveLog(folder, driver.attempt("A1").pk).add(f"token {secret}\n".encode() + b"x" * (KEPT - 20) + b"\n")
    log = reverse("task-log", args=[driver.reload().uuid, "A1"])
    shown = signed_in(driver.cast.observer).get(log).content.decode()
    assert secret[-10:] not in shown, "not even the half that the cut left"
    assert "xxx" in shown


def test_fr009_no_part_of_a_secret_is_written_to_the_log_of_a_tool(folder: Path) -> None:
    log = LiveLog(folder, 7, lambda text: text.replace("open-sesame", "[masked]"))
    for part in (b"it is open-", b"sesame here\nthen -----BEGIN KEY-----\nopen-sesame\n", b"open-se"):
        log.add(part)
        assert b"open" not in log.path.read_bytes()
    log.add(b"same\n-----END KEY-----\nend\n")
    text = "it is [masked] here\nthen -----BEGIN KEY-----\n[masked]\n[masked]\n-----END KEY-----\nend\n"
    assert log_end(folder, 7) == text


def test_fr012_a_full_disk_keeps_nobody_from_working(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    LiveLog(folder, 7).add(b"lost")
    assert log_end(folder, 7) == ""


def test_fr012_the_log_of_a_coding_agent_is_found_too(driver: Driver, folder: Path) -> None:
    folder.mkdir()
    (folder / "A1-7.log").write_text("thinking …\n")
    assert (log_end(folder, 7), log_end(folder, 17)) == ("thinking …\n", "")


def test_fr012_a_tool_is_heard_while_it_runs(folder: Path, tmp_path: Path, settings: Settings) -> None:
    settings.TOOLS_SANDBOX = "off"
    log = LiveLog(folder, 1)
    seen: list[str] = []

    def heard() -> bool:
        seen.append(log_end(folder, 1))
        return "begun" in seen[-1]

    text = "import time; print('begun', flush=True); time.sleep(60)"
    job = Job(directory=tmp_path, state=tmp_path, run="", cancelled=heard, printed=log.add)
    assert process.run([sys.executable, "-c", text], job).stopped == "cancelled"
    assert seen[-1] == "begun\n"


def test_fr012_logs_stay_small_and_few(folder: Path) -> None:
    log = LiveLog(folder, 1)
    for _ in range(50):
        log.add(b"x" * 10_000)
    log.add(b"the end\n")
    assert log.path.stat().st_size <= 2 * KEPT
    assert log_end(folder, 1).endswith("xthe end\n")
    for number in range(2, FILES + 10):
        LiveLog(folder, number)
    assert len(list(folder.iterdir())) == FILES
    assert oct(folder.stat().st_mode)[-3:] == "700"
