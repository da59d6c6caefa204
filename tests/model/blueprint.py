"""Random plans: a small value of our own that prints as PLAN.md.

The product's reader makes its own of the text.
"""

from dataclasses import dataclass, replace
from itertools import groupby

from hypothesis import strategies as st

#: Patterns that steps and threads may own, and which of them can claim the same file: written by hand, not
#: computed.
PATTERNS = ("a/**", "a/x.py", "b/*", "c/y/**")
MEET = {frozenset({"a/**", "a/x.py"})} | {frozenset({one}) for one in PATTERNS}
RESOURCES = ("db", "gpu")
#: The outcomes that steps declare; a completion names one of them.
OUTCOMES = ("passed", "failed")


@dataclass(frozen=True)
class Step:
    """`place` is (stage, batch, thread, position) from 0; a gate stands in a batch of its own."""

    key: str
    place: tuple[int, int, int, int]
    gate: bool = False
    parallel: bool = False
    needs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    lane_files: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    title: str = "Do it"
    #: The step that the condition asks for, the word, and whether it has to be so; False: it must not be so.
    when: tuple[str, str, bool] | None = None
    outcomes: tuple[str, ...] = ()
    #: How many people have to sign a gate.
    signatures: int = 1

    @property
    def waits_for(self) -> set[str]:
        """What it names: its needs and what its condition asks for."""
        return {*self.needs, *(self.when[:1] if self.when else ())}

    @property
    def order(self) -> tuple[int, int, int, str]:
        return (*self.place[:2], self.place[3], self.key)

    @property
    def lane(self) -> tuple[int, int, int]:
        return self.place[:3]


@dataclass(frozen=True)
class Blueprint:
    """The steps of a plan, by place."""

    steps: tuple[Step, ...]

    def text(self, nonce: int = 0) -> str:
        """The plan as PLAN.md; another nonce makes another text with the same meaning."""
        lines = ["# Plan: Model", "", "## Summary", f"Version {nonce}.", "", "## Stages"]
        ordered = sorted(self.steps, key=lambda step: step.place)
        for stage, in_stage in groupby(ordered, key=lambda step: step.place[0]):
            lines += ["", f"### Stage {stage + 1}: S{stage}"]
            for batch, in_batch in groupby(in_stage, key=lambda step: step.place[1]):
                members = list(in_batch)
                lines += _gate(members[0]) if members[0].gate else _batch(batch, members)
        return "\n".join(lines) + "\n"


def _gate(step: Step) -> list[str]:
    trigger = f"- **Trigger:** {' + '.join(step.needs)} complete"
    signers = ["- **Reviewers:** reviewer, approver", f"- Approvals: {step.signatures}"]
    return ["", f"### Merge Point {step.key}", trigger, *signers]


def _batch(batch: int, members: list[Step]) -> list[str]:
    lines = ["", f"##### Batch {batch:02}: B{batch}"]
    for thread, steps in groupby(members, key=lambda step: step.place[2]):
        lane = list(steps)
        lines += ["", f"###### Thread {thread:02}: T{thread}", "- Role: contributor"]
        if lane[0].lane_files:
            lines.append("- Files: " + ", ".join(f"`{name}`" for name in lane[0].lane_files))
        for step in lane:
            lines += _step(step)
    return lines


def _step(step: Step) -> list[str]:
    facts = {
        "Exit": "it works",
        "Parallel": "yes" if step.parallel else "no",
        "Needs": ", ".join(step.needs),
        "Files": ", ".join(f"`{name}`" for name in step.files),
        "Resources": ", ".join(step.resources),
        "Outcomes": ", ".join(step.outcomes),
        "When": _condition(*step.when) if step.when else "",
    }
    return [
        f"- {step.key}: {step.title}",
        *(f"  - {name}: {value}" for name, value in facts.items() if value),
    ]


def _condition(key: str, word: str, wanted: bool) -> str:
    return f"{key} is {'' if wanted else 'not '}{word}"


few = st.sampled_from([(), (), (), *((one,) for one in PATTERNS)])


@st.composite
def blueprints(draw: st.DrawFn) -> Blueprint:
    """One to three stages' worth of batches and gates, about six steps with keys in a random order."""
    names = draw(st.permutations([f"{letter}{number}" for letter in "ABCD" for number in range(1, 8)]))
    keys, steps = iter(names), []
    for stage in range(draw(st.integers(1, 2))):
        for batch in range(draw(st.integers(1, 3))):
            if steps and not steps[-1].gate and draw(st.booleans()):
                needs = tuple(step.key for step in steps if step.place[:2] == steps[-1].place[:2])
                signatures = draw(st.sampled_from([2, 1]))
                gate = Step(
                    f"G{stage}{batch}", (stage, batch, 0, 0), gate=True, needs=needs, signatures=signatures
                )
                steps.append(gate)
            else:
                steps += _drawn_batch(draw, (stage, batch), keys, steps)
    return Blueprint(tuple(steps))


def _drawn_batch(draw: st.DrawFn, at: tuple[int, int], keys, before: list[Step]) -> list[Step]:
    """Needs point to steps drawn earlier; threads are drawn in a random order, so they point either way."""
    batch: list[Step] = []
    for thread in draw(st.permutations(range(draw(st.integers(1, 2))))):
        lane_files = draw(few)
        for position in range(draw(st.sampled_from([1, 1, 2, 3]))):
            others = [step for step in [*before, *batch] if step.place[:3] != (*at, thread)]
            keys_of_others = [step.key for step in others]
            needs = draw(st.lists(st.sampled_from(keys_of_others), max_size=1, unique=True)) if others else []
            batch.append(
                Step(
                    next(keys),
                    (*at, thread, position),
                    parallel=draw(st.booleans()),
                    needs=tuple(needs),
                    files=draw(few),
                    lane_files=lane_files,
                    resources=draw(st.sampled_from([(), (), *((one,) for one in RESOURCES)])),
                    when=draw(_conditions(others)),
                    outcomes=draw(st.sampled_from([(), OUTCOMES])),
                )
            )
    return batch


@st.composite
def _conditions(draw: st.DrawFn, others: list[Step]) -> tuple[str, str, bool] | None:
    """One step in four has a condition, over any word that the other step may end with."""
    if not others or draw(st.integers(0, 3)):
        return None
    other = draw(st.sampled_from(others))
    words = (
        ["complete", "skipped", "reworked"] if not other.outcomes else [*other.outcomes, "passed", "skipped"]
    )
    return other.key, draw(st.sampled_from(words)), draw(st.booleans())


def with_step(plan: Blueprint, key: str, lane: int) -> Blueprint:
    """One more step at the end of a thread."""
    lanes = sorted({step.lane for step in plan.steps if not step.gate})
    chosen = lanes[lane % len(lanes)]
    members = [step for step in plan.steps if step.lane == chosen]
    last = max(members, key=lambda step: step.place)
    new = Step(key, (*chosen, last.place[3] + 1), lane_files=last.lane_files)
    return Blueprint((*plan.steps, new))


def without_step(plan: Blueprint, key: str) -> Blueprint:
    """A plan without a step; the places behind it move up, as they do in the text."""
    left = [
        replace(
            s,
            needs=tuple(n for n in s.needs if n != key),
            when=None if s.when and s.when[0] == key else s.when,
        )
        for s in plan.steps
        if s.key != key
    ]
    return Blueprint(tuple(_moved_up(left)))


def retitled(plan: Blueprint, key: str, title: str) -> Blueprint:
    return Blueprint(tuple(replace(step, title=title) if step.key == key else step for step in plan.steps))


def _moved_up(steps: list[Step]) -> list[Step]:
    ordered = sorted(steps, key=lambda step: step.place)
    moved = []
    for s, (_, in_stage) in enumerate(groupby(ordered, key=lambda step: step.place[0])):
        for b, (_, in_batch) in enumerate(groupby(in_stage, key=lambda step: step.place[1])):
            for t, (_, in_thread) in enumerate(groupby(in_batch, key=lambda step: step.place[2])):
                moved += [replace(step, place=(s, b, t, n)) for n, step in enumerate(in_thread)]
    return moved
