"""What a person decides when database and workspace do not belong together (F22 to F24).

Which of both is right nobody can know but people: an older database was restored, or an older workspace.
Restoring the right copy needs no act, the next look finds that they agree. The other ways out go by the
database, because it alone has tasks and history: the branch is set back to the commit that it knows, or what
it recorded is written again.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from orchestrator.contract.workspace import CommitFacts, WorkspaceFacts
from orchestrator.core.actions import Action
from orchestrator.core.errors import WorkspaceUnavailable, WrongState
from orchestrator.core.files.divergence import judge, sentence, settlements
from orchestrator.core.people.roles import APPROVERS
from orchestrator.core.terms import ArtifactState, Divergence, Scope, Settlement, WorkstreamStatus
from orchestrator.models import HandoffArtifact, WorkspaceBranch, Workstream
from orchestrator.queries.base.parts import MANY
from orchestrator.queries.engine.snapshot import workstream_row
from orchestrator.queries.handoff.handovers import PUBLISHED
from orchestrator.queries.work.projection import projected_files
from orchestrator.services.base.actor import Actor
from orchestrator.services.base.acts import act, why
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.base.wake import wake
from orchestrator.services.handoff.damage import check_intact, workspace
from orchestrator.services.handoff.known_branch import known_branch, look, note_head, seen_by, settled
from orchestrator.services.handoff.publishing import COMMIT_BYTES, COMMIT_SIZE, contents_of
from orchestrator.services.sealing.anchors import seal_in, seals_fit, set_aside
from orchestrator.workspace import ResultBranches, Workspace
from orchestrator.workspace.branch import keep, lines_between, put_back, reachable, write_again
from orchestrator.workspace.repository import nobody

#: Commits that are shown of those which only one side knows.
SHOWN = 20


def workspace_facts(*, now: datetime) -> WorkspaceFacts:
    """Looks first, so that what is shown is what holds now. Call it outside a transaction."""
    space = workspace()
    apart = look(space, now)
    row, head = known_branch(), space.head()
    if not apart:
        return _facts_of_seals(seals_fit(space), row.head, head)
    seen = seen_by(space, row, head)
    kind = judge(seen)
    return WorkspaceFacts(
        agrees=False,
        known=row.head,
        head=head,
        kind=kind.value,
        said=sentence(kind, row.head, head),
        since=row.diverged_at,
        ways=settlements(kind, held=seen.held),
        commits=_commits(space, row.head if seen.held else "", head),
    )


def _facts_of_seals(fit: bool, known: str, head: str) -> WorkspaceFacts:
    """Of a branch that agrees: all is well, unless the history's seals beside it are of a newer database."""
    if fit:
        return WorkspaceFacts(True, known, head, "", "", None, (), ())
    kind = Divergence.SEALS_NEWER
    ways = settlements(kind, held=True)
    return WorkspaceFacts(False, known, head, kind.value, sentence(kind, known, head), None, ways, ())


def _commits(space: Workspace, older: str, newer: str) -> tuple[CommitFacts, ...]:
    lines = lines_between(space, older, newer, SHOWN)
    return tuple(CommitFacts(line.name, line.at, line.subject) for line in lines)


@act(
    roles=APPROVERS,
    scope=Scope.MANAGE,
    reason=why("reason", "Say why this copy is the right one."),
    person="What becomes of the workspace's branch is decided by a person.",
    records=(Action.BRANCH_SET_BACK, Action.BRANCH_WRITTEN_AGAIN),
    locks=(Lock.SEALER,),
)
def settle_divergence(*, way: Settlement, reason: str, actor: Actor, now: datetime) -> str:
    """Bring the branch in line with the database; answers with the name that the branch's commits are kept
    under.

    WrongState when both agree, or when this way is none for what happened. Call it outside a transaction: the
    workspace's lock comes before any row lock. A kill leaves the divergence as it is, and the act is done
    again.
    """
    space = workspace()
    if not look(space, now):
        with space.locked():
            return _settle_seals(space, way, reason, actor, now)
    with space.locked():
        row, head = known_branch(), space.head()
        _refuse_other_way(space, row, head, way)
        kept = keep(space, head, now)
        if way is Settlement.SET_BACK:
            put_back(space, row.head)
        else:
            space.intend = nobody  # a kill leaves the divergence as it is
            write_again(space, recorded_files(), "Written again from the record\n", now, above=head)
        # An older database does not know results that were taken in since: they are looked at again.
        ResultBranches(space).forget()
        _note_settled(space, way, reason, row, kept, set_aside(space), actor, now)
        _seal_here(space, now)
    check_intact(
        HandoffArtifact.objects.filter(state=ArtifactState.DAMAGED).select_related("attempt"), now=now
    )
    return kept


def _settle_seals(space: Workspace, way: Settlement, reason: str, actor: Actor, now: datetime) -> str:
    """The branch agrees; seals of a newer database are set aside, and sealing goes on from this one."""
    kept = set_aside(space) if way is Settlement.SET_BACK else ""
    if not kept:
        raise WrongState("Workspace and database agree; there is nothing to decide.")
    with unit_of_work():
        record(
            workstream=None,
            actor=actor,
            action=Action.BRANCH_SET_BACK,
            subject=Divergence.SEALS_NEWER.value.replace("-", " "),
            reason=reason,
            now=now,
            data={"seals": kept},
        )
    _seal_here(space, now)
    return kept


def _seal_here(space: Workspace, now: datetime) -> None:
    """Have the branch of the seals say at once what holds now. What cannot be written is, by the next
    sweep: it is decided already."""
    with suppress(WorkspaceUnavailable, WrongState):
        seal_in(space, now=now)


def _refuse_other_way(space: Workspace, row: WorkspaceBranch, head: str, way: Settlement) -> None:
    seen = seen_by(space, row, head)
    kind = judge(seen)
    if way not in settlements(kind, held=seen.held):
        other = (
            "git no longer has the commit that the database knows"
            if way is Settlement.SET_BACK
            else "it is older"
        )
        raise WrongState(
            f"The branch cannot be settled that way: {other}.",
            recovery="The page Workspace has the ways that are left.",
            kind=kind.value,
        )


def _note_settled(
    space: Workspace,
    way: Settlement,
    reason: str,
    row: WorkspaceBranch,
    kept: str,
    seals: str,
    actor: Actor,
    now: datetime,
) -> None:
    head = space.head()
    with unit_of_work():
        if head:
            name_commits(space, head, now)
        note_head(head)
        settled()
        record(
            workstream=None,
            actor=actor,
            action=Action.BRANCH_SET_BACK if way is Settlement.SET_BACK else Action.BRANCH_WRITTEN_AGAIN,
            subject=Divergence(row.kind).value.replace("-", " "),
            reason=reason,
            now=now,
            data={"known": row.head, "found": row.found, "head": head, "kept": kept, "seals": seals},
        )
        for pk in (
            Workstream.objects.filter(status=WorkstreamStatus.ACTIVE)
            .order_by("pk")
            .values_list("pk", flat=True)
        ):
            wake(pk)


def name_commits(space: Workspace, head: str, now: datetime) -> None:
    """Artifacts of commits that the branch has lost stand in its newest commit now.

    The caller has a transaction.
    """
    published = HandoffArtifact.objects.filter(state__in=PUBLISHED)
    held = reachable(space, head)
    lost = [
        one for one in published.order_by().values_list("commit", flat=True).distinct() if one not in held
    ]
    for start in range(0, len(lost), MANY):
        published.filter(commit__in=lost[start : start + MANY]).update(commit=head, committed_at=now)


def recorded_files() -> Iterator[Mapping[str, bytes]]:
    """Everything that was ever published, as the record has it, in parts that fit into memory.

    Then the state files.
    """
    for workstream in Workstream.objects.order_by("pk").values_list("pk", flat=True):
        yield from _handed_over(workstream)
        yield projected_files(workstream_row(workstream))


def _handed_over(workstream: int) -> Iterator[Mapping[str, bytes]]:
    rows = HandoffArtifact.objects.filter(workstream=workstream, state__in=PUBLISHED).order_by("sequence")
    part: dict[str, bytes] = {}
    count = size = 0
    for row in rows.iterator(chunk_size=COMMIT_SIZE):
        own = contents_of([row])
        if part and (count >= COMMIT_SIZE or size + sum(map(len, own.values())) > COMMIT_BYTES):
            yield part
            part, count, size = {}, 0, 0
        part.update(own)
        count, size = count + 1, size + sum(map(len, own.values()))
    if part:
        yield part
