"""Checkpoints of other tools' plans: gates that somebody signs, or remarks in the text (WF-2).

A text says `checkpoints: remarks` in its front matter, so that whoever reads it later sees the same plan.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from orchestrator.core.findings import Finding
from orchestrator.core.plans.findings import finding
from orchestrator.core.plans.plan import BatchSpec, Need, Plan, Reading, StageSpec, StepSpec
from orchestrator.core.plans.reading.json_start import starts_json
from orchestrator.core.plans.text.lines import split_lines
from orchestrator.core.terms import Format

#: Formats whose gates are checkpoints that the reader found in prose.
WITH_CHECKPOINTS: Final = frozenset(
    {
        Format.SPEC_KIT,
        Format.SPEC_KITTY,
        Format.SUPERPOWERS,
        Format.OPENSPEC,
        Format.KIRO,
        Format.CONDUCTOR,
        Format.PLAN_MODE,
        Format.GSD,
        Format.LIST,
        Format.LIST_FINE,
    }
)
_WISH: Final = re.compile(r"checkpoints[ \t]*:[ \t]*[\"']?remarks[\"']?[ \t]*(?:#.*)?", re.IGNORECASE)
_LINE: Final = "checkpoints: remarks"


def wants_remarks(text: str) -> bool:
    """Whether the front matter says that checkpoints are remarks."""
    start = text[:20_000]
    if not start.removeprefix("\ufeff").startswith("---") or _LINE.split(":")[0] not in start.lower():
        return False
    lines = split_lines(start)
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), 0)
    return any(_WISH.fullmatch(line.rstrip()) for line in lines[1:end])


def with_remarks(text: str) -> str:
    """The text with that wish in its front matter; as it is when it says so already, or can have none."""
    if wants_remarks(text) or starts_json(text) or text.lstrip("\ufeff \t\r\n").startswith("<"):
        return text
    lines = split_lines(text)
    if lines[0].rstrip() == "---" and any(line.rstrip() in ("---", "...") for line in lines[1:]):
        return "\n".join([lines[0], _LINE, *lines[1:]])
    return "\n".join(["---", _LINE, "---", *lines])


def checkpoints_of(reading: Reading) -> int:
    """How many checkpoints of a foreign text were read as gates."""
    if reading.plan is None or reading.format not in WITH_CHECKPOINTS:
        return 0
    return sum(1 for step in reading.plan.steps() if step.gate)


def as_remarks(reading: Reading) -> Reading:
    """The reading with its checkpoints as text of the batch they stand behind, and one finding about it."""
    count = checkpoints_of(reading)
    if reading.plan is None or not count or count == sum(1 for _ in reading.plan.steps()):
        return reading
    gates = {step.key: step for step in reading.plan.steps() if step.gate}
    lines = {step.line for step in gates.values()}
    about_gates = ("inferred-kind", "inferred-needs")
    findings = [f for f in reading.findings if not (f.code in about_gates and f.line in lines)]
    plan = _without(reading.plan, gates)
    progress = tuple(one for one in reading.progress if one.key not in gates)
    return replace(reading, plan=plan, findings=(*findings, _told(count, min(lines))), progress=progress)


def _told(count: int, line: int) -> Finding:
    many = f"{count} checkpoints are remarks" if count > 1 else "A checkpoint is a remark"
    message = f"{many} in the text and no gate, because the front matter says `{_LINE}`."
    return finding("kept-as-text", line, message, "Take that line away if somebody has to sign there.")


def _without(plan: Plan, gates: Mapping[str, StepSpec]) -> Plan:
    stages = tuple(stage for given in plan.stages if (stage := _stage(given, gates)).batches)
    summary = "\n".join(line for line in plan.summary.split("\n") if not _WISH.fullmatch(line)).strip("\n")
    return replace(plan, stages=stages, summary=summary).with_steps(lambda step: _step(step, gates))


def _stage(stage: StageSpec, gates: Mapping[str, StepSpec]) -> StageSpec:
    batches: list[BatchSpec] = []
    said = [stage.definition] if stage.definition else []
    for batch in stage.batches:
        gate = next((s for thread in batch.threads for s in thread.steps if s.key in gates), None)
        if gate is None:
            batches.append(batch)
        elif batches:
            before = batches[-1]
            batches[-1] = replace(before, summary="\n\n".join(filter(None, [before.summary, _remark(gate)])))
        else:
            said.append(_remark(gate))
    numbered = [replace(batch, prefix=f"{number:02}") for number, batch in enumerate(batches, 1)]
    return replace(stage, batches=tuple(numbered), definition="\n\n".join(said))


def _remark(gate: StepSpec) -> str:
    title = gate.title if gate.title.lower().startswith("checkpoint") else f"Checkpoint: {gate.title}"
    action = gate.gate.action if gate.gate else ""
    return "\n".join(filter(None, [title, action, gate.details, *gate.exit]))


def _step(step: StepSpec, gates: Mapping[str, StepSpec]) -> StepSpec:
    """Who waits for a checkpoint waits for what the checkpoint waits for."""
    if not any(need.key in gates for need in step.needs):
        return step
    needs: dict[str, Need] = {}
    for need in step.needs:
        for real in _behind(need, gates, 0):
            needs.setdefault(real.key, real)
    return replace(step, needs=tuple(needs.values()))


def _behind(need: Need, gates: Mapping[str, StepSpec], depth: int) -> Iterator[Need]:
    gate = gates.get(need.key)
    if gate is None:
        yield need
    elif depth < 50:
        for other in gate.needs:
            yield from _behind(other, gates, depth + 1)
