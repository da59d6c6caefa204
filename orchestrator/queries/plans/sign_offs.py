"""Who approved a version, and how many approvals it still needs (WF-3)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q

from orchestrator.core.people.roles import APPROVERS
from orchestrator.core.plans.checks.approvals import Approvals, approvals_of, approver_findings
from orchestrator.core.plans.checks.check import sort_findings
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import VersionStatus
from orchestrator.models import Approval, Workflow, WorkflowVersion
from orchestrator.queries.plans.readings import reading_of

_MAY_APPROVE: Final = Q(groups__name__in=APPROVERS) | Q(is_superuser=True)


@dataclass(frozen=True, slots=True)
class PlanSignOff:
    """A person with the version of the workflow that they approved last; `current` when it is the one shown.

    `signed_as` says how: in the browser, with a token, by command.
    """

    person: str
    signed_as: str
    number: int
    current: bool


@dataclass(frozen=True, slots=True)
class SignOffs(Approvals):
    """`people` have every approver of an earlier version of the workflow as well."""

    people: tuple[PlanSignOff, ...] = ()


def sign_offs(version: WorkflowVersion) -> SignOffs:
    """The approvals of the version, and everybody's latest one of an earlier version of its workflow."""
    rows = (
        Approval.objects.filter(version__workflow=version.workflow_id, version__number__lte=version.number)
        .filter(withdrawn_at=None)
        .order_by("person__username", "version__number", "pk")
        .values_list("person__username", "signed_as", "version__number")
    )
    latest = {name: PlanSignOff(name, said, number, number == version.number) for name, said, number in rows}
    people = tuple(latest.values())
    given = [signer.person for signer in people if signer.current]
    so_far = approvals_of(reading_of(version).plan, version.workflow.required_approvals, given)
    return SignOffs(so_far.needed, so_far.named, so_far.given, people)


def with_approvers(reading: Reading, version: WorkflowVersion | None = None) -> Reading:
    """A reading with the findings about the approvers it names; reads the database only when the plan names
    any.

    Of a stored `version` its author is known, who may not approve unless the workflow allows it.
    """
    if reading.plan is None or not reading.plan.approvers:
        return reading
    barred = version.author.get_username() if version and not version.workflow.allow_self_approval else ""
    found = approver_findings(reading.plan, _able(reading.plan.approvers), barred)
    return replace(reading, findings=sort_findings([*reading.findings, *found]))


def _able(names: Collection[str]) -> set[str]:
    people = User.objects.filter(_MAY_APPROVE, username__in=names, is_active=True)
    return set(people.values_list("username", flat=True))


def who_may_approve(workflow: Workflow, author: int | None) -> list[str]:
    """The people who may approve a version of the workflow by this author, by name."""
    people = User.objects.filter(_MAY_APPROVE, is_active=True).distinct()
    if author is not None and not workflow.allow_self_approval:
        people = people.exclude(pk=author)
    return list(people.order_by("username").values_list("username", flat=True))


def unsigned_by(person: int) -> Q:
    """Versions in review that this account has not approved."""
    mine = Approval.objects.filter(person=person, withdrawn_at=None).values("version")
    return Q(status=VersionStatus.IN_REVIEW) & ~Q(pk__in=mine)
