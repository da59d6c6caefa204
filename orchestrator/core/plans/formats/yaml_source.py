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
_QUOTED: Final = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'"
_FLOW_KEY: Final = re.compile(rf"({_QUOTED}|[^\[\]{{}},:\"']{{1,80}}):[ \t]*")
_FLOW_TEXT: Final = re.compile(rf"(?:{_QUOTED})[ \t]*|[^\[\]{{}},]+")
_QUOTED_ALONE: Final = re.compile(rf"({_QUOTED})[ \t]*(?:#.*)?", re.DOTALL)
NESTED: Final = (list, dict)
_ESCAPES: Final = {"\\n": "\n", '\\"': '"', "\\\\": "\\", "\\t": "\t"}


class Mapping(dict[str, Any]):
    """A mapping that knows the line it starts on, and the line of each key."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Listing(list[Any]):
    """A list that knows the line of each of its values."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


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
        if _PAIR.match(row.text) and not _QUOTED_ALONE.fullmatch(row.text):
            return self._mapping(row.indent, depth)
        self.at += 1
        return self._scalar(row, row.text)

    def _list(self, indent: int, depth: int) -> Listing:
        values = Listing()
        while self.at < len(self.rows):
            row = self.rows[self.at]
            if row.indent != indent or not (row.text == "-" or row.text.startswith("- ")):
                if row.indent > indent:
                    self._refuse(row, "stands too far right")
                    self.at += 1
                    continue
                break
            rest = row.text[1:].lstrip()
            values.lines.append(row.number)
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
        if quoted := _QUOTED_ALONE.fullmatch(text):
            return _unquoted(quoted[1])
        return _COMMENT.sub("", text).strip()

    def _flow(self, row: _YamlRow, text: str) -> Any:
        text = _COMMENT.sub("", text).strip()
        flow = FlowReader(text, row.number)
        value = flow.value()
        if flow.ended and isinstance(value, NESTED):
            return value
        self._refuse(row, "has a list or mapping on one line that is not read")
        return ""

    def _skip(self, indent: int) -> None:
        while self.at < len(self.rows) and self.rows[self.at].indent >= indent:
            self.at += 1

    def _refuse(self, row: _YamlRow, what: str) -> None:
        message = f"The line {what} and is left out: {row.text[:60]}"
        self.findings.add("line-left-out", row.number, message, "Write it as `key: value` or as a list.")


class FlowReader:
    """A list or a mapping on one line: `[a, b]`, `{id: a, needs: [b]}`."""

    def __init__(self, text: str, line: int) -> None:
        self.text, self.line, self.at, self.sound = text, line, 0, True

    @property
    def ended(self) -> bool:
        """Whether all of the text was read, and made sense."""
        return self.sound and self.at >= len(self.text)

    def value(self, depth: int = 0) -> Any:
        opens = self.text[self.at : self.at + 1]
        if opens not in ("[", "{") or depth > DEEPEST:
            self.sound = self.sound and depth <= DEEPEST
            return self._text()
        closes = "]" if opens == "[" else "}"
        listed: list[Any] = []
        mapping = Mapping(self.line)
        self.at += 1
        while self.sound and not self._takes(closes):
            if opens == "[":
                listed.append(self.value(depth + 1))
            else:
                self._member(mapping, depth)
            if not self._takes(",") and self.text[self.at : self.at + 1] != closes:
                self.sound = False
        return listed if opens == "[" else mapping

    def _member(self, mapping: Mapping, depth: int) -> None:
        key = _FLOW_KEY.match(self.text, self.at)
        if key is None:
            self.sound = False
            return
        self.at = key.end()
        name = _unquoted(key[1].strip())
        mapping.lines[name] = self.line
        mapping[name] = self.value(depth + 1)

    def _takes(self, sign: str) -> bool:
        """Whether this sign stands here; it and the blanks around it are passed over."""
        self._blanks()
        if self.text[self.at : self.at + 1] != sign:
            return False
        self.at += 1
        self._blanks()
        return True

    def _blanks(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def _text(self) -> str:
        found = _FLOW_TEXT.match(self.text, self.at)
        if found is None or found.end() == self.at:
            self.sound = False
            return ""
        self.at = found.end()
        return _unquoted(found[0].strip())


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r'\\[nt"\\]', lambda escape: _ESCAPES[escape[0]], text[1:-1])
    return text
