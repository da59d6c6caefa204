"""What machines read of a plan text: findings, what approval would do, what becomes of its state.

Requirements: WF-3, WF-8.
"""

from collections.abc import Iterable

from orchestrator.contract.accounts import AccountFacts
from orchestrator.contract.adoption import AdoptedFacts, AdoptionFacts
from orchestrator.contract.findings import FindingFacts
from orchestrator.contract.plans import CheckFacts, WayFacts
from orchestrator.contract.previews import (
    ConditionalFacts,
    HeldBackFacts,
    LengthFacts,
    PreviewFacts,
    ThreadLaunchesFacts,
    ThreadStepFacts,
    UsageForecast,
    WaitFacts,
)
from orchestrator.core.changes.adoption import Adopted, Adoption, adoption_of
from orchestrator.core.engine.likely_usage import LikelyUsage
from orchestrator.core.findings import Finding
from orchestrator.core.plans.plan import Reading
from orchestrator.core.plans.rehearsing.preview import ThreadLaunches
from orchestrator.core.plans.work_lines import Account, Fate
from orchestrator.queries.base.usage_facts import usage_facts
from orchestrator.queries.plans.forecasts import forecast_of
from orchestrator.queries.plans.readings import preview_plan


def check_facts(reading: Reading, executors: int, *, adopt: bool = False) -> CheckFacts:
    adoption = adoption_of(reading)
    return CheckFacts(
        reading.format,
        not reading.blockers,
        account_facts(reading.account),
        ways_facts(reading),
        finding_facts(reading),
        preview_facts(reading, executors, adoption if adopt else Adoption()),
        adoption_facts(adoption),
    )


def account_facts(account: Account) -> AccountFacts:
    return AccountFacts(
        sentence=account.sentence,
        lines=len(account.entries),
        steps=account.count(Fate.STEP),
        headings=account.count(Fate.HEADING),
        details=account.count(Fate.PART),
        named_in_findings=account.count(Fate.FINDING),
        kept_as_text=account.as_text,
        unread=account.unread,
    )


def ways_facts(reading: Reading) -> tuple[WayFacts, ...]:
    return tuple(WayFacts(way.format, way.steps, way.here, way.titles, way.account) for way in reading.ways)


def adoption_facts(adoption: Adoption) -> AdoptionFacts | None:
    if not adoption:
        return None
    tasks = tuple(_adopted(verdict) for verdict in adoption.verdicts)
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
        threads=tuple(_thread(thread) for thread in effect.threads),
        starts=effect.starts,
        launches=effect.launches,
        launch_order=effect.launch_order,
        critical_path=effect.critical_path,
        gates=tuple(HeldBackFacts(held.key, held.count, held.first) for held in effect.gates),
        conditional=tuple(ConditionalFacts(*conditional) for conditional in effect.conditional),
        forecast=_forecast(forecast_of(reading.plan, reading.plan.slug, adoption.ended)),
    )


def _forecast(found: LikelyUsage) -> UsageForecast:
    return UsageForecast(
        sentence=found.sentence,
        steps=found.steps,
        known=found.known,
        measured=found.measured,
        expected=usage_facts(found.expected),
        budget=found.budget,
        beyond=found.beyond,
    )


def _thread(thread: ThreadLaunches) -> ThreadLaunchesFacts:
    steps = tuple(ThreadStepFacts(*step) for step in thread.steps)
    return ThreadLaunchesFacts(thread.stage, thread.batch, thread.thread, thread.name, steps)
