"""The command line, called as from a shell; its HTTP ends in this process."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.request import HTTPHandler, Request, build_opener
from urllib.response import addinfourl

import pytest
from django.test import Client

from orchestrator.client import login
from orchestrator.client.__main__ import main
from tests.cast import Driver
from tests.machines import secret_of

#: The test client says them itself.
NOT_OURS = {"host", "content-length"}


class InThisProcess(HTTPHandler):
    """Answers HTTP by Django's own test client, as a server would."""

    def http_open(self, request: Request) -> addinfourl:
        headers = {name.lower(): value for name, value in request.header_items()}
        answer = Client(enforce_csrf_checks=True).generic(
            request.get_method(),
            request.selector,
            request.data or b"",
            content_type=headers.pop("content-type", "application/json"),
            headers={
                name: value for name, value in headers.items() if name not in ("host", "content-length")
            },
        )
        told = Message()
        for name, value in answer.items():
            told[name] = value
        reply = addinfourl(io.BytesIO(answer.content), told, request.full_url, answer.status_code)
        reply.msg = answer.reason_phrase  # type: ignore[attr-defined]
        return reply


@dataclass(frozen=True)
class Said:
    """What a call printed, and how it ended."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], driver: Driver, tmp_path_factory
) -> Call:
    """`call("next", "--json")`, signed in as builder-1."""
    monkeypatch.setattr(login, "new_opener", lambda: build_opener(InThisProcess()))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", secret_of(driver.cast.builder()))
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://testserver")

    def called(*words: str) -> Said:
        capsys.readouterr()
        try:
            code = main(words)
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        told = capsys.readouterr()
        return Said(code, told.out, told.err)

    return called


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's settings, where nothing is set."""
    for name in ("ORCHESTRATOR_TOKEN", "ORCHESTRATOR_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "orchestrator" / "client.toml"
