"""FR-027: from a clone to an agent's first claim in three commands and a minute.

What has to be downloaded is there already, as after `make venv`: how long that takes is the network's affair.
"""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import ROOT, free_port

pytestmark = pytest.mark.nightly
MINUTE = 60


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As somebody has it who cloned it; its virtual environment finds what is installed here."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True)
    (packages,) = (folder / ".venv/lib").glob("python*/site-packages")
    (packages / "installed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (folder / ".venv/.installed").touch()
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEY")}
    return plain | {
        "PORT": str(free_port()),
        "DATA_DIR": str(tmp_path / "var"),
        "DJANGO_SETTINGS_MODULE": "orchestrator.settings",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


@pytest.fixture
def run(clone: Path, environment: dict[str, str]) -> Iterator[float]:
    """The first command, `make run`; answers with when it was called."""
    began = time.monotonic()
    server = subprocess.Popen(
        ["make", "run"], cwd=clone, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        address = f"http://127.0.0.1:{environment['PORT']}/api/openapi.json"
        while not _answers(address):
            assert time.monotonic() - began < 2 * MINUTE
            time.sleep(0.2)
        yield began
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except OSError:
        return False


def test_fr027_three_commands_lead_to_the_first_claim_within_a_minute(
    clone: Path, environment: dict[str, str], run: float
) -> None:
    made = subprocess.run(
        [".venv/bin/python", "manage.py", "create_token", "--executor", "my-agent", "--user", "contributor"],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    told = environment | {
        "ORCHESTRATOR_TOKEN": made.stdout.split()[-1],
        "ORCHESTRATOR_URL": f"http://127.0.0.1:{environment['PORT']}",
    }
    claimed = subprocess.run(
        [".venv/bin/orchestrator", "next", "--wait", "20", "--json"],
        cwd=clone,
        env=told,
        capture_output=True,
        text=True,
        check=True,
    )
    took = time.monotonic() - run
    print(f"{took:.0f} s from make run to the first claim")
    claim = json.loads(claimed.stdout)["claim"]
    assert claim["attempt"]["key"] == "A1"
    assert claim["brief"]["summary"].startswith("A1: Borrow two scanners")
    # A minute of a machine that does nothing else.
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    assert took < MINUTE * max(1.0, busy)
