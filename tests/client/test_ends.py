"""How calls end when no server, no token or no reader is there."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.client import connection
from orchestrator.client.__main__ import main
from tests.cast import Driver
from tests.client.conftest import Call


def test_no_server_is_told_apart_from_a_refusal(alone: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "x")
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert main(["--url", "http://127.0.0.1:9", "mine"]) == 4
    assert "http://127.0.0.1:9 does not answer" in capsys.readouterr().err


def test_without_a_token_the_way_out_is_named(alone: Path, capsys) -> None:
    assert main(["mine"]) == 2
    told = capsys.readouterr().err
    assert "create_token" in told
    assert str(alone) in told


def test_a_wrong_token_is_refused_in_a_sentence(call: Call, driver: Driver, monkeypatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "wrong")
    told = call("mine")
    assert told.code == 1
    assert "token" in told.err


@pytest.mark.parametrize("token", ["a\nb", "a b", "ä", 'a"b'])
def test_what_is_no_token_is_said(alone: Path, monkeypatch, capsys, tmp_path: Path, token: str) -> None:
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    assert main(["--token-file", str(file), "mine"]) == 2
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", token)
    assert main(["mine"]) == 2
    assert capsys.readouterr().err.count("The token is not one line of plain letters") == 2


def test_a_file_without_an_end_is_not_read(alone: Path, capsys) -> None:
    assert main(["--token-file", "/dev/zero", "mine"]) == 2
    assert "/dev/zero has more than 10,000 bytes" in capsys.readouterr().err


def test_only_files_are_handed_over(call: Call, driver: Driver, tmp_path: Path) -> None:
    driver.start()
    call("next")
    os.mkfifo(tmp_path / "pipe")
    for name in ("/dev/zero", str(tmp_path / "pipe")):
        told = call("done", "Made it.", "--output", name)
        assert (told.code, f"{name} is no file that can be handed over" in told.err) == (2, True)


def test_settings_that_others_may_read_are_not_used(alone: Path, capsys) -> None:
    alone.parent.mkdir(parents=True)
    alone.write_text('token = "x"\n')
    alone.chmod(0o644)
    assert main(["mine"]) == 2
    assert f"chmod 600 {alone}" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8000", "file:///etc/passwd", "http://"])
def test_only_a_server_is_called(alone: Path, monkeypatch, capsys, url: str) -> None:
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "x")
    assert main(["--url", url, "mine"]) == 2
    assert url in capsys.readouterr().err


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    call: Call, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is lost behind the server; the second call is answered from the key (AD-7)."""
    driver.start()
    monkeypatch.setattr(time, "sleep", lambda _: None)
    answer, keys = connection.Connection._answer, []

    def lossy(self, request, seconds):
        said = answer(self, request, seconds)
        if request.get_method() == "POST":
            keys.append(request.get_header("Idempotency-key"))
            if len(keys) == 1:
                raise connection.Unreachable("lost")
        return said

    monkeypatch.setattr(connection.Connection, "_answer", lossy)
    assert call("next").code == 0
    assert keys[0] == keys[1] != ""
    assert driver.reload().tasks.filter(status="active").count() == 1


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    client = f"{sys.executable} -m orchestrator.client"
    program = f"{client} --help; {client} completion fish"
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"({program}) | true"],
        cwd=root,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
