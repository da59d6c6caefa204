"""Stages of steps that were read from a foreign text become a plan: keys, needs, and the one sentence about
it.

Everything is inferred and said in one sentence, so that a reviewer looks at it before approval.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.prose.order import ListedStep, StepNames, in_order, relate, resolve
from orchestrator.core.plans.prose.words import split_letter, split_loose_name
from orchestrator.core.plans.reading.build import build_plan
from orchestrator.core.plans.reading.drafts import (
    BatchDraft,
    GateDraft,
    PlanDraft,
    StageDraft,
    ThreadDraft,
    Value,
)
from orchestrator.core.plans.reading.items import name_items, notes_of, progress_of, step_of
from orchestrator.core.plans.reading.json_source import LONGEST_NAME, name_of, one_line
from orchestrator.core.plans.reading.progress import tell_state
from orchestrator.core.plans.text.front_matter import FrontMatter


@dataclass(slots=True)
class ListedBatch:
    """Steps that stand together, and the text around them."""

    name: str
    line: int
    steps: list[ListedStep] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ListedStage:
    """One heading with its batches. `noun` and `number` are what other steps call it: phase, 2.

    `in_order` keeps its steps in order where stages run side by side. `looked_at` are the lines that a
    person verifies at its end, `gate_line` where they stand.
    """

    name: str
    line: int
    noun: str = ""
    number: str = ""
    batches: list[ListedBatch] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    in_order: bool = False
    gate_line: int = 0

    @property
    def steps(self) -> list[ListedStep]:
        return [step for batch in self.batches for step in batch.steps]


@dataclass(slots=True)
class Gathered:
    """What was read of a whole text. `unnamed` is what a stage is called that has no heading of its own."""

    name: str
    kind: str
    stages: list[ListedStage] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)
    #: Whether needs alone give the order; None when the steps themselves show it.
    by_needs: bool | None = None
    #: What its front matter says that holds for the whole plan.
    matter: FrontMatter = field(default_factory=FrontMatter)


UNNAMED = "Steps"


def finish(gathered: Gathered, findings: Findings) -> Reading:
    """The plan of what was gathered, which has at least one step."""
    return _Finisher(gathered, findings).reading()


class _Finisher:
    def __init__(self, gathered: Gathered, findings: Findings) -> None:
        self.gathered = gathered
        self.findings = findings
        self.stages = [stage for stage in gathered.stages if stage.steps]

    def reading(self) -> Reading:
        steps = [step for stage in self.stages for step in stage.steps]
        for place, stage in enumerate(self.stages):
            for step in stage.steps:
                step.stage = place
        self._name_and_relate(steps)
        stated = len(steps) > 1 and all(step.states_needs for step in steps)
        by_needs = stated if self.gathered.by_needs is None else self.gathered.by_needs
        draft = PlanDraft(name=name_of(self.gathered.name), summary=self.gathered.summary)
        if by_needs:
            draft.stages.append(self._by_needs())
        else:
            draft.stages += [self._stage(number, stage) for number, stage in enumerate(self.stages, 1)]
        plan = build_plan(draft, self.gathered.matter, self.findings, inferred=("order",))
        progress = progress_of(step.item for step in steps) if plan else ()
        tell_state(progress, self.findings)
        self._tell(len(steps), by_needs=by_needs)
        return Reading(plan, self.findings.all(), progress)

    # -- names and needs

    def _name_and_relate(self, steps: list[ListedStep]) -> None:
        """Give every step its key and its needs."""
        self._loose_names(steps)
        count = Counter(name for step in steps for name in step.names[:1])
        several = len(self.stages) > 1
        position: Counter[int] = Counter()
        for step in steps:
            position[step.stage] += 1
            own = step.names[0] if step.names else str(position[step.stage])
            plain = own.replace(".", "").isdigit()
            twice = count[own] > 1 or (not step.names and several)
            key = f"{step.stage + 1}.{own}" if plain and twice else own
            step.item.key = key if step.names else self._free(step, key, count)
        name_items([step.item for step in steps], self.findings)
        groups = [(stage.noun, stage.number, place) for place, stage in enumerate(self.stages) if stage.noun]
        names = StepNames(steps, groups)
        relate(self._sentences(), steps, names)
        resolve(steps, names, self.findings)

    def _free(self, step: ListedStep, key: str, taken: Counter[str]) -> str:
        """A key for a step that the text gives none; gates are told from steps by it."""
        base = f"CP{key}" if step.gate else key
        free, number = base, 1
        while taken[free]:
            number += 1
            free = f"{base}-{number}"
        taken[free] += 1
        return free

    def _sentences(self) -> Iterable[str]:
        yield from self.gathered.summary
        for stage in self.stages:
            yield from stage.texts
            for batch in stage.batches:
                yield from batch.texts

    def _loose_names(self, steps: list[ListedStep]) -> None:
        """`A2 Show the sum` is called A2 where the list calls others so, too; `a) dig`, `b) pour` a and b."""
        for stage in self.stages:
            self._letters([step for step in stage.steps if not step.names])
        letters = Counter(step.names[0].rstrip("0123456789") for step in steps if step.names)
        loose = {id(step): split_loose_name(step.item.title) for step in steps if not step.names}
        letters.update(name.rstrip("0123456789") for name, _ in loose.values() if name)
        for step in steps:
            name, title = loose.get(id(step), ("", ""))
            if name and letters[name.rstrip("0123456789")] > 1:
                step.names, step.item.title = (name, *step.names), title

    def _letters(self, steps: list[ListedStep]) -> None:
        lettered = [(step, *split_letter(step.item.title)) for step in steps]
        named = [(step, name, title) for step, name, title in lettered if name]
        if len(named) > 1 and ascii_lowercase.startswith("".join(name for _, name, _ in named).lower()):
            for step, name, title in named:
                step.names, step.item.title = (name,), title

    # -- drafts

    def _stage(self, number: int, stage: ListedStage) -> StageDraft:
        draft = StageDraft(number, stage.name, stage.line, definition=stage.texts)
        batches = [batch for batch in stage.batches if batch.steps]
        for batch in batches:
            self._into_batches(draft, batch)
        if stage.looked_at:
            draft.batches.append(self._gate(number, stage))
        return draft

    def _into_batches(self, stage: StageDraft, batch: ListedBatch) -> None:
        """One thread of the steps in order; a step that a person decides is a gate between two of them."""
        thread = ThreadDraft("01", batch.name, batch.line)
        texts = batch.texts
        for step in in_order(batch.steps, self.findings):
            if not step.gate:
                if not thread.steps:
                    number = sum(1 for one in stage.batches if one.gate is None) + 1
                    held = BatchDraft(number, batch.name, batch.line, summary=texts, threads=[thread])
                    stage.batches.append(held)
                thread.steps.append(step_of(step.item))
                continue
            gate = GateDraft(step.item.key, step.item.title, step.item.line, merge=False)
            gate.notes = notes_of(step.item)
            gate.notes.values["kind"] = [Value(["review"], step.item.line)]
            stage.batches.append(BatchDraft(-1, "", step.item.line, gate=gate))
            thread, texts = ThreadDraft("01", batch.name, step.item.line), []

    def _gate(self, number: int, stage: ListedStage) -> BatchDraft:
        line = stage.gate_line
        title = one_line(f"Manual verification of {stage.name}", LONGEST_NAME)
        gate = GateDraft(f"CP{number}", title, line, merge=False)
        gate.notes.values["kind"] = [Value(["review"], line)]
        gate.notes.text += [f"- {text}" for text in stage.looked_at]
        message = f"What a person verifies in “{stage.name[:60]}” is read as a review gate, CP{number}."
        self.findings.add("inferred-kind", line, message, "Take it out if nobody has to sign there.")
        return BatchDraft(-1, "", line, gate=gate)

    def _by_needs(self) -> StageDraft:
        """One batch whose steps wait for what they name and for nothing else; headings are its threads."""
        stage = StageDraft(1, "Work", self.stages[0].line)
        batch = BatchDraft(1, "Work", self.stages[0].line)
        for number, group in enumerate(self.stages, 1):
            thread = ThreadDraft(f"{number:02}", group.name, group.line, summary=group.texts)
            for own in group.batches:
                thread.summary += own.texts
                free = None if group.in_order else True
                thread.steps += [
                    step_of(replace(step.item, parallel=step.item.parallel or free)) for step in own.steps
                ]
            batch.threads.append(thread)
        stage.batches.append(batch)
        return stage

    def _tell(self, count: int, *, by_needs: bool) -> None:
        headings = sum(1 for stage in self.stages if stage.name != UNNAMED)
        under = f" under {headings} headings" if headings > 1 else ""
        order = "in the order of what they depend on" if by_needs else "in order"
        message = f"Read as {self.gathered.kind}{under}: {count} step{'' if count == 1 else 's'} {order}."
        fix = "Check the steps and their order; edit it as PLAN.md to say it differently."
        self.findings.add("inferred-list", self.stages[0].line, message, fix)
