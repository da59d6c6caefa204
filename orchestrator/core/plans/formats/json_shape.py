"""Checks a JSON value by the part of JSON Schema that our plan file uses; each problem has its line.

Known keywords: type, properties, required, additionalProperties, items, enum, const, pattern, minLength,
maxLength, minimum, maximum, minItems and references to `$defs`. Tests hold this against a full
implementation.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from orchestrator.core.plans.reading.json_source import NESTED

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\{|\n')
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int, float),
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
#: More problems than this say nothing new.
MOST_PROBLEMS: Final = 1_000


class Problem(NamedTuple):
    """`path` as people write it (`plan.stages[0].name`), `holder` the object it is in, `name` the member."""

    path: str
    message: str
    holder: Mapping[str, Any] | None
    name: str


def problems(value: Any, schema: Mapping[str, Any]) -> list[Problem]:
    """What of a value is not as the schema says, in document order."""
    found: list[Problem] = []
    for problem in _Checker(schema["$defs"]).check(value, schema, "", None, ""):
        found.append(problem)
        if len(found) >= MOST_PROBLEMS:
            break
    return found


class _Checker:
    def __init__(self, defs: Mapping[str, Any]) -> None:
        self.defs = defs

    def check(
        self, value: Any, schema: Mapping[str, Any], path: str, holder: Mapping[str, Any] | None, name: str
    ) -> Iterator[Problem]:
        while "$ref" in schema:
            schema = self.defs[schema["$ref"].rsplit("/", 1)[1]]
        wrong = _wrong(value, schema)
        if wrong:
            yield Problem(path, wrong, holder, name)
        elif isinstance(value, dict):
            yield from self._object(value, schema, path)
        elif isinstance(value, list):
            items = schema.get("items", {})
            for number, item in enumerate(value):
                yield from self.check(item, items, f"{path}[{number}]", holder, name)

    def _object(self, value: dict[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
        properties: Mapping[str, Any] = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for name in schema.get("required", ()):
            if name not in value:
                yield Problem(f"{path}.{name}".lstrip("."), "is missing", value, "")
        for name, member in value.items():
            inner = properties.get(name, others)
            below = f"{path}.{name[:60]}".lstrip(".")
            if inner is False:
                yield Problem(below, "is not known", value, name)
            elif isinstance(inner, Mapping):
                yield from self.check(member, inner, below, value, name)


def _wrong(value: Any, schema: Mapping[str, Any]) -> str:
    """What is wrong with the value itself; empty when nothing is."""
    kind = schema.get("type", "")
    if kind and not _is(value, kind):
        return f"is not {'an' if kind[0] in 'aio' else 'a'} {kind}"
    if "const" in schema and value != schema["const"]:
        return f"is not “{schema['const']}”"
    if "enum" in schema and value not in schema["enum"]:
        return f"is none of {', '.join(schema['enum'])}"
    if isinstance(value, str):
        return _wrong_text(value, schema)
    if isinstance(value, list):
        return "is empty" if len(value) < schema.get("minItems", 0) else ""
    if kind == "integer" and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"is not a number from {schema.get('minimum')} to {schema.get('maximum')}"
    return ""


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, float):
        return kind == "integer" and value.is_integer()
    return isinstance(value, _TYPES[kind])


def _wrong_text(value: str, schema: Mapping[str, Any]) -> str:
    if len(value) > schema.get("maxLength", len(value)):
        return f"has {len(value):,} characters; at most {schema['maxLength']} are allowed"
    if len(value) < schema.get("minLength", 0):
        return "is empty"
    if "pattern" in schema and not _compiled(schema["pattern"]).search(value):
        return str(schema.get("$comment", "has characters that it may not have"))
    return "has half a character" if not value.isascii() and _SURROGATE.search(value) else ""


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


class Places:
    """The line of every object and member of a JSON text that holds no member twice."""

    def __init__(self, text: str, value: Any) -> None:
        self._text = text
        self._at: dict[int, tuple[int, int]] = {}
        places = _openings(text)
        for one in _objects(value):
            place = next(places, None)
            if place is not None:
                self._at[id(one)] = place

    def line(self, holder: Mapping[str, Any] | None, name: str = "") -> int:
        """The 1-based line of an object, or of a member of it; 0 when it is not known."""
        line, offset = self._at.get(id(holder), (0, 0))
        if not line or not name:
            return line
        found = re.compile(rf'"{re.escape(name)}"\s*:').search(self._text, offset)
        return line + self._text.count("\n", offset, found.start()) if found else line


def _openings(text: str) -> Iterator[tuple[int, int]]:
    line = 1
    for token in _TOKEN.finditer(text):
        if token[0] == "\n":
            line += 1
        elif token[0] == "{":
            yield line, token.start()


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the order in which their braces open."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            yield one
            rest += [item for item in reversed(one.values()) if isinstance(item, NESTED)]
        elif isinstance(one, list):
            rest += [item for item in reversed(one) if isinstance(item, NESTED)]
