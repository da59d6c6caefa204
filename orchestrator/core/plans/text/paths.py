"""Which words of a text are paths of the repository, and which only have a slash in them (BX-1)."""

import re
from typing import Final

#: A last part that is a file, a pattern or a folder: `reader.py`, `**`, `*.md`, `models/`.
_FILE: Final = re.compile(r"(?:[\w@+.\[\]()*?-]*\.[A-Za-z][A-Za-z0-9]{0,9}|[\w.-]*\*[\w.*-]*|)", re.ASCII)
_PART: Final = re.compile(r"(?:\.?[\w@+\[\]()*?-][\w@+.\[\]()*?-]*)")
_HOST: Final = re.compile(r"[\w-]+\.(?:com|org|io|net|dev|ai|app|de|eu)", re.IGNORECASE)
_BARE: Final = re.compile(r"[\w.-]*[A-Za-z_]\.[A-Za-z][A-Za-z0-9]{0,5}|Makefile|Dockerfile|LICENSE")
#: `reader.py:10-20`, `reader.py#L3`, `reader.py (new)`.
_PLACE: Final = re.compile(r"(?::\d[\d,:-]{0,30}|#L\d[\dL-]{0,20})\Z")
#: `/templates/plan.md`: a file, written from the root of the repository.
_FROM_ROOT: Final = re.compile(r"/[\w.-]+(?:/[\w.-]+)*\.[A-Za-z]{1,5}")
#: What most paths look like.
_PLAIN: Final = re.compile(r"(?:[A-Za-z0-9_]+/)+[A-Za-z0-9_]+\.[A-Za-z][A-Za-z0-9]{0,9}")
_LONGEST: Final = 200


def path_in(word: str) -> str:
    """The path that a word names, without its line numbers; empty when it is none of the repository.

    Options (`--on/--off`), routes (`/api/v1`), branches (`origin/main`), packages and addresses are none.
    """
    if len(word) <= _LONGEST and _PLAIN.fullmatch(word):
        return word
    word = _PLACE.sub("", word.strip().strip("`\"'").removeprefix("./"))
    if _FROM_ROOT.fullmatch(word[:_LONGEST]):
        word = word[1:]
    if not word or len(word) > _LONGEST or word[0] in "/~-@:" or "//" in word or ".." in word:
        return ""
    *folders, last = word.split("/")
    if not folders or _HOST.fullmatch(folders[0]) or not all(_PART.fullmatch(part) for part in folders):
        return ""
    return word if _FILE.fullmatch(last) else ""


def file_in(word: str) -> str:
    """As `path_in`, where a list of files stands: there a name without a folder is a path too."""
    if path := path_in(word):
        return path
    bare = _PLACE.sub("", word.strip().strip("`\"'"))
    return bare if len(bare) <= _LONGEST and _BARE.fullmatch(bare) else ""
