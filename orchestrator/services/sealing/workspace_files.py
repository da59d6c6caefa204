"""What was handed over, compared with the files of the workspace's branch (FR-009)."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from orchestrator.core.errors import WorkspaceUnavailable
from orchestrator.core.files.divergence import Seen, agrees, judge, sentence
from orchestrator.core.files.documentation import PAGES, documentation_folder
from orchestrator.core.files.handoff import workstream_folder
from orchestrator.core.sealing.chain import Breach
from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact, OutputFile, WorkspaceBranch, Workstream
from orchestrator.queries.work.registry import INDEX
from orchestrator.workspace import Workspace
from orchestrator.workspace.branch import reachable
from orchestrator.workspace.listing import branch_files

#: Artifacts and outputs that are looked at together.
ARTIFACTS, OUTPUTS = 200, 10
#: What a workstream's folder holds beside its artifacts.
STATE_FILES: Final = ("PLAN.md", "tasks.json", "EXECUTION-DASHBOARD.md", "LEARNINGS.md")


class _Given(NamedTuple):
    """A file that was handed over, with the row that has its content."""

    path: str
    content: bytes
    commit: str
    row: tuple[type[HandoffArtifact] | type[OutputFile], int]


def files_breach(space: Workspace) -> Breach | None:
    """The first commit or file of the branch that no act wrote, and the first file that is not there as it
    was handed over. Who publishes meanwhile is waited for before anything is said."""
    breach = _branch_breach(space) or _foreign_breach(space) or _given_breach(space, _artifacts())
    return breach or _given_breach(space, _outputs())


def _branch_breach(space: Workspace) -> Breach | None:
    """The branch stands where the database left it; an act that moves it says so before it does."""
    for _ in range(2):
        head, row = space.head(), WorkspaceBranch.objects.first() or WorkspaceBranch()
        if agrees(row.head, row.meant, head):
            return None
    held = space.holds_commit(row.head)
    goes_on = bool(row.head) and bool(head) and space.goes_on(row.head, head)
    goes_back = bool(row.head) and bool(head) and space.goes_on(head, row.head)
    said = sentence(judge(Seen(row.head, head, held, goes_on, goes_back)), row.head, head)
    return Breach(0, said.rstrip("."))


def _foreign_breach(space: Workspace) -> Breach | None:
    files = branch_files(space).keys()
    unknown = sorted(files - _known_paths()) if files else []
    if unknown and (unknown := sorted(set(unknown) - _known_paths())):  # what was handed over meanwhile
        return Breach(0, f"The workspace's branch holds {unknown[0]}, which nobody handed over")
    return None


def _known_paths() -> set[str]:
    """Whatever was handed over, in any state, and the files that show the state of work."""
    paths = {INDEX, *HandoffArtifact.objects.order_by().values_list("path", flat=True)}
    paths |= set(OutputFile.objects.order_by().values_list("path", flat=True))
    for slug in Workstream.objects.order_by().values_list("slug", flat=True):
        paths |= {f"{workstream_folder(slug)}/{name}" for name in STATE_FILES}
        paths |= {f"{documentation_folder(slug)}/{name}" for name in PAGES}
    return paths


def _given_breach(space: Workspace, given: Iterator[Sequence[_Given]]) -> Breach | None:
    held = _reachable(space)
    for some in given:
        for bad in _bad(space, some, held):
            with space.locked():
                if again := [one for one in _again(bad) if _bad(space, [one], _reachable(space))]:
                    return Breach(0, f"The workspace does not hold {again[0].path} as it was handed over")
        for one in some:
            if space.damaged_object(one.content):
                return Breach(0, f"Git's object of {one.path} has other bytes than were handed over")
    return None


def _bad(space: Workspace, given: Sequence[_Given], held: Collection[str]) -> list[_Given]:
    """Those that the branch, or the commit that the row names, holds otherwise."""
    by_commit: dict[str, dict[str, bytes]] = {}
    for one in given:
        by_commit.setdefault(one.commit, {})[one.path] = one.content
    standing = space.standing({one.path: one.content for one in given})
    good = {path for path, right in standing.items() if right}
    for commit, contents in by_commit.items():
        if commit:
            try:
                there = space.standing(contents, commit) if commit in held else {}
            except WorkspaceUnavailable:  # git has no such commit
                there = {}
            good -= {path for path in contents if not there.get(path)}
    return [one for one in given if one.path not in good]


def _reachable(space: Workspace) -> frozenset[str]:
    head = space.head()
    return reachable(space, head) if head else frozenset()


def _artifacts() -> Iterator[Sequence[_Given]]:
    """Those that are known to be damaged are shown where they belong."""
    rows = HandoffArtifact.objects.filter(state=ArtifactState.COMMITTED).order_by("pk")
    found = rows.values_list("pk", "path", "body", "commit").iterator(chunk_size=ARTIFACTS)
    while some := list(islice(found, ARTIFACTS)):
        yield [_Given(path, body.encode(), commit, (HandoffArtifact, pk)) for pk, path, body, commit in some]


def _outputs() -> Iterator[Sequence[_Given]]:
    """Of what was handed over again the latest; of what waits to be committed nothing, in any version."""
    latest = iter(sorted(_latest().values()))
    while some := list(islice(latest, OUTPUTS)):
        rows = OutputFile.objects.filter(pk__in=some)
        yield [
            _Given(path, bytes(content), "", (OutputFile, pk))
            for pk, path, content in rows.values_list("pk", "path", "content")
        ]


def _latest(paths: Sequence[str] = ()) -> dict[str, int]:
    """Path -> id of the output that the branch holds there."""
    rows = OutputFile.objects.exclude(artifact__state=ArtifactState.QUARANTINED)
    rows = rows.filter(path__in=paths) if paths else rows
    latest: dict[str, int] = {}
    ordered = rows.order_by("artifact__workstream", "artifact__sequence")
    for pk, path, state in ordered.values_list("pk", "path", "artifact__state"):
        if state == ArtifactState.COMMITTED:
            latest[path] = pk
        else:
            latest.pop(path, None)
    return latest


def _again(one: _Given) -> list[_Given]:
    """The same by what its row says now, where it still has to stand there."""
    model, pk = one.row
    if model is OutputFile:
        return [one] if _latest([one.path]).get(one.path) == pk else []
    row = HandoffArtifact.objects.filter(pk=pk, state=ArtifactState.COMMITTED).first()
    return [one._replace(commit=row.commit)] if row else []
