"""spec-kitty's work packages: `## Work Package WP01: name` with `T001` boxes; packages wait for the ones
they name.

A package is a thread whose tasks go in order. What a package does not name it does not wait for.
"""

import re
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.formats.spec_kitty_files import PACKAGE_ID, as_one_list
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.choose import Chosen
from orchestrator.core.plans.prose.finish import Gathered, ListedBatch, ListedStage, finish
from orchestrator.core.plans.prose.order import ListedStep
from orchestrator.core.plans.prose.outline import Node, Outline, outline_of
from orchestrator.core.plans.prose.references import PROPERTY, references_in, said_in, says_none
from orchestrator.core.plans.prose.steps import drafted
from orchestrator.core.plans.prose.words import bare
from orchestrator.core.plans.reading.json_source import LONGEST_NAME, name_of, one_line
from orchestrator.core.plans.reading.progress import status_of
from orchestrator.core.plans.text.front_matter import read_front_matter
from orchestrator.core.plans.text.lines import split_lines
from orchestrator.core.terms import TaskStatus

_PACKAGE: Final = re.compile(
    r"(?:work package[ \t:]+)?(?P<name>WP\d{1,4})\b[ \t]*[:.–—-]*[ \t]*(?P<title>.*)",
    re.IGNORECASE | re.DOTALL,
)
_HEADING: Final = re.compile(r"(?mi)^#{1,4}[ \t]+(?:work package[ \t:]+)?WP\d{1,4}\b")
#: How far a package is, in spec-kitty's words -> words that are known.
_LANES: Final = {"planned": "todo", "doing": "in_progress", "for_review": "review"}
_LABEL: Final = re.compile(
    r"[ \t>]*(?:[-*+][ \t]+)?(?:\*\*|_)?([A-Za-z ]{1,40}?)(?:\*\*)?[ \t]*:(?:\*\*|_)?[ \t]*(.*)", re.DOTALL
)


def looks_like(text: str) -> bool:
    return bool(_HEADING.search(text) or PACKAGE_ID.search(text))


def read(text: str) -> Reading:
    findings = Findings()
    texts, lanes = as_one_list(split_lines(text))
    matter = read_front_matter(texts, Findings())
    outline = outline_of(texts, matter.lines)
    stages = _merged([_stage(node, outline, findings) for node in _packages(outline)])
    stages = [stage for stage in stages if stage.steps]
    for stage in stages:
        _take_lane(stage, lanes.get(stage.number, ""), findings)
    if not stages:
        findings.add(
            "no-step",
            0,
            "No work package with a task stands in the text.",
            "Write `## Work Package WP01: name` and `- [ ] T001 text`.",
        )
        return Reading(None, findings.all())
    stated = _relate(stages)
    title = next((node.text for node in outline.root.headings if node.level == 1), "")
    name = name_of(bare(title).removeprefix("Work Packages:")) or "Work packages"
    first = min(stage.line for stage in stages)
    last = max(stage.steps[-1].item.line for stage in stages)
    end = max((node.last for node in _packages(outline)), default=last)
    around = [*texts[: first - 1], *texts[end:]]
    summary = [line for line in around if line.strip() not in ("---", f"# {title}")]
    return finish(Gathered(name, "work packages of spec-kitty", stages, summary, by_needs=stated), findings)


def _merged(stages: list[ListedStage]) -> list[ListedStage]:
    """A package that stands in the list and in a file of its own is one, with what both say."""
    merged: dict[str, ListedStage] = {}
    for place, stage in enumerate(stages):
        known = merged.setdefault(stage.number or f"{place}", stage)
        if known is not stage:
            _merge(known, stage)
    return list(merged.values())


def _merge(known: ListedStage, stage: ListedStage) -> None:
    known.texts += stage.texts
    if not _lists_steps(known) and _lists_steps(stage):
        known.texts += [step.item.title for step in known.steps]
        known.batches = stage.batches
        return
    by_name = {step.names[0]: step for step in known.steps if step.names}
    for step in stage.steps:
        twin = by_name.get(step.names[0]) if step.names else None
        if twin is not None:
            twin.item.details += [step.item.title, *step.item.details]
            if twin.item.status is TaskStatus.PENDING:
                twin.item.status = step.item.status
        elif _lists_steps(stage):
            known.batches[-1].steps.append(step)
        else:
            known.texts += [step.item.title, *step.item.details]


def _lists_steps(stage: ListedStage) -> bool:
    return any(step.names[:1] != (stage.number,) for step in stage.steps)


def _take_lane(stage: ListedStage, lane: str, findings: Findings) -> None:
    """`lane: done` is the state of a package that lists no tasks of its own."""
    if lane and not _lists_steps(stage):
        for step in stage.steps:
            step.item.status = status_of(_LANES.get(lane.strip("\"' "), lane), stage.line, findings)


def _packages(outline: Outline) -> list[Node]:
    """The headings of packages; a file of one package is that package."""
    found = [node for node in outline.root.below() if _PACKAGE.fullmatch(bare(node.text))]
    return found or [outline.root]


def _stage(node: Node, outline: Outline, findings: Findings) -> ListedStage:
    package = _PACKAGE.fullmatch(bare(node.text))
    name = package["name"].upper() if package else ""
    stage = ListedStage(
        one_line(bare(node.text), LONGEST_NAME) or "Work package",
        node.line or 1,
        "wp",
        name,
        in_order=True,
    )
    steps: list[ListedStep] = []
    own: list[int] = []
    inside = [
        *node.items,
        *(item for below in node.below() if not _PACKAGE.fullmatch(bare(below.text)) for item in below.items),
    ]
    for item in inside:
        if item.mark is not None:
            steps.append(_step(item, outline, findings))
            own += range(item.line, item.last + 1)
    ends = min(
        (below.line for below in node.below() if _PACKAGE.fullmatch(bare(below.text))), default=node.last + 1
    )
    if not steps:
        made = drafted(Chosen(node, node.line + 1, ends - 1), outline, findings)
        made.item.title = (package["title"].strip() if package else "") or made.item.title
        steps.append(ListedStep(made.item, (name,) if name else (), 0))
    taken = set(own)
    stage.texts = [outline.texts[number - 1] for number in range(node.line + 1, ends) if number not in taken]
    stage.batches.append(ListedBatch(stage.name, stage.line, steps))
    return stage


def _step(item: Node, outline: Outline, findings: Findings) -> ListedStep:
    made = drafted(Chosen(item, item.line + 1, item.last), outline, findings)
    return ListedStep(made.item, (made.name,) if made.name else (), 0, made.waits, made.parts.independent)


def _relate(stages: list[ListedStage]) -> bool:
    """Let packages wait for the packages they name; whether any says what it waits for, or that it waits
    for nothing.
    """
    by_name = {stage.number: stage for stage in stages if stage.number}
    stated = False
    for stage in stages:
        names, said = _needs(stage.texts)
        stated = stated or said
        for name in names:
            before = by_name.get(name)
            if before is None:
                for step in _starts(stage):
                    step.waits.append((name, stage.line, False))
            elif before is not stage:
                ends = tuple(step.names[0] for step in _ends(before) if step.names)
                for step in _starts(stage):
                    step.waits += [(end, stage.line, False) for end in ends]
    return stated


def _needs(texts: list[str]) -> tuple[list[str], bool]:
    """The packages that a package's text waits for, and whether it says anything about that."""
    names: list[str] = []
    said = False
    below = False
    for text in texts:
        stripped = text.strip()
        label = _LABEL.fullmatch(stripped)
        value = label[2].strip("* ") if label and PROPERTY.fullmatch(label[1].strip()) else ""
        heading = stripped.startswith("#")
        if heading:
            below = bool(PROPERTY.fullmatch(bare(stripped.lstrip("# "))))
            continue
        if value or (below and stripped):
            said = True
            names += [] if says_none(value or stripped.lstrip("-* ")) else _package_names(value or stripped)
        elif spoken := said_in(stripped):
            found = [name for part in spoken[1] for name in _package_names(part)]
            said = said or bool(found)
            names += found
        below = below and (bool(not label) or not stripped)
    return list(dict.fromkeys(names)), said


def _package_names(text: str) -> list[str]:
    return [ref.name.upper() for ref in references_in(text, sure=True) if ref.name.upper().startswith("WP")]


def _starts(stage: ListedStage) -> list[ListedStep]:
    """The steps that begin a package: the first, with neighbours that run beside it."""
    steps = stage.steps
    count = 1
    while count < len(steps) and steps[0].item.parallel and steps[count].item.parallel:
        count += 1
    return steps[:count]


def _ends(stage: ListedStage) -> list[ListedStep]:
    steps = stage.steps
    count = 1
    while count < len(steps) and steps[-1].item.parallel and steps[-count - 1].item.parallel:
        count += 1
    return steps[-count:]
