"""A browser in plain words, by what it says of itself: enough to know one's own again (ASVS 7.5.2)."""

from typing import Final

#: What stands in the header, and the name; the first that fits, because most also call themselves others.
_PROGRAMS: Final = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox")),
    *(("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari")),
)
_SYSTEMS: Final = (
    *(("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def browser_in_words(said: str) -> str:
    """Such as `Firefox on Linux`; no versions, and nothing else of the header."""
    program = next((name for sign, name in _PROGRAMS if sign in said), "A program that is no known browser")
    system = next((name for sign, name in _SYSTEMS if sign in said), "")
    return f"{program} on {system}" if system else program
