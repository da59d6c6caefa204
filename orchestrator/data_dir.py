"""Where everything that must survive stands; known before the settings are."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import dj_database_url

BASE_DIR: Final = Path(__file__).resolve().parent.parent
DATA_DIR: Final = Path(os.environ.get("DATA_DIR", BASE_DIR / "var")).expanduser().resolve()
DATABASE_FILE: Final = DATA_DIR / "orchestrator.sqlite3"


def persistent_secret() -> str:
    """The installation's secret key, made at the first start: the queue drops messages whose signature fails,
    so it has to survive restarts. SystemExit with a sentence where DATA_DIR cannot be used."""
    try:
        DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _secret_of(DATA_DIR / "secret-key")
    except OSError as problem:
        raise SystemExit(
            f"DATA_DIR is {DATA_DIR}, which cannot be used: {problem.strerror}. Set it to the "
            "folder with the server's data."
        ) from problem


def _secret_of(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(key := secrets.token_urlsafe(50))
    return key


#: Options of its connections. A server that does not answer, or a lock that nobody lets go, is told as such.
#: Statements are prepared: planning the large ones takes the server ten times as long as answering them.
POSTGRESQL: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "options": "-c lock_timeout=20000",
    "server_side_binding": True,
    "prepare_threshold": 2,
}


def database() -> dj_database_url.DBConfig:
    """What DATABASE_URL names. SystemExit with a sentence for what is no database; the text may hold a
    password and is not repeated."""
    found: dj_database_url.DBConfig = {"ENGINE": ""}
    with suppress(ValueError):
        found = dj_database_url.config(default=f"sqlite:///{DATABASE_FILE}", conn_max_age=60)
    if found["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise SystemExit(
            "DATABASE_URL names no database that is known here. It looks like "
            f"postgres://user@host:5432/name; without it the data stand in {DATABASE_FILE}."
        )
    return found
