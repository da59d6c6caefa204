"""Conditions over earlier outcomes: `A1 is passed and (B1 is complete or not B2 is skipped)` (AD-8).

    condition = both { "or" both }
    both      = one { "and" one }
    one       = "not" one | "(" condition ")" | fact
    fact      = KEY "is" ["not"] WORD | "parameter" NAME "is" ["not"] VALUE

A word is an outcome that the step declares, or complete, skipped or reworked. Reading takes time linear in
the length; nesting is bounded. A condition that asks for a step that has not ended is undecided, unless the
rest settles it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import TERMINAL_TASK, TaskStatus

LONGEST: Final = 300
DEEPEST: Final = 20
#: What every step may be asked for, beside the outcomes it declares.
WORDS: Final = ("complete", "skipped", "reworked")
#: The outcomes that a tool's exit code stands for, where a step declares them.
PASSED: Final = "passed"
FAILED: Final = "failed"
_KEYWORDS: Final = frozenset({"and", "or", "not", "is", "parameter"})
_OUTCOME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TOKEN: Final = re.compile(r'\s+|([()]|"[^"]*"|[^\s()"]+)')
_PLAIN: Final = re.compile(r'[^\s()"]+')


class ConditionUnreadable(ValueError):
    """`column` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.column = column


@dataclass(frozen=True, slots=True)
class ConditionFact:
    """What is asked of a step (`parameter` false) or of a parameter of the plan."""

    subject: str
    word: str
    negated: bool = False
    parameter: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Condition", ...]


Condition = ConditionFact | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step stands; `result` is the word its completion carried."""

    key: str
    status: TaskStatus
    result: str = ""
    reworked: bool = False

    def holds(self, word: str) -> bool | None:
        """Whether the word is true of the step; None while it has not ended."""
        if self.status not in TERMINAL_TASK:
            return None
        if word == "skipped":
            return self.status is TaskStatus.SKIPPED
        if word == "reworked":
            return self.reworked
        return self.status is TaskStatus.COMPLETE and word in ("complete", self.result)

    @property
    def said(self) -> str:
        if self.status not in TERMINAL_TASK:
            return f"{self.key} has not ended"
        word = self.result if self.status is TaskStatus.COMPLETE and self.result else self.status.value
        return f"{self.key} is {word}{' and reworked' if self.reworked else ''}"


@dataclass(frozen=True, slots=True)
class When:
    """A step's condition with all that it can be judged from.

    Whatever it names beside that counts as not ended.
    """

    text: str
    steps: tuple[Ended, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


class ConditionJudgement(NamedTuple):
    """`truth` is None while the condition is undecided; `because` are the facts it rests on."""

    truth: bool | None
    because: str


def judge(when: When) -> ConditionJudgement:
    """Evaluate a condition.

    One that cannot be read holds back nothing: a plan with such a one is never approved.
    """
    try:
        condition = read_condition(when.text)
    except ConditionUnreadable as error:
        return ConditionJudgement(True, str(error))
    steps = {step.key: step for step in when.steps}
    parameters = dict(when.parameters)
    because = [
        f"parameter {fact.subject} is {_quoted(parameters.get(fact.subject, ''))}"
        if fact.parameter
        else _ended(fact.subject, steps).said
        for fact in facts_of(condition)
    ]
    return ConditionJudgement(_truth(condition, steps, parameters), ", ".join(dict.fromkeys(because)))


def _ended(key: str, steps: dict[str, Ended]) -> Ended:
    return steps.get(key) or Ended(key, TaskStatus.PENDING)


def _truth(condition: Condition, steps: dict[str, Ended], parameters: dict[str, str]) -> bool | None:
    if isinstance(condition, ConditionFact):
        if condition.parameter:
            found: bool | None = parameters.get(condition.subject, "").casefold() == condition.word.casefold()
        else:
            found = _ended(condition.subject, steps).holds(condition.word)
        return found if found is None else found is not condition.negated
    if isinstance(condition, Not):
        inner = _truth(condition.part, steps, parameters)
        return None if inner is None else not inner
    settles = isinstance(condition, AnyOf)
    truths = [_truth(part, steps, parameters) for part in condition.parts]
    if settles in truths:
        return settles
    return None if None in truths else not settles


def facts_of(condition: Condition) -> Iterator[ConditionFact]:
    """Everything that a condition asks, in the order it is written."""
    if isinstance(condition, ConditionFact):
        yield condition
    else:
        for part in (condition.part,) if isinstance(condition, Not) else condition.parts:
            yield from facts_of(part)


def steps_named(text: str) -> tuple[str, ...]:
    """The keys that a condition names, each once; none when it cannot be read."""
    try:
        condition = read_condition(text)
    except ConditionUnreadable:
        return ()
    return tuple(dict.fromkeys(fact.subject for fact in facts_of(condition) if not fact.parameter))


def written(condition: Condition) -> str:
    """The condition as text; reading it again gives the same value."""
    if isinstance(condition, ConditionFact):
        what = "parameter " if condition.parameter else ""
        return f"{what}{_quoted(condition.subject)} is {'not ' * condition.negated}{_quoted(condition.word)}"
    if isinstance(condition, Not):
        return f"not {_inside(condition.part)}"
    between = " and " if isinstance(condition, AllOf) else " or "
    return between.join(_inside(part) for part in condition.parts)


def _inside(part: Condition) -> str:
    return written(part) if isinstance(part, ConditionFact | Not) else f"({written(part)})"


def _quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _KEYWORDS and text.strip("`") == text
    return text if plain else f'"{text}"'


def is_outcome(word: str) -> bool:
    """Whether a step may declare this word."""
    return bool(_OUTCOME.fullmatch(word)) and word not in _KEYWORDS.union(WORDS)


def chosen_outcome(key: str, declared: tuple[str, ...], given: str) -> str:
    """Returns the word that a completion carries: one of those that the step declares, empty when it declares
    none (AD-8).

    Nothing is assumed: InvalidInput, with the words to choose from, when a step that declares outcomes ends
    without one of them, and when the word is not declared.
    """
    word = given.strip().lower()
    words = " or ".join(declared)
    if declared and not word:
        raise InvalidInput(
            f"{key} ends with one of its outcomes, and none is named: {words}.",
            recovery=f"Choose one of them as the result: {words}.",
            field="result",
        )
    if word and word not in declared:
        raise InvalidInput(
            f"{key} does not end with “{word[:40]}”.",
            recovery=f"Use {words}."
            if declared
            else "Leave the result empty: the step declares no outcomes.",
            field="result",
        )
    return word


def tool_outcome(declared: tuple[str, ...], succeeded: bool) -> str | None:
    """Returns the outcome that a tool's own end stands for, so that a tool can do a step which declares
    outcomes; empty when the step declares none.

    Success is `passed` where that is declared, else the first word that is not `failed`. A failure is
    `failed`; None where that is not declared beside another word: the attempt fails then.
    """
    others = [word for word in declared if word != FAILED]
    if not succeeded:
        return FAILED if others and FAILED in declared else None
    if PASSED in declared:
        return PASSED
    return next(iter(others), "")


class _Token(NamedTuple):
    """`word` is lower case and unquoted text stands in `text`; a quoted one is never a keyword."""

    text: str
    word: str
    column: int


@lru_cache(maxsize=2048)
def read_condition(text: str) -> Condition:
    """Read a condition; ConditionUnreadable says what is wrong and where."""
    if len(text) > LONGEST:
        raise ConditionUnreadable(f"it is longer than {LONGEST} characters", LONGEST + 1)
    reader = _ConditionReader(_tokens(text), len(text) + 1)
    condition = reader.any_of(0)
    if reader.at < len(reader.tokens):
        left = reader.tokens[reader.at]
        raise ConditionUnreadable(
            f"“{left.text[:40]}” stands where `and`, `or` or the end is expected", left.column
        )
    return condition


def _tokens(text: str) -> tuple[_Token, ...]:
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ConditionUnreadable("the quotation mark is never closed", place + 1)
        if match[1]:
            quoted = match[1].startswith('"')
            bare = match[1][1:-1] if quoted else match[1].strip("`") or match[1]
            tokens.append(_Token(bare, "" if quoted else bare.lower(), place + 1))
        place = match.end()
    return tuple(tokens)


class _ConditionReader:
    """Recursive descent over the tokens; `end` is the column behind the last one."""

    def __init__(self, tokens: tuple[_Token, ...], end: int) -> None:
        self.tokens, self.end, self.at = tokens, end, 0

    def any_of(self, depth: int) -> Condition:
        parts = [self.all_of(depth)]
        while self._take("or"):
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def all_of(self, depth: int) -> Condition:
        parts = [self.one(depth)]
        while self._take("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def one(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise ConditionUnreadable(f"it is nested more than {DEEPEST} deep", self._column())
        if self._take("not"):
            return Not(self.one(depth + 1))
        if self._take("("):
            inside = self.any_of(depth + 1)
            if not self._take(")"):
                raise ConditionUnreadable("a closing parenthesis is missing", self._column())
            return inside
        return self._fact()

    def _fact(self) -> ConditionFact:
        parameter = self._peek() == "parameter" and self._peek(1) != "is"
        self.at += parameter
        subject = self._name("the name of a parameter" if parameter else "the key of a step")
        if not self._take("is"):
            raise ConditionUnreadable(f"`is` is missing behind “{subject[:40]}”", self._column())
        negated = self._take("not")
        if parameter:
            return ConditionFact(subject, self._name("a value", keyword=True), negated, parameter=True)
        return ConditionFact(subject, self._name("an outcome").lower(), negated)

    def _name(self, what: str, *, keyword: bool = False) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if (
            token is None
            or token.word in ("(", ")")
            or (not keyword and token.word in ("and", "or", "not", "is"))
        ):
            found = f"“{token.text}”" if token else "the end"
            raise ConditionUnreadable(f"{found} stands where {what} is expected", self._column())
        self.at += 1
        return token.text

    def _peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead].word if self.at + ahead < len(self.tokens) else ""

    def _take(self, word: str) -> bool:
        found = self._peek() == word
        self.at += found
        return found

    def _column(self) -> int:
        return self.tokens[self.at].column if self.at < len(self.tokens) else self.end
