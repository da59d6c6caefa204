"""The small part of YAML that plans use, read by hand: mappings, lists, plain and quoted text, block text.

No library reads it: nothing here may act (tags), grow (aliases) or change what is written (`no` as false),
every
value keeps its line, and core needs the standard library alone. Anchors, aliases, tags and complex keys are
findings.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.text.lines import split_lines

DEEPEST: Final = 40
_PAIR: Final = re.compile(
    r"(?P<key>\"[^\"]{1,100}\"|'[^']{1,100}'|[A-Za-z0-9_][^:#{}\[\]\"',&*!"
    r"|>%@`]{0,79}?)[ \t]*:(?:[ \t]+(?P<value>.*))?\Z",
    re.DOTALL,
)
_BLOCK: Final = re.compile(r"[|>][+-]?\d?[ \t]*(?:#.*)?")
_COMMENT: Final = re.compile(r"(?:^|[ \t])#.*")
_ESCAPES: Final = {"\\n": "\n", '\\"': '"', "\\\\": "\\", "\\t": "\t"}


class Mapping(dict[str, Any]):
    """A mapping that knows the line it starts on, and the line of each key."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


@dataclass(slots=True)
class _YamlRow:
    number: int
    indent: int
    text: str


def load_yaml(text: str, findings: Findings) -> Any:
    """The value of a YAML text: `Mapping`, list or text; what cannot be read is left out with a finding."""
    return _YamlReader(split_lines(text), findings).document()


@dataclass(slots=True)
class _YamlReader:
    raw: list[str]
    findings: Findings
    rows: list[_YamlRow] = field(default_factory=list)
    at: int = 0

    def document(self) -> Any:
        for number, text in enumerate(self.raw, 1):
            plain = text.strip()
            if plain and not plain.startswith("#") and plain not in ("---", "..."):
                self.rows.append(_YamlRow(number, len(text) - len(text.lstrip()), plain))
        return self._value(0, 0) if self.rows else None

    def _value(self, indent: int, depth: int) -> Any:
        """The block that starts at the current row, which is indented at least so far."""
        row = self.rows[self.at]
        if depth > DEEPEST:
            self._refuse(row, "is nested too deeply")
            self._skip(indent)
            return None
        if row.text == "-" or row.text.startswith("- "):
            return self._list(row.indent, depth)
        if _PAIR.match(row.text):
            return self._mapping(row.indent, depth)
        self.at += 1
        return self._scalar(row, row.text)

    def _list(self, indent: int, depth: int) -> list[Any]:
        values: list[Any] = []
        while self.at < len(self.rows):
            row = self.rows[self.at]
            if row.indent != indent or not (row.text == "-" or row.text.startswith("- ")):
                if row.indent > indent:
                    self._refuse(row, "stands too far right")
                    self.at += 1
                    continue
                break
            rest = row.text[1:].lstrip()
            if not rest:
                self.at += 1
                deeper = self.at < len(self.rows) and self.rows[self.at].indent > indent
                values.append(self._value(indent + 1, depth + 1) if deeper else "")
                continue
            # What stands behind the hyphen is a block of its own, indented to where it stands.
            self.rows[self.at] = _YamlRow(row.number, indent + len(row.text) - len(rest), rest)
            values.append(self._value(indent + 1, depth + 1))
        return values

    def _mapping(self, indent: int, depth: int) -> Mapping:
        mapping = Mapping(self.rows[self.at].number)
        while self.at < len(self.rows):
            row = self.rows[self.at]
            pair = _PAIR.match(row.text) if row.indent == indent else None
            if pair is None:
                if row.indent >= indent and not (row.indent == indent and row.text.startswith("- ")):
                    self._refuse(row, "is no `key: value`")
                    self.at += 1
                    continue
                break
            key = pair["key"].strip("\"'")
            if key in mapping:
                self._refuse(row, f"says “{key[:40]}” a second time")
            self.at += 1
            mapping.lines[key] = row.number
            mapping[key] = self._after(row, pair["value"] or "", indent, depth)
        return mapping

    def _after(self, row: _YamlRow, value: str, indent: int, depth: int) -> Any:
        """What a key says: on its line, in the block below it, or as block text."""
        value = value.strip()
        if _BLOCK.fullmatch(value):
            return self._block_text(row, indent, folded=value[0] == ">")
        if value and not value.startswith("#"):
            return self._scalar(row, value + self._continued(indent))
        below = self.rows[self.at] if self.at < len(self.rows) else None
        if (
            below is None
            or below.indent < indent
            or (below.indent == indent and not below.text.startswith("-"))
        ):
            return ""
        return self._value(below.indent, depth + 1)

    def _continued(self, indent: int) -> str:
        parts = ""
        while self.at < len(self.rows) and self.rows[self.at].indent > indent:
            parts += " " + self.rows[self.at].text
            self.at += 1
        return parts

    def _block_text(self, row: _YamlRow, indent: int, *, folded: bool) -> str:
        lines: list[str] = []
        for text in self.raw[row.number :]:
            if text.strip() and len(text) - len(text.lstrip()) <= indent:
                break
            lines.append(text.strip())
        end = row.number + len(lines)
        while self.at < len(self.rows) and self.rows[self.at].number <= end:
            self.at += 1
        return (" " if folded else "\n").join(lines).strip()

    def _scalar(self, row: _YamlRow, text: str) -> Any:
        text = text.strip()
        if text[:1] in ("&", "*", "!", "%", "@", "`"):
            self._refuse(row, "uses an anchor, an alias or a tag of YAML")
            return ""
        if text[:1] in ("[", "{"):
            return self._flow(row, text)
        if text[:1] in ('"', "'"):
            return _unquoted(text)
        return _COMMENT.sub("", text).strip()

    def _flow(self, row: _YamlRow, text: str) -> Any:
        text = _COMMENT.sub("", text).strip()
        if text in ("{}", "[]"):
            return []
        if not (text.startswith("[") and text.endswith("]")) or "[" in text[1:] or "{" in text:
            self._refuse(row, "has a list or mapping on one line that is not read")
            return ""
        return [_unquoted(part.strip()) for part in text[1:-1].split(",") if part.strip()]

    def _skip(self, indent: int) -> None:
        while self.at < len(self.rows) and self.rows[self.at].indent >= indent:
            self.at += 1

    def _refuse(self, row: _YamlRow, what: str) -> None:
        message = f"The line {what} and is left out: {row.text[:60]}"
        self.findings.add("line-left-out", row.number, message, "Write it as `key: value` or as a list.")


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r'\\[nt"\\]', lambda escape: _ESCAPES[escape[0]], text[1:-1])
    return text
