"""Settings of the test suite: the product's own, with a throw-away DATA_DIR and what makes tests fast."""

import os
from pathlib import Path

from tests.runner_folder import runner_folder

os.environ["DATA_DIR"] = runner_folder()

from orchestrator.settings import *  # noqa: F403
from orchestrator.settings import DATA_DIR, DATABASES, SQLITE_JOURNAL, STORAGES, WORKSPACE_DIR

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
AXES_ENABLED = False
STRICT_LOCKS = True
STRICT_DECLARATIONS = True
TOKEN_FAILURE_LIMIT = 10**9
# Tests set the clock forward by weeks; those of sessions that end take the product's own limits.
SESSION_IDLE_MINUTES = 0
SESSION_HOURS = 24 * 365
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
# Another process of a test works in that test's workspace: database and workspace belong together.
WORKSPACE_DIR = Path(os.environ.get("TESTS_WORKSPACE_DIR", WORKSPACE_DIR))
# An approval on a page takes effect at once; the tests of withdrawing it set the time themselves.
WITHDRAW_SECONDS = 0
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, because threads and processes share it; a lost test database is no loss, so nothing waits for
    # the disk. The journal is the product's: one that each commit deletes costs a new file each time.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / f"test-{os.getpid()}.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        f"PRAGMA journal_mode={SQLITE_JOURNAL}; PRAGMA synchronous=OFF; PRAGMA recursive_triggers=1"
    )
else:
    # The server's own durability is not what is tested.
    DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
        "options": "-c synchronous_commit=off"
    }
# A connection that a thread of a test leaves is closed at the end of its call, not a minute later: nothing
# else of that thread would close it.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# The tables are made from the models at once, not by one migration after another: that both are the same
# is checked by `make lint`, and installations of their own start with the migrations.
DATABASES["default"]["TEST"] = DATABASES["default"].get("TEST", {}) | {"MIGRATE": False}
# Without it the web server's middleware warns that there is nothing to serve.
(DATA_DIR / "static").mkdir(parents=True, exist_ok=True)
