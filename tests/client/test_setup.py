"""A repository is made known to coding agents."""

import io
import json
import stat
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.client import connection, mcp_address, setup
from orchestrator.client.__main__ import main
from orchestrator.client.clients import CLIENTS
from orchestrator.client.login import find_login
from tests.client.conftest import Call


@pytest.mark.parametrize("name", CLIENTS)
def test_the_entry_is_added_and_everything_else_stays(name: str, tmp_path: Path, capsys) -> None:
    client = CLIENTS[name]
    file = tmp_path / client.file
    file.parent.mkdir(parents=True, exist_ok=True)
    toml = file.suffix == ".toml"
    file.write_text('model = "o"  # mine\n[mcp_servers.other]\nurl = "u"\n' if toml else '{"mine": [1, 2]}')
    for _ in range(2):
        assert main(["setup", name, "--folder", str(tmp_path), "--mcp", "http://127.0.0.1:9001/mcp"]) == 0
    text = file.read_text()
    whole = tomllib.loads(text) if toml else json.loads(text)
    assert text.count("http://127.0.0.1:9001/mcp") == 1
    assert "ORCHESTRATOR_TOKEN" in text
    assert (whole["model"], "# mine" in text) == ("o", True) if toml else whole["mine"] == [1, 2]


def test_agents_md_keeps_what_others_wrote(tmp_path: Path) -> None:
    agents = tmp_path / "AGENTS.md"
    agents.write_text("# Ours\n\nBe kind.\n")
    main(["setup", "claude", "--folder", str(tmp_path)])
    agents.write_text(agents.read_text() + "\n## After\n\nStay.\n")
    once = agents.read_text()
    main(["setup", "claude", "--folder", str(tmp_path)])
    assert agents.read_text() == once
    assert once.startswith("# Ours\n\nBe kind.\n")
    assert once.count("orchestrator next") == 1


def test_a_broken_file_is_left_as_it_is(tmp_path: Path, capsys) -> None:
    (tmp_path / ".mcp.json").write_text("{broken")
    assert main(["setup", "claude", "--folder", str(tmp_path), "--mcp", "http://127.0.0.1:9/mcp"]) == 2
    assert (tmp_path / ".mcp.json").read_text() == "{broken"
    assert not (tmp_path / "AGENTS.md").exists()
    assert ".mcp.json is left as it is" in capsys.readouterr().err


def test_print_writes_nothing(tmp_path: Path, capsys) -> None:
    words = ["--mcp", "http://127.0.0.1:9/mcp", "--print"]
    assert main(["setup", "codex", "--folder", str(tmp_path), *words]) == 0
    assert list(tmp_path.iterdir()) == []
    assert "bearer_token_env_var" in capsys.readouterr().out


def test_the_token_is_kept_for_this_user_alone(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("ORCHESTRATOR_TOKEN", raising=False)
    monkeypatch.delenv("ORCHESTRATOR_URL", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("secret-1\n"))
    words = ["--url", "http://10.0.0.1:8000", "setup", "claude", "--folder", str(tmp_path), "--token"]
    assert main(words) == 0
    kept = tmp_path / "settings" / "orchestrator" / "client.toml"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    login = find_login()
    assert (login.url, login.token) == ("http://10.0.0.1:8000", "secret-1")
    capsys.readouterr()
    assert main(["token"]) == 0
    assert capsys.readouterr().out == "secret-1\n"
    assert not any("secret-1" in path.read_text() for path in tmp_path.glob("*.*"))


@pytest.fixture
def mcp_server() -> Iterator[ThreadingHTTPServer]:
    """What listens like an MCP server of ours, on a port of its own; `code` is what it answers."""

    class Unsigned(BaseHTTPRequestHandler):
        code = "not-signed-in"

        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()
            self.wfile.write(json.dumps({"code": self.code}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Unsigned)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_fr027_the_server_says_where_mcp_listens(
    call: Call, settings: Settings, mcp_server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    settings.MCP_PORT = mcp_server.server_address[1]
    told = call("setup", "claude", "--folder", str(tmp_path))
    assert (told.code, told.err) == (0, "")
    entry = json.loads((tmp_path / ".mcp.json").read_text())["mcpServers"]["orchestrator"]
    assert entry["url"] == f"http://127.0.0.1:{settings.MCP_PORT}/mcp"
    assert "Nothing answers" not in told.out


@pytest.mark.parametrize("code", ["", "something-else"], ids=["nobody", "another-server"])
def test_fr027_no_address_is_written_where_no_mcp_of_ours_answers(
    call: Call, settings: Settings, mcp_server: ThreadingHTTPServer, tmp_path: Path, code: str
) -> None:
    settings.MCP_PORT = mcp_server.server_address[1] if code else 9
    mcp_server.RequestHandlerClass.code = code
    told = call("setup", "claude", "--folder", str(tmp_path))
    assert told.code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["AGENTS.md"]
    assert f"http://127.0.0.1:{settings.MCP_PORT}/mcp does not answer from here" in told.out
    assert ".mcp.json is not written; the command `orchestrator` works without it." in told.out
    assert "reads the token from" not in told.out


def test_fr027_a_server_without_mcp_is_told_with_the_way_out(
    call: Call, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mcp_address, "USUAL", "http://127.0.0.1:9/mcp")
    settings.MCP_PORT = 0
    told = call("setup", "cursor", "--folder", str(tmp_path))
    assert "has no MCP over HTTP: start it with MCP_PORT=8765 and call again" in told.out
    assert not (tmp_path / ".cursor").exists()


def test_fr027_one_that_was_started_apart_is_found(
    call: Call, settings: Settings, monkeypatch: pytest.MonkeyPatch, mcp_server: ThreadingHTTPServer, tmp_path
) -> None:
    apart = f"http://127.0.0.1:{mcp_server.server_address[1]}/mcp"
    monkeypatch.setattr(mcp_address, "USUAL", apart)
    settings.MCP_PORT = 0
    call("setup", "cursor", "--folder", str(tmp_path))
    assert apart in (tmp_path / ".cursor/mcp.json").read_text()


def test_fr027_a_server_that_does_not_answer_is_told(alone: Path, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "secret-1")
    monkeypatch.setattr(connection, "PAUSE", 0)
    assert main(["--url", "http://127.0.0.1:9", "setup", "claude", "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "http://127.0.0.1:9 does not answer" in told
    assert "So nobody says where MCP listens" in told
    assert not (tmp_path / ".mcp.json").exists()


KEEP = ("setup", "codex", "--token", "--folder")


def test_the_token_is_kept_for_the_address_of_the_environment(alone: Path, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("sys.stdin", io.StringIO("secret-1\n"))
    assert main([*KEEP, str(tmp_path)]) == 0
    assert tomllib.loads(alone.read_text())["url"] == "http://127.0.0.1:9"


def test_a_token_that_the_server_does_not_know_is_not_kept(
    call: Call, alone: Path, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(setup, "_listens", lambda _: True)
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://testserver")
    monkeypatch.setattr("sys.stdin", io.StringIO("garbage\n"))
    told = call(*KEEP, str(tmp_path))
    assert told.code == 2
    assert "Nothing was kept: http://testserver does not take the token." in told.err
    assert not alone.exists()
    assert list(tmp_path.glob("*.md")) == []


def test_a_stored_token_goes_only_to_the_address_it_was_stored_for(alone: Path, monkeypatch) -> None:
    alone.parent.mkdir(parents=True)
    alone.write_text('url = "http://127.0.0.1:8140/"\ntoken = "secret-1"\n')
    alone.chmod(0o600)
    assert find_login("http://127.0.0.1:8140").token == "secret-1"
    assert find_login().token == "secret-1"
    assert find_login("http://elsewhere:8140").token == ""
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://127.0.0.1:8000")
    assert find_login().token == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_every_command(shell: str, capsys) -> None:
    assert main(["completion", shell]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("next", "release", "watch", "submit"))
