"""The wheel runs where nothing else is installed."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from orchestrator import __version__
from orchestrator.client.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_says_its_version(capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert (end.value.code, capsys.readouterr().out) == (0, f"orchestrator {__version__}\n")
    assert f'version = "{__version__}"' in (ROOT / "orchestrator" / "client" / "pyproject.toml").read_text()


def test_the_wheel_alone_is_the_whole_command(tmp_path: Path) -> None:
    client = tmp_path / "source" / "orchestrator" / "client"
    shutil.copytree(ROOT / "orchestrator" / "client", client)
    (client / "pyproject.toml").rename(tmp_path / "source" / "pyproject.toml")
    build = [sys.executable, "-m", "flit_core.wheel", "--outdir", str(tmp_path), str(tmp_path / "source")]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    with zipfile.ZipFile(wheel) as packed:
        assert {name.split("/")[0] for name in packed.namelist()} <= {
            "orchestrator",
            wheel.stem.rsplit("-", 3)[0] + ".dist-info",
        }
        packed.extractall(tmp_path / "installed")
    # -I: neither this project nor its environment is in reach, -S: nor what is installed there.
    start = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r}); "
        "from orchestrator.client.__main__ import main; sys.exit(main())"
    )
    words = [sys.executable, "-I", "-S", "-c", start, "--url", "http://127.0.0.1:9", "completion", "bash"]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "release" in ran.stdout
