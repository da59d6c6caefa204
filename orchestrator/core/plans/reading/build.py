"""Turn drafts into the plan value: keys, threads, gates and dependencies (BX-1, BX-2, BX-3).

Names in the plan may stand for more than a key: a gate by its title, a thread for its last steps, `Batch 1`
for what the batch order guarantees anyway. Everything that the plan does not say itself is marked inferred.
"""

from dataclasses import replace
from typing import Final

from orchestrator.core.plans.action import action_key, has_action, with_action
from orchestrator.core.plans.findings import Findings
from orchestrator.core.plans.plan import BatchSpec, GateSpec, Need, Plan, StageSpec, StepSpec, ThreadSpec
from orchestrator.core.plans.reading.derive import derive_stage, loose_by_needs, put_gates_beside
from orchestrator.core.plans.reading.drafts import (
    BatchDraft,
    GateDraft,
    LaneDraft,
    Notes,
    PlanDraft,
    StageDraft,
    StepDraft,
    ThreadDraft,
    joined,
)
from orchestrator.core.plans.reading.fields import (
    GATE_FIELDS,
    LANE_FIELDS,
    STEP_FIELDS,
    flag_of,
    gate_kind,
    items,
    named_needs,
    role_of,
    signatures_of,
    step_fields,
    texts,
    without_effect,
)
from orchestrator.core.plans.reading.names import Names, name_everything
from orchestrator.core.plans.reading.unlocks import with_unlocks
from orchestrator.core.plans.text.front_matter import FrontMatter
from orchestrator.core.plans.text.phrases import lane_of, read_group, read_items, read_names
from orchestrator.core.plans.text.source import MAX_STEPS, too_many_steps
from orchestrator.core.plans.text.titles import split_title
from orchestrator.core.terms import StageKind

MAIN_LANE: Final = "main"
#: Marks a step whose place among the others the plan does not say itself.
ORDER: Final = "order"


def build_plan(
    draft: PlanDraft, matter: FrontMatter, findings: Findings, *, inferred: tuple[str, ...] = ()
) -> Plan | None:
    """The plan that the drafts describe; None when they hold none, or more than one workflow may have.

    `inferred` is what the reader inferred of every step.
    """
    if not draft.step_count:
        findings.add(
            "no-step", 0, "The plan has no step, so there is nothing to schedule.", _HOW_TO_WRITE_STEPS
        )
        return None
    if draft.step_count > MAX_STEPS:
        findings.extend((too_many_steps(draft.step_count),))
        return None
    if draft.loose:
        derive = loose_by_needs if matter.by_needs else derive_stage
        draft.stages.append(derive(draft, findings))
        draft.stages.sort(key=lambda stage: stage.line)
    if matter.by_needs:
        put_gates_beside(draft.stages)
    names = name_everything(draft.stages, findings)
    builder = _Builder(draft.lanes, names, findings, inferred)
    stages = tuple(builder.stage(stage) for stage in draft.stages)
    builder.report_unused_lanes()
    return with_unlocks(_plan(draft, matter, stages, findings), findings)


UNNAMED_PLAN: Final = "Unnamed plan"
_HOW_TO_WRITE_STEPS: Final = (
    "Write `### Stage 1: name`, `##### Batch 01: name` and `###### Thread 01: name`, or `- A1: "
    "what is to be done` "
    "below a batch heading."
)


def _plan(draft: PlanDraft, matter: FrontMatter, stages: tuple[StageSpec, ...], findings: Findings) -> Plan:
    name = draft.name or matter.values.get("name", "")
    if not name:
        findings.add("inferred-name", 1, "The plan has no name.", "Start it with `# Plan: name`.")
    return Plan(
        name=name or UNNAMED_PLAN,
        stages=stages,
        summary=joined(draft.summary),
        domain=matter.values.get("domain", ""),
        owner=matter.values.get("owner", ""),
        priority=matter.priority,
        repository=matter.values.get("repository", ""),
        base_branch=matter.values.get("base_branch", "") or "main",
        questions=tuple(draft.questions),
        parameters=tuple(matter.parameters.items()),
        needs=tuple(dict.fromkeys(read_items(matter.values.get("needs", "")))),
        needs_line=matter.lines_of.get("needs", 0),
        approvers=matter.approvers,
        approvals=matter.approvals,
        approvers_line=matter.lines_of.get("approvers", 0),
        by_needs=matter.by_needs,
        verify=matter.values.get("verify", ""),
        budget=matter.budget,
        silence=matter.silence,
    )


class _Builder:
    """Builds stage after stage; remembers the steps of the batch before, which a gate may wait for."""

    def __init__(
        self, lanes: dict[str, LaneDraft], names: Names, findings: Findings, inferred: tuple[str, ...]
    ) -> None:
        self.inferred = inferred
        self.lanes = lanes
        self.names = names
        self.findings = findings
        self.used_lanes: set[str] = set()
        self.before: list[str] = []
        self.position = 0

    def stage(self, draft: StageDraft) -> StageSpec:
        kind = self._stage_kind(draft)
        batches = []
        for batch in draft.batches:
            built = self._gate_batch(batch, batch.gate) if batch.gate else self._batch(batch)
            batches.append(built)
            keys = [step.key for thread in built.threads for step in thread.steps]
            self.before = keys or self.before
            self.position += 1
        return StageSpec(draft.number, draft.name, draft.line, kind, tuple(batches), joined(draft.definition))

    def _stage_kind(self, draft: StageDraft) -> StageKind:
        given = draft.kind.text.strip().lower() if draft.kind else ""
        if given in tuple(StageKind):
            return StageKind(given)
        if draft.kind:
            kinds = ", ".join(StageKind)
            message = f"The stage kind “{given[:60]}” is not known."
            self.findings.add("unreadable-value", draft.kind.line, message, f"Kinds are {kinds}.")
        words = draft.name.lower().replace("-", " ").split() or [""]
        kind = {
            "fix": StageKind.FIX,
            "document": StageKind.DOCUMENTATION,
            "documentation": StageKind.DOCUMENTATION,
        }
        found = kind.get(words[0], StageKind.NORMAL)
        if found is not StageKind.NORMAL:
            message = f"Stage {draft.number} is read as a {found} stage because of its name."
            self.findings.add(
                "inferred-kind", draft.line, message, f"Write `Kind: {found}` below it, or another kind."
            )
        return found

    # -- batches and threads

    def _batch(self, draft: BatchDraft) -> BatchSpec:
        threads = self._lane_threads(draft) + [self._thread(thread) for thread in draft.threads]
        threads += self._gate_threads(draft, threads)
        self._check_note(draft)
        summary = "\n".join(part for part in (draft.note, joined(draft.summary)) if part)
        return BatchSpec(f"{draft.number:02}", draft.name, draft.line, tuple(threads), summary)

    def _gate_threads(self, draft: BatchDraft, threads: list[ThreadSpec]) -> list[ThreadSpec]:
        """The gates that stand in a batch; one that names nothing waits for what stands before it there."""
        outside, found = self.before, []
        steps = [step for thread in threads for step in thread.steps]
        for gate in draft.beside:
            unlocks = {name for value in gate.notes.of("unlocks") for name in read_names(value.text)}
            before = [s.key for s in steps if s.line < gate.line and s.key not in unlocks]
            self.before = before or outside
            found.append(self._gate_thread(gate))
            steps += found[-1].steps
        self.before = outside
        return found

    def _check_note(self, draft: BatchDraft) -> None:
        """`(Blocked on MP9)` has to name something that stands before the batch."""
        note = draft.note.lower().removeprefix("blocked").lstrip()
        if note == draft.note.lower() or not note.startswith(("on ", "by ")):
            return
        for name in read_names(draft.note.split(None, 2)[-1]):
            if not self.names.knows(name) and not read_group(name):
                message = f"Batch {draft.number:02} is blocked on “{name[:60]}”, which is not in the plan."
                self.findings.add(
                    "unknown-dependency", draft.line, message, "Correct the name, or add what it names."
                )

    def _lane_threads(self, draft: BatchDraft) -> list[ThreadSpec]:
        """Steps that stand directly in a batch, one thread for each letter they name."""
        lanes: dict[str, list[StepSpec]] = {}
        previous = ""
        for step in draft.steps:
            built = self._step(
                step, parallel=not draft.sequential, said=draft.note.lower().startswith("parallel")
            )
            if draft.derived:
                built = replace(built, inferred=(*built.inferred, ORDER))
            if draft.sequential and not draft.inferred and previous:
                built = replace(
                    built, needs=_with_need(built.needs, Need(previous, draft.line, inferred=True))
                )
            previous = built.key
            lanes.setdefault(lane_of(step.key) or MAIN_LANE, []).append(built)
        inferred = [step for steps in lanes.values() for step in steps if "parallel" in step.inferred]
        if len(inferred) > 1:
            message = (
                f"The {len(inferred)} steps directly below Batch {draft.number:02} are read as parallel."
            )
            fix = "Write (Parallel) or (Sequential) behind the batch's name to make it explicit."
            self.findings.add("inferred-parallel", draft.line, message, fix)
        return [self._lane_thread(lane, steps) for lane, steps in lanes.items()]

    def _lane_thread(self, lane: str, steps: list[StepSpec]) -> ThreadSpec:
        declared = self.lanes.get(lane)
        line = steps[0].line
        if declared is None:
            if lane not in self.used_lanes and lane.isalpha() and lane != MAIN_LANE:
                message = f"Step {steps[0].key} belongs to thread WS-{lane}, which the plan does not declare."
                fix = (
                    f"Add `**WS-{lane}: name**` with Files and Worktree under “## Workstream Decomposition”."
                )
                self.findings.add("undeclared-thread", line, message, fix)
            self.used_lanes.add(lane)
            return ThreadSpec(lane, f"WS-{lane}" if lane.isupper() else lane, line, tuple(steps))
        notes = declared.notes
        if lane not in self.used_lanes:
            without_effect(notes, LANE_FIELDS, f"lane WS-{lane}", self.findings)
        self.used_lanes.add(lane)
        text, role, files, worktree = (
            joined(notes.text),
            role_of(notes),
            items(notes, "files"),
            _worktree(notes),
        )
        return ThreadSpec(lane, declared.name, line, tuple(steps), text, role, files, worktree)

    def report_unused_lanes(self) -> None:
        for lane in self.lanes.values():
            if lane.lane not in self.used_lanes:
                message = f"Thread WS-{lane.lane} is declared, but no step belongs to it."
                self.findings.add("unused-thread", lane.line, message, "Give it steps, or take it out.")

    def _thread(self, draft: ThreadDraft) -> ThreadSpec:
        notes = draft.notes
        summary, details = joined(draft.summary), joined(_without_footer(draft.details))
        if draft.steps:
            steps = tuple(self._step(step, parallel=False, said=True) for step in draft.steps)
            kept = without_effect(notes, LANE_FIELDS, "a thread that lists its steps", self.findings)
            summary = _paragraphs(summary, details, kept)
        else:
            steps = (self._whole_thread(draft, summary, details),)
        role, files, worktree = role_of(notes), items(notes, "files"), _worktree(notes)
        return ThreadSpec(draft.lane, draft.name, draft.line, steps, summary, role, files, worktree)

    def _whole_thread(self, draft: ThreadDraft, summary: str, details: str) -> StepSpec:
        """A thread that lists no tasks is one step: its name, summary and details."""
        notes = draft.notes
        kept = without_effect(notes, (STEP_FIELDS | LANE_FIELDS) - {"may_add"}, "a thread", self.findings)
        fields = step_fields(notes, self.findings) | {"role": "", "files": (), "may_add": 0}
        return StepSpec(
            key=self.names.thread_key(draft),
            title=draft.name,
            line=draft.line,
            details=_paragraphs(summary, details, kept),
            parallel=bool(flag_of(notes, "parallel", self.findings)),
            needs=self._needs(named_needs(notes)),
            **fields,
        )

    # -- steps and gates

    def _step(self, draft: StepDraft, *, parallel: bool, said: bool) -> StepSpec:
        """`parallel` is what the place implies.

        `said` means the plan says so, and it need not be marked inferred.
        """
        key = self.names.step_key(draft)
        title, whole = split_title(draft.title)
        if not draft.title:
            self.findings.add(
                "untitled-step", draft.line, f"Step {key} has no title.", "Say what is to be done."
            )
        notes = draft.notes
        kept = without_effect(notes, STEP_FIELDS, f"step {key}", self.findings) if notes.values else ""
        own = flag_of(notes, "parallel", self.findings) if notes.values else None
        own = draft.parallel if own is None else own
        wanted = [(name, draft.need_lines.get(name, draft.line)) for name in draft.needs] + named_needs(notes)
        inferred = ["key"] * (key != draft.key) + ["parallel"] * (own is None and parallel and not said)
        return StepSpec(
            key=key,
            title=title or key,
            line=draft.line,
            details=_paragraphs(whole, joined(notes.text), kept),
            parallel=parallel if own is None else own,
            needs=self._needs(wanted) if wanted else (),
            inferred=(*inferred, *self.inferred),
            **step_fields(notes, self.findings),
        )

    def _needs(self, wanted: list[tuple[str, int]]) -> tuple[Need, ...]:
        needs: dict[str, Need] = {}
        for name, line in wanted:
            if self.names.holds_anyway(name, self.position):
                continue
            for key in self.names.resolve(name):
                needs.setdefault(key, Need(key, line, inferred=key != name))
        return tuple(needs.values())

    def _gate_batch(self, batch: BatchDraft, draft: GateDraft) -> BatchSpec:
        name = draft.title or ("Merge point" if draft.merge else "Gate")
        return BatchSpec(self.names.gate_key(draft), name, batch.line, (self._gate_thread(draft),))

    def _gate_thread(self, draft: GateDraft) -> ThreadSpec:
        notes, key = draft.notes, self.names.gate_key(draft)
        title = draft.title or (f"Merge point {key}" if draft.merge else key)
        kept = without_effect(notes, GATE_FIELDS, f"gate {key}", self.findings)
        needs, inferred = self._gate_needs(draft, key)
        fields = step_fields(notes, self.findings)
        fields["entry"] = fields.get("entry", ()) + self._spoken_triggers(draft)
        unlocks = [name for value in notes.of("unlocks") for name in read_names(value.text)]
        gate = GateSpec(
            kind=gate_kind(draft, title, self.findings),
            reviewers=tuple(r.strip() for value in texts(notes, "reviewers") for r in read_names(value)),
            action="\n".join(texts(notes, "action")),
            signatures=signatures_of(notes, self.findings),
            unlocks=tuple(dict.fromkeys(key for name in unlocks for key in self.names.resolve(name))),
        )
        step = StepSpec(
            key=key,
            title=title,
            line=draft.line,
            details=_paragraphs(joined(notes.text), kept),
            needs=needs,
            gate=gate,
            inferred=inferred,
            **fields,
        )
        steps: tuple[StepSpec, ...] = (step,)
        if has_action(step):
            steps = with_action(step, self.names.reserve(action_key(key)), self.findings)
        return ThreadSpec(key, title, draft.line, steps)

    def _gate_needs(self, draft: GateDraft, key: str) -> tuple[tuple[Need, ...], tuple[str, ...]]:
        """What a gate waits for: its trigger, otherwise all of the batch before it."""
        inferred = self.inferred if key == draft.key else ("key", *self.inferred)
        wanted = [
            (name, value.line)
            for value in draft.notes.of("trigger")
            for name in read_names(value.text)
            if self.names.is_meant_as_key(name)
        ]
        needs = self._needs(wanted + named_needs(draft.notes))
        if needs:
            return needs, inferred
        if self.before:
            message = (
                f"Gate {key} names no step in its trigger and waits for the {len(self.before)} "
                f"steps before it."
            )
            fix = "Write `- Trigger: A3 + B2 complete` below it to make it explicit."
            self.findings.add("inferred-needs", draft.line, message, fix)
        return tuple(Need(before, draft.line, inferred=True) for before in self.before), (*inferred, "needs")

    def _spoken_triggers(self, draft: GateDraft) -> tuple[str, ...]:
        """A trigger that says more than which steps must be complete is a criterion to confirm."""
        triggers = (value.text for value in draft.notes.of("trigger"))
        return tuple(text for text in triggers if not self._names_steps_only(text))

    def _names_steps_only(self, trigger: str) -> bool:
        return all(self.names.is_meant_as_key(name) or read_group(name) for name in read_names(trigger))


def _with_need(needs: tuple[Need, ...], need: Need) -> tuple[Need, ...]:
    return needs if any(n.key == need.key for n in needs) else (*needs, need)


def _worktree(notes: Notes) -> str:
    return notes.first("worktree").strip("` ")


def _paragraphs(*parts: str) -> str:
    return "\n\n".join([part for part in parts if part])


def _without_footer(texts: list[str]) -> list[str]:
    """Without the rules and blank lines that close a document or a section."""
    end = len(texts)
    while end and texts[end - 1].strip() in ("", "---", "***", "___"):
        end -= 1
    return texts[:end]
