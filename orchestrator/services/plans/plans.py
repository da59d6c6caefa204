"""Plans: read a source, submit it for review (WF-2, WF-3, FR-016). What is decided then: `decisions.py`."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.adoption import adoption_of
from orchestrator.core.errors import (
    InvalidInput,
    MissingReason,
    PlanRejected,
    Refusal,
    WrongState,
)
from orchestrator.core.findings import Finding
from orchestrator.core.people.roles import PROPOSERS, SUBMITTERS
from orchestrator.core.plans.checks.approvals import APPROVER_FINDINGS
from orchestrator.core.plans.checks.rules import SETTABLE, apply_rules
from orchestrator.core.plans.compare import compare_plans
from orchestrator.core.plans.formats.recognise import Format
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.terms import Scope, Severity, VersionStatus, WorkstreamStatus
from orchestrator.models import Bundle, Workflow, WorkflowVersion, Workstream
from orchestrator.queries.plans.check_rules import rules_in_force
from orchestrator.queries.plans.plans import workstream_of
from orchestrator.queries.plans.readings import read_text, reading_of
from orchestrator.queries.plans.sign_offs import with_approvers
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, lacking
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, lock_names, lock_workflow, locked_workstream
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.workstreams.needs import relate_needs, with_needs
from orchestrator.services.workstreams.priorities import priority_under

#: Questions, and what only a policy makes block, are for the reviewer to see, so they are stored; everything
#: else that blocks cannot be scheduled.
STORED_BLOCKERS = frozenset({"unanswered-question", *APPROVER_FINDINGS, *SETTABLE})


@dataclass(frozen=True, slots=True)
class Submission:
    version: WorkflowVersion
    workstream: Workstream
    reading: Reading


@dataclass(frozen=True, slots=True)
class Text:
    """What a version is stored from: the text as it was given, its name, and how it reads."""

    source: str
    name: str
    format: Format
    adopts: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What a submitter says beside the reason: what the change means for those who work by the plan (FR-022),
    when it is wanted in effect (FR-016), and the workflow of the library that the text was made from, with
    its number (AD-8).
    """

    impact: str = ""
    wanted_effective_at: datetime | None = None
    started_from: str = ""
    started_from_number: int = 0


NOTHING_SAID = Note()


def read_source(
    source: bytes | str,
    *,
    wanted: Format | None = None,
    workstream: Workstream | None = None,
    bundle: Bundle | None = None,
    members: Collection[str] = (),
) -> Reading:
    """Read and check a source with the tools, the workstreams and the policy of checks that are in force
    here.

    The format is told from the content unless one is wanted. `workstream` is the one the plan is for;
    `members` are names that the rest of its bundle will go by (AD-3).
    """
    reading = with_approvers(with_needs(read_text(source, wanted)[1], workstream, bundle, members))
    return apply_rules(reading, rules_in_force())


def read_version(version: WorkflowVersion, workstream: Workstream | None = None) -> Reading:
    """Read and check a stored version in the format it was submitted in, under the policy in force now."""
    reading = with_approvers(with_needs(reading_of(version), workstream), version)
    return apply_rules(reading, rules_in_force())


def submission_of(version_id: int) -> Submission:
    """The submission that made a version, as it reads now."""
    version = WorkflowVersion.objects.select_related("workflow").get(pk=version_id)
    workstream = workstream_of(version)
    return Submission(version, workstream, read_version(version, workstream))


def name_as_plan(version: WorkflowVersion) -> str:
    """What an amended text is called: amendments of another tool's plan are written as PLAN.md."""
    return version.source_name if version.format == Format.PLAN else "PLAN.md"


def reason_as_plan(version: WorkflowVersion, reason: str) -> str:
    """The reason of an amended version; it says so when the text is no longer in the form that
    was submitted.
    """
    if version.format == Format.PLAN or not reason.strip():
        return reason
    return f"{reason.strip()} (Written as PLAN.md; version {version.number} is {version.format}.)"


def read_any_source(
    source: bytes | str, wanted: Format | None = None, rules: Mapping[str, Severity] | None = None
) -> tuple[Format | None, Reading]:
    """The same without its needs, and the format it was read in: the wanted one, or told from the content.

    `rules` are used instead of those in force here.
    """
    found, reading = read_text(source, wanted)
    return found, apply_rules(reading, rules_in_force() if rules is None else rules)


@act(
    roles=PROPOSERS,
    scope=Scope.MANAGE,
    only="a plan of its own: initiator or approver; a new version also: reviewer",
    locks=(Lock.WORKSTREAM, Lock.WORKFLOW, Lock.NAMES),
    records=(Action.PLAN_SUBMITTED,),
)
def submit_plan(
    *,
    source: bytes,
    source_name: str,
    actor: Actor,
    now: datetime,
    workstream: Workstream | None = None,
    change_reason: str = "",
    bundle: Bundle | None = None,
    wanted: Format | None = None,
    adopt: bool = False,
    note: Note = NOTHING_SAID,
) -> Submission:
    """Register a plan for review: a new workstream (of a bundle), or a new version of one that is planned or
    under way.

    The text may be in any format that is read here; it is told from the content unless one is wanted. With
    `adopt`, approval takes over the state that the source tells of its tasks (`core.adoption`), if it tells
    any; WrongState for the plan of work that is under way, which has a state of its own. Work goes on under
    the approved version until the new one is approved. Raises PlanRejected with findings when the plan cannot
    be scheduled; nothing is stored then.
    """
    if refusal := why_not_submit(workstream, actor):
        raise refusal
    _refuse_past(note.wanted_effective_at, now)
    found, reading = read_any_source(source, wanted)
    reading = with_approvers(with_needs(reading, workstream, bundle))
    plan = reading.plan
    if found is None or plan is None or unschedulable(reading):
        raise PlanRejected(unschedulable(reading) or reading.findings)
    text = Text(source.decode("utf-8-sig"), source_name, found, adopt and bool(adoption_of(reading)))
    with unit_of_work():
        if workstream is None:
            lock_names()
            version = _first_version(plan, text, actor, now, note)
            workstream = _register(plan, version, actor, now, bundle)
            _submitted_for(version, workstream)
        else:
            workstream = locked_workstream(workstream.pk)
            _refuse_state_of_its_own(workstream, adopt)
            version = next_version(workstream, plan, text, actor, now, change_reason, note)
        if workstream.status == WorkstreamStatus.PLANNING and workstream.version_id == version.pk:
            relate_needs(workstream=workstream, plan=plan, actor=actor, now=now)
        record(
            workstream=workstream,
            actor=actor,
            action=Action.PLAN_SUBMITTED,
            subject=f"version {version.number}",
            reason=change_reason,
            now=now,
            data={
                "sha256": version.source_sha256,
                "findings": len(reading.findings),
                "adopts": version.adopts,
                **_said(version),
            },
        )
        wake(workstream.pk)
    return Submission(version, workstream, reading)


def why_not_submit(workstream: Workstream | None, actor: Actor) -> Refusal | None:
    """Why this actor may not submit a plan of its own, or, for a workstream, a new version of its plan."""
    return lacking(actor, PROPOSERS if workstream else SUBMITTERS)


def _refuse_state_of_its_own(workstream: Workstream, adopt: bool) -> None:
    if adopt and workstream.tasks.exists():
        raise WrongState(
            f"{workstream} is under way; its tasks have a state of their own.",
            recovery="Submit the version without adopting the state of its source.",
            field="adopt",
        )


def _refuse_past(wanted: datetime | None, now: datetime) -> None:
    if wanted is not None and wanted < now:
        raise InvalidInput(
            "The wanted effective date is over.",
            recovery="Leave it out, or give a later one; the approver decides.",
            field="wanted_effective_at",
        )


def _said(version: WorkflowVersion) -> dict[str, str]:
    """What the history keeps of a submitter's note."""
    wanted = version.wanted_effective_at
    return {
        "impact": version.change_impact,
        "wanted_effective": wanted.isoformat() if wanted else "",
        "started_from": f"{version.started_from} v{version.started_from_number}"
        if version.started_from
        else "",
    }


def unschedulable(reading: Reading) -> list[Finding]:
    """What keeps a plan from being stored at all."""
    return [finding for finding in reading.blockers if finding.code not in STORED_BLOCKERS]


def _first_version(plan: Plan, text: Text, actor: Actor, now: datetime, note: Note) -> WorkflowVersion:
    workflow = Workflow.objects.create(
        slug=_free_slug(plan.slug),
        name=plan.name[:200],
        domain=plan.domain[:60],
        created_at=now,
        created_by=actor.account,
    )
    return _version(workflow, 1, plan, text, actor, now, "", note)


def next_version(
    workstream: Workstream,
    plan: Plan,
    text: Text,
    actor: Actor,
    now: datetime,
    reason: str,
    note: Note = NOTHING_SAID,
) -> WorkflowVersion:
    """Store the next version of a locked workstream's workflow, in review; locks the workflow.

    A submitter who names no impact gets the one that both texts show.
    """
    if workstream.status not in {WorkstreamStatus.PLANNING, WorkstreamStatus.ACTIVE}:
        raise WrongState(f"{workstream} is {workstream.status}; its plan no longer changes.")
    lock_workflow(workstream.version.workflow_id)
    current = WorkflowVersion.objects.filter(workflow=workstream.version.workflow_id).order_by("-number")[0]
    if not reason.strip():
        raise MissingReason("A new version says why it was made.", field="change_reason")
    digest = hashlib.sha256(text.source.encode()).hexdigest()
    anothers = current.workstream_id not in {None, workstream.pk}
    same = (current.source_sha256, current.format, current.adopts) == (digest, text.format, text.adopts)
    if same and not anothers:
        raise InvalidInput("This text is the current version already; nothing changed.", field="source")
    if anothers:
        _refuse_waiting(current)
    if current.status != VersionStatus.APPROVED:
        WorkflowVersion.objects.filter(pk=current.pk).update(status=VersionStatus.SUPERSEDED)
    note = replace(note, impact=note.impact.strip() or _impact(current, plan))
    version = _version(current.workflow, current.number + 1, plan, text, actor, now, reason, note)
    _submitted_for(version, workstream)
    workstream.updated_at = now
    workstream.save(update_fields=["updated_at"])
    if workstream.status == WorkstreamStatus.PLANNING and not _promised(workstream):
        plan_under(workstream, version, plan)
    return version


def plan_under(workstream: Workstream, version: WorkflowVersion, plan: Plan) -> None:
    """A locked workstream that has not begun goes by this version from now on."""
    workstream.priority = priority_under(workstream, plan)
    workstream.version, workstream.title, workstream.domain = version, plan.name[:200], plan.domain[:60]
    workstream.save(update_fields=["version", "title", "domain", "priority"])


def _promised(workstream: Workstream) -> bool:
    """Whether its first version is approved and only waits for its time; read behind the lock."""
    return WorkflowVersion.objects.filter(pk=workstream.version_id, status=VersionStatus.APPROVED).exists()


def _impact(before: WorkflowVersion, plan: Plan) -> str:
    """What changes for those who work by the plan, in words, as far as the two texts show it."""
    old = reading_of(before).plan
    said = compare_plans(old, plan).sentence if old else ""
    return f"{said[0].upper()}{said[1:]}." if said else "No step, gate or dependency changes."


def _refuse_waiting(current: WorkflowVersion) -> None:
    """A newer version takes the place of one that waits; not of one that waits for another workstream."""
    if current.status == VersionStatus.IN_REVIEW:
        raise WrongState(
            f"Version {current.number} of this workflow waits for a decision, for {current.workstream}.",
            recovery="Have that version approved or sent back first, then submit this one.",
            version=current.number,
        )


def _submitted_for(version: WorkflowVersion, workstream: Workstream) -> None:
    """Approving the version will migrate this workstream; others follow when they are migrated (FR-016)."""
    version.workstream = workstream
    version.save(update_fields=["workstream"])


def _version(
    workflow: Workflow,
    number: int,
    plan: Plan,
    text: Text,
    actor: Actor,
    now: datetime,
    reason: str,
    note: Note,
) -> WorkflowVersion:
    return WorkflowVersion.objects.create(
        workflow=workflow,
        number=number,
        source=text.source,
        format=text.format,
        adopts=text.adopts,
        source_name=text.name[:200],
        source_sha256=hashlib.sha256(text.source.encode()).hexdigest(),
        summary=plan.summary,
        repository=plan.repository[:100],
        base_branch=plan.base_branch[:100],
        author=actor.account,
        submitted_as=actor.label,
        change_reason=reason,
        change_impact=note.impact.strip(),
        wanted_effective_at=note.wanted_effective_at,
        started_from=note.started_from,
        started_from_number=note.started_from_number,
        submitted_at=now,
    )


def _register(
    plan: Plan, version: WorkflowVersion, actor: Actor, now: datetime, bundle: Bundle | None
) -> Workstream:
    return Workstream.objects.create(
        slug=version.workflow.slug,
        title=plan.name[:200],
        version=version,
        domain=plan.domain[:60],
        owner=actor.account,
        priority=plan.priority,
        created_at=now,
        updated_at=now,
        bundle=bundle,
    )


def _free_slug(slug: str) -> str:
    taken = set(Workflow.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    taken |= set(Workstream.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    candidates = (slug if n == 1 else f"{slug[:50]}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)
