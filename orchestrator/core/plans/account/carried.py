"""What a plan carries: the texts of its steps, and those around them, to be found again line by line.

A text is found by its words alone, so that bullets, boxes and emphasis make no difference.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from orchestrator.core.plans.plan import Plan, StepSpec

_FRONT: Final = re.compile(
    r"(?:[\s>]*(?:[-*+•](?=[ \t])|#{1,6}(?=[ \t])|\d{1,9}[.)](?=[ \t])|\[[^\]\n]{0,3}\]\*?))+", re.DOTALL
)
_OPENS_FRONT: Final = frozenset("->*+#[0123456789")
_PLAIN: Final = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_COUNTED: Final = re.compile(r"\s*#\d{1,6}[ \t]+")
_WORD: Final = re.compile(r"[^\W_]+")
_LABEL: Final = re.compile(r"(?:\*\*|__|_)?[A-Za-z][\w /-]{0,40}(?:\*\*|__|_)?[ \t]*:(?:\*\*|__|_)?[ \t]*")
#: What readers keep of a criterion that is longer.
_CUT: Final = 400


def words_of(text: str) -> str:
    """The words of a line in lower case, without the marks in front of it."""
    text = text.strip()
    plain = text.isascii()
    if text[:1] in _OPENS_FRONT or not plain:
        front = _FRONT.match(text)
        text = text[front.end() :] if front else text
        if "#" in text and text.lstrip().startswith("#"):
            text = _COUNTED.sub("", text, count=1)
    text = text[:_CUT]
    # Of plain text this is the same, several times as fast.
    return " ".join(text.translate(_PLAIN).split() if plain else _WORD.findall(text.lower()))


class TextPlace(NamedTuple):
    """Where a text stands: the line of the step or group that has it, and whether it is a step's own."""

    line: int
    of_step: bool


@dataclass(slots=True)
class _Kept:
    """The places that have one line: those below the last line that asked for it, and those above."""

    below: list[TextPlace] = field(default_factory=list)
    above: list[TextPlace] = field(default_factory=list)


class Carried:
    """The texts of a plan. Each line of them is given out once, so that none stands for two of the source."""

    def __init__(self, plan: Plan) -> None:
        self._texts: dict[TextPlace, list[str]] = defaultdict(list)
        self._lines: dict[str, _Kept] = {}
        self._pairs: dict[TextPlace, set[tuple[str, str]]] = {}
        known = self._lines
        for place, text in _texts_of(plan):
            if not text:
                continue
            self._texts[place].append(text)
            for line in text.split("\n") if "\n" in text else (text,):
                if not line or not (words := words_of(line)):
                    continue
                if words in known:
                    known[words].below.append(place)
                else:
                    known[words] = _Kept([place])
        for kept in known.values():
            if len(kept.below) > 1:
                kept.below.sort(reverse=True)
        self._steps = sorted({place.line for place in self._texts if place.of_step})
        self._groups = sorted({place.line for place in self._texts if not place.of_step})
        self._stages = sorted({stage.line for stage in plan.stages})

    def take(self, text: str, number: int) -> TextPlace | None:
        """The nearest place above a line that has it as it stands, and that no line was given yet.

        A value that stands on no line of its own takes any. Lines ask in their order.
        """
        kept = self._lines.get(words_of(text))
        if kept is None:
            return None
        while kept.below and (not number or kept.below[-1].line <= number):
            kept.above.append(kept.below.pop())
        return kept.above.pop() if kept.above else None

    def holds(self, text: str, number: int) -> TextPlace | None:
        """The place near a line whose text has its words in their order, with others between them perhaps."""
        for words in (words_of(text), words_of(_LABEL.sub("", text, count=1))):
            listed = words.split()
            if not listed or words in self._lines:
                # What stands somewhere word for word was given out already.
                continue
            wanted = set(pairwise(("", *listed))) - {("", listed[0])} or {("", listed[0])}
            for place in self._near(number):
                if wanted <= self._pairs_of(place):
                    return place
        return None

    def _near(self, number: int) -> Iterator[TextPlace]:
        """The step above a line, the group and the stage above it, and the text of the plan."""
        for lines, of_step in ((self._steps, True), (self._groups, False), (self._stages, False)):
            at = bisect_right(lines, number)
            if at:
                yield TextPlace(lines[at - 1], of_step)
        yield TextPlace(0, of_step=False)

    def _pairs_of(self, place: TextPlace) -> set[tuple[str, str]]:
        if place not in self._pairs:
            words = [word for text in self._texts.get(place, ()) for word in _WORD.findall(text.lower())]
            self._pairs[place] = {*pairwise(words), *(("", word) for word in words)}
        return self._pairs[place]


def _texts_of(plan: Plan) -> Iterable[tuple[TextPlace, str]]:
    yield TextPlace(0, of_step=False), plan.summary
    for stage in plan.stages:
        yield TextPlace(stage.line, of_step=False), stage.definition
        for batch in stage.batches:
            yield TextPlace(batch.line, of_step=False), batch.summary
            for thread in batch.threads:
                yield TextPlace(thread.line, of_step=False), thread.summary
    for step in plan.steps():
        place = TextPlace(step.line, of_step=True)
        for text in _step_texts(step):
            yield place, text


def _step_texts(step: StepSpec) -> Iterator[str]:
    yield step.title
    yield step.details
    yield from (*step.entry, *step.exit, *step.done_when, *step.files, *step.resources)
    yield step.run
    if step.gate:
        yield step.gate.action
