"""Login: where the server is, and the token that signs in there.

The options of a call come first, then the environment, then the file that `orchestrator setup` wrote.
"""

import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.client.connection import Connection, checked_url, new_opener
from orchestrator.client.source import LARGEST_TOKEN, read_source

HERE: Final = "http://127.0.0.1:8000"
WAY_OUT: Final = (
    "Make one with `python manage.py create_token --executor NAME` on the server (or on its page Tokens), "
    "then put it into ORCHESTRATOR_TOKEN or into the file."
)


class Misconfigured(Exception):
    """The call cannot be made with these settings; the text names the one and the way out."""


@dataclass(frozen=True)
class Login:
    """`url` of the server, and the `token`, which is empty when none was found."""

    url: str
    token: str

    def connection(self) -> Connection:
        """Raises `Misconfigured` without a token, or for an address that no server can have."""
        try:
            url = checked_url(self.url)
        except ValueError as error:
            raise Misconfigured(str(error)) from error
        if not self.token:
            raise Misconfigured(f"There is no token for {url}. {WAY_OUT} ({settings_file()})")
        return Connection(url, self.token, new_opener())


def settings_file() -> Path:
    """The file with `url = "…"` and `token = "…"`, for this user alone."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "orchestrator" / "client.toml"


def find_login(url: str = "", token_file: str = "") -> Login:
    """The login of a call. The stored token is only for the address that it was stored with. Raises
    `Misconfigured` for a file that cannot be read, and for what is no token."""
    stored = _stored()
    found = named_url(url) or stored.get("url", "") or HERE
    token = _token(token_file) or os.environ.get("ORCHESTRATOR_TOKEN", "").strip()
    if not token and _is_same(found, stored.get("url", "") or HERE):
        token = stored.get("token", "")
    if token and not is_token(token):
        raise Misconfigured("The token is not one line of plain letters: it is what create_token printed.")
    return Login(found, token)


def named_url(url: str) -> str:
    """The address that the call or the environment names; empty where neither does."""
    return url or os.environ.get("ORCHESTRATOR_URL", "").strip()


def is_token(text: str) -> bool:
    """Whether a header can carry it, and the file of the settings."""
    return text.isascii() and text.isprintable() and not {'"', "\\", " "} & set(text)


def _is_same(url: str, stored: str) -> bool:
    try:
        return checked_url(url) == checked_url(stored)
    except ValueError:
        return False


def _token(name: str) -> str:
    if not name:
        return ""
    try:
        return read_source(name, LARGEST_TOKEN).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"The file of the token cannot be read: {error}.") from error


def _stored() -> dict[str, str]:
    path = settings_file()
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Misconfigured(f"Others may read {path}, and it has a token: chmod 600 {path}")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}.") from error
    return {name: value for name, value in values.items() if isinstance(value, str)}
