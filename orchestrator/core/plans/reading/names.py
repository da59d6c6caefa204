"""Which key every step and gate of a draft has, and which keys a name in the plan stands for (BX-2)."""

from typing import Final

from orchestrator.core.engine.order import run_around
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import slugify
from orchestrator.core.plans.reading.drafts import BatchDraft, GateDraft, StageDraft, StepDraft, ThreadDraft
from orchestrator.core.plans.text.phrases import KEY, looks_like_key, read_flag, read_group

#: How many dependencies names of threads may stand for in one plan, so that reading stays linear.
EXPANSION_LIMIT: Final = 100_000


class Names:
    """The keys of a draft plan. Ask for the key of a draft, or what a name written in the plan means."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self._of: dict[int, str] = {}
        self._aliases: dict[str, tuple[str, ...]] = {}
        self._batch_at: dict[tuple[int, int], int] = {}
        self._stage_end: dict[int, int] = {}
        self._stage_at: list[int] = []
        self._expanded = 0

    def thread_key(self, draft: ThreadDraft) -> str:
        return self._of[id(draft)]

    def step_key(self, draft: StepDraft) -> str:
        return self._of[id(draft)]

    def gate_key(self, draft: GateDraft) -> str:
        return self._of[id(draft)]

    def knows(self, name: str) -> bool:
        return name in self.keys or name.lower() in self._aliases

    def is_meant_as_key(self, name: str) -> bool:
        return self.knows(name) or looks_like_key(name)

    def resolve(self, name: str) -> tuple[str, ...]:
        """The keys that a name stands for; the name itself when it stands for nothing."""
        if name in self.keys:
            return (name,)
        keys = self._aliases.get(name.lower(), ())
        self._expanded += len(keys)
        return keys if keys and self._expanded <= EXPANSION_LIMIT else (name,)

    def holds_anyway(self, name: str, position: int) -> bool:
        """Whether a name is an earlier batch or stage, which the batch at `position` waits for anyway."""
        group = read_group(name)
        if group is None:
            return False
        what, number = group
        where = (
            self._batch_at.get((self._stage_at[position], number))
            if what == "batch"
            else self._stage_end.get(number)
        )
        return where is not None and where < position

    def place(self, stage: int, number: int, batch: BatchDraft) -> None:
        """Note a batch; batches come in plan order."""
        position = len(self._stage_at)
        self._stage_at.append(stage)
        self._stage_end[number] = position
        if batch.gate is None:
            self._batch_at.setdefault((stage, batch.number), position)

    def give(self, draft: StepDraft | ThreadDraft | GateDraft, key: str) -> None:
        self._of[id(draft)] = key
        self.keys.add(key)

    def give_free(self, draft: GateDraft, key: str) -> str:
        """Give a key that nothing else has, by counting up."""
        free = self.reserve(key)
        self.give(draft, free)
        return free

    def reserve(self, key: str) -> str:
        """A key that nothing else has, for a step that no draft stands for."""
        free, count = key, 1
        while free in self.keys:
            count += 1
            free = f"{key}-{count}"
        self.keys.add(free)
        return free

    def alias(self, name: str, keys: tuple[str, ...]) -> None:
        self._aliases.setdefault(name.lower(), keys)


def name_everything(stages: list[StageDraft], findings: Findings) -> Names:
    """Give every step and gate its key: its own, or one from its place in the plan."""
    names = Names()
    for position, stage in enumerate(stages):
        for batch in stage.batches:
            names.place(position, stage.number, batch)
            _name_steps(names, batch.steps, f"{stage.number:02}.{batch.number:02}")
            _tell_without_key(batch, findings)
            for thread in batch.threads:
                _name_thread(names, f"{stage.number:02}.{batch.number:02}.{thread.lane}", thread, findings)
            for gate in _gates(batch):
                if KEY.fullmatch(gate.key):
                    names.give(gate, gate.key)
    for batch in (batch for stage in stages for batch in stage.batches):
        for gate in _gates(batch):
            _name_gate(names, gate, findings)
    return names


def _gates(batch: BatchDraft) -> list[GateDraft]:
    return [batch.gate] if batch.gate else batch.beside


def _tell_without_key(batch: BatchDraft, findings: Findings) -> None:
    without = [step for step in batch.steps if not step.key]
    if without:
        message = f"{len(without)} of the {len(batch.steps)} steps of batch {batch.number:02} have no key."
        findings.add("inferred-key", without[0].line, message, "Write `- A1: …` to give a step a key.")


def _name_thread(names: Names, key: str, thread: ThreadDraft, findings: Findings) -> None:
    if not thread.steps:
        names.give(thread, key)
        return
    _name_steps(names, thread.steps, key)
    without = sum(not step.key for step in thread.steps)
    if without:
        message = (
            f"{without} of the {len(thread.steps)} steps of thread {key} have no key and are "
            f"numbered in order."
        )
        findings.add(
            "inferred-key", thread.line, message, f"Write `- Task {key}.01: …` to give a step a key."
        )
    last = run_around([_is_parallel(step) for step in thread.steps], len(thread.steps) - 1)
    names.alias(key, tuple(names.step_key(thread.steps[position]) for position in last))


def _name_steps(names: Names, steps: list[StepDraft], prefix: str) -> None:
    for number, step in enumerate(steps, 1):
        names.give(step, step.key or f"{prefix}.{number:02}")


def _name_gate(names: Names, gate: GateDraft, findings: Findings) -> None:
    key = gate.key
    if not KEY.fullmatch(key):
        words = slugify(f"{gate.key} {gate.title}" if gate.merge else gate.title)
        key = names.give_free(gate, f"MP-{words}" if gate.merge else f"G-{words}")
        message = f"The gate “{(gate.title or gate.key)[:60]}” has no key and gets {key}."
        findings.add("inferred-key", gate.line, message, f"Use {key} where another step needs the gate.")
    names.alias(gate.title or key, (key,))


def _is_parallel(step: StepDraft) -> bool:
    given = read_flag(step.notes.first("parallel"))
    return bool(step.parallel) if given is None else given
