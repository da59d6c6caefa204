"""Plans: check a text without storing anything, submit it for review (WF-2, WF-3)."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.plans import CheckFacts, PlanCheck, PlanSubmission, PlanText, SubmissionFacts
from orchestrator.core.errors import TooLarge
from orchestrator.core.plans.checks.checkpoints import with_remarks
from orchestrator.core.terms import Scope
from orchestrator.queries.plans.judged import judged
from orchestrator.queries.plans.plan_facts import check_facts
from orchestrator.queries.plans.readings import checked, turn_to_read
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.plans.templates import source_of_tag, source_with_values
from orchestrator.services.plans.versions import Note
from orchestrator.web.plans.submission_facts import submission_facts

router = Routes(tags=["plans"])


@router.post("/check", response=CheckFacts)
@needs(Scope.READ)
def check(request: HttpRequest, body: PlanCheck) -> CheckFacts:
    """Findings with line numbers and what approval would do; stores nothing."""
    source = _source(body)
    with turn_to_read(len(source)):
        return check_facts(judged(checked(source, body.format)), body.executors, adopt=body.adopt)


@router.post("/", response={201: SubmissionFacts})
@act(submit_plan, status=201)
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
        adopt=body.adopt,
        leave_needs=body.leave_needs,
        note=Note(body.change_impact, body.wanted_effective_at),
    )
    return submission_facts(submission)


def _source(body: PlanText) -> bytes:
    source = body.source.encode()
    if len(source) > settings.PLAN_LIMIT:
        raise TooLarge(
            f"The plan has {len(source)} bytes; {settings.PLAN_LIMIT} is the most.",
            recovery="Split the plan into several workstreams.",
            field="source",
        )
    source = source_of_tag(source, body.tag) if body.tag else source
    source = source_with_values(source, body.values) if body.values else source
    return with_remarks(source.decode()).encode() if body.checkpoints == "remarks" else source
