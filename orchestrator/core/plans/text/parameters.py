"""Plans as templates: `{{name}}` in the text stands for a parameter of the front matter (AD-8).

Values are put into the finished plan, never into the lines that are read, so a value cannot open a heading, a
step or a property, and a value that holds `{{other}}` stays as it is. Keys and dependencies take no
parameters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.text.front_matter import FrontMatter, quoted, read_front_matter
from orchestrator.core.plans.text.lines import LineKind, scan, split_lines
from orchestrator.core.plans.text.phrases import read_items
from orchestrator.core.plans.text.source import MAX_BYTES
from orchestrator.core.plans.texts import map_texts

LONGEST_VALUE: Final = 500
#: Where a text names a parameter; `${{ … }}` belongs to other tools.
USE: Final = re.compile(r"(?<!\$)\{\{[ \t]*([A-Za-z][A-Za-z0-9_. -]{0,59}?)[ \t]*\}\}")
#: Code inside a line; `{{name}}` in it is filled where the plan declares the name, and is text elsewhere.
_CODE: Final = re.compile(r"`[^`\n]{1,1000}`")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; without a value it is required. `hint` is the comment behind it."""

    name: str
    value: str
    line: int
    hint: str


def parameters_of(source: str) -> tuple[Parameter, ...]:
    """What a plan's front matter declares, in order."""
    matter = read_front_matter(split_lines(source), Findings())
    return tuple(
        Parameter(name, value, matter.parameter_lines[name], matter.hints[name])
        for name, value in matter.parameters.items()
    )


def with_values(source: str, values: Mapping[str, str]) -> str:
    """The source with these values in its front matter; everything else stays.

    InvalidInput for a name that is not declared, a value of more than one line, or a parameter left without a
    value.
    """
    lines = split_lines(source)
    declared = {parameter.name: parameter for parameter in parameters_of(source)}
    for name, value in values.items():
        if name not in declared:
            names = ", ".join(declared) or "none"
            raise InvalidInput(
                f"The plan has no parameter “{name[:60]}”; it declares {names}.", field=name[:60]
            )
        lines[declared[name].line - 1] = _line(lines[declared[name].line - 1], declared[name], value.strip())
    missing = [name for name, found in declared.items() if not values.get(name, found.value).strip()]
    if missing:
        raise InvalidInput(
            f"Without a value: {', '.join(missing)}.",
            recovery="Give every parameter a value.",
            field=missing[0],
        )
    return "\n".join(lines)


def _line(old: str, parameter: Parameter, value: str) -> str:
    if CONTROL.search(value) or len(value) > LONGEST_VALUE:
        message = f"The value of {parameter.name} is not one line of at most {LONGEST_VALUE} characters."
        raise InvalidInput(message, field=parameter.name)
    indent = old[: len(old) - len(old.lstrip())]
    hint = f"  # {parameter.hint}" if parameter.hint else ""
    return f"{indent}{parameter.name}: {quoted(value)}{hint}"


def fill(
    plan: Plan | None, texts: list[str], matter: FrontMatter, findings: Findings, first: int = 1
) -> Plan | None:
    """The plan with the values of its parameters in place; what is missing is a finding on its line."""
    for name, value in matter.parameters.items():
        if not value:
            message = f"The parameter “{name}” has no value."
            fix = "Start the plan with values, or write one behind the name."
            findings.add("parameter-without-value", matter.parameter_lines[name], message, fix)
    if not any("{{" in text for text in texts):
        return plan
    growth = _report_unknown(texts, matter, findings, first)
    if growth > MAX_BYTES:
        message = "The plan becomes larger than may be read when its parameters are put in."
        findings.add(
            "source-too-large", 0, message, "Use shorter values, or split the work into several plans."
        )
        return None
    if plan is None:
        return None
    filled = map_texts(plan, partial(_filled, matter.parameters))
    # One value may name several people.
    approvers = (name for text in filled.approvers for name in read_items(text))
    return replace(filled, approvers=tuple(dict.fromkeys(approvers)))


def _filled(values: Mapping[str, str], text: str) -> str:
    """The text with its parameters filled; `values` never hold an empty one."""
    return USE.sub(lambda use: values.get(use[1]) or use[0], text)


def _without_code(text: str) -> str:
    """The text with what stands in backticks taken out, unless a parameter may stand in all of it."""
    return _CODE.sub(lambda code: " " * len(code[0]), text) if "`" in text else text


def _report_unknown(texts: list[str], matter: FrontMatter, findings: Findings, first: int) -> int:
    """Findings for names that are not declared, except in code; how many characters the values come to."""
    own = set(matter.parameter_lines.values())
    body = scan(texts[matter.lines :], matter.lines + first).lines
    code = {line.number for line in body if line.kind is LineKind.CODE}
    growth = 0
    for number, text in enumerate(texts, first):
        if number in own:
            continue
        for use in USE.finditer(text):
            growth += len(matter.parameters.get(use[1], ""))
        for use in USE.finditer(_without_code(text)):
            if matter.parameters and use[1] not in matter.parameters and number not in code:
                message = f"“{use[0]}” names no parameter of the plan."
                fix = (
                    f"Declare `{use[1]}: value` in the front matter below `parameters:`, or correct the name."
                )
                findings.add("unknown-parameter", number, message, fix)
    return growth
