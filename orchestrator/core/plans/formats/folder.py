"""Which plans a set of files holds: what belongs together is one source, what is no plan is left out with the
reason.

`PLAN.md` with `TASKS.md`, `tasks.json` and `index.json` beside it is one workstream (WF-7); the tasks of
Backlog.md are one; a plan file of several plans is one for each, and so is a task-master file of several tags
(AD-3).
"""

import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats import (
    backlog,
    framework,
    plan_file,
    spec_kitty_files,
    task_master,
    tasks_markdown,
    yaml_plan,
)
from orchestrator.core.plans.formats.recognise import READERS, recognise
from orchestrator.core.plans.plan import slugify
from orchestrator.core.plans.prose import native
from orchestrator.core.plans.reading.json_source import load
from orchestrator.core.plans.reading.json_start import starts_json
from orchestrator.core.plans.text.source import decode_source
from orchestrator.core.terms import Format

_KNOWN: Final = frozenset({".md", ".markdown", ".json", ".jsonl"})
_YAML: Final = frozenset({".yaml", ".yml"})
#: Files that stand beside plans and are none, by their name in lower case.
_BESIDE: Final = {
    "readme.md": "says something about the folder",
    "execution-dashboard.md": "is written from the state of a workstream",
    "learnings.md": "is written from what was learned",
}
_PLAN: Final = re.compile(r"(?:(?P<stem>.+)\.)?PLAN\.md")
_TOGETHER: Final = ("PLAN.md", "TASKS.md", "tasks.json", "index.json")


@dataclass(frozen=True, slots=True)
class PlanSource:
    """One plan to submit: a name for people, and the text that is read and reviewed."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The plans of a set of files in the order of their names, and what is none of them."""

    plans: tuple[PlanSource, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def sources_of(files: Mapping[str, bytes]) -> Sources:
    """Sort files (relative paths with `/`) into plans.

    A file that cannot be read is left out with the reason.
    """
    sorter = _Sorter()
    for name in sorted(files):
        sorter.decode(name, files[name])
    sorter.frameworks()
    sorter.work_packages()
    for name in sorted(sorter.texts):
        sorter.sort(name, sorter.texts[name])
    sorter.backlogs()
    plans = sorted(sorter.plans, key=lambda plan: plan.name)
    return Sources(tuple(plans), tuple(sorted(sorter.left_out, key=lambda one: one.name)))


class _Sorter:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.plans: list[PlanSource] = []
        self.left_out: list[LeftOut] = []
        self.backlog: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def leave(self, name: str, why: str) -> None:
        self.left_out.append(LeftOut(name, why))

    def decode(self, name: str, data: bytes) -> None:
        own = posixpath.basename(name).lower()
        ending = posixpath.splitext(own)[1]
        if ending not in _KNOWN and not (ending in _YAML and self._is_yaml(data)):
            self.leave(name, "is no Markdown, JSON or JSONL file")
        elif own in _BESIDE:
            self.leave(name, _BESIDE[own])
        else:
            text = decode_source(data)
            if isinstance(text, Finding):
                self.leave(name, f"cannot be read: {text.message}")
            else:
                self.texts[name] = text

    def _is_yaml(self, data: bytes) -> bool:
        text = decode_source(data)
        return isinstance(text, str) and yaml_plan.looks_like(text)

    def frameworks(self) -> None:
        """Every PLAN.md with the files of its workstream beside it.

        A stem before the name (`a.PLAN.md`) binds too.
        """
        for name in sorted(self.texts):
            found = _PLAN.fullmatch(posixpath.basename(name))
            if found is None or name not in self.texts:
                continue
            stem = f"{found['stem']}." if found["stem"] else ""
            beside = [posixpath.join(posixpath.dirname(name), f"{stem}{other}") for other in _TOGETHER]
            parts = [one for one in beside if one in self.texts and self._belongs(one)]
            if any(one.endswith(("TASKS.md", "tasks.json")) for one in parts):
                self.plans.append(
                    PlanSource(name, framework.join((one, self.texts.pop(one)) for one in parts))
                )

    def _belongs(self, name: str) -> bool:
        return not name.endswith("TASKS.md") or tasks_markdown.looks_like(self.texts[name])

    def work_packages(self) -> None:
        """The work packages of one folder are one plan, with the list of them that stands beside or above."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.texts):
            if spec_kitty_files.is_package(self.texts[name]):
                found[posixpath.dirname(name)].append(name)
        for folder, names in found.items():
            above = posixpath.dirname(folder) if posixpath.basename(folder) == "tasks" else folder
            lists = [posixpath.join(above, "tasks.md")]
            names = [*(one for one in lists if one in self.texts and one not in names), *names]
            joined = [(name, self.texts.pop(name)) for name in names]
            single = len(joined) == 1
            self.plans.append(
                PlanSource(*joined[0]) if single else PlanSource(names[0], framework.join(joined))
            )

    def sort(self, name: str, text: str) -> None:
        if starts_json(text):
            self._json(name, text)
        elif backlog.looks_like(text):
            self._backlog(name, text)
        elif not text.strip():
            self.leave(name, "holds no text")
        elif _PLAN.fullmatch(posixpath.basename(name)):
            self.plans.append(PlanSource(name, text))
        else:
            self._markdown(name, text)

    def _markdown(self, name: str, text: str) -> None:
        """In a folder full of notes a list is a plan only where it has boxes, or tasks as headings."""
        form = recognise(text)
        if form in (Format.LIST, Format.PLAN) and READERS[form](text).plan is None:
            self.leave(name, "holds nothing that can be scheduled")
        elif form is Format.LIST and not native.shows_work(text):
            self.leave(name, "has no check boxes and no headings that are tasks")
        else:
            self.plans.append(PlanSource(name, text))

    def _json(self, name: str, text: str) -> None:
        found = recognise(text)
        if found is Format.BEADS:
            self.plans.append(PlanSource(name, text))
            return
        findings = Findings()
        value = load(text, findings)
        why = _no_plan(name, value, found) if value is not None else ""
        several = plan_file.plans_in(value) if found is Format.PLAN_FILE else ()
        if why:
            self.leave(name, why)
        elif len(several) > 1:
            self.plans += _split(name, several)
        elif found is Format.TASK_MASTER and len(tags := task_master.tags_in(text)) > 1:
            self.plans += _of_tags(name, text, tuple(tags))
        else:
            self.plans.append(PlanSource(name, text))

    def _backlog(self, name: str, text: str) -> None:
        folders = name.split("/")[:-1]
        lower = [folder.lower() for folder in folders]
        if {"archive", "drafts"} & set(lower):
            self.leave(name, "is a draft, or was archived")
            return
        root = "/".join(folders[: lower.index("backlog") + 1] if "backlog" in lower else folders)
        self.backlog[root].append((name, text))

    def backlogs(self) -> None:
        for folder, files in self.backlog.items():
            name = posixpath.join(folder, "backlog.md")
            single = len(files) == 1
            self.plans.append(PlanSource(*files[0]) if single else PlanSource(name, framework.join(files)))


def _no_plan(name: str, value: Any, found: Format) -> str:
    """Why a JSON value is no plan; empty when it is one."""
    if name.endswith(".schema.json") or (
        isinstance(value, dict) and "$schema" in value and "properties" in value
    ):
        return "is a JSON Schema"
    if isinstance(value, dict) and "streams" in value and "tasks" not in value:
        return "is a registry of workstreams; it is read together with the PLAN.md beside it"
    if isinstance(value, list) and not any(isinstance(row, dict) for row in value):
        return "is a list of texts that nothing calls work"
    known = found is not Format.TASK_MASTER or task_master.looks_like(value)
    return "" if known else "is JSON, but no plan in a form that is known"


def _of_tags(name: str, text: str, tags: tuple[str, ...]) -> list[PlanSource]:
    """Each tag of a task-master file as a file of its own, named after the file and the tag.

    The tag that every file has keeps the file's name.
    """
    folder, own = posixpath.split(name)
    stem = own.rsplit(".", 1)[0]
    slugs = _free_slugs(tags)
    texts = task_master.only(text, tags)
    names = (
        posixpath.join(folder, own if tag == task_master.USUAL_TAG else f"{stem}.{slug}.json")
        for tag, slug in zip(tags, slugs, strict=True)
    )
    return [PlanSource(each, part) for each, part in zip(names, texts, strict=True)]


def _free_slugs(names: Iterable[str]) -> list[str]:
    slugs: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        slug = slugify(name)
        slugs[f"{slug}-{number}" if slug in slugs else slug] = None
    return list(slugs)


def _split(name: str, plans: tuple[Any, ...]) -> list[PlanSource]:
    """Each plan of a plan file as a plan file of its own, named after the plan."""
    folder = posixpath.dirname(name)
    sources: list[PlanSource] = []
    taken: set[str] = set()
    for number, plan in enumerate(plans, 1):
        title = plan.get("name") if isinstance(plan, dict) else None
        slug = slugify(title) if isinstance(title, str) and title.strip() else f"plan-{number}"
        slug = f"{slug}-{number}" if slug in taken else slug
        taken.add(slug)
        text = json.dumps(plan_file.wrapped(plan), indent=2, ensure_ascii=False) + "\n"
        sources.append(PlanSource(posixpath.join(folder, f"{slug}.json"), text))
    return sources
