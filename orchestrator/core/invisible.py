"""Characters that nobody sees: which they are, where they are ordinary, and how they are shown (FR-025, B8).

A reviewer approves what they read. Invisible text says something else to a machine than to them, and a
direction mark shows letters in another order than they are stored. Emoji and scripts that join their letters
need such characters in some places; there they are ordinary and nothing is said about them.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

# Letters and marks that turn the direction of what follows, and tags, which spell words that nothing shows.
_DECEIVING: Final = "\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
# Controls; soft hyphen; fillers and blanks that are no space; joiners and what is zero wide; line and
# paragraph separators; variation selectors; marks of musical and shorthand notation that only format.
_HIDDEN: Final = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028\u2029\u2060-\u2065\u206a-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef"
)
_ANY: Final = re.compile(f"[{_DECEIVING}{_HIDDEN}]")
_LONG: Final = 200
#: The characters of plain text that are none of them.
_SEEN: Final = bytes(code for code in range(128) if not _ANY.match(chr(code)))
_TURNS_OR_SPELLS: Final = re.compile(f"[{_DECEIVING}]")

_EMOJI: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_TONED: Final = f"{_EMOJI}\ufe0f?[\U0001f3fb-\U0001f3ff]?"
_JOINING: Final = "[\u0600-\u0dff\u1000-\u109f\u1780-\u18af]"
_ORDINARY: Final = "|".join(
    (
        "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f",  # the flag of a part of a country
        f"{_TONED}(?:\u200d{_TONED})*",  # an emoji, or several in one
        f"{_EMOJI}\ufe0e",  # one that is drawn as text
        "[0-9#*]\ufe0f\u20e3",  # a key of a keypad
        f"(?<={_JOINING})[\u200c\u200d](?={_JOINING})",  # letters that join, or do not
        "(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\ufe00-\ufe02\U000e0100-\U000e01ef]",  # a drawn form
        "(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]",
    )
)
_SCAN: Final = re.compile(f"(?:{_ORDINARY})|([{_DECEIVING}{_HIDDEN}])")


def holds_any(text: str) -> bool:
    """Whether a name, a path or a command holds an invisible character, ordinary elsewhere or not."""
    if text.isascii():
        return not text.isprintable() and bool(text.encode().translate(None, _SEEN))
    # Of a long text every character is looked at once.
    return _ANY.search("".join(set(text)) if len(text) > _LONG else text) is not None


def without_any(text: str) -> str:
    return _ANY.sub("", text)


def says_nothing(text: str) -> bool:
    """Whether nobody who reads the text sees anything of it: it is blank, or has only invisible characters."""
    return not text.strip() or not without_any(text).strip()


def unseen(text: str) -> Iterator[str]:
    """The invisible characters of a text, without those that are ordinary where they stand."""
    if holds_any(text):
        yield from (found[1] for found in _SCAN.finditer(text) if found[1])


def deceives(character: str) -> bool:
    """Whether it turns the direction of other text, or spells what nothing shows."""
    return _TURNS_OR_SPELLS.match(character) is not None


def code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def reveal(text: str, mark: str = "⟨{code}⟩") -> str:
    """The text with a visible mark in place of each such character.

    `mark` may ask for its `code` and its `name`.
    """
    if not holds_any(text):
        return text
    return _SCAN.sub(lambda found: _marked(found[1], mark) if found[1] else found[0], text)


def _marked(character: str, mark: str) -> str:
    name = unicodedata.name(character, "control character").lower()
    return mark.format(code=code_point(character), name=name)
