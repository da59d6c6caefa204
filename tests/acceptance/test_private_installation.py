"""What an operator sets, on whole installations: private files, TLS behind a proxy, another secret key
(FR-011).
"""

import http.client
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from orchestrator.management.private_data import narrow
from tests.acceptance.installation import ROOT, Installation, wait_for

HTTPS = {"X-Forwarded-Proto": "https", "Host": "127.0.0.1"}
WITH_TLS = {
    "TLS": "1",
    "TLS_PROXY_HEADER": "X-Forwarded-Proto",
    "ALLOWED_HOSTS": "plans.example.org,127.0.0.1",
}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> list[str]:
    """Files that an account of the machine that is neither ours nor root could come to."""
    if not mode(folder) & 0o077:
        return []
    return [str(path) for path in [folder, *folder.iterdir()] if mode(path) & 0o077]


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """As an earlier version left it: everybody may read."""
        folder = tmp_path / "data"
        for name in (
            "orchestrator.sqlite3",
            "secret-key",
            "logs/web.log",
            "workspace/PLAN.md",
            "orchestrator.sqlite3-wal",
        ):
            (folder / name).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            (folder / name).write_text("x")
            (folder / name).chmod(0o664)
        for path in (folder, folder / "logs", folder / "workspace"):
            path.chmod(0o755)
        return folder

    def test_wider_ones_are_narrowed(self, folder: Path) -> None:
        assert len(narrow(folder)) == 7
        assert mode(folder) == mode(folder / "workspace") == mode(folder / "logs") == 0o700
        for name in ("orchestrator.sqlite3", "orchestrator.sqlite3-wal", "secret-key", "logs/web.log"):
            assert mode(folder / name) == 0o600, name
        assert narrow(folder) == []

    def test_links_are_left_alone(self, folder: Path, tmp_path: Path) -> None:
        elsewhere = tmp_path / "shared"
        elsewhere.mkdir()
        elsewhere.chmod(0o755)
        (folder / "repositories").symlink_to(elsewhere)
        narrow(folder)
        assert mode(elsewhere) == 0o755


@pytest.mark.installation
class TestInstallation:
    @pytest.fixture
    def installation(self, tmp_path: Path) -> Iterator[Installation]:
        folder = tmp_path / "data"
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "orchestrator.sqlite3").touch(0o644)
        (folder / "secret-key").write_text(
            "made by an earlier version that let every account of the machine read it"
        )
        (folder / "secret-key").chmod(0o644)
        os_mask = os.umask(0o022)
        try:
            with Installation(folder, executors=1) as installation:
                yield installation
        finally:
            os.umask(os_mask)

    def test_files_are_private_and_another_key_and_tls_lock_nobody_out(
        self, installation: Installation
    ) -> None:
        self.everything_is_private(installation)
        assert self.get(installation, "/accounts/login/", Host="testserver")[0] == 400
        said = installation.manage("create_token", "--executor", "agent-7", "--user", "contributor").stdout
        secret = re.search(r"pteo_\S+", said)
        assert secret, said
        cookies = self.signed_in(installation)
        installation.stop()
        earlier = (installation.folder / "secret-key").read_text()
        installation.environment |= {"SECRET_KEY": "newer " * 12, "SECRET_KEY_FALLBACKS": earlier} | WITH_TLS
        installation.start()
        assert self.get(installation, "/api/tasks/", Authorization=f"Bearer {secret[0]}")[0] == 200
        assert self.get(installation, "/plans/", Cookie=cookies)[0] == 302, "it went over plain HTTP"
        session = cookies[cookies.index("sessionid=") :]
        status, headers = self.get(installation, "/plans/", Cookie=f"__Host-{session}")
        assert status == 200, "the session goes on with another key"
        self.tls_is_kept_to(installation, headers)
        self.everything_is_private(installation)

    def everything_is_private(self, installation: Installation) -> None:
        folder = installation.folder
        wait_for((folder / "workspace" / ".git").exists, 60, installation.said)
        assert mode(folder) == 0o700
        assert open_to_others(folder) == []
        for name in ("orchestrator.sqlite3", "secret-key", "logs/web.log", "logs/queue.log", "run/web.pid"):
            assert mode(folder / name) == 0o600, name
        for name in ("workspace", "logs", "run", "repositories"):
            assert mode(folder / name) == 0o700, name
        assert not [
            path for path in (folder / "workspace").rglob("*") if mode(path) & 0o077 and not path.is_symlink()
        ]

    def tls_is_kept_to(self, installation: Installation, headers: http.client.HTTPMessage) -> None:
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        login = self.get(installation, "/accounts/login/")[1]
        assert "Secure" in login["Set-Cookie"]
        status, plain = self.get(installation, "/plans/", **{"X-Forwarded-Proto": "http"})
        assert (status, plain["Location"]) == (301, "https://127.0.0.1/plans/")

    def get(
        self, installation: Installation, path: str, **headers: str
    ) -> tuple[int, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=30)
        connection.request("GET", path, headers=HTTPS | headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.headers

    def signed_in(self, installation: Installation) -> str:
        """The cookies of somebody who has just signed in, before there was TLS."""
        _, headers = self.get(installation, "/accounts/login/")
        csrf = headers["Set-Cookie"].split(";")[0]
        connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=30)
        form = {
            "username": "approver",
            "password": installation.environment["DEMO_PASSWORD"],
            "csrfmiddlewaretoken": csrf.partition("=")[2],
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": csrf}
        connection.request("POST", "/accounts/login/", urlencode(form), headers=kind)
        answer = connection.getresponse()
        given = answer.headers.get_all("Set-Cookie") or []
        connection.close()
        assert answer.status == 302
        return "; ".join(cookie.split(";")[0] for cookie in given)


#: What the suite sets for itself: the last one is for the driver of the browser tests.
OURS = ("SECRET_KEY", "DATABASE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE")


class TestDeployment:
    def check(self, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if name not in OURS}
        return subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            cwd=ROOT,
            env=plain
            | {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "orchestrator.settings"}
            | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def test_djangos_own_check_has_nothing_to_say_with_tls(self, tmp_path: Path) -> None:
        done = self.check(tmp_path, **WITH_TLS)
        assert done.returncode == 0, done.stderr
        assert "WARNINGS" not in done.stderr

    def test_it_warns_without(self, tmp_path: Path) -> None:
        done = self.check(tmp_path)
        assert done.returncode == 1
        for code in ("security.W004", "security.W008", "security.W011", "security.W016"):
            assert code in done.stderr

    def test_a_misspelt_policy_is_an_error(self, tmp_path: Path) -> None:
        done = self.check(tmp_path, SECOND_FACTOR_FOR="aprover", **WITH_TLS)
        assert done.returncode == 1
        assert "aprover, which is no role" in done.stderr
