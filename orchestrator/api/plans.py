"""Plans: check a text without storing anything, submit it for review (WF-2, WF-3)."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.schemas import PlanCheck, PlanSubmission, PlanText
from orchestrator.core.errors import TooLarge
from orchestrator.core.formats.recognise import Format
from orchestrator.core.plan import Finding, Reading
from orchestrator.core.preview import Lane, preview
from orchestrator.core.terms import Scope, Severity
from orchestrator.queries.workstream_facts import find_workstream
from orchestrator.services.plans import Note, Submission, read_any_source, read_source, submit_plan
from orchestrator.services.templates import source_with_values

router = Router(tags=["plans"])


@dataclass(frozen=True)
class FindingFacts:
    code: str
    line: int
    message: str
    fix: str
    severity: Severity


@dataclass(frozen=True)
class GateFacts:
    """A gate and what it holds back until it is signed: the last `count` of the launch order, of which `holds` names
    the first."""

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
    """The step that waits longest and for which other one; `executor`: no executor was free before that one ended."""

    key: str
    length: int
    holder: str
    executor: bool


@dataclass(frozen=True)
class LengthFacts:
    """From approval to the last step: with one executor, with those that were asked for, with as many as it takes."""

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
    """What approval will do, every step ending as usual: tasks created, what starts first, the waves, the longest
    chain.

    Lengths are in minutes when every work step has an estimate (`unit`), and in steps otherwise. `peak` is how many of
    the `executors` are ever busy at once, `useful` how many would be if there were enough.
    """

    tasks: int
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
class CheckFacts:
    """`format` is what the text was read as, null when it is no text. `approvable` is false while a finding blocks;
    `preview` is empty when nothing in the text can be scheduled."""

    format: Format | None
    approvable: bool
    findings: tuple[FindingFacts, ...]
    preview: PreviewFacts | None


@dataclass(frozen=True)
class SubmissionFacts:
    """`sha256` is what an approval is bound to."""

    workstream: UUID
    workstream_slug: str
    version_id: int
    version: int
    sha256: str
    format: Format
    approvable: bool
    findings: tuple[FindingFacts, ...]


@router.post("/check", response=CheckFacts)
@needs(Scope.READ)
def check(request: HttpRequest, body: PlanCheck) -> CheckFacts:
    """Findings with line numbers and what approval would do; stores nothing."""
    source = _source(body)
    found = read_any_source(source, body.format)[0]
    reading = read_source(source, wanted=found)
    return CheckFacts(found, not reading.blockers, _findings(reading), _preview(reading, body.executors))


@router.post("/", response={201: SubmissionFacts})
@act(Scope.MANAGE, status=201)
def submit(request: HttpRequest, body: PlanSubmission) -> SubmissionFacts:
    """Register a plan for review, or the next version of one."""
    submission = submit_plan(
        source=_source(body),
        source_name=body.source_name,
        actor=caller_of(request).actor,
        now=timezone.now(),
        workstream=find_workstream(body.workstream) if body.workstream else None,
        change_reason=body.change_reason,
        wanted=body.format,
        note=Note(body.change_impact, body.wanted_effective_at),
    )
    return submission_facts(submission)


def submission_facts(submission: Submission) -> SubmissionFacts:
    return SubmissionFacts(
        workstream=submission.workstream.uuid,
        workstream_slug=submission.workstream.slug,
        version_id=submission.version.pk,
        version=submission.version.number,
        sha256=submission.version.source_sha256,
        format=Format(submission.version.format),
        approvable=not submission.reading.blockers,
        findings=_findings(submission.reading),
    )


def _source(body: PlanText) -> bytes:
    source = body.source.encode()
    if len(source) > settings.PLAN_LIMIT:
        raise TooLarge(
            f"The plan has {len(source)} bytes; {settings.PLAN_LIMIT} is the most.",
            recovery="Split the plan into several workstreams.",
            field="source",
        )
    return source_with_values(source, body.values) if body.values else source


def _findings(reading: Reading) -> tuple[FindingFacts, ...]:
    return tuple(_finding(finding) for finding in reading.findings)


def _finding(finding: Finding) -> FindingFacts:
    return FindingFacts(finding.code, finding.line, finding.message, finding.fix, finding.severity)


def _preview(reading: Reading, executors: int) -> PreviewFacts | None:
    if reading.plan is None:
        return None
    effect = preview(reading.plan, executors)
    return PreviewFacts(
        tasks=effect.tasks,
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
