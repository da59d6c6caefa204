"""What machines read of a plan text: findings, what approval would do, what becomes of its state (WF-3,
WF-8).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from orchestrator.core.changes.adoption import Adopted, AdoptedAs, Adoption, adoption_of
from orchestrator.core.findings import Finding
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.rehearsing.preview import Lane
from orchestrator.core.terms import Format, Severity, TaskStatus
from orchestrator.queries.plans.readings import preview_plan


@dataclass(frozen=True)
class FindingFacts:
    code: str
    line: int
    message: str
    fix: str
    severity: Severity


@dataclass(frozen=True)
class GateFacts:
    """A gate and what it holds back until it is signed: the last `count` of the launch order, of which
    `holds` names the first."""

    key: str
    count: int
    holds: tuple[str, ...]


@dataclass(frozen=True)
class LaneStepFacts:
    key: str
    wave: int


@dataclass(frozen=True)
class LaneFacts:
    """A thread, and in which wave each of its steps is."""

    stage: int
    batch: str
    lane: str
    name: str
    steps: tuple[LaneStepFacts, ...]


@dataclass(frozen=True)
class WaitFacts:
    """The step that waits longest and for which other one; `executor`: no executor was free before that one
    ended.
    """

    key: str
    length: int
    holder: str
    executor: bool


@dataclass(frozen=True)
class LengthFacts:
    """From approval to the last step: with one executor, with those that were asked for, with as many as it
    takes.
    """

    one: int
    given: int
    unlimited: int


@dataclass(frozen=True)
class ConditionalFacts:
    """A step with a condition, and whether it runs when every step before it ends with its usual outcome."""

    key: str
    condition: str
    runs: bool


@dataclass(frozen=True)
class PreviewFacts:
    """What approval will do, every step ending as usual: tasks created, what starts first, the waves, the
    longest chain.

    Of the `tasks` so many are `taken_over` as done before, or skipped; all else is about those that are left,
    blocked ones as if nothing were in their way. Lengths are in minutes when every work step has an estimate
    (`unit`), and in steps otherwise. `peak` is how many of the `executors` are ever busy at once, `useful`
    how many would be if there were enough.
    """

    tasks: int
    taken_over: int
    executors: int
    unit: Literal["minutes", "steps"]
    peak: int
    useful: int
    length: LengthFacts
    longest_wait: WaitFacts | None
    lanes: tuple[LaneFacts, ...]
    starts: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    launch_order: tuple[str, ...]
    critical_path: tuple[str, ...]
    gates: tuple[GateFacts, ...]
    conditional: tuple[ConditionalFacts, ...]


@dataclass(frozen=True)
class AdoptedFacts:
    """A task that the source tells something of: its status there, what it becomes here, and why."""

    key: str
    line: int
    said: TaskStatus
    becomes: AdoptedAs
    because: str


@dataclass(frozen=True)
class AdoptionFacts:
    """What approval does with the state that the source tells, if the plan is submitted with it.

    `sentences` are for people, `starts` the steps that are launched first.
    """

    counts: dict[AdoptedAs, int]
    sentences: tuple[str, ...]
    starts: tuple[str, ...]
    tasks: tuple[AdoptedFacts, ...]


@dataclass(frozen=True)
class CheckFacts:
    """`format` is what the text was read as, null when it is no text. `approvable` is false while a finding
    blocks; `preview` is empty when nothing in the text can be scheduled, `adoption` when the text tells no
    state; with `adopt` the preview shows what that state leaves to do."""

    format: Format | None
    approvable: bool
    findings: tuple[FindingFacts, ...]
    preview: PreviewFacts | None
    adoption: AdoptionFacts | None


def check_facts(reading: Reading, executors: int, *, adopt: bool = False) -> CheckFacts:
    adoption = adoption_of(reading)
    return CheckFacts(
        reading.format,
        not reading.blockers,
        finding_facts(reading),
        preview_facts(reading, executors, adoption if adopt else Adoption()),
        adoption_facts(adoption),
    )


def adoption_facts(adoption: Adoption) -> AdoptionFacts | None:
    if not adoption:
        return None
    tasks = tuple(_adopted(one) for one in adoption.verdicts)
    return AdoptionFacts(dict(adoption.counts), adoption.sentences, adoption.starts, tasks)


def _adopted(one: Adopted) -> AdoptedFacts:
    return AdoptedFacts(one.key, one.said.line, one.said.status, one.becomes, one.because)


def finding_facts(reading: Reading) -> tuple[FindingFacts, ...]:
    return facts_of(reading.findings)


def facts_of(findings: Iterable[Finding]) -> tuple[FindingFacts, ...]:
    return tuple(_finding(finding) for finding in findings)


def _finding(finding: Finding) -> FindingFacts:
    return FindingFacts(finding.code, finding.line, finding.message, finding.fix, finding.severity)


def preview_facts(reading: Reading, executors: int, adoption: Adoption) -> PreviewFacts | None:
    if reading.plan is None:
        return None
    effect = preview_plan(reading.plan, executors, adoption.ended)
    return PreviewFacts(
        tasks=effect.tasks,
        taken_over=effect.taken_over,
        executors=executors,
        unit="minutes" if effect.timed else "steps",
        peak=effect.peak,
        useful=effect.useful,
        length=LengthFacts(*effect.length),
        longest_wait=WaitFacts(*effect.longest_wait) if effect.longest_wait else None,
        lanes=tuple(_lane(lane) for lane in effect.lanes),
        starts=effect.starts,
        waves=effect.waves,
        launch_order=effect.launch_order,
        critical_path=effect.critical_path,
        gates=tuple(GateFacts(held.key, held.count, held.first) for held in effect.gates),
        conditional=tuple(ConditionalFacts(*conditional) for conditional in effect.conditional),
    )


def _lane(lane: Lane) -> LaneFacts:
    steps = tuple(LaneStepFacts(*step) for step in lane.steps)
    return LaneFacts(lane.stage, lane.batch, lane.lane, lane.name, steps)
