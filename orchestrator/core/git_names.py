"""Names that people and programs give for things in git: only what can be nothing else than a name gets any
further.

Git reads `--all`, `:/text`, `HEAD@{1}` and `a..b` where a commit may stand. None of them passes here, so what
reaches a command is an id, or a branch below `refs/heads/`.
"""

import re
from typing import Final

#: Branch names that the register can hold.
BRANCH_LENGTH: Final = 100
_FULL: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: Four digits are git's own shortest abbreviation.
_WORD: Final = re.compile(r"[0-9a-f]{4,64}")
#: What git speaks itself, encrypted or on this machine; ssh reads a host that begins with a dash otherwise.
_REMOTE: Final = re.compile(
    r"(?:(?:https|ssh)://(?:[^\s/@-][^\s/@]*@)?[A-Za-z0-9\[][A-Za-z0-9.:\[\]-]*|(?:file://)?(?=/))/[!-~]+"
)
_BRANCH_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def is_full_commit(text: str) -> bool:
    """Whether a text is a whole object id, SHA-1 or SHA-256."""
    return bool(_FULL.fullmatch(text))


def is_commit_word(text: str) -> bool:
    """Whether a text can be a commit's id, whole or abbreviated."""
    return bool(_WORD.fullmatch(text))


def is_remote_address(text: str) -> bool:
    """Whether a text is the address of a repository and nothing else: `https://`, `ssh://`, `file://`, or
    an absolute path."""
    return bool(_REMOTE.fullmatch(text))


def address_shown(address: str) -> str:
    """An address without the account and password that it may hold."""
    return re.sub(r"(?<=://)[^/@]*@", "", address)


def is_branch_name(text: str) -> bool:
    """Whether a text can be a branch, on every file system.

    Narrower than git, so that nobody has to quote it.
    """
    parts = text.split("/")
    return len(text) <= BRANCH_LENGTH and all(_is_branch_part(part) for part in parts)


def _is_branch_part(part: str) -> bool:
    return (
        bool(_BRANCH_PART.fullmatch(part)) and ".." not in part and not part.lower().endswith((".", ".lock"))
    )
