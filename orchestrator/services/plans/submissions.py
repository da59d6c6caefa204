"""Many files at once: sorted into plans, each read before anything is stored, each submitted on its own
(WF-2, AD-3).

All of them as one bundle, taken or refused together: `bundles.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.adoption import Adoption, adoption_of
from orchestrator.core.errors import InvalidInput, PlanRejected, Refusal
from orchestrator.core.findings import Finding
from orchestrator.core.limits import BUNDLE_PLANS
from orchestrator.core.people.roles import SUBMITTERS
from orchestrator.core.plans.formats.folder import LeftOut, sources_of
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format, Scope
from orchestrator.queries.plans.judged import by_policy
from orchestrator.queries.plans.needs import stem_of
from orchestrator.queries.plans.readings import checked, turn_to_read
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.locks import Lock, outside_transactions
from orchestrator.services.base.steps import once
from orchestrator.services.plans.bundles import PlanFile
from orchestrator.services.plans.plans import Submission, submission_of, submit_plan, unschedulable


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A plan that files hold, as it was read; nothing is stored.

    Its needs are judged when it is submitted.
    """

    file: PlanFile
    reading: Reading

    @property
    def format(self) -> Format | None:
        return self.reading.format

    @property
    def text(self) -> str:
        """What a form carries of it; a source is text before it is read."""
        return self.file.source.decode("utf-8", "replace")

    @property
    def tasks(self) -> int:
        return len(list(self.reading.plan.steps())) if self.reading.plan else 0

    @property
    def refused(self) -> Sequence[Finding]:
        """What keeps it from being submitted; without a plan everything that was found does."""
        return unschedulable(self.reading) if self.reading.plan else self.reading.findings

    @property
    def others(self) -> int:
        return len(self.reading.findings) - len(self.reading.blockers)

    @property
    def adoption(self) -> Adoption:
        return adoption_of(self.reading)


@dataclass(frozen=True, slots=True)
class ReadFiles:
    plans: tuple[ReadPlan, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def need_one_another(self) -> bool:
        """Whether one of the plans needs another one of them, by its title or the name of its file (AD-3)."""
        read = [(one.file.name, one.reading.plan) for one in self.plans if one.reading.plan]
        names = {stem_of(name) for name, _ in read} | {plan.slug for _, plan in read}
        return any(need in names for _, plan in read for need in plan.needs)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one plan of several: its submission, or why it was refused."""

    name: str
    submission: Submission | None = None
    refusal: Refusal | None = None

    @property
    def findings(self) -> Sequence[Finding]:
        return self.refusal.findings if isinstance(self.refusal, PlanRejected) else ()


def read_files(files: Mapping[str, bytes], wanted: Format | None = None) -> ReadFiles:
    """Which plans these files hold (relative paths with `/`) and how each reads.

    InvalidInput when there is none.
    """
    found = sources_of(files)
    if not found.plans:
        why = "; ".join(f"{left.name} {left.why}" for left in found.left_out[:5])
        raise InvalidInput(
            f"There is no plan in these files{f': {why}' if why else ''}.",
            recovery="Choose at least one plan.",
            field="files",
        )
    if len(found.plans) > BUNDLE_PLANS:
        raise InvalidInput(
            f"These are {len(found.plans)} plans; {BUNDLE_PLANS} is the most at once.",
            recovery="Submit them in parts: one folder at a time, or "
            f"`ls *.md | xargs -n {BUNDLE_PLANS} manage.py submit_plan --each --as NAME`.",
            field="files",
        )
    with turn_to_read(sum(len(one.text) for one in found.plans)):
        return ReadFiles(tuple(_read(one.name, one.text, wanted) for one in found.plans), found.left_out)


def _read(name: str, text: str, wanted: Format | None) -> ReadPlan:
    source = text.encode("utf-8", "surrogatepass")
    return ReadPlan(PlanFile(name, source, wanted), by_policy(checked(source, wanted, name)))


@act(
    roles=SUBMITTERS,
    scope=Scope.MANAGE,
    locks=(Lock.NAMES, Lock.NEEDS),
    records=(Action.PLAN_SUBMITTED,),
    in_steps=True,
    plain=("files",),
)
def submit_each(*, files: Iterable[PlanFile], actor: Actor, now: datetime) -> list[Outcome]:
    """Submit every plan as a workstream of its own, each in a transaction of its own; one that is refused
    keeps no other out. Under an idempotency key each is submitted once."""
    outside_transactions()
    return [_submit(f"plan {number}", file, actor, now) for number, file in enumerate(files)]


def _submit(step: str, file: PlanFile, actor: Actor, now: datetime) -> Outcome:
    def submitted() -> int:
        return submit_plan(
            source=file.source,
            source_name=file.name,
            actor=actor,
            now=now,
            wanted=file.wanted,
            adopt=file.adopt,
            leave_needs=file.leave_needs,
        ).version.pk

    try:
        version = once(step, submitted)
    except Refusal as refusal:
        return Outcome(file.name, refusal=refusal)
    return Outcome(file.name, submission_of(version))
