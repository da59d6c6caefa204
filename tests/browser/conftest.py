"""Real Chromium against the product as `make run` starts it."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PASSWORD = "only-for-this-test"
# The browser's driver leaves an event loop running in this thread, which Django otherwise takes for async
# code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

SignIn = Callable[[str], Any]
OpenAs = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = None
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing = "playwright is not installed: make test-browser installs it"
    if CHROMIUM is None:
        missing = "there is no Chromium; on Debian: apt-get install chromium"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": CHROMIUM, "args": [*quiet, *root]}


@dataclass
class Product:
    """The running product: `url` without a slash at the end, its data, and how to run its commands."""

    url: str
    data: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]

    def manage(self, *arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            [str(ROOT / ".venv/bin/python"), "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """`make run`, waited for, and stopped as Ctrl-C does; nothing of it may be left over."""
    data, port = tmp_path_factory.mktemp("product"), _free_port()
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    environment |= {"PORT": str(port), "DATA_DIR": str(data), "DEMO_PASSWORD": PASSWORD}
    with (data / "make-run.log").open("w") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    started = Product(f"http://127.0.0.1:{port}", data, environment, process)
    try:
        _wait_until_up(started, data / "make-run.log")
        yield started
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)
    assert _left_over(data) == []


@pytest.fixture
def sign_in(browser: Any, product: Product) -> Iterator[SignIn]:
    """Sign in as a demo account in a context of its own; answers with the page, on the inbox."""
    contexts = []

    def signed_in(name: str) -> Any:
        context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Inbox").wait_for()
        return page

    yield signed_in
    for context in contexts:
        context.close()


@pytest.fixture
def open_as(browser: Any, live_server: Any) -> Iterator[OpenAs]:
    """Open pages of Django's live server as a user, with JavaScript or without; no supervisor, no queue."""
    contexts = []

    def opened(user: Any, script: bool = True) -> Any:
        client = Client()
        client.force_login(user)
        context = browser.new_context(
            java_script_enabled=script, base_url=live_server.url, viewport={"width": 1280, "height": 900}
        )
        contexts.append(context)
        context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(product: Product, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert product.process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(product.url + "/accounts/login/", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def _left_over(data: Path) -> list[str]:
    """Processes that still carry this DATA_DIR in their environment."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if (
                f"DATA_DIR={data}\0".encode() in environ.read_bytes()
                and int(environ.parent.name) != os.getpid()
            ):
                found.append((environ.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
