"""FR-009: a backup made while agents work and people decide is whole, and is put back elsewhere."""

import json
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, result_of

pytestmark = [pytest.mark.installation, pytest.mark.nightly]


def said(installation: Installation, *words: object) -> str:
    done = installation.manage(*map(str, words))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_fr009_a_backup_beside_running_work_is_put_back_elsewhere(tmp_path: Path) -> None:
    backup, keys = tmp_path / "backup", tmp_path / "keys"
    with Installation(tmp_path / "data", executors=2) as live:
        lines = []
        for line in live.people(240):
            lines.append(line)
            if len(lines) == 4:
                said(live, "backup", backup, "--keys", keys)
        assert result_of(lines)["status"] == "completed"
        said(live, "verify_history")
        entries = int(said(live, "verify_history").split()[0])
    facts = json.loads((backup / "manifest.json").read_text())["history"]
    assert 0 < facts["sealed"] <= facts["entries"] < entries, "work went on while the backup was made"

    elsewhere = Installation(tmp_path / "elsewhere", executors=1, demo=False)
    elsewhere.folder.mkdir()
    elsewhere.database.make()
    try:
        assert "in order and unchanged" in said(elsewhere, "restore", backup, "--keys", keys)
        assert int(said(elsewhere, "verify_history").split()[0]) == facts["entries"] + 1, "the restore too"
        said(elsewhere, "check_consistency")
    finally:
        elsewhere.database.drop()
