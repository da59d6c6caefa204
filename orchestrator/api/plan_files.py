"""Many files at once: what plans they hold, and submitting each on its own or all as one bundle.

Requirements: WF-2, AD-3.
"""

from dataclasses import replace

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.plan_files import (
    FileSet,
    FileSubmission,
    PlanFilesFacts,
    PlanOutcomesFacts,
    ReadPlanFacts,
)
from orchestrator.core.errors import InvalidInput
from orchestrator.core.terms import Scope
from orchestrator.queries.plans.plan_facts import adoption_facts, finding_facts
from orchestrator.services.base.steps import once
from orchestrator.services.plans.bundles import members_of, submit_bundle
from orchestrator.services.plans.submissions import (
    Outcome,
    ReadFiles,
    ReadPlan,
    read_files,
    submit_each,
)
from orchestrator.web.plans.submission_facts import left_out_facts, outcomes_facts

router = Routes(tags=["plans"])


@router.post("/check", response=PlanFilesFacts)
@needs(Scope.READ)
def check(request: HttpRequest, body: FileSet) -> PlanFilesFacts:
    """Sort the files into plans and read each; stores nothing."""
    found = _read(body)
    return PlanFilesFacts(tuple(_read_facts(plan) for plan in found.plans), left_out_facts(found.left_out))


@router.post("", response={201: PlanOutcomesFacts})
@act(submit_each, submit_bundle, status=201)
def submit(request: HttpRequest, body: FileSubmission) -> PlanOutcomesFacts:
    """Submit every plan that the files hold; the answer has one outcome for each."""
    found, actor, now = _read(body), caller_of(request).actor, timezone.now()
    files = [replace(plan.file, adopt=body.adopt, leave_needs=body.leave_needs) for plan in found.plans]
    if body.bundle.strip():
        name = body.bundle
        bundle = once("bundle", lambda: submit_bundle(name=name, files=files, actor=actor, now=now).bundle.pk)
        outcomes = [Outcome(name, submission) for name, submission in members_of(bundle).items()]
        return outcomes_facts(bundle, outcomes, found.left_out)
    return outcomes_facts(None, submit_each(files=files, actor=actor, now=now), found.left_out)


def _read(body: FileSet) -> ReadFiles:
    files = {file.name: file.source.encode("utf-8", "surrogatepass") for file in body.files}
    if len(files) < len(body.files):
        raise InvalidInput("Two files have the same name.", recovery="Give each its path.", field="files")
    return read_files(files, body.format)


def _read_facts(one: ReadPlan) -> ReadPlanFacts:
    return ReadPlanFacts(
        name=one.file.name,
        format=one.format,
        title=one.reading.plan.name if one.reading.plan else "",
        tasks=one.tasks,
        submittable=not one.refused,
        approvable=not one.reading.blockers,
        findings=finding_facts(one.reading),
        adoption=adoption_facts(one.adoption),
    )
