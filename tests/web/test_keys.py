"""What the script does with a key, where no browser is at hand: it opens links, all else only
gets the focus.
"""

from pathlib import Path

SCRIPT = (Path(__file__).resolve().parents[2] / "static" / "keys.js").read_text(encoding="utf-8")


def test_a_key_clicks_nothing_but_links() -> None:
    pressed = SCRIPT[SCRIPT.index('data-key="${') : SCRIPT.index('document.addEventListener("click"')]
    assert pressed.count(".click()") == 1
    assert 'if (target.matches("a[href]")) { target.click(); return; }' in pressed
    assert "target.focus(" in pressed
    assert "submit" not in pressed
