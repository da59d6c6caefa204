"""spec-kitty's work packages: `## Work Package WP01: name` with `T001` boxes; packages wait for the ones
they name.

A package is a thread whose tasks go in order. What a package does not name it does not wait for.
"""

import re
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.choose import Chosen
from orchestrator.core.plans.prose.finish import Gathered, ListedBatch, ListedStage, finish
from orchestrator.core.plans.prose.order import ListedStep
from orchestrator.core.plans.prose.outline import Node, Outline, outline_of
from orchestrator.core.plans.prose.references import PROPERTY, references_in, said_in, says_none
from orchestrator.core.plans.prose.steps import drafted
from orchestrator.core.plans.prose.words import bare
from orchestrator.core.plans.reading.json_source import LONGEST_NAME, name_of, one_line
from orchestrator.core.plans.text.front_matter import read_front_matter
from orchestrator.core.plans.text.lines import split_lines

_PACKAGE: Final = re.compile(
    r"(?:work package[ \t:]+)?(?P<name>WP\d{1,4})\b[ \t]*[:.–—-]*[ \t]*(?P<title>.*)",
    re.IGNORECASE | re.DOTALL,
)
_HEADING: Final = re.compile(r"(?mi)^#{1,4}[ \t]+(?:work package[ \t:]+)?WP\d{1,4}\b")
_MATTER: Final = re.compile(r"(?m)^work_package_id:[ \t]*[\"']?(WP\d{1,4})")
_LABEL: Final = re.compile(
    r"[ \t>]*(?:[-*+][ \t]+)?(?:\*\*|_)?([A-Za-z ]{1,40}?)(?:\*\*)?[ \t]*:(?:\*\*|_)?[ \t]*(.*)", re.DOTALL
)


def looks_like(text: str) -> bool:
    return bool(_HEADING.search(text) or (text.startswith("---") and _MATTER.search(text[:4_000])))


def read(text: str) -> Reading:
    findings = Findings()
    texts = split_lines(text)
    matter = read_front_matter(texts, Findings())
    outline = outline_of(texts, matter.lines)
    stages = [_stage(node, outline, findings) for node in _packages(outline)]
    stages = [stage for stage in stages if stage.steps]
    if not stages:
        findings.add(
            "no-step",
            0,
            "No work package with a task stands in the text.",
            "Write `## Work Package WP01: name` and `- [ ] T001 text`.",
        )
        return Reading(None, findings.all())
    stated = _relate(stages, findings)
    title = next((node.text for node in outline.root.headings if node.level == 1), "")
    name = name_of(bare(title).removeprefix("Work Packages:")) or "Work packages"
    first = min(stage.line for stage in stages)
    last = max(stage.steps[-1].item.line for stage in stages)
    end = max((node.last for node in _packages(outline)), default=last)
    around = [*texts[: first - 1], *texts[end:]]
    summary = [line for line in around if line.strip() not in ("---", f"# {title}")]
    return finish(Gathered(name, "work packages of spec-kitty", stages, summary, by_needs=stated), findings)


def _packages(outline: Outline) -> list[Node]:
    """The headings of packages; a file of one package is that package."""
    found = [node for node in outline.root.below() if _PACKAGE.fullmatch(bare(node.text))]
    return found or [outline.root]


def _stage(node: Node, outline: Outline, findings: Findings) -> ListedStage:
    package = _PACKAGE.fullmatch(bare(node.text))
    name = package["name"].upper() if package else ""
    matter = _MATTER.search("\n".join(outline.texts[: max(1, node.line)])) if not package else None
    stage = ListedStage(
        one_line(bare(node.text), LONGEST_NAME) or "Work package",
        node.line or 1,
        "wp",
        name or (matter[1] if matter else ""),
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


def _relate(stages: list[ListedStage], findings: Findings) -> bool:
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
                message = f"{stage.number or stage.name} depends on {name}, which is not in the text."
                findings.add("unreadable-value", stage.line, message, "Correct the name, or add the package.")
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
