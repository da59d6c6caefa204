"""Place: where an attempt works, with the work before it; what stands in the way, and what would be merged in
the end (BX-1, WF-4, FR-010)."""

from dataclasses import dataclass

from orchestrator.contract.values import Body, Id, Key, Sha256
from orchestrator.core.terms import PlaceState


class PlaceToken(Body):
    """The token of the claim."""

    token: Id


@dataclass(frozen=True)
class CommitBefore:
    """A commit of the repository that the step builds on. `same_files` says that the step `key` comes before
    only because it held the same files."""

    key: str
    commit: str
    same_files: bool


@dataclass(frozen=True)
class WorkspaceCommit:
    """A handover that the step builds on: its file and its commit in the workspace, not in the plan's
    repository."""

    key: str
    path: str
    commit: str


@dataclass(frozen=True)
class ClashFacts:
    """A file that does not fit. `ours` and `theirs` are git's names of both contents (`git show NAME`), empty
    where that side has none; a `binary` file has no marks: choose one side, or write it anew."""

    path: str
    said: str
    base: str
    ours: str
    theirs: str
    binary: bool


@dataclass(frozen=True)
class ConflictFacts:
    """A merge that stands open in the worktree: the commit `theirs` of the steps `their_steps` does not fit
    to what stands there (`ours`, with the work of `our_steps`). `left_off` more files are not listed.
    `way_on` says what to do."""

    ours: str
    our_steps: tuple[str, ...]
    theirs: str
    their_steps: tuple[str, ...]
    files: tuple[ClashFacts, ...]
    left_off: int
    way_on: str


@dataclass(frozen=True)
class KeptFacts:
    """What stood in the worktree when this attempt began, and where it is kept: under a ref of the
    repository, or in a folder beside it."""

    attempt: int
    kept: str


@dataclass(frozen=True)
class PlanAround:
    """The plan around the step: `file` is where PLAN.md stands in the workspace, `address` where the version
    is read. `text` is its source from line `first_line` on, cut off where it is long."""

    file: str
    address: str
    first_line: int
    text: str


@dataclass(frozen=True)
class PlaceFacts:
    """Where the step stands in the plan, what its lane owns, and where it works (BX-1).

    `worktree` is what plan and dashboard call the worktree, `path` the folder on the orchestrator's machine.
    It is made at the claim: `state` is null before that, and for a plan without a repository here; `said`
    says in a sentence how it stands. `base` is the head of the base branch, `start` the commit with all
    `commits` merged in. `checkout` are the commands for another machine, with the address of the repository
    where the operator named one; `push_to` is the ref that takes what was made there. `workspace_commits` are
    in the workspace's repository.
    """

    stage: str
    batch: str
    thread: str
    owned_files: tuple[str, ...]
    outputs_folder: str
    repository: str
    base_branch: str
    worktree: str
    path: str
    branch: str
    state: PlaceState | None
    said: str
    base: str
    start: str
    commits: tuple[CommitBefore, ...]
    workspace_commits: tuple[WorkspaceCommit, ...]
    conflict: ConflictFacts | None
    kept: tuple[KeptFacts, ...]
    checkout: tuple[str, ...]
    push_to: str
    plan: PlanAround


class MergeQuery(Body):
    """With the key of a `gate` only what came to it is merged."""

    gate: Key = ""


class MergeSeal(Body):
    """`seen` is the `seal` of the merge that was looked at, as `GET …/merge` answers it: another one is not
    made."""

    seen: Sha256


@dataclass(frozen=True)
class ChangedFile:
    """A file with its added and removed lines; `text` are the changed lines as git writes them, empty where
    they are too many. A `binary` file has none."""

    path: str
    added: int
    removed: int
    binary: bool
    text: str


@dataclass(frozen=True)
class MergedStep:
    """A step and its commit; those that come before another one are in that one's."""

    key: str
    commit: str


@dataclass(frozen=True)
class MergePreview:
    """The merge of completed work into the base branch `into`, which stands at `base`: `commit` is what it
    would stand at but for the time, made of `steps`; `seal` names this merge to the act. Where the work does
    not fit, `commit` is empty and `clashes` are the files. `more` files are not listed. `how` says what the
    operator set: `merge`, `command` or `off`. `said` is all of it in a sentence."""

    into: str
    base: str
    commit: str
    steps: tuple[MergedStep, ...]
    files: tuple[ChangedFile, ...]
    more: int
    added: int
    removed: int
    clashes: tuple[str, ...]
    how: str
    seal: str
    said: str


@dataclass(frozen=True)
class MergedFacts:
    """What came of a merge, in a sentence."""

    said: str
