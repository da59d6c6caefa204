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
    framework,
    plan_file,
    spec_kit,
    task_master,
    tasks_markdown,
    tasks_state,
)
from orchestrator.core.plans.formats.json_source import load
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.markdown import read_plan
from orchestrator.core.terms import Format

#: Headings that only our own grammar has.
_NATIVE: Final = re.compile(r"(?im)^#{1,6}[ \t]+(?:plan:|stage[ \t]+\d|batch[ \t]+\d|merge[ -]?point\b)")


@dataclass(frozen=True)
class Sample:
    """A text whose format is not known yet."""

    text: str

    @cached_property
    def start(self) -> str:
        """Its first visible character."""
        return self.text.lstrip("\ufeff \t\r\n")[:1]

    @property
    def is_json(self) -> bool:
        return self.start in ("{", "[")

    @cached_property
    def value(self) -> object:
        """What it says as JSON; None when it is none."""
        return load(self.text, Findings())


class Known(NamedTuple):
    """A format that is read here. `shows` says whether a text shows it, when no format before it does."""

    read: Callable[[str], Reading]
    shows: Callable[[Sample], bool]


def _text(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: not sample.is_json and looks_like(sample.text)


def _marked(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: sample.start == "<" and looks_like(sample.text)


def _marked_or_json(looks_like: Callable[[str], bool]) -> Callable[[Sample], bool]:
    return lambda sample: (sample.start == "<" or sample.is_json) and looks_like(sample.text)


def _json(looks_like: Callable[[object], bool]) -> Callable[[Sample], bool]:
    return lambda sample: sample.is_json and looks_like(sample.value)


def _is_spec_kit(text: str) -> bool:
    return not _NATIVE.search(text) and spec_kit.looks_like(text)


def _is_any(_content: object) -> bool:
    return True


#: In the order in which a text is asked whether it shows them.
FORMATS: Final[Mapping[Format, Known]] = {
    Format.FOLDER: Known(framework.read, _marked(framework.looks_like)),
    Format.BEADS: Known(beads.read, _marked_or_json(beads.looks_like)),
    Format.PLAN_FILE: Known(plan_file.read, _json(plan_file.looks_like)),
    Format.TASKS: Known(tasks_state.read, _json(tasks_state.looks_like)),
    Format.BUNDLE_WS: Known(bundle_ws.read, _json(bundle_ws.looks_like)),
    Format.TASK_MASTER: Known(task_master.read, _json(_is_any)),
    Format.BACKLOG: Known(backlog.read, _text(backlog.looks_like)),
    Format.TASKS_MD: Known(tasks_markdown.read, _text(tasks_markdown.looks_like)),
    Format.SPEC_KIT: Known(spec_kit.read, _text(_is_spec_kit)),
    Format.PLAN: Known(read_plan, _text(_is_any)),
}
READERS: Final[dict[Format, Callable[[str], Reading]]] = {form: known.read for form, known in FORMATS.items()}


def recognise(text: str) -> Format:
    """The format that a text shows; PLAN.md when nothing else fits."""
    sample = Sample(text)
    return next(form for form, known in FORMATS.items() if known.shows(sample))
