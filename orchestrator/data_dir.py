"""Where everything that must survive stands; known before the settings are."""

import os
from pathlib import Path
from typing import Final

BASE_DIR: Final = Path(__file__).resolve().parent.parent
DATA_DIR: Final = Path(os.environ.get("DATA_DIR", BASE_DIR / "var")).expanduser().resolve()
DATABASE_FILE: Final = DATA_DIR / "orchestrator.sqlite3"
