"""Secrets: found in whatever is said or handed over, and masked before anything of it is stored.

`Masker` is a pure function of a text and of the values that the operator has registered by their names. It
finds a secret also where it is broken over lines, and where it is encoded (base64, base64url, hexadecimal).
What it puts in its place says what stood there: `[masked GitHub token]`.
"""

import base64
import binascii
import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

from orchestrator.core.errors import Refusal
from orchestrator.core.secret_shapes import SHAPES, SecretShape

#: Names in the environment whose values are secrets, whether they are registered or not.
SECRET_NAME: Final = re.compile(
    r"(?i)(?:.*_)?(?:TOKEN|SECRET|SECRET_KEY|PASSWORD|PASSWD|PASSPHRASE|API_KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)"
)
#: Registered values that are shorter are words of ordinary texts, and are not looked for.
SHORTEST: Final = 6
#: What may divide a secret: the end of a line, also as it is written in code, and characters without a width.
_UNSEEN: Final = "\u00ad\u200b-\u200f\u2060-\u2064\ufeff"
_BREAK: Final = re.compile(rf"(?:(?<![ \t])[ \t]++)?\\?\r?\n[ \t]*+|(?:\\r)?\\n|[{_UNSEEN}]+")
_ENCODED: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}={0,2}")
#: A text and what of it is encoded are so many steps apart.
_DEPTH: Final = 2
#: Characters of a text up to which shapes that are guessed are looked for: they take longest, and it is words
#: that call something a secret.
_GUESSED_IN: Final = 1024 * 1024
_CERTAIN: Final = tuple(shape for shape in SHAPES if shape.certain)


class SecretInFile(Refusal):
    """A file that is no text holds a secret, so nothing of it is stored."""

    code, status = "secret-in-file", 422
    recovery = "Take the secret out of the file and hand it in again. Renew the secret: it was sent."


class Masked(NamedTuple):
    """That `what` was masked in `field`, so many times. It never says the secret itself."""

    field: str
    what: str
    times: int

    @property
    def sentence(self) -> str:
        often = "" if self.times == 1 else f" ({self.times} times)"
        return f"{self.field}: {self.what}{often}"


@dataclass(frozen=True, slots=True)
class Masking:
    """A text with its secrets masked, and what they were, in the order of their places' kinds."""

    text: str
    found: tuple[str, ...] = ()


class Secret(NamedTuple):
    """Where a secret stands in a text, and what it is; `certain` unless only its surroundings say so."""

    start: int
    end: int
    what: str
    certain: bool = True


def mark(what: str) -> str:
    return f"[masked {what}]"


class Masker:
    """Finds secrets by their shape, and the values of `registered` names wherever they stand.

    The values are kept in memory only; nothing stores or prints them.
    """

    def __init__(self, registered: Mapping[str, str]) -> None:
        forms: dict[str, str] = {}
        for name, value in registered.items():
            for form in _forms_of(value):
                forms.setdefault(form, name)
        # The longest first, so that a value that holds another one is masked whole.
        self._registered = tuple(sorted(forms.items(), key=lambda one: -len(one[0])))

    def mask(self, text: str) -> Masking:
        """The text without its secrets; the same text again changes nothing any more."""
        secrets = self.find(text)
        if not secrets:
            return Masking(text)
        parts, last = [], 0
        for secret in secrets:
            parts += [text[last : secret.start], mark(secret.what)]
            last = secret.end
        return Masking("".join([*parts, text[last:]]), tuple(secret.what for secret in secrets))

    def find(self, text: str) -> list[Secret]:
        """The secrets of a text in their order; none overlaps another one."""
        shapes = SHAPES if len(text) <= _GUESSED_IN else _CERTAIN
        found = _apart(self._plain(text, shapes))
        found = _apart([*found, *_beside(self._encoded(text, _DEPTH), found)])
        if _BREAK.search(text):
            found = _apart([*found, *_beside(self._broken(text), found)])
        return found

    def mask_content(self, content: bytes) -> tuple[bytes, tuple[str, ...]]:
        """The same for a file. SecretInFile for one that is no text: masked, it would be another file."""
        try:
            if b"\0" not in content:
                masking = self.mask(content.decode())
                return (masking.text.encode() if masking.found else content), masking.found
        except UnicodeDecodeError:
            pass
        # Of UTF-16 the letters are left when its zeros are not there.
        found = next(self._plain(content.replace(b"\0", b"").decode("latin-1"), _CERTAIN), None)
        if found is not None:
            raise SecretInFile(f"A file that is no text holds a secret ({found.what}).", field="outputs")
        return content, ()

    def _plain(self, text: str, shapes: tuple[SecretShape, ...]) -> Iterator[Secret]:
        yield from self._registered_in(text)
        lowered = text.lower() if shapes is SHAPES else ""
        for shape in shapes:
            inside = text if shape.certain else lowered
            for hint in shape.hints:
                if hint in inside:
                    yield from _of_shape(text, shape)
                    break

    def _encoded(self, text: str, depth: int) -> Iterator[Secret]:
        for run in _ENCODED.finditer(text):
            if what := self._first_encoded(run.group(), depth):
                yield Secret(run.start(), run.end(), what)

    def _first_encoded(self, run: str, depth: int) -> str:
        """What the first secret in an encoded run is; empty when it holds none."""
        for decoded in _decoded(run):
            secret = next(self._plain(decoded, SHAPES), None)
            if secret is None and depth > 1:
                secret = next(self._encoded(decoded, depth - 1), None)
            if secret:
                return secret.what
        return ""

    def _registered_in(self, text: str) -> Iterator[Secret]:
        for value, name in self._registered:
            start = text.find(value)
            while start >= 0:
                yield Secret(start, start + len(value), name)
                start = text.find(value, start + len(value))

    def _broken(self, text: str) -> Iterator[Secret]:
        """Secrets that run over the end of a line: what is found when the lines are put together."""
        whole: list[str] = []
        breaks: list[tuple[int, int]] = []  # where one was in the joined text, and what was taken up to there
        last = taken = 0
        for gap in _BREAK.finditer(text):
            whole.append(text[last : gap.start()])
            at, taken = gap.start() - taken, taken + gap.end() - gap.start()
            breaks.append((at, taken))
            last = gap.end()
        joined, places = "".join([*whole, text[last:]]), [at for at, _ in breaks]
        for secret in self._in_joined(joined, places):
            first, behind = bisect_right(places, secret.start), bisect_right(places, secret.end - 1)
            if first < behind:
                start = secret.start + (breaks[first - 1][1] if first else 0)
                yield Secret(start, secret.end + breaks[behind - 1][1], secret.what)

    def _in_joined(self, joined: str, places: Sequence[int]) -> Iterator[Secret]:
        yield from self._registered_in(joined)
        ends = frozenset(places)
        for shape in _CERTAIN:
            if any(hint in joined for hint in shape.hints):
                yield from _of_joined(joined, shape, ends)
        for run in _ENCODED.finditer(joined):
            # The word at the end of the line before it is no part of what is encoded.
            inside = places[bisect_left(places, run.start()) : bisect_left(places, run.end())][:_STARTS]
            for start in dict.fromkeys((run.start(), *inside)):
                if what := self._first_encoded(joined[start : run.end()], 1):
                    yield Secret(start, run.end(), what)
                    break


def _of_shape(text: str, shape: SecretShape) -> Iterator[Secret]:
    for match in shape.expression.finditer(text):
        group = "value" if "value" in shape.expression.groupindex else 0
        if shape.counts(match.group(group)):
            yield Secret(match.start(group), match.end(group), shape.what, shape.certain)


def _of_joined(text: str, shape: SecretShape, ends: Container[int]) -> Iterator[Secret]:
    """As `_of_shape`, where the end of a line divides words as a blank does."""
    for match in (shape.joined or shape.expression).finditer(text):
        start, end = match.span()
        begins = not start or start in ends or not text[start - 1].isalnum()
        stops = end == len(text) or end in ends or not text[end].isalnum()
        if (shape.joined is None or (begins and stops)) and shape.counts(match.group()):
            group = "value" if "value" in match.re.groupindex else 0
            yield Secret(match.start(group), match.end(group), shape.what)


#: Lines of a run at which what is encoded may begin.
_STARTS: Final = 3


def _forms_of(value: str) -> Iterator[str]:
    """A registered value as it may stand in a text: also escaped, and line by line where it has several."""
    value = value.strip()
    for part in (value, *(line.strip() for line in value.splitlines() if len(line.strip()) > _LINE)):
        if len(part) >= SHORTEST:
            yield from (part, quote(part, safe=""), quote_plus(part), _BREAK.sub("", part))
            yield part.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


#: Lines of a value with several, such as a private key, that are looked for on their own.
_LINE: Final = 24


def _decoded(run: str) -> Iterator[str]:
    """What a run of characters may be encoded from, where that is text."""
    bare = run.rstrip("=")
    try:
        if len(bare) % 2 == 0 and re.fullmatch(r"[0-9a-fA-F]+", bare):
            yield bytes.fromhex(bare).decode()
            return
    except UnicodeDecodeError:
        return
    # What stands before the encoded part belongs to it where nothing divides them, as `-` and `_` may.
    for part in {bare, bare.rpartition("_")[2]} if "_" in bare else (bare,):
        standard = part.replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode()
        except (binascii.Error, ValueError):
            continue


def _apart(secrets: Iterable[Secret]) -> list[Secret]:
    """In their order, those that overlap as one that goes as far as either, called as the first of them."""
    apart: list[Secret] = []
    for secret in sorted(secrets, key=lambda one: (one.start, -one.end)):
        if apart and secret.start < apart[-1].end:
            before = apart[-1]
            certain = before.certain or secret.certain
            apart[-1] = Secret(before.start, max(before.end, secret.end), before.what, certain)
        else:
            apart.append(secret)
    return apart


def _beside(secrets: Iterable[Secret], known: list[Secret]) -> Iterator[Secret]:
    """Those that overlap none of the known ones, which stand in their order."""
    starts = [one.start for one in known]
    for secret in secrets:
        before = bisect_right(starts, secret.end - 1)
        if not before or known[before - 1].end <= secret.start:
            yield secret
