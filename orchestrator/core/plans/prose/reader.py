"""A plan in prose becomes a plan: groups are stages and batches, steps go in order unless the text says
otherwise.

Everything is inferred and said in one sentence, so that a reviewer looks at it before approval. Nothing of
the
text is lost: what is no step, criterion or need stands in the details of a step, the text of its group or the
summary.
"""

import re
from dataclasses import replace
from string import ascii_lowercase
from typing import Final

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.choose import Chosen, Passage, choose, manual_items
from orchestrator.core.plans.prose.finish import UNNAMED, Gathered, ListedBatch, ListedStage, finish
from orchestrator.core.plans.prose.order import ListedStep
from orchestrator.core.plans.prose.outline import Kind, Node, Outline, outline_of
from orchestrator.core.plans.prose.parts import LONGEST_CRITERION, MOST_CRITERIA
from orchestrator.core.plans.prose.steps import drafted
from orchestrator.core.plans.prose.words import GATE, Meaning, bare
from orchestrator.core.plans.reading.json_source import LONGEST_NAME, one_line
from orchestrator.core.plans.text.front_matter import FrontMatter, read_front_matter
from orchestrator.core.plans.text.lines import split_lines
from orchestrator.core.plans.text.source import MAX_STEPS, too_many_steps
from orchestrator.core.terms import TaskStatus

_LISTED: Final = re.compile(r" ?(?:[-*+•]|\d{1,9}[.)])[ \t]|[☐☑⬜🔲◻]|\[[ xX]?\]")
_LETTERED: Final = re.compile(r"[A-Za-z][.)][ \t]+\S")
EXAMPLE: Final = (
    "Write for example: `# Paint the wall`, `- [ ] Buy the paint`, `- [ ] Sand the wall`, "
    "`- [ ] Paint it (needs 1, 2)`."
)


def read(text: str) -> Reading:
    """Nested boxes and items are details of the step above them."""
    return read_prose(text, "a list")


def read_fine(text: str) -> Reading:
    """Nested boxes and numbered items are steps of their own."""
    return read_prose(text, "a list, nested items as steps", fine=True)


def read_prose(text: str, kind: str, *, fine: bool = False, everywhere: bool = False) -> Reading:
    """Read a text; `kind` is what the reviewer is told that it was read as.

    `fine` and `everywhere` say what counts as a step (`choose`).
    """
    findings = Findings()
    texts = split_lines(text)
    matter, own = _front_matter(texts, findings)
    texts = _with_bullets(texts)
    outline = outline_of(texts, matter.lines)
    root = choose(outline, fine=fine, everywhere=everywhere)
    if not any(True for _ in root.all_steps()):
        opened = outline_of(texts, matter.lines, open_markdown=True)
        root, outline = choose(opened, fine=fine), opened
    if outline.open_fence:
        message = "The code block that starts here is never closed; everything after it was read as code."
        findings.add(
            "open-fence", outline.open_fence, message, "Close it with a line of the same fence characters."
        )
    if not any(True for _ in root.all_steps()):
        _refuse(outline, findings)
        return Reading(None, findings.all())
    if (count := sum(1 for _ in root.all_steps())) > MAX_STEPS:
        findings.extend((too_many_steps(count),))
        return Reading(None, findings.all())
    return finish(_Assembler(outline, findings, kind).gathered(root, matter, own), findings)


def _with_bullets(texts: list[str]) -> list[str]:
    """A text whose only list counts `a)`, `b)` or `A.`, `B.`, as a list of items with these names."""
    if any(_LISTED.match(text) for text in texts):
        return texts
    places = [place for place, text in enumerate(texts) if _LETTERED.match(text)]
    letters = "".join(texts[place][0] for place in places).lower()
    if len(letters) < 2 or letters != ascii_lowercase[: len(letters)]:
        return texts
    counted = list(texts)
    for place in places:
        counted[place] = f"- {texts[place]}"
    return counted


#: Names whose values are taken where they have a form in which nobody else means something by the same name,
#: and what to write.
_OURS: Final = {
    "verify": (r"(?:pytest|ruff|script)\b.*|none", "`verify: pytest -q` or another tool's command"),
    "repository": (r"[A-Za-z0-9][\w.-]*", "`repository: name`, a folder of the server's repositories"),
    "base_branch": (r"\S+", "`base_branch: main`"),
}
#: Names whose values are taken as they are.
_TAKEN: Final = ("name", "domain", "owner", "needs")


def _front_matter(texts: list[str], findings: Findings) -> tuple[FrontMatter, list[str]]:
    """What is known of the front matter, and its lines as text: other tools write much there.

    What we know holds for a list as well; a value of a known name that is not taken is told, because whoever
    wrote a budget or an order there relies on it.
    """
    problems = Findings()
    matter = read_front_matter(texts, problems)
    kept = replace(matter, values={}, parameters={}, parameter_lines={}, hints={})
    kept.values = {name: matter.values[name] for name in _TAKEN if name in matter.values}
    lines = {line: name for name, line in matter.lines_of.items()}
    for found in problems.all():
        if found.code == "front-matter" and found.line in lines:
            findings.add("front-matter-as-text", found.line, found.message, found.fix)
    for name, (form, wanted) in _OURS.items():
        value = matter.values.get(name, "")
        if re.fullmatch(form, value):
            kept.values[name] = value
        elif value:
            message = f"The {name} above this list is kept as text: {one_line(value, 60)}"
            findings.add("front-matter-as-text", matter.lines_of[name], message, f"Write {wanted}.")
    return kept, texts[1 : max(1, matter.lines - 1)]


def _refuse(outline: Outline, findings: Findings) -> None:
    nodes = list(outline.root.below())
    items = sum(1 for node in (outline.root, *nodes) for _ in node.all_items())
    lines = sum(1 for text in outline.texts if text.strip())
    if not lines:
        findings.add("source-empty", 0, "The plan holds no text.", "Paste or upload a plan.")
        return
    message = (
        f"Nothing in the text looks like work: {lines} lines, {len(nodes)} headings, {items} list items, "
        f"and no step among them."
    )
    findings.add("no-step", 0, message, EXAMPLE)


class _Assembler:
    def __init__(self, outline: Outline, findings: Findings, kind: str) -> None:
        self.outline = outline
        self.findings = findings
        self.kind = kind
        self.stages: list[ListedStage] = []
        self.summary: list[str] = []
        self.title = next((node for node in outline.root.headings if node.level == 1), None)

    def gathered(self, root: Passage, matter: FrontMatter, own: list[str]) -> Gathered:
        self._stages_of(root, root.node)
        by_needs = matter.by_needs or None
        texts = [*own, *self.summary]
        return Gathered(self._name(matter), self.kind, self.stages, texts, by_needs=by_needs, matter=matter)

    def _name(self, matter: FrontMatter) -> str:
        given = matter.values.get("name", "") or (self.title.text if self.title else "")
        plain = bare(given)
        for word in ("Plan:", "PLAN:", "Tasks:"):
            plain = plain.removeprefix(word)
        return one_line(plain, LONGEST_NAME).lstrip(" :.-–—")

    # -- groups

    def _stages_of(self, group: Passage, holder: Node) -> None:
        """The stages of a group: its own steps are one, each heading below it is one."""
        stage: ListedStage | None = None
        self._group_text(group, stage)
        for entry in group.entries():
            if isinstance(entry, Passage) and entry.node.kind is Kind.HEADING:
                stage = None
                self._heading_group(entry)
                continue
            if isinstance(entry, Chosen) and entry.node.role is Meaning.GROUP:
                self._into(self._new_stage(entry.node, entry.node.line), entry)
                stage = None
                continue
            if stage is None:
                stage = self._new_stage(holder, entry.node.line)
            self._into(stage, entry)

    def _heading_group(self, group: Passage) -> None:
        container = (
            group.node.role is Meaning.WORK
            and group.groups
            and any(inner.node.kind is Kind.HEADING for inner in group.groups)
        )
        if container:
            self._stages_of(group, group.node)
            return
        stage = self._new_stage(group.node, group.node.line)
        stage.texts += self._lines(group.texts)
        for entry in group.entries():
            self._into(stage, entry)
        self._state_of(stage, group)
        self._criteria(stage, group)

    def _state_of(self, stage: ListedStage, group: Passage) -> None:
        """What stands below `✅ Phase 1` or `Done` is done, and below `Doing` begun, unless it has a mark."""
        mark = group.node.heading.mark if group.node.heading else ""
        if mark != "x" and not (mark == "~" and group.node.role is Meaning.WORK):
            return
        unmarked = {one.node.line for one in group.all_steps() if one.node.mark is None and one.row is None}
        for step in stage.steps:
            if step.item.line in unmarked and step.item.status is TaskStatus.PENDING:
                step.item.status = TaskStatus.COMPLETE if mark == "x" else TaskStatus.ACTIVE

    def _into(self, stage: ListedStage, entry: Chosen | Passage) -> None:
        """A step goes into the open batch; a group below a stage is a batch of its own."""
        if isinstance(entry, Passage):
            batch = ListedBatch(self._heading_name(entry.node), entry.node.line)
            stage.batches.append(batch)
            self._flatten(batch, stage, entry)
            stage.batches.append(ListedBatch(stage.name, entry.node.last + 1))
            return
        if not stage.batches:
            stage.batches.append(ListedBatch(stage.name, entry.node.line))
        self._add(stage.batches[-1], entry)

    def _flatten(self, batch: ListedBatch, stage: ListedStage, group: Passage) -> None:
        batch.texts += self._lines(group.texts)
        stage_criteria = group.criteria
        for entry in group.entries():
            if isinstance(entry, Passage):
                batch.texts.append(entry.node.text)
                self._flatten(batch, stage, entry)
            else:
                self._add(batch, entry)
        if stage_criteria:
            self._criteria(stage, group)

    def _add(self, batch: ListedBatch, chosen: Chosen) -> None:
        made = drafted(chosen, self.outline, self.findings)
        names = tuple(dict.fromkeys(name for name in (made.name, made.ordered) if name))
        step = ListedStep(
            made.item, names, len(self.stages) - 1, made.waits, made.parts.independent, aliases=made.aliases
        )
        step.gate = chosen.node.heading is not None and chosen.node.heading.noun == GATE
        batch.steps.append(step)

    def _new_stage(self, node: Node, line: int) -> ListedStage:
        heading = node.heading if node.kind is Kind.HEADING and node is not self.title else None
        name = self._heading_name(node) if heading else UNNAMED
        stage = ListedStage(name, line, heading.noun if heading else "", heading.name if heading else "")
        self.stages.append(stage)
        return stage

    def _heading_name(self, node: Node) -> str:
        return one_line(bare(node.text), LONGEST_NAME) or UNNAMED

    def _group_text(self, group: Passage, stage: ListedStage | None) -> None:
        into = self.summary if stage is None else stage.texts
        into += self._lines(group.texts)

    def _lines(self, ranges: list[tuple[int, int]]) -> list[str]:
        lines: list[str] = []
        for first, last in sorted(ranges):
            lines += [text for text in self.outline.texts[first - 1 : last] if text.strip() != "---"]
            lines.append("")
        return lines

    def _criteria(self, stage: ListedStage, group: Passage) -> None:
        """What proves a group is what its last step has to prove; what a person looks at is a gate behind
        it.
        """
        proved, looked_at = manual_items(group.criteria)
        if looked_at:
            stage.gate_line = stage.gate_line or looked_at[0].line
            stage.looked_at += [bare(item.text) for item in looked_at]
        steps = stage.steps
        kept = {item.line for item in (*proved, *looked_at)}
        for node in group.criteria:
            text = [
                self.outline.texts[number - 1]
                for number in range(node.line, node.last + 1)
                if number not in kept
            ]
            stage.texts += text
        if steps:
            exits = [" ".join(bare(item.text).split())[:LONGEST_CRITERION] for item in proved]
            steps[-1].item.exits += exits[:MOST_CRITERIA]
