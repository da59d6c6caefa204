"""Save a plan as a workflow with parameters: pieces of its text become `{{name}}`; the inverse of filling
(AD-8).

Texts are replaced in the finished plan, as values are put into it, and the plan is then written as PLAN.md:
structure, keys and dependencies cannot change. Filled with its defaults, the text reads as the plan that it
was made of.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.plan import Plan, StepSpec
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.front_matter import quoted
from orchestrator.core.plans.text.parameters import CONTROL, LONGEST_VALUE, USE, parameters_of, with_values
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.plans.texts import map_texts
from orchestrator.core.terms import Role

MOST_PARAMETERS: Final = 50
LONGEST_HINT: Final = 200
#: A shorter text would stand everywhere.
SHORTEST_TEXT: Final = 2
_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_. -]{0,58}[A-Za-z0-9_.-])?")
_WILD: Final = frozenset("*?[{")
_FOLDERS: Final = 4


@dataclass(frozen=True, slots=True)
class NewParameter:
    """`text` is what the plan says now and what the parameter has by default; `hint` says what it is."""

    name: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A parameter that suggests itself; `places` is how often its text stands in the plan."""

    name: str
    text: str
    hint: str
    places: int


def with_parameters(source: str, chosen: Sequence[NewParameter]) -> str:
    """A PLAN.md with `{{name}}` where the texts stood, and their defaults in the front matter.

    Parameters that the plan has already stay as they are. InvalidInput names the parameter that makes no
    sense.
    """
    plan = unfilled(source)
    _refuse_odd(plan, chosen)
    text = _written(source, plan, chosen)
    before, after = read_plan(source).plan, read_plan(text).plan
    if before is None or after is None or replace(after, parameters=before.parameters) != before:
        raise _culprit(source, plan, chosen)
    for parameter in chosen:
        if _use(parameter.name) not in text:
            raise InvalidInput(f"Parameter {parameter.name}: {_nowhere(parameter)}", field=parameter.name)
    return text


def unfilled(source: str) -> Plan:
    """The plan with the names of its parameters where their values stand; InvalidInput when it is no plan."""
    declared = parameters_of(source)
    plan = read_plan(
        with_values(source, {parameter.name: _use(parameter.name) for parameter in declared})
    ).plan
    if plan is None:
        raise InvalidInput("Nothing in this text can be read as a plan.", field="source")
    return replace(plan, parameters=tuple((parameter.name, parameter.value) for parameter in declared))


def places_of(plan: Plan, text: str) -> int:
    """How often a text stands where a parameter could."""
    counted = Counter[str]()

    def count(found: re.Match[str]) -> str:
        counted.update(["all"] if found["text"] else [])
        return found[0]

    pattern = _pattern([text])
    _replaced(plan, lambda value: pattern.sub(count, value))
    return counted["all"]


def suggest_parameters(source: str) -> tuple[Suggestion, ...]:
    """What changes from one use of a plan to the next.

    Its name, owner, repository, branch, folders and commands.
    """
    plan = unfilled(source)
    found: dict[str, Suggestion] = {}
    taken = {name for name, _ in plan.parameters}
    for name, text, hint, least in _candidates(plan):
        if text in found or name in taken or not _usable(name, text):
            continue
        if (places := places_of(plan, text)) >= least:
            found[text] = Suggestion(name, text, hint, places)
            taken.add(name)
    return tuple(found.values())


def _usable(name: str, text: str) -> bool:
    plain = "{{" not in text and not CONTROL.search(text)
    return plain and SHORTEST_TEXT <= len(text) <= LONGEST_VALUE and _NAME.fullmatch(name) is not None


def _candidates(plan: Plan) -> Iterator[tuple[str, str, str, int]]:
    """Name, text, hint, and in how many places the text has to stand to be worth a parameter."""
    yield "name", plan.name, "what the work is called", 1
    yield "repository", plan.repository, "the registered repository that the work happens in", 1
    if plan.base_branch != "main":
        yield "base branch", plan.base_branch, "the branch that the work becomes part of", 1
    yield "owner", plan.owner, "who owns the work", 1
    for folder in _folders(plan):
        yield _last_words(folder), folder, "a folder or a file that the work is about", 2
    roles = {role.value for role in Role}
    for step in plan.steps():
        yield "command", step.run, "what the tool runs", 1
        for reviewer in step.gate.reviewers if step.gate else ():
            if reviewer not in roles:
                yield "reviewer", reviewer, "who signs", 1


def _folders(plan: Plan) -> list[str]:
    """The literal beginnings of the patterns that threads and steps own.

    The most used ones, longer ones first.
    """
    counted = Counter[str]()
    for placed in plan.placed_steps():
        counted.update(filter(None, map(_folder, (*placed.thread.files, *placed.step.files))))
    often = [folder for folder, _ in counted.most_common(_FOLDERS)]
    return sorted(often, key=lambda folder: (-len(folder), folder))


def _folder(pattern: str) -> str:
    return "/".join(takewhile(lambda part: not _WILD & set(part), pattern.split("/")))


def _last_words(path: str) -> str:
    last = path.rstrip("/").rsplit("/", 1)[-1].partition(".")[0]
    return re.sub(r"[^A-Za-z0-9]+", " ", last).strip().lower()


def _refuse_odd(plan: Plan, chosen: Sequence[NewParameter]) -> None:
    if not chosen and not plan.parameters:
        raise InvalidInput(
            "Choose at least one piece of text that changes from use to use.", field="parameters"
        )
    if len(chosen) > MOST_PARAMETERS:
        raise InvalidInput(f"A workflow has at most {MOST_PARAMETERS} parameters.", field="parameters")
    names, texts = {name for name, _ in plan.parameters}, set[str]()
    used = _names_used(plan)
    for parameter in chosen:
        if problem := _odd(parameter, names, texts) or _unfit(plan, parameter, used):
            raise InvalidInput(
                f"Parameter {parameter.name[:60] or '?'}: {problem}",
                field=parameter.name[:60] or "parameters",
            )
        names.add(parameter.name)
        texts.add(parameter.text)


def _odd(one: NewParameter, names: set[str], texts: set[str]) -> str:
    if not _NAME.fullmatch(one.name):
        return "its name has to start with a letter and hold letters, digits, blanks, dots and hyphens only."
    if one.name in names:
        return "there is a parameter of this name already."
    if one.text in texts:
        return "another parameter replaces the same text."
    if CONTROL.search(one.text) or one.text != one.text.strip() or len(one.text) > LONGEST_VALUE:
        return (
            f"the text to replace is one line of at most {LONGEST_VALUE} characters, without "
            f"blanks around it."
        )
    if CONTROL.search(one.hint) or len(one.hint) > LONGEST_HINT:
        return f"its description is one line of at most {LONGEST_HINT} characters."
    return ""


def _unfit(plan: Plan, one: NewParameter, used: frozenset[str]) -> str:
    if len(one.text) < SHORTEST_TEXT:
        return f"the text to replace has at least {SHORTEST_TEXT} characters."
    if "{{" in one.text or "}}" in one.text:
        return "the text to replace holds a parameter itself."
    if one.name in used:
        return f"{_use(one.name)} stands in the plan already; take another name."
    if not places_of(plan, one.text):
        return _nowhere(one)
    return ""


def _nowhere(one: NewParameter) -> str:
    return f"“{one.text[:60]}” does not stand in the plan as words of their own, where a value may stand."


def _names_used(plan: Plan) -> frozenset[str]:
    """Names in braces anywhere in the plan's texts, declared or not."""
    found: set[str] = set()

    def collect(text: str) -> str:
        found.update(use[1] for use in USE.finditer(text))
        return text

    map_texts(plan, collect)
    return frozenset(found)


def _written(source: str, plan: Plan, chosen: Sequence[NewParameter]) -> str:
    names = {parameter.text: parameter.name for parameter in chosen}
    if names:
        pattern = _pattern(list(names))
        plan = _replaced(plan, lambda text: pattern.sub(lambda found: _named(found, names), text))
    defaults = (*plan.parameters, *((parameter.name, parameter.text) for parameter in chosen))
    hints = {parameter.name: parameter.hint for parameter in parameters_of(source)} | {
        parameter.name: parameter.hint for parameter in chosen
    }
    return _with_hints(render_plan(replace(plan, parameters=defaults)), hints)


def _named(found: re.Match[str], names: dict[str, str]) -> str:
    return _use(names[found["text"]]) if found["text"] else found[0]


def _with_hints(text: str, hints: dict[str, str]) -> str:
    lines = text.split("\n")
    for parameter in parameters_of(text):
        if hint := hints.get(parameter.name, "").strip():
            lines[parameter.line - 1] = f"  {parameter.name}: {quoted(parameter.value)}  # {hint}"
    return "\n".join(lines)


def _pattern(texts: Sequence[str]) -> re.Pattern[str]:
    """The texts as whole words, the longest first.

    What stands in double braces is matched to be left alone.
    """
    ordered = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile(r"\{\{[^{}\n]*\}\}|(?P<text>" + "|".join(map(_bounded, ordered)) + ")")


def _bounded(text: str) -> str:
    """Not behind `$`, where a name in braces would be another tool's."""
    before = r"(?<![\w$])" if re.match(r"\w", text) else r"(?<!\$)"
    after = r"(?!\w)" if re.search(r"\w\Z", text) else ""
    return before + re.escape(text) + after


def _replaced(plan: Plan, change: Callable[[str], str]) -> Plan:
    """The plan with its texts changed; conditions name steps and outcomes, so they stay."""
    conditions = {step.key: step.when for step in plan.steps()}

    def keep(step: StepSpec) -> StepSpec:
        return replace(step, when=conditions[step.key]) if step.when else step

    return map_texts(plan, change).with_steps(keep)


def _culprit(source: str, plan: Plan, chosen: Sequence[NewParameter]) -> InvalidInput:
    """The refusal that names the parameter with which the plan would read differently."""
    before = read_plan(source).plan
    for parameter in chosen:
        after = read_plan(_written(source, plan, [parameter])).plan
        if before is None or after is None or replace(after, parameters=before.parameters) != before:
            return InvalidInput(
                f"Parameter {parameter.name}: with it in place the plan would read differently.",
                recovery="Choose a longer text, or leave this one as it is.",
                field=parameter.name,
            )
    return InvalidInput("With these parameters together the plan would read differently.", field="parameters")


def _use(name: str) -> str:
    return f"{{{{{name}}}}}"
