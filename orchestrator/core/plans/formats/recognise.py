"""Which format a source has, told from its content, and the reader for it."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats import (
    backlog,
    beads,
    bundle,
    bundle_ws,
    framework,
    spec_kit,
    task_master,
    tasks_markdown,
    tasks_state,
)
from orchestrator.core.plans.formats.json_source import load
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.reading.markdown import read_plan


class Format(StrEnum):
    """What `--format` takes."""

    PLAN = "plan"
    SPEC_KIT = "spec-kit"
    TASK_MASTER = "task-master"
    BEADS = "beads"
    BACKLOG = "backlog"
    BUNDLE_WS = "bundle-ws"
    TASKS = "tasks"
    TASKS_MD = "tasks-md"
    BUNDLE = "bundle"
    FOLDER = "folder"


#: Headings that only our own grammar has.
_NATIVE: Final = re.compile(r"(?im)^#{1,6}[ \t]+(?:plan:|stage[ \t]+\d|batch[ \t]+\d|merge[ -]?point\b)")

READERS: Final[dict[Format, Callable[[str], Reading]]] = {
    Format.PLAN: read_plan,
    Format.SPEC_KIT: spec_kit.read,
    Format.TASK_MASTER: task_master.read,
    Format.BEADS: beads.read,
    Format.BACKLOG: backlog.read,
    Format.BUNDLE_WS: bundle_ws.read,
    Format.TASKS: tasks_state.read,
    Format.TASKS_MD: tasks_markdown.read,
    Format.BUNDLE: bundle.read,
    Format.FOLDER: framework.read,
}


def recognise(text: str) -> Format:
    """The format of a source; PLAN.md when nothing else fits."""
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "["):
        return _json_format(text)
    if start == "<" and framework.looks_like(text):
        return Format.FOLDER
    if start == "<" and beads.looks_like(text):
        return Format.BEADS
    if backlog.looks_like(text):
        return Format.BACKLOG
    if tasks_markdown.looks_like(text):
        return Format.TASKS_MD
    native = _NATIVE.search(text)
    return Format.SPEC_KIT if not native and spec_kit.looks_like(text) else Format.PLAN


def _json_format(text: str) -> Format:
    if beads.looks_like(text):
        return Format.BEADS
    value = load(text, Findings())
    if bundle.looks_like(value):
        return Format.BUNDLE
    if tasks_state.looks_like(value):
        return Format.TASKS
    return Format.BUNDLE_WS if bundle_ws.looks_like(value) else Format.TASK_MASTER
