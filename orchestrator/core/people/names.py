"""Names of accounts and executors: which may be taken, when two look alike, how whoever acts is said (FR-011,
FR-027).

A name is said in history, artifacts and signatures, so nobody may choose one that a reader takes for somebody
else's. Names are ASCII: letters of one plain alphabet have no twins in another one, no accents that are
written in two ways, nothing invisible and no direction. So no table of confusable characters is needed; the
few look-alikes within ASCII stand below. How a person spells their own name stands in the account's first and
last name, in any script.
"""

import re
import unicodedata
from typing import Final

from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import ExecutorKind, Role

ORCHESTRATOR_NAME: Final = "orchestrator"
#: Said of acts that nobody but the orchestrator itself does, or given to whole groups of people.
#: An operator is whoever runs the server; the settings and the README call them so.
RESERVED: Final = (ORCHESTRATOR_NAME, "operator", *(role.value for role in Role))
EXECUTOR_LENGTH: Final = 60
ACCOUNT_LENGTH: Final = 150
#: Room for an executor, its account and the words between them.
LABEL_LENGTH: Final = 250
BY_COMMAND: Final = "by command"
WITH_A_TOKEN: Final = "with a token"  # noqa: S105 - words that people read

_EXECUTOR: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.@+-]*[A-Za-z0-9])?")
_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "i": "l"})
_ALIKE_PAIRS: Final = (("rn", "m"), ("vv", "w"))
_SEPARATORS: Final = re.compile(r"[\s._-]+")


def skeleton(name: str) -> str:
    """Equal for names that a reader may take for one another.

    Case, 0/O, 1/l/I, rn/m, vv/w, what separates words.
    """
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_ALIKE)
    for pair, one in _ALIKE_PAIRS:
        plain = plain.replace(pair, one)
    return _SEPARATORS.sub("-", plain)


_RESERVED_SKELETONS: Final = {skeleton(name): name for name in RESERVED}


def check_executor_name(name: str) -> None:
    """InvalidInput when no executor may be called so, whoever else there is."""
    if len(name) > EXECUTOR_LENGTH or not _EXECUTOR.fullmatch(name):
        raise _refused(
            f"An executor's name has letters, digits, - and _ only, at most {EXECUTOR_LENGTH}, "
            "and begins and ends with a letter or digit.",
            "name",
        )
    _refuse_reserved(name, "name")


def check_account_name(name: str) -> None:
    """InvalidInput when no account may be called so, whoever else there is."""
    check_account_letters(name)
    _refuse_reserved(name, "username")


def check_account_letters(name: str) -> None:
    """The same without the reserved names, which only the accounts of the demo have."""
    if len(name) > ACCOUNT_LENGTH or not _ACCOUNT.fullmatch(name):
        raise _refused(
            f"An account's name has the letters A to Z, digits and . _ - + @ only, at most {ACCOUNT_LENGTH}, "
            "and begins and ends with a letter or digit.",
            "username",
        )


def _refuse_reserved(name: str, field: str) -> None:
    if reserved := _RESERVED_SKELETONS.get(skeleton(name)):
        what = "the orchestrator itself" if reserved == ORCHESTRATOR_NAME else f"the role {reserved}"
        raise _refused(f"{_shown(name)} would be taken for {what}.", field)


def looks_like(name: str, other: str, what: str, field: str) -> InvalidInput:
    """The refusal of a name that is, or looks like, the one that an account or an executor has."""
    same = "is the name of" if name == other else "looks like the name of"
    return _refused(f"{_shown(name)} {same} {what} {other}.", field)


def _refused(message: str, field: str) -> InvalidInput:
    return InvalidInput(message, recovery="Choose another name.", field=field)


def _shown(name: str) -> str:
    return name[:80].encode("ascii", "backslashreplace").decode()


def executor_label(name: str, kind: str, account: str) -> str:
    """A member of the pool as pages name it: who it is, what it is, and who answers for it."""
    return f"{name} ({account})" if kind == ExecutorKind.PERSON else f"{name} ({kind} of {account})"


def actor_label(name: str, kind: str, account: str) -> str:
    """An executor that acts on a machine interface. A person there used a token, and this says so."""
    return f"{account} {WITH_A_TOKEN}" if kind == ExecutorKind.PERSON else executor_label(name, kind, account)
