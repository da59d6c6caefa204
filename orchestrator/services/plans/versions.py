"""Versions of a workflow: a text is stored under the next number, and work that has not begun goes by it.

Requirements: FR-016.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.changes.pairing import old_keys
from orchestrator.core.errors import InvalidInput, MissingReason, Refusal, WrongState
from orchestrator.core.plans.compare import compare_plans
from orchestrator.core.plans.impossible import NeedPair
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.text.front_matter import minutes_of
from orchestrator.core.terms import Format, VersionStatus, WorkstreamStatus
from orchestrator.models import Workflow, WorkflowVersion, Workstream
from orchestrator.queries.plans.readings import reading_of
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.history import tells_of
from orchestrator.services.base.locks import lock_workflow
from orchestrator.services.base.progress import save_later, touch
from orchestrator.services.workstreams.priorities import priority_under


@dataclass(frozen=True, slots=True)
class VersionText:
    """What a version is stored from: the text as it was given, its name, and how it reads."""

    source: str
    name: str
    format: Format
    adopts: bool = False
    dropped_needs: tuple[NeedPair, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What a submitter says beside the reason: what the change means for those who work by the plan (FR-022),
    when it is wanted in effect (FR-016), and the workflow of the library that the text was made from, with
    its number (AD-8). `origin` is the text that this one was opened from as PLAN.md, by its `origin_name`
    (WF-2).
    """

    impact: str = ""
    wanted_effective_at: datetime | None = None
    started_from: str = ""
    started_from_number: int = 0
    origin: str = ""
    origin_name: str = ""


NOTHING_SAID = Note()


def name_as_plan(version: WorkflowVersion) -> str:
    """What an amended text is called: amendments of another tool's plan are written as PLAN.md."""
    return version.source_name if version.format == Format.PLAN else "PLAN.md"


def reason_as_plan(version: WorkflowVersion, reason: str) -> str:
    """The reason of an amended version.

    It says so when the text is no longer in the form that was submitted.
    """
    if version.format == Format.PLAN or not reason.strip():
        return reason
    return f"{reason.strip()} (Written as PLAN.md; version {version.number} is {version.format}.)"


def first_version(plan: Plan, text: VersionText, actor: Actor, now: datetime, note: Note) -> WorkflowVersion:
    """Store the first version of a new workflow, in review; the caller holds the lock of all names."""
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
    text: VersionText,
    actor: Actor,
    now: datetime,
    reason: str,
    note: Note = NOTHING_SAID,
) -> WorkflowVersion:
    """Store the next version of a locked workstream's workflow, in review; locks the workflow.

    A submitter who names no impact gets the one that both texts show.
    """
    if refusal := why_plan_is_closed(workstream):
        raise refusal
    lock_workflow(workstream.version.workflow_id)
    current = WorkflowVersion.objects.filter(workflow=workstream.version.workflow_id).order_by("-number")[0]
    if not reason.strip():
        raise MissingReason("A new version says why it was made.", field="change_reason")
    digest = hashlib.sha256(text.source.encode()).hexdigest()
    anothers = current.workstream_id not in {None, workstream.pk}
    same = (current.source_sha256, current.format, current.adopts) == (digest, text.format, text.adopts)
    same = same and current.dropped_needs == [list(pair) for pair in text.dropped_needs]
    if same and not anothers:
        raise InvalidInput("This text is the current version already; nothing changed.", field="source")
    if anothers:
        _refuse_waiting(current)
    if current.status != VersionStatus.APPROVED:
        supersede([current.pk])
    note = replace(note, impact=note.impact.strip() or _impact(current, plan))
    version = _version(current.workflow, current.number + 1, plan, text, actor, now, reason, note, workstream)
    touch(workstream, now)
    if workstream.status == WorkstreamStatus.PLANNING and not _promised(workstream):
        plan_under(workstream, version, plan)
    return version


def supersede(versions: Sequence[int]) -> None:
    """Versions with these ids are in force no more, and never will be."""
    WorkflowVersion.objects.filter(pk__in=versions).update(status=VersionStatus.SUPERSEDED)
    tells_of(WorkflowVersion, versions, status=VersionStatus.SUPERSEDED.value)


def why_plan_is_closed(workstream: Workstream) -> Refusal | None:
    """Why nothing is decided about the plan of a workstream, and nothing added to it: the work is closed.

    One that was accepted can be re-opened (LC-3).
    """
    if workstream.is_open:
        return None
    return WrongState(
        f"{workstream} is {workstream.status}; its plan no longer changes.",
        recovery="Have it re-opened first; a version in review can be withdrawn as it is."
        if workstream.status == WorkstreamStatus.COMPLETED
        else "Submit the plan as a new one; a version in review can be withdrawn as it is.",
    )


def plan_under(workstream: Workstream, version: WorkflowVersion, plan: Plan) -> None:
    """A locked workstream that has not begun goes by this version from now on."""
    workstream.priority = priority_under(workstream, plan)
    workstream.version, workstream.title, workstream.domain = version, plan.name[:200], plan.domain[:60]
    save_later(workstream)


def _promised(workstream: Workstream) -> bool:
    """Whether its first version is approved and only waits for its time; read behind the lock."""
    return WorkflowVersion.objects.filter(pk=workstream.version_id, status=VersionStatus.APPROVED).exists()


def _impact(before: WorkflowVersion, plan: Plan) -> str:
    """What changes for those who work by the plan, in words, as far as the two texts show it."""
    old = reading_of(before).plan
    said = compare_plans(old, plan, old_keys(old, plan)).sentence if old else ""
    return f"{said[0].upper()}{said[1:]}." if said else "No step, gate or dependency changes."


def _refuse_waiting(current: WorkflowVersion) -> None:
    """A newer version takes the place of one that waits; not of one that waits for another workstream."""
    if current.status == VersionStatus.IN_REVIEW:
        raise WrongState(
            f"Version {current.number} of this workflow waits for a decision, for {current.workstream}.",
            recovery="Have that version approved or sent back first, then submit this one.",
            version=current.number,
        )


def submitted_for(version: WorkflowVersion, workstream: Workstream) -> None:
    """Approving the version will migrate this workstream; others follow when they are migrated (FR-016)."""
    version.workstream = workstream
    version.save(update_fields=["workstream"])


def _free_slug(slug: str) -> str:
    taken = set(Workflow.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    taken |= set(Workstream.objects.filter(slug__startswith=slug[:50]).values_list("slug", flat=True))
    candidates = (slug if n == 1 else f"{slug[:50]}-{n}" for n in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _version(
    workflow: Workflow,
    number: int,
    plan: Plan,
    text: VersionText,
    actor: Actor,
    now: datetime,
    reason: str,
    note: Note,
    workstream: Workstream | None = None,
) -> WorkflowVersion:
    return WorkflowVersion.objects.create(
        workflow=workflow,
        workstream=workstream,
        number=number,
        source=text.source,
        format=text.format,
        adopts=text.adopts,
        dropped_needs=[list(pair) for pair in text.dropped_needs],
        source_name=text.name[:200],
        source_sha256=hashlib.sha256(text.source.encode()).hexdigest(),
        summary=plan.summary,
        steps_planned=sum(1 for _ in plan.steps()),
        open_questions=sum(not question.answered for question in plan.questions),
        repository=plan.repository[:100],
        base_branch=plan.base_branch[:100],
        verify=plan.verify[:500],
        budget=plan.budget,
        silence_minutes=minutes_of(plan.silence),
        author=actor.account,
        submitted_as=actor.label,
        change_reason=reason,
        change_impact=note.impact.strip(),
        wanted_effective_at=note.wanted_effective_at,
        started_from=note.started_from,
        started_from_number=note.started_from_number,
        origin=note.origin,
        origin_name=note.origin_name[:200] if note.origin else "",
        submitted_at=now,
    )


def note_of(version: WorkflowVersion) -> dict[str, str]:
    """What the history keeps of a submitter's note."""
    wanted = version.wanted_effective_at
    return {
        "impact": version.change_impact,
        "origin_sha256": hashlib.sha256(version.origin.encode()).hexdigest() if version.origin else "",
        "wanted_effective": wanted.isoformat() if wanted else "",
        "started_from": f"{version.started_from} v{version.started_from_number}"
        if version.started_from
        else "",
    }
