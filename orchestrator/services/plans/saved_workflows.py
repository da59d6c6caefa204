"""Saved workflows: keep an approved plan with parameters, start a workstream from one, archive one.

Requirements: AD-8, FR-001.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from orchestrator.core.actions import Action
from orchestrator.core.changes.parametrise import NewParameter, with_parameters
from orchestrator.core.errors import InvalidInput, MissingReason, NotFound, Refusal, WrongState
from orchestrator.core.people.roles import PROPOSERS, SUBMITTERS
from orchestrator.core.plans.plan import slugify
from orchestrator.core.terms import Format, Scope, VersionStatus
from orchestrator.models import SavedWorkflow, SavedWorkflowVersion, WorkflowVersion
from orchestrator.queries.plans.library import LibraryEntry, find_entry, is_shipped
from orchestrator.queries.plans.readings import plan_text
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.decided import by_whom
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, lock_names
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.plans.plans import Submission, submit_plan
from orchestrator.services.plans.templates import source_with_values
from orchestrator.services.plans.versions import Note

LONGEST_NAME = 200


@act(
    roles=PROPOSERS,
    scope=Scope.MANAGE,
    locks=(Lock.NAMES,),
    records=(Action.WORKFLOW_SAVED,),
)
def save_workflow(
    *,
    version: WorkflowVersion,
    name: str,
    description: str,
    parameters: Sequence[NewParameter],
    actor: Actor,
    now: datetime,
    of: str = "",
    reason: str = "",
) -> SavedWorkflowVersion:
    """Keep an approved version as a workflow of the library, or as the next version `of` one that is there.

    WrongState when the version was never approved, or the workflow is archived; InvalidInput names the
    parameter that makes no sense; a next version needs a reason.
    """
    if not of and not name.strip():
        raise InvalidInput("The workflow needs a name.", field="name")
    if of and not reason.strip():
        raise MissingReason("A new version of a workflow says why it was made.", field="reason")
    source = parametrised(version, parameters)
    with unit_of_work():
        lock_names()
        saved = _existing(of) if of else _register(name.strip()[:LONGEST_NAME], actor, now)
        row = _next(saved, version, source, description.strip(), reason.strip(), actor, now)
        record(
            workstream=None,
            actor=actor,
            action=Action.WORKFLOW_SAVED,
            subject=f"{saved.slug} v{row.number}",
            reason=row.reason,
            now=now,
            data={
                "sha256": row.source_sha256,
                "plan": version.workflow.slug,
                "version": version.number,
                "parameters": [parameter.name for parameter in parameters],
            },
        )
    return row


def parametrised(version: WorkflowVersion, parameters: Sequence[NewParameter]) -> str:
    """The text that saving would keep; stores nothing."""
    if why := why_not_saved(version):
        raise WrongState(why, recovery="Have the plan approved first.")
    return with_parameters(plan_text(version), parameters)


def why_not_saved(version: WorkflowVersion) -> str:
    """Why a version cannot be kept as a workflow; empty when it can. A superseded one was approved once."""
    if version.status == VersionStatus.APPROVED or version.effective_at is not None:
        return ""
    return (
        f"Version {version.number} is {version.get_status_display().lower()}; only approved plans are kept."
    )


@act(
    roles=PROPOSERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why."),
    locks=(Lock.NAMES,),
    records=(Action.WORKFLOW_ARCHIVED,),
)
def archive_workflow(*, name: str, reason: str, actor: Actor, now: datetime) -> SavedWorkflow:
    """Take a saved workflow out of the library; it stays on record, and so does what was started from it."""
    return _set_archived(name, reason, actor, now, archived=True)


@act(
    roles=PROPOSERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why."),
    locks=(Lock.NAMES,),
    records=(Action.WORKFLOW_BROUGHT_BACK,),
)
def bring_back_workflow(*, name: str, reason: str, actor: Actor, now: datetime) -> SavedWorkflow:
    """Put an archived workflow back into the library."""
    return _set_archived(name, reason, actor, now, archived=False)


def why_not_start(entry: LibraryEntry, actor: Actor) -> Refusal | None:
    """Why this actor may not start work from a workflow of the library: their role, or it is archived."""
    return start_from_workflow.why_not(actor) or _why_archived(entry)


def _why_archived(entry: LibraryEntry) -> Refusal | None:
    if not entry.archived_at:
        return None
    return WrongState(
        f"{entry.title} is archived; nothing is started from it.", recovery="Bring it back first."
    )


def usable(name: str, number: int = 0) -> LibraryEntry:
    """A workflow of the library that work may be started from, in its newest version or the one with this
    number.

    NotFound, or WrongState when it is archived.
    """
    entry = find_entry(name, number or None)
    if refusal := _why_archived(entry):
        raise refusal
    return entry


@act(
    roles=SUBMITTERS,
    scope=Scope.MANAGE,
    locks=(Lock.NAMES, Lock.NEEDS),
    records=(Action.PLAN_SUBMITTED,),
)
def start_from_workflow(
    *,
    name: str,
    values: Mapping[str, str],
    actor: Actor,
    now: datetime,
    wanted_effective_at: datetime | None = None,
) -> Submission:
    """Submit the plan that a workflow of the library makes with these values; it is reviewed like any other.

    InvalidInput names a parameter without a value; WrongState when the workflow is archived.
    """
    entry = usable(name)
    return submit_plan(
        source=source_with_values(entry.source, values),
        source_name=f"{entry.name}.PLAN.md",
        actor=actor,
        now=now,
        wanted=Format.PLAN,
        note=Note(
            wanted_effective_at=wanted_effective_at, started_from=entry.name, started_from_number=entry.number
        ),
    )


def _existing(name: str) -> SavedWorkflow:
    saved = SavedWorkflow.objects.filter(slug=name).first()
    if saved is None:
        raise NotFound(f"No saved workflow is called {name[:60]}.", field="of")
    if saved.archived_at:
        raise WrongState(f"{saved} is archived; it gets no new version.", recovery="Bring it back first.")
    return saved


def _register(name: str, actor: Actor, now: datetime) -> SavedWorkflow:
    slug = slugify(name)[:50]
    taken = set(SavedWorkflow.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    candidates = (slug if n == 1 else f"{slug}-{n}" for n in range(1, len(taken) + 100))
    free = next(candidate for candidate in candidates if candidate not in taken and not is_shipped(candidate))
    return SavedWorkflow.objects.create(slug=free, name=name, created_at=now, created_by=actor.account)


def _next(
    saved: SavedWorkflow,
    version: WorkflowVersion,
    source: str,
    description: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> SavedWorkflowVersion:
    newest = saved.versions.order_by("-number").first()
    digest = hashlib.sha256(source.encode()).hexdigest()
    if newest and newest.source_sha256 == digest and newest.description == description:
        raise InvalidInput(
            f"This is version {newest.number} of {saved} already; nothing changed.", field="parameters"
        )
    return SavedWorkflowVersion.objects.create(
        workflow=saved,
        number=newest.number + 1 if newest else 1,
        source=source,
        source_sha256=digest,
        description=description,
        plan=version,
        saved_by=actor.account,
        saved_as=actor.label,
        saved_at=now,
        reason=reason,
    )


def _set_archived(name: str, reason: str, actor: Actor, now: datetime, *, archived: bool) -> SavedWorkflow:
    action = Action.WORKFLOW_ARCHIVED if archived else Action.WORKFLOW_BROUGHT_BACK
    with unit_of_work():
        lock_names()
        saved = SavedWorkflow.objects.filter(slug=name).first()
        if saved is None:
            what = (
                "A shipped workflow stays" if is_shipped(name) else f"No saved workflow is called {name[:60]}"
            )
            raise NotFound(f"{what}.", recovery="Choose a workflow that was saved here.")
        if (saved.archived_at is not None) is archived:
            said = f"{saved} is {'archived' if archived else 'in the library'} already"
            raise by_whom(WrongState(f"{said}."), said, workstream=None, actions=[action], subject=saved.slug)
        saved.archived_at = now if archived else None
        saved.save(update_fields=["archived_at"])
        record(
            workstream=None,
            actor=actor,
            action=action,
            subject=saved.slug,
            reason=reason.strip(),
            now=now,
        )
    return saved
