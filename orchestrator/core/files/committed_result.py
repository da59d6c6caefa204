"""The result file that a producer commits itself: read strictly, or refused with what is wrong (FR-029, B38).

The published form is `schema/committed-result.schema.json`; this reader takes what the schema takes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.core import limits
from orchestrator.core.engine.usage import NOTHING, Usage, read_usage
from orchestrator.core.errors import InvalidInput
from orchestrator.core.strict_json import LARGEST, read_json
from orchestrator.core.terms import ResultEvent

SCHEMA_VERSION: Final = "1.0"
#: A file of this name, or one that ends with a full stop and this name, is a result; everything else is an
#: output.
RESULT_NAME: Final = "result.json"
#: Characters of one text, as in REST; longer ones belong into an output file.
TEXT_LIMIT: Final = limits.TEXT_CHARACTERS
COMMIT_LENGTH: Final = 64
RESULT_LENGTH: Final = 60
OUTPUTS: Final = limits.OUTPUT_FILES
BOM: Final = b"\xef\xbb\xbf"

_REQUIRED: Final = ("schemaVersion", "attemptId", "token", "eventType", "timestamp")
_TEXTS: Final = {
    "outcome": TEXT_LIMIT,
    "error": TEXT_LIMIT,
    "breadcrumb": TEXT_LIMIT,
    "result": RESULT_LENGTH,
    "commit": COMMIT_LENGTH,
}
_KNOWN: Final = frozenset({*_REQUIRED, *_TEXTS, "evidence", "outputs", "usage"})
#: A claim has no token yet. Without an attempt it asks for the next one, of a workstream if it names one.
_REQUIRED_TO_CLAIM: Final = ("schemaVersion", "eventType", "timestamp")
_KNOWN_TO_CLAIM: Final = frozenset({*_REQUIRED_TO_CLAIM, "attemptId", "workstream"})
SLUG_LENGTH: Final = 60
_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)
_ATTEMPT: Final = re.compile(r"(?P<slug>[^/]+)/(?P<key>.+)/(?P<number>[1-9][0-9]{0,8})", re.ASCII | re.DOTALL)
#: The text that an event cannot do without.
_TOLD: Final = {ResultEvent.FAILED: "error", ResultEvent.BREADCRUMB: "breadcrumb"}


@dataclass(frozen=True, slots=True)
class AttemptName:
    """How artifacts name an attempt: slug of the workstream, step key, number."""

    slug: str
    key: str
    number: int


@dataclass(frozen=True, slots=True)
class CommittedResult:
    """What a producer says. `attempt` is a row id or a name; `evidence` is by criterion id or text; `outputs`
    are names relative to the folder of the file. `timestamp` is the producer's own and decides nothing.

    A claim has no token (0); without an attempt it asks for the next one of `workstream`, or of any.
    """

    attempt: int | AttemptName | None
    token: int
    event: ResultEvent
    timestamp: str
    texts: Mapping[str, str]
    evidence: Mapping[str, str]
    outputs: tuple[str, ...]
    workstream: str = ""
    usage: Usage = NOTHING


def is_result(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name == RESULT_NAME or name.endswith(f".{RESULT_NAME}")


def read_result(content: bytes) -> CommittedResult:
    """InvalidInput names the member that is wrong."""
    if content.startswith(BOM):
        raise InvalidInput("The file begins with a byte order mark.", field="body")
    members = read_json(content, "file")
    if not isinstance(members, dict):
        raise InvalidInput("The file is not a JSON object.", field="body")
    _check_version(members)
    claims = members.get("eventType") == ResultEvent.CLAIM
    required, known = (_REQUIRED_TO_CLAIM, _KNOWN_TO_CLAIM) if claims else (_REQUIRED, _KNOWN)
    if missing := [name for name in required if name not in members]:
        raise InvalidInput(f"The member {missing[0]} is missing.", field=missing[0])
    if unknown := sorted(members.keys() - known):
        raise _wrong(unknown[0], "is not known to this schema version")
    return _claim(members) if claims else _result(members)


def _claim(members: Mapping[str, Any]) -> CommittedResult:
    return CommittedResult(
        attempt=_attempt(members["attemptId"]) if "attemptId" in members else None,
        token=0,
        event=ResultEvent.CLAIM,
        timestamp=_timestamp(members["timestamp"]),
        texts={},
        evidence={},
        outputs=(),
        workstream=_text(members.get("workstream", ""), "workstream", SLUG_LENGTH),
    )


def _result(members: Mapping[str, Any]) -> CommittedResult:
    event = _event(members["eventType"])
    texts = {name: _text(members.get(name, ""), name, limit) for name, limit in _TEXTS.items()}
    if (needed := _TOLD.get(event)) and not texts[needed].strip():
        raise _wrong(needed, f"is needed for {event}")
    return CommittedResult(
        attempt=_attempt(members["attemptId"]),
        token=_token(members["token"]),
        event=event,
        timestamp=_timestamp(members["timestamp"]),
        texts=texts,
        evidence=_evidence(members.get("evidence", {})),
        outputs=_outputs(members.get("outputs", [])),
        usage=_usage(members.get("usage", {})),
    )


def _check_version(members: Mapping[str, Any]) -> None:
    """First of all: what another version means by its members nobody here knows."""
    version = members.get("schemaVersion")
    if version != SCHEMA_VERSION:
        shown = repr(version)[:40] if version is not None else "missing"
        raise InvalidInput(
            f"schemaVersion: {shown}; this orchestrator reads {SCHEMA_VERSION}.",
            field="schemaVersion",
            recovery="Write the file as schema/committed-result.schema.json says, under a new name.",
        )


def _event(value: object) -> ResultEvent:
    if not isinstance(value, str) or value not in set(ResultEvent):
        raise _wrong("eventType", f"must be one of {', '.join(ResultEvent)}")
    return ResultEvent(value)


def _attempt(value: object) -> int | AttemptName:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST:
        return value
    if isinstance(value, str) and (match := _ATTEMPT.fullmatch(value)):
        return AttemptName(match["slug"], match["key"], int(match["number"]))
    raise _wrong("attemptId", "must be the attempt's id, or slug/step key/number as in handoff artifacts")


def _token(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST:
        raise _wrong("token", "must be the fencing token of the claim, a whole number from 1")
    return value


def _timestamp(value: object) -> str:
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        raise _wrong("timestamp", "must be a moment such as 2026-03-04T12:00:00Z")
    return value


def _text(value: object, name: str, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise _wrong(name, f"must be a text of at most {limit} characters")
    return value


def _usage(value: object) -> Usage:
    if not isinstance(value, dict):
        raise _wrong("usage", "must be an object")
    return read_usage(value)


def _evidence(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise _wrong("evidence", "must be an object from criterion to evidence")
    return {name: _text(text, "evidence", TEXT_LIMIT) for name, text in value.items()}


def _outputs(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > OUTPUTS:
        raise _wrong("outputs", f"must be a list of at most {OUTPUTS} file names")
    if not all(isinstance(name, str) and name for name in value) or len(set(value)) < len(value):
        raise _wrong("outputs", "must be file names, each once")
    return tuple(value)


def _wrong(name: str, problem: str) -> InvalidInput:
    shown = name[:80].encode("ascii", "backslashreplace").decode()
    return InvalidInput(f"The member {shown} {problem}.", field=shown)
