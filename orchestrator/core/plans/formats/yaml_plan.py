"""Plans as YAML: `stages`, `phases`, `steps` or `tasks`, nested or flat, with `depends_on` by id, name or
title.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.yaml_source import Listing, Mapping, load_yaml
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.finish import UNNAMED, Gathered, ListedBatch, ListedStage, finish
from orchestrator.core.plans.prose.order import ListedStep
from orchestrator.core.plans.reading.items import Item, key_of
from orchestrator.core.plans.reading.json_source import (
    LONGEST_AGENT,
    LONGEST_NAME,
    Lines,
    listed,
    name_of,
    one_line,
    plain,
)
from orchestrator.core.plans.reading.progress import status_of
from orchestrator.core.plans.text.paths import file_in
from orchestrator.core.plans.text.phrases import read_minutes
from orchestrator.core.plans.text.titles import split_title

_GROUPS: Final = (
    "stages",
    "phases",
    "milestones",
    "sprints",
    "batches",
    "epics",
    "workstreams",
    "groups",
    "jobs",
)
_STEPS: Final = ("steps", "tasks", "items", "actions", "todos", "subtasks", "work", "work_packages")
TITLES: Final = ("title", "name", "task", "step", "content", "summary", "description", "id", "key")
_NEEDS: Final = (
    "depends_on",
    "dependsOn",
    "dependencies",
    "needs",
    "requires",
    "blocked_by",
    "after",
    "depends-on",
)
_EXITS: Final = (
    "completion_signals",
    "acceptance",
    "acceptance_criteria",
    "exit",
    "exit_criteria",
    "done_when",
    "success_criteria",
    "criteria",
)
_FILES: Final = ("files", "paths", "file", "files_modified", "files_to_modify", "outputs")
_LISTS: Final = re.compile(rf"(?m)^[ \t]{{0,4}}(?:{'|'.join((*_GROUPS, *_STEPS))})[ \t]*:[ \t]*(?:#.*)?$")
#: Front matter that lists what is to be done, as the plans of some editors have it.
_LISTED_MATTER: Final = re.compile(r"(?m)^(?:todos|tasks|steps):[ \t\r]*\n[ \t]*-[ \t]")
_MATTER: Final = re.compile(
    r"(\ufeff?---[ \t\r]*\n(?:(?!---[ \t\r]*\n)[^\n]*\n){1,2000}?)---[ \t\r]*(?:\n|\Z)"
)
_KEY: Final = re.compile(r"[A-Za-z_][\w -]{0,40}:(?:[ \t]|$)")
_READ: Final = frozenset(
    {
        *TITLES,
        *_NEEDS,
        *_EXITS,
        *_FILES,
        *_GROUPS,
        *_STEPS,
        "status",
        "state",
        "role",
        "owner",
        "assignee",
        "agent",
        "estimate",
    }
)


#: What Markdown has and YAML has not: boxes, items with another sign or a number in the first column, a
#: heading with an empty line behind it.
_MARKDOWN: Final = re.compile(
    r"(?m)^[ \t]*(?:[-*+]|\d{1,4}[.)])[ \t]+\[[^\]\n\w]?[xX]?[^\]\n\w]?\][ \t]+\S|^(?:[*+]|\d{1,4}[.)])[ \t]"
    r"|^#{2,6}[ \t]+\S[^\n]*\n[ \t]*\n"
)
#: The lines of `key: |`, which may hold anything.
_BLOCK_TEXT: Final = re.compile(r"(?m)(?<=:)[ \t]*[|>][+-]?\d?[ \t]*\n(?:[ \t]+\S[^\n]*\n|[ \t]*\n)*")
#: What stands in the first column of a YAML text.
_FIRST: Final = re.compile(r"(?:[\"'A-Za-z_][^:\n]{0,80}:(?:\s|$)|-(?:[ \t]|$)|#|---|\.\.\.|\Z)")
_TITLE: Final = re.compile(r"\ufeff?#[ \t]+(?:plan:[ \t]*)?(?P<title>[^#\s].{0,199})", re.IGNORECASE)


def looks_like(text: str) -> bool:
    """Whether the text opens with `key: value` and has a list of stages, steps or tasks, or its front matter
    has a list of to-dos.
    """
    if _LISTED_MATTER.search(front_matter_of(text)):
        return True
    lines = (line for line in text[:4_000].split("\n") if line.strip() and not line.lstrip().startswith("#"))
    first = next((line for line in lines if line.strip() != "---"), "")
    starts = bool(_KEY.match(first)) and "\n# " not in text[:20_000].replace("\n# yaml", "")
    return starts and bool(_LISTS.search(text)) and "\n---" not in text[4:] and not _is_markdown(text)


def _is_markdown(text: str) -> bool:
    """A heading and a comment look alike: lines of text in the first column say which the first line is."""
    text = _BLOCK_TEXT.sub("", text)
    if _MARKDOWN.search(text):
        return True
    lines = text.split("\n")
    if not _TITLE.match(lines[0]):
        return False
    written = [line for line in lines[1:] if line.strip()]
    return not all(line[:1] in " \t" or _FIRST.match(line) for line in written)


def front_matter_of(text: str) -> str:
    """The front matter of a Markdown text, with the line that opens it; empty when there is none."""
    found = _MATTER.match(text)
    return found[1] if found else ""


def read(text: str) -> Reading:
    findings = Findings()
    if matter := front_matter_of(text):
        body = text[len(matter) :].partition("\n")[2]
        return read_value(load_yaml(matter, findings), "a list in front matter", findings, said=body)
    title = _TITLE.match(text)
    name = name_of(title["title"]) if title else ""
    return read_value(load_yaml(text, findings), "a YAML plan", findings, name)


def read_value(value: Any, kind: str, findings: Findings, name: str = "", said: str = "") -> Reading:
    """The plan of a loaded value; `name` is what it is called when the value does not say it, `said` text
    that stands beside it.
    """
    gatherer = _Gatherer(findings)
    if isinstance(value, dict):
        gatherer.top(_inner(value))
    if not any(stage.steps for stage in gatherer.stages):
        message = "The YAML has no list of stages, steps or tasks with titles."
        findings.add("no-step", 0, message, "Write `steps:` and below it `- title: Paint the wall`.")
        return Reading(None, findings.all())
    summary = [*gatherer.summary, "", *said.strip("\r\n").split("\n")] if said.strip() else gatherer.summary
    return finish(Gathered(gatherer.name or name, kind, gatherer.stages, summary), findings)


def has_groups(value: Any) -> bool:
    """Whether a JSON value has phases, stages or the like with lists of work in them."""
    if not isinstance(value, dict):
        return False
    groups = [value[word] for word in _GROUPS if isinstance(value.get(word), list)]
    if any(_holds_steps(row) for group in groups for row in group):
        return True
    named = [value[word] for word in _STEPS if isinstance(value.get(word), dict)]
    return any(isinstance(row, dict) and not _holds_steps(row) for steps in named for row in steps.values())


def _holds_steps(row: Any) -> bool:
    return isinstance(row, dict) and any(isinstance(row.get(word), list) for word in _STEPS)


def _line(value: Any, name: str = "") -> int:
    """The line of a mapping, or of a key of it; JSON has none."""
    if not isinstance(value, Mapping):
        return 0
    return value.lines[name] if name else value.line


def _inner(value: dict[str, Any]) -> dict[str, Any]:
    """A plan that stands below one key, such as `plan:`."""
    while len(value) <= 3 and not any(name in value for name in (*_GROUPS, *_STEPS)):
        inner = next((part for part in value.values() if isinstance(part, dict)), None)
        if inner is None:
            break
        value = inner
    return value


class _Gatherer:
    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.stages: list[ListedStage] = []
        self.summary: list[str] = []
        self.name = ""

    def top(self, value: dict[str, Any]) -> None:
        self.name = next(
            (
                name_of(value[name])
                for name in ("name", "title", "plan", "project")
                if isinstance(value.get(name), str)
            ),
            "",
        )
        for name, part in value.items():
            if name in _GROUPS and isinstance(part, list | dict):
                self._groups(name, part)
            elif name in _STEPS and isinstance(part, list | dict):
                stage = ListedStage(UNNAMED, _line(value, name))
                self.stages.append(stage)
                self._steps(stage, ListedBatch(UNNAMED, stage.line), part)
            elif name not in ("name", "title"):
                self.summary += self._kept(name, part)

    def _groups(self, kind: str, part: Any) -> None:
        for name, group, line in _entries(part):
            if not isinstance(group, dict):
                self._lone(plain(group), line)
                continue
            own = name or next((plain(group[word]) for word in TITLES if plain(group.get(word))), "")
            stage = ListedStage(
                one_line(own, LONGEST_NAME) or UNNAMED,
                line,
                kind.rstrip("s"),
                key_of(plain(group.get("id"))) or own,
            )
            self.stages.append(stage)
            inside = [word for word in (*_GROUPS, *_STEPS) if isinstance(group.get(word), list | dict)]
            for word in inside:
                self._nested(stage, word, group[word])
            if not inside:
                stage.batches.append(ListedBatch(stage.name, line, [self._step(name, group, line)]))
            else:
                for word in group:
                    if word not in (*inside, "name", "title", "id"):
                        stage.texts += self._kept(word, group[word])

    def _nested(self, stage: ListedStage, word: str, part: Any) -> None:
        """Steps of a group, or groups of steps below it, which are batches."""
        if word in _STEPS:
            self._steps(stage, ListedBatch(stage.name, stage.line), part)
            return
        for name, group, line in _entries(part):
            inner = (
                next((group[w] for w in _STEPS if isinstance(group.get(w), list | dict)), None)
                if isinstance(group, dict)
                else None
            )
            title = name or (
                next((plain(group[w]) for w in TITLES if plain(group.get(w))), "")
                if isinstance(group, dict)
                else ""
            )
            batch = ListedBatch(one_line(title, LONGEST_NAME) or stage.name, line)
            self._steps(stage, batch, inner if inner is not None else [group])

    def _steps(self, stage: ListedStage, batch: ListedBatch, part: Any) -> None:
        stage.batches.append(batch)
        for name, value, line in _entries(part):
            batch.steps.append(self._step(name, value, line or batch.line))

    def _lone(self, text: str, line: int) -> None:
        if text:
            stage = ListedStage(one_line(text, LONGEST_NAME), line)
            stage.batches.append(ListedBatch(stage.name, line, [self._step("", text, line)]))
            self.stages.append(stage)

    def _step(self, name: str, value: Any, line: int) -> ListedStep:
        if not isinstance(value, dict):
            title, whole = split_title(plain(value) or name or "Step")
            return ListedStep(
                Item("", title, line, details=[whole] if whole else []), (key_of(name),) if name else (), 0
            )
        said = next((plain(value[word]) for word in TITLES if plain(value.get(word))), name)
        said = said or next((one for one in map(plain, value.values()) if one), "")
        title, whole = split_title(said)
        others = [
            plain(value[word])
            for word in ("description", "summary")
            if plain(value.get(word)) not in ("", said)
        ]
        kept = [line for word in value if word not in _READ for line in self._kept(word, value[word])]
        steps = [
            line for word in (*_GROUPS, *_STEPS) if value.get(word) for line in self._kept(word, value[word])
        ]
        files = [plain(path) for word in _FILES for path in listed(value.get(word))]
        estimate = plain(value.get("estimate"))
        item = Item(
            key="",
            title=title or "Step",
            line=line,
            details=[text for text in (whole, *others, "\n".join([*kept, *steps])) if text],
            exits=[one_line(text, 500) for word in _EXITS for text in listed(value.get(word)) if plain(text)],
            files=[path for text in files if (path := file_in(text))],
            estimate=estimate if read_minutes(estimate) is not None else "",
            status=status_of(plain(value.get("status") or value.get("state")), line, self.findings),
            agent=one_line(value.get("assignee") or value.get("owner") or value.get("agent"), LONGEST_AGENT),
        )
        item.details += [f"Files: {text}" for text in files if not file_in(text)]
        if role := plain(value.get("role")):
            item.details.append(f"Role: {role}")
        names = [key_of(plain(value[word])) for word in ("id", "key") if plain(value.get(word))]
        names += [key_of(one) for one in (name, plain(value.get("name"))) if one]
        waits = [(need, at or line, False) for word in _NEEDS for need, at in _needs_of(value, word)]
        stated = any(word in value for word in _NEEDS)
        return ListedStep(
            item,
            tuple(dict.fromkeys(n for n in names if n)),
            0,
            waits,
            independent=stated and not waits,
            by_id=True,
        )

    def _kept(self, name: str, value: Any) -> list[str]:
        """What means nothing here, as text."""
        if isinstance(value, dict):
            return [f"{name}:", *(f"  {line}" for key in value for line in self._kept(key, value[key]))]
        if isinstance(value, list):
            lines = [line for one in value for line in self._kept("-", one)]
            return [f"{name}:", *(f"  {line}" for line in lines)]
        text = plain(value)
        return [f"{name} {text}" if name == "-" else f"{name}: {text}"] if text else []


def _needs_of(value: dict[str, Any], word: str) -> Iterator[tuple[str, int]]:
    """What a step waits for, each with its line; 0 where the value has none."""
    needs = value.get(word)
    own = _line(value, word) if needs and isinstance(value, Mapping) else 0
    lines = needs.lines if isinstance(needs, Listing) else []
    for place, need in enumerate(listed(needs)):
        if text := plain(need):
            yield text, lines[place] if place < len(lines) else own


def located(value: Any, lines: Lines) -> Any:
    """A JSON value whose objects know their lines, as those of YAML do: by their titles."""
    if isinstance(value, list):
        return [located(one, lines) for one in value]
    if not isinstance(value, dict):
        return value
    title = next((value[name] for name in TITLES if isinstance(value.get(name), str)), "")
    mapping = Mapping(lines.take(title) if title else 0)
    for name, part in value.items():
        mapping.lines[name] = mapping.line
        mapping[name] = located(part, lines)
    return mapping


def _entries(part: Any) -> Iterator[tuple[str, Any, int]]:
    """The entries of a list, or of a mapping by name, with their lines."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield name, value, _line(part, name)
    else:
        lines = part.lines if isinstance(part, Listing) else []
        for place, value in enumerate(part):
            yield "", value, _line(value) or (lines[place] if place < len(lines) else 0)
