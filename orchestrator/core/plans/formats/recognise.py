"""Every format that plans are read in: how a text shows it, and the reader for it.

A new format is a module in this folder, its word in `Format` and one line of the table below.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats import (
    backlog,
    beads,
    bundle_ws,
    conductor,
    framework,
    gsd,
    kiro,
    openspec,
    plan_file,
    plan_mode,
    spec_kit,
    spec_kitty,
    superpowers,
    task_master,
    tasks_markdown,
    tasks_state,
    todo,
    yaml_plan,
)
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose import native
from orchestrator.core.plans.prose import reader as prose
from orchestrator.core.plans.reading.json_source import load_any
from orchestrator.core.plans.reading.json_start import starts_json, unfenced
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.plans.text.lines import without_code
from orchestrator.core.terms import Format

#: Headings that spec-kit's task lists do not have.
_NATIVE: Final = re.compile(r"(?im)^#{1,6}[ \t]+(?:plan:|stage[ \t]+\d|batch[ \t]+\d|merge[ -]?point\b)")
#: Formats in prose, in which nested items may be steps or details of a step.
TWO_WAYS: Final = frozenset(
    {
        Format.SUPERPOWERS,
        Format.CONDUCTOR,
        Format.KIRO,
        Format.OPENSPEC,
        Format.PLAN_MODE,
        Format.LIST,
    }
)


@dataclass(frozen=True)
class Sample:
    """A text whose format is not known yet."""

    text: str

    @cached_property
    def start(self) -> str:
        """Its first visible character."""
        return self.text.lstrip("\ufeff \t\r\n")[:1]

    @cached_property
    def is_json(self) -> bool:
        return starts_json(self.text)

    @cached_property
    def prose(self) -> str:
        """The text without code blocks and comments; all of it when nothing is left."""
        kept = without_code(self.text)
        return kept if kept.strip() else self.text

    @cached_property
    def is_structured(self) -> bool:
        """Whether headings stand in it that only our grammar has."""
        return native.is_structured(self.prose)

    @cached_property
    def value(self) -> object:
        """What it says as JSON; None when it is none."""
        return load_any(self.text, Findings())


class Known(NamedTuple):
    """A format that is read here. `shows` says whether a text shows it, when no format before it does."""

    read: Callable[[str], Reading]
    shows: Callable[[Sample], bool]


def _text(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: not sample.is_json and looks_like(sample.text)


def _text_of_others(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: (
        not sample.is_json and looks_like(sample.text) and not native.is_structured(sample.prose)
    )


def _marked(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: sample.start == "<" and looks_like(sample.text)


def _marked_or_json(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: (sample.start == "<" or sample.is_json) and looks_like(sample.text)


def _json(looks_like: Callable[[object], bool]) -> Callable[[Sample], bool]:
    return lambda sample: sample.is_json and looks_like(sample.value)


def _prose(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: not sample.is_json and not sample.is_structured and looks_like(sample.prose)


def _is_spec_kit(text: str) -> bool:
    return not _NATIVE.search(text) and spec_kit.looks_like(text)


def _is_any(_content: object) -> bool:
    return True


#: In the order in which a text is asked whether it shows them.
FORMATS: Final[Mapping[Format, Known]] = {
    Format.FOLDER: Known(framework.read, _marked(framework.looks_like)),
    Format.BEADS: Known(beads.read, _marked_or_json(beads.looks_like)),
    Format.TODO: Known(todo.read, _json(todo.looks_like)),
    Format.PLAN_FILE: Known(plan_file.read, _json(plan_file.looks_like)),
    Format.TASKS: Known(tasks_state.read, _json(tasks_state.looks_like)),
    Format.BUNDLE_WS: Known(bundle_ws.read, _json(bundle_ws.looks_like)),
    Format.TASK_MASTER: Known(task_master.read, _json(_is_any)),
    Format.GSD: Known(gsd.read, _text(gsd.looks_like)),
    Format.BACKLOG: Known(backlog.read, _text(backlog.looks_like)),
    Format.TASKS_MD: Known(tasks_markdown.read, _text(tasks_markdown.looks_like)),
    Format.SPEC_KITTY: Known(spec_kitty.read, _prose(spec_kitty.looks_like)),
    Format.SPEC_KIT: Known(spec_kit.read, _text(_is_spec_kit)),
    Format.SUPERPOWERS: Known(superpowers.read, _prose(superpowers.looks_like)),
    Format.CONDUCTOR: Known(conductor.read, _prose(conductor.looks_like)),
    Format.KIRO: Known(kiro.read, _prose(kiro.looks_like)),
    Format.OPENSPEC: Known(openspec.read, _prose(openspec.looks_like)),
    Format.YAML: Known(yaml_plan.read, _text_of_others(yaml_plan.looks_like)),
    Format.PLAN: Known(read_plan, lambda sample: sample.is_structured or native.keys_prevail(sample.prose)),
    Format.PLAN_MODE: Known(plan_mode.read, _prose(plan_mode.looks_like)),
    Format.LIST_FINE: Known(prose.read_fine, lambda _: False),
    Format.LIST: Known(prose.read, _text(_is_any)),
}
#: Our own forms, which are read as they stand.
OWN: Final = frozenset({Format.PLAN, Format.PLAN_FILE})
#: Formats that are JSON; a text may hold one in a fence.
IN_JSON: Final = (
    Format.TODO,
    Format.PLAN_FILE,
    Format.TASKS,
    Format.BUNDLE_WS,
    Format.TASK_MASTER,
)
READERS: Final[dict[Format, Callable[[str], Reading]]] = {form: known.read for form, known in FORMATS.items()}


def recognise(text: str) -> Format:
    """The format that a text shows; a list in prose when nothing else fits."""
    sample = Sample(text)
    if not sample.is_json and (fenced := unfenced(text)) != text:
        inside = Sample(fenced)
        form = next((form for form in IN_JSON if FORMATS[form].shows(inside)), None)
        if form and (form is not Format.TASK_MASTER or task_master.looks_like(inside.value)):
            return form
    return next(form for form, known in FORMATS.items() if known.shows(sample))
