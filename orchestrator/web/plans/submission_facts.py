"""What machines are told of plans that were submitted, one or many, with the page to decide on (WF-2)."""

from collections.abc import Iterable

from django.urls import reverse

from orchestrator.contract.plan_files import LeftOutFacts, PlanOutcomeFacts, PlanOutcomesFacts
from orchestrator.contract.plans import SubmissionFacts
from orchestrator.core.plans.formats.folder import LeftOut
from orchestrator.core.terms import Format
from orchestrator.queries.plans.plan_facts import account_facts, facts_of, finding_facts, ways_facts
from orchestrator.services.plans.plans import Submission
from orchestrator.services.plans.submissions import Outcome


def submission_facts(submission: Submission) -> SubmissionFacts:
    version = submission.version
    return SubmissionFacts(
        workstream=submission.workstream.uuid,
        workstream_slug=submission.workstream.slug,
        version_id=version.pk,
        version=version.number,
        sha256=version.source_sha256,
        format=Format(version.format),
        adopts=version.adopts,
        approvable=not submission.reading.blockers,
        account=account_facts(submission.reading.account),
        ways=ways_facts(submission.reading),
        findings=finding_facts(submission.reading),
        review=reverse("plan-review", args=[version.workflow.slug, version.number]),
    )


def outcomes_facts(
    bundle: int | None, outcomes: Iterable[Outcome], left_out: Iterable[LeftOut]
) -> PlanOutcomesFacts:
    """What became of every plan of some files; `bundle` is the id of the one that they were submitted as."""
    plans = tuple(_outcome(outcome) for outcome in outcomes)
    return PlanOutcomesFacts(bundle, plans, left_out_facts(left_out))


def left_out_facts(left_out: Iterable[LeftOut]) -> tuple[LeftOutFacts, ...]:
    return tuple(LeftOutFacts(left.name, left.why) for left in left_out)


def _outcome(outcome: Outcome) -> PlanOutcomeFacts:
    refusal = outcome.refusal
    return PlanOutcomeFacts(
        name=outcome.name,
        submission=submission_facts(outcome.submission) if outcome.submission else None,
        refusal=refusal.message if refusal else "",
        recovery=refusal.way_out if refusal else "",
        findings=facts_of(outcome.findings),
    )
