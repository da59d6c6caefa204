"""Each acceptance scenario and edge case of the specification has a test file under its name."""

from pathlib import Path

import pytest

ACCEPTANCE = Path(__file__).resolve().parents[1] / "acceptance"


@pytest.mark.parametrize("scenario", [*(f"as{n}" for n in range(1, 9)), *(f"ec{n}" for n in range(1, 7))])
def test_a_file_has_the_name_of_the_scenario_and_its_tests_too(scenario: str) -> None:
    files = [path for path in ACCEPTANCE.glob("test_*.py") if scenario in path.stem.split("_")]
    assert files, f"no file tests/acceptance/test_{scenario}_….py"
    assert any(f"def test_{scenario}_" in path.read_text(encoding="utf-8") for path in files)
