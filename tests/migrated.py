"""An empty database as `manage.py migrate` leaves it: made once in a test process, then copied."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "orchestrator.sqlite3"


def put_migrated_database(folder: Path) -> None:
    """Give a data folder a database whose tables are made; one that has a database already keeps it."""
    if not (folder / DATABASE).exists():
        shutil.copy2(_template() / DATABASE, folder)


@cache
def _template() -> Path:
    folder = Path(mkdtemp(prefix="migrated-", dir=os.environ["DATA_DIR"]))
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "orchestrator.settings"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return folder
