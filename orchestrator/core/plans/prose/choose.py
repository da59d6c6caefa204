"""Which headings and items of an outline are steps, and which groups they stand in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.plans.prose.outline import Kind, Node, Outline
from orchestrator.core.plans.prose.tables import TableRow, rows_of
from orchestrator.core.plans.prose.words import GATE, Meaning, bare, holds_no_work, is_manual, split_name

#: A bullet that says something about its group: `**Goal:** …`, `Deliverables:`.
_LABEL: Final = re.compile(
    r"\*\*[^*]{1,40}:\*\*.*"
    r"|(?:\*\*)?(?:goals?|objectives?|files?|owner|duration|estimate|effort|deliverables?|dependencies"
    r"|depends on|risks?|notes?|status|priority|context|scope|architecture|tech stack|background"
    r"|acceptance(?: criteria)?|success criteria|timeline|outcome|output|input|purpose|why|what|how|tests?"
    r"|verification|branch|date|author|version)(?:\*\*)?[ \t]*:.*",
    re.IGNORECASE | re.DOTALL,
)
_DOTTED: Final = re.compile(r"\d{1,6}(?:\.\d{1,6})+[a-z]?")


@dataclass(slots=True)
class Chosen:
    """One step: the heading or item it stands as, or a row of a table; `first` to `last` are its lines."""

    node: Node
    first: int
    last: int
    row: TableRow | None = None


@dataclass(slots=True)
class Passage:
    """Steps under one heading or one item. `ranges` are lines of its own text, `criteria` the nodes that
    prove it.
    """

    node: Node
    steps: list[Chosen] = field(default_factory=list)
    groups: "list[Passage]" = field(default_factory=list)
    texts: list[tuple[int, int]] = field(default_factory=list)
    criteria: list[Node] = field(default_factory=list)

    def entries(self) -> "list[Chosen | Passage]":
        """Its steps and the groups in it, as they stand in the text."""
        both: list[Chosen | Passage] = [*self.steps, *self.groups]
        return sorted(both, key=lambda entry: entry.node.line)

    def all_steps(self) -> Iterator[Chosen]:
        yield from self.steps
        for group in self.groups:
            yield from group.all_steps()


@dataclass(frozen=True, slots=True)
class Way:
    """How generous the choice is, from what the text surely means to what it may mean."""

    any_section: bool = False
    numbered_headings: bool = False
    text_sections: bool = False
    fine: bool = False


_WAYS: Final = (
    Way(),
    Way(any_section=True),
    Way(any_section=True, numbered_headings=True),
    Way(any_section=True, text_sections=True),
)


def choose(outline: Outline, *, fine: bool = False, everywhere: bool = False) -> Passage:
    """The root group with every step; `fine` takes nested boxes and numbered items as steps of their own.

    With `everywhere` every heading is a group of steps, whatever its words say.
    """
    root = Passage(outline.root)
    ways = (_WAYS[0], _WAYS[2], *_WAYS[1:]) if _counts_steps(outline) else _WAYS
    for way in _WAYS[-1:] if everywhere else ways:
        root = _Chooser(outline, Way(way.any_section, way.numbered_headings, way.text_sections, fine)).root()
        if any(True for _ in root.all_steps()):
            break
    return root


def _counts_steps(outline: Outline) -> bool:
    """Whether most of the innermost numbered headings have no list of their own: they are what is done."""
    numbered = [node for node in outline.root.below() if node.role is Meaning.NUMBERED]
    innermost = [node for node in numbered if not _holds_numbered(node)]
    listed = sum(1 for node in innermost if node.items)
    return len(innermost) > 1 and 2 * listed < len(innermost)


def _holds_numbered(node: Node) -> bool:
    return any(below.role is Meaning.NUMBERED for below in node.below())


class _Chooser:
    def __init__(self, outline: Outline, way: Way) -> None:
        self.way = way
        self.outline = outline
        nodes = list(outline.root.below())
        tasks = [node for node in nodes if node.role is Meaning.STEP and not _is_gate(node)]
        self.has_task_headings = bool(tasks)
        self.outermost = (
            "step" if tasks and all(n.heading and n.heading.noun == "step" for n in tasks) else "task"
        )
        items = [
            item
            for node in (outline.root, *nodes)
            if node.role is not Meaning.CRITERIA
            for item in node.all_items()
        ]
        self.has_boxes = any(item.mark is not None for item in items)

    def root(self) -> Passage:
        root = Passage(self.outline.root)
        self._fill(root, self.outline.root, work=self._is_list_alone())
        return root

    def _is_list_alone(self) -> bool:
        """A text without headings that is nothing but a list is a list of steps."""
        return not self.outline.root.headings

    def _fill(self, group: Passage, node: Node, *, work: bool) -> None:
        own_work = work or node.role in (Meaning.WORK, Meaning.GROUP)
        self._items(group, node, own_work)
        is_title = node.level == 1 and bool(node.headings) and group.node.kind is Kind.ROOT
        for child in node.headings:
            self._heading(group, child, work if is_title else own_work)

    def _heading(self, group: Passage, child: Node, work: bool) -> None:
        role = child.role
        first = child.level == 1 and group.node.kind is Kind.ROOT
        title = first and (role not in (Meaning.STEP, Meaning.GROUP) or self._is_title(child))
        if title:
            self._fill(group, child, work=work or not child.headings)
        elif role is Meaning.STEP and not (self.way.fine and self._has_parts(child)):
            group.steps.append(Chosen(child, child.line + 1, child.last))
        elif self._counts_on(child) or (role is Meaning.TEXT and self._is_worked_off(child)):
            self._group(group, child, work)
        elif role is Meaning.CRITERIA and group.node.kind is not Kind.ROOT and not self.way.text_sections:
            group.criteria.append(child)
        elif role is Meaning.TEXT and _has_tasks(child) and not holds_no_work(child.text):
            self._around_tasks(group, child, work)
        elif role in (Meaning.TEXT, Meaning.CRITERIA) and not self.way.text_sections:
            group.texts.append((child.line, child.last))
        elif self._is_numbered_step(child, work):
            group.steps.append(Chosen(child, child.line + 1, child.last))
        else:
            self._group(group, child, work)

    def _is_title(self, child: Node) -> bool:
        """`# Q3 – Payments` with sections below it: the name of the whole, although it looks like a key."""
        alone = sum(1 for node in self.outline.root.headings if node.level == 1) == 1
        named = child.role is Meaning.STEP and child.heading is not None and not child.heading.noun
        return alone and named and any(below.role is not Meaning.TEXT for below in child.headings)

    def _around_tasks(self, group: Passage, child: Node, work: bool) -> None:
        """Tasks that stand deeper than the heading of text before them: `## Files`, `### Task 1`."""
        group.texts.append((child.line, child.headings[0].line - 1))
        for below in child.headings:
            self._heading(group, below, work)

    def _counts_on(self, node: Node) -> bool:
        """Whether the items below a numbered heading carry its number: `2.1` below `2. Checks`."""
        name = node.heading.name if node.heading else ""
        return bool(name) and any(
            split_name(bare(item.text))[0].startswith(f"{name}.") for item in node.items
        )

    def _is_worked_off(self, node: Node) -> bool:
        """Whether a section such as Testing holds boxes to work off."""
        boxes = any(item.mark is not None for item in node.items)
        return (
            boxes
            and not self.has_task_headings
            and not holds_no_work(node.heading.title if node.heading else node.text)
        )

    def _is_numbered_step(self, node: Node, work: bool) -> bool:
        if node.role is not Meaning.NUMBERED or not (work or self.way.numbered_headings):
            return False
        inside = (*node.all_items(), *(item for below in node.below() for item in below.all_items()))
        boxes = any(item.mark is not None for item in inside)
        return not boxes and not any(below.role in (Meaning.NUMBERED, Meaning.STEP) for below in node.below())

    def _has_parts(self, node: Node) -> bool:
        inside = [*node.all_items(), *(item for below in node.below() for item in below.all_items())]
        return any(item.mark is not None for item in inside) or any(
            b.role is Meaning.STEP for b in node.below()
        )

    def _group(self, group: Passage, child: Node, work: bool) -> None:
        inner = Passage(child)
        self._fill(inner, child, work=work and child.role is not Meaning.TEXT)
        steps = any(True for _ in inner.all_steps())
        if steps:
            group.groups.append(inner)
        elif (
            child.role is Meaning.GROUP
            and child.heading
            and child.heading.noun
            and not inner.criteria
            and not child.items
            and child.last == child.line
        ):
            group.texts.append((child.line, child.last))
        elif child.role is Meaning.GROUP:
            group.steps.append(Chosen(child, child.line + 1, child.last))
        elif inner.criteria and group.node.kind is not Kind.ROOT:
            group.criteria += inner.criteria
        else:
            group.texts.append((child.line, child.last))

    # -- the items of one heading

    def _items(self, group: Passage, node: Node, work: bool) -> None:
        items = node.items
        chosen: set[int] = set()
        if any(self._boxes(item) for item in items) and not (
            self.has_task_headings and not self.way.fine and node.kind is Kind.ROOT
        ):
            whole = work or self.way.any_section or self._counts_on(node)
            runs = (
                {item.run for item in items if node.role is Meaning.WORK or self._boxes(item)}
                if whole
                else set()
            )
            chosen = {
                id(item)
                for item in items
                if self._boxes(item) or (item.run in runs and not _LABEL.fullmatch(item.text))
            }
        elif self._lists_are_steps(node, work):
            numbered = {id(item) for item in items if item.number}
            plain = {id(item) for item in items if not _LABEL.fullmatch(item.text)}
            chosen = numbered or plain
        rows = () if chosen or not self._tables_are_steps(work) else rows_of(node)
        start = node.line + 1
        for item in items:
            if id(item) in chosen:
                self._text(group, start, item.line - 1)
                self._step(group, item)
                start = item.last + 1
        for row in rows:
            self._text(group, start, row.first - 1)
            group.steps.append(
                Chosen(Node(Kind.ITEM, row.line, 0, row.title, row.line), row.line + 1, row.line, row)
            )
            start = row.line + 1
        ends = min((child.line for child in node.headings), default=node.last + 1)
        self._text(group, start, ends - 1)

    def _text(self, group: Passage, first: int, last: int) -> None:
        if first <= last:
            group.texts.append((first, last))

    def _boxes(self, item: Node) -> bool:
        if item.mark is not None or not item.items:
            return item.mark is not None
        return any(inner.mark is not None for inner in item.all_items())

    def _lists_are_steps(self, node: Node, work: bool) -> bool:
        if node.role is Meaning.WORK or (node.role is Meaning.GROUP and node.items):
            # Beside tasks that have headings of their own a list says something about them.
            return not _has_tasks(node)
        if self.way.any_section or (work and self._is_list_alone()):
            return True
        return work and not self.has_boxes and not self.has_task_headings

    def _tables_are_steps(self, work: bool) -> bool:
        return not self.has_task_headings and (work or self.way.any_section or not self.has_boxes)

    def _step(self, group: Passage, item: Node) -> None:
        parts = self._sub_steps(item)
        if not parts:
            group.steps.append(Chosen(item, item.line + 1, item.last))
            return
        inner = Passage(item)
        start = item.line + 1
        for part in parts:
            self._text(inner, start, part.line - 1)
            self._step(inner, part)
            start = part.last + 1
        self._text(inner, start, item.last)
        group.groups.append(inner)

    def _sub_steps(self, item: Node) -> list[Node]:
        """Items below an item that are steps of their own: numbered on from it (`2.1` below `2`), or the
        only boxes.
        """
        if self.way.fine:
            boxes = [inner for inner in item.items if inner.mark is not None]
            return boxes or [inner for inner in item.items if inner.number]
        named = [
            inner
            for inner in item.items
            if inner.mark is not None and _DOTTED.fullmatch(split_name(bare(inner.text))[0])
        ]
        if named or item.mark is not None:
            return named
        return [inner for inner in item.items if self._boxes(inner)]


def _has_tasks(node: Node) -> bool:
    return any(below.role is Meaning.STEP and not _is_gate(below) for below in node.below())


def _is_gate(node: Node) -> bool:
    return node.heading is not None and node.heading.noun == GATE


def manual_items(criteria: list[Node]) -> tuple[list[Node], list[Node]]:
    """The criteria that a machine can prove, and those that a person looks at."""
    proved: list[Node] = []
    looked_at: list[Node] = []
    for node in criteria:
        for heading in (node, *node.below()):
            into = looked_at if is_manual(heading.text) else proved
            into += heading.items
    return proved, looked_at
