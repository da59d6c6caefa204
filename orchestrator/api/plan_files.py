"""Many files at once: what plans they hold, and submitting each on its own or all as one bundle
(WF-2, AD-3).
"""

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpRequest
from django.utils import timezone

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.api.routes import Routes
from orchestrator.contract.plan_files import (
    FileSet,
    FileSubmission,
    LeftOutFacts,
    PlanFilesFacts,
    PlanOutcomeFacts,
    PlanOutcomesFacts,
    ReadPlanFacts,
)
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.formats.folder import LeftOut
from orchestrator.core.terms import Scope
from orchestrator.queries.plans.plan_facts import adoption_facts, facts_of, finding_facts
from orchestrator.services.base.steps import once
from orchestrator.services.plans.bundles import members_of, submit_bundle
from orchestrator.services.plans.submissions import (
    Outcome,
    ReadFiles,
    ReadPlan,
    read_files,
    submission_facts,
    submit_each,
)

router = Routes(tags=["plans"])


@router.post("/check", response=PlanFilesFacts)
@needs(Scope.READ)
def check(request: HttpRequest, body: FileSet) -> PlanFilesFacts:
    """Sort the files into plans and read each; stores nothing."""
    found = _read(body)
    return PlanFilesFacts(tuple(_read_facts(one) for one in found.plans), _left_out(found.left_out))


@router.post("", response={201: PlanOutcomesFacts})
@act(Scope.MANAGE, status=201, in_steps=True)
def submit(request: HttpRequest, body: FileSubmission) -> PlanOutcomesFacts:
    """Submit every plan that the files hold; the answer has one outcome for each."""
    found, actor, now = _read(body), caller_of(request).actor, timezone.now()
    files = [replace(one.file, adopt=body.adopt) for one in found.plans]
    if body.bundle.strip():
        name = body.bundle
        bundle = once("bundle", lambda: submit_bundle(name=name, files=files, actor=actor, now=now).bundle.pk)
        outcomes = [Outcome(name, submission) for name, submission in members_of(bundle).items()]
        return PlanOutcomesFacts(bundle, tuple(map(_outcome, outcomes)), _left_out(found.left_out))
    each = submit_each(files=files, actor=actor, now=now)
    return PlanOutcomesFacts(None, tuple(map(_outcome, each)), _left_out(found.left_out))


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


def _left_out(left_out: Sequence[LeftOut]) -> tuple[LeftOutFacts, ...]:
    return tuple(LeftOutFacts(left.name, left.why) for left in left_out)


def _outcome(one: Outcome) -> PlanOutcomeFacts:
    return PlanOutcomeFacts(
        name=one.name,
        submission=submission_facts(one.submission) if one.submission else None,
        refusal=one.refusal.message if one.refusal else "",
        recovery=one.refusal.way_out if one.refusal else "",
        findings=facts_of(one.findings),
    )
