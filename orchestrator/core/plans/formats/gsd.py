"""get-shit-done's `PLAN.md`: front matter, and `<task type="auto">` with name, files, action, verify and
done.
"""

import re
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.yaml_source import Mapping, load_yaml
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.finish import Gathered, ListedBatch, ListedStage, finish
from orchestrator.core.plans.prose.order import ListedStep
from orchestrator.core.plans.prose.parts import LONGEST_CRITERION, paths_in
from orchestrator.core.plans.prose.references import says_none
from orchestrator.core.plans.prose.words import split_name
from orchestrator.core.plans.reading.items import Item, key_of
from orchestrator.core.plans.reading.json_source import LONGEST_NAME, listed, one_line, plain
from orchestrator.core.plans.text.front_matter import FrontMatter, read_front_matter
from orchestrator.core.plans.text.lines import split_lines
from orchestrator.core.plans.text.titles import split_title

_OPEN: Final = re.compile(r"<task\b([^<>\n]{0,300})>")
_CLOSE: Final = "</task>"
_TYPE: Final = re.compile(r"type=[\"']([^\"'\n]{1,60})[\"']")
_PART: Final = re.compile(
    r"<(name|files|action|verify|done|acceptance_criteria|what-built|how-to-verify|resume-signal|decision|context|options)>",
    re.I,
)
_NEEDS: Final = "depends_on"
_PLAN_NAME: Final = re.compile(r"(?:-PLAN)?(?:\.md)?\Z", re.IGNORECASE)
_OBJECTIVE: Final = re.compile(r"<objective>(.{0,20000}?)</objective>", re.DOTALL)


def looks_like(text: str) -> bool:
    """Whether tasks stand as XML elements with a name."""
    found = _OPEN.search(text)
    return bool(found and "<name>" in text[found.end() : found.end() + 2_000])


def read(text: str) -> Reading:
    findings = Findings()
    steps: list[ListedStep] = []
    stage = ListedStage("Tasks", 1)
    position, line = 0, 1
    for found in _OPEN.finditer(text):
        line += text.count("\n", position, found.start())
        position = found.start()
        following = _OPEN.search(text, found.end())
        limit = following.start() if following else len(text)
        end = text.find(_CLOSE, found.end(), limit)
        if end < 0:
            end = limit
            findings.add(
                "line-left-out",
                line,
                "The task is never closed; it ends where the next one starts.",
                "Write `</task>` behind it.",
            )
        stage.line = stage.line if steps else line
        steps.append(_step(found[1], text[found.end() : end], line))
    if not steps:
        findings.add(
            "no-step",
            0,
            "No `<task>` stands in the plan.",
            'Write `<task type="auto"><name>…</name></task>`.',
        )
        return Reading(None, findings.all())
    stage.batches.append(ListedBatch("Tasks", stage.line, steps))
    gathered = Gathered(_name(text), "a get-shit-done plan", [stage], _summary(text), matter=_matter(text))
    return finish(gathered, findings)


def _matter(text: str) -> FrontMatter:
    """`depends_on: ["01-01"]` names other files of its folder: the workstreams that it needs (AD-3)."""
    matter = FrontMatter()
    lines = split_lines(text[:20_000])
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), 0)
    head = load_yaml("\n".join(lines[:end]), Findings()) if end and lines[0].rstrip() == "---" else None
    if not isinstance(head, Mapping):
        return matter
    named = [
        _PLAN_NAME.sub("", plain(name).strip("\"' ").split("/")[-1]) for name in listed(head.get(_NEEDS))
    ]
    if needs := [key for name in named if not says_none(name) and (key := key_of(name))]:
        matter.values["needs"] = ", ".join(needs)
        matter.lines_of["needs"] = head.lines[_NEEDS]
    return matter


def _is_checkpoint(attributes: str) -> bool:
    kind = _TYPE.search(attributes)
    return bool(kind and kind[1].lower().startswith("checkpoint"))


def _step(attributes: str, body: str, line: int) -> ListedStep:
    parts = _parts(body)
    name, title = split_name(" ".join(parts.pop("name", "").split()))
    checkpoint = _is_checkpoint(attributes)
    said = title or " ".join((parts.get("what-built") or parts.get("decision") or "Task").split())
    short, whole = split_title(
        f"Checkpoint: {said}" if checkpoint and not said.lower().startswith("checkpoint") else said
    )
    exits = [
        one_line(parts.pop(key), LONGEST_CRITERION)
        for key in ("done", "acceptance_criteria")
        if parts.get(key)
    ]
    files = paths_in(parts.get("files", ""))
    verify = parts.pop("verify", "")
    details = [whole, parts.pop("action", ""), f"Verify: {verify}" if verify else ""]
    details += [f"{key.capitalize()}: {text}" for key, text in parts.items() if text]
    item = Item("", short, line, details=[text for text in details if text], exits=exits, files=files)
    return ListedStep(item, (name,) if name else (), 0, gate=checkpoint)


def _parts(body: str) -> dict[str, str]:
    """The elements of a task by name; one that is never closed ends with the task."""
    parts: dict[str, str] = {}
    position = 0
    while opening := _PART.search(body, position):
        close = body.find(f"</{opening[1]}>", opening.end())
        position = close if close >= 0 else len(body)
        parts.setdefault(opening[1].lower(), body[opening.end() : position].strip())
    return parts


def _name(text: str) -> str:
    matter = read_front_matter(split_lines(text[:20_000]), Findings())
    objective = _OBJECTIVE.search(text)
    first = objective[1].strip().split("\n")[0] if objective else ""
    return one_line(matter.values.get("name") or split_title(first)[0], LONGEST_NAME)


def _summary(text: str) -> list[str]:
    """Everything that stands before the first task and behind the last."""
    first = _OPEN.search(text)
    before = text[: first.start()] if first else text
    behind = text[text.rfind(_CLOSE) + len(_CLOSE) :] if _CLOSE in text else ""
    return [
        line
        for line in split_lines(f"{before}\n{behind}")
        if line.strip() not in ("---", "<tasks>", "</tasks>")
    ]
