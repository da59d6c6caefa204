"""Who approved a version, and how many approvals it still needs (WF-3)."""

from dataclasses import dataclass

from django.db.models import Max, Q

from orchestrator.core.terms import VersionStatus
from orchestrator.models import Approval, WorkflowVersion


@dataclass(frozen=True, slots=True)
class SignOff:
    """A person with the version of the workflow that they approved last; `current` when it is the one shown."""

    person: str
    number: int
    current: bool


@dataclass(frozen=True, slots=True)
class SignOffs:
    """`given` are the people who approved this version, `needed` is how many it takes."""

    needed: int
    given: tuple[str, ...]
    people: tuple[SignOff, ...]

    @property
    def missing(self) -> int:
        return max(0, self.needed - len(self.given))

    @property
    def sentence(self) -> str:
        return f"{len(self.given)} of {self.needed} approvals"


def sign_offs(version: WorkflowVersion) -> SignOffs:
    """The approvals of the version, and the latest one up to it of everybody who approved one of its workflow."""
    rows = (
        Approval.objects.filter(version__workflow=version.workflow_id, version__number__lte=version.number)
        .filter(withdrawn_at=None)
        .order_by("person__username")
        .values_list("person__username")
        .annotate(latest=Max("version__number"))
    )
    people = tuple(SignOff(name, latest, latest == version.number) for name, latest in rows)
    given = tuple(one.person for one in people if one.current)
    return SignOffs(version.workflow.required_approvals, given, people)


def unsigned_by(person: int) -> Q:
    """Versions in review that this account has not approved."""
    mine = Approval.objects.filter(person=person, withdrawn_at=None).values("version")
    return Q(status=VersionStatus.IN_REVIEW) & ~Q(pk__in=mine)
