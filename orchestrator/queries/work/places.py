"""The place of a task: worktree, branch and the work before it, and the plan around its step (BX-1, WF-4)."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from django.conf import settings
from django.urls import reverse

from orchestrator.contract.artifacts import ArtifactFacts
from orchestrator.contract.places import (
    ClashFacts,
    CommitBefore,
    ConflictFacts,
    KeptFacts,
    PlaceFacts,
    PlanAround,
    WorkspaceCommit,
)
from orchestrator.core.errors import NotFound
from orchestrator.core.files.handoff import workstream_folder
from orchestrator.core.plans.lanes import LANES_FOLDER, lane_branch, lane_worktree
from orchestrator.core.terms import AttemptStatus, PlaceState, TaskStatus
from orchestrator.models import Attempt, PlaceClash, PlaceCommit, Step, Task, TouchedFile, WorkPlace
from orchestrator.queries.handoff.expected import folder_of
from orchestrator.queries.handoff.upstream import output_place
from orchestrator.queries.work.baseline import base_branch_of
from orchestrator.queries.work.commits_before import commits_before

#: How a question about a conflict begins.
CONFLICT: Final = "The work before this step does not fit together"
#: Files of a conflict, and characters of the plan, that one answer carries.
FILES_SHOWN: Final = 50
PLAN_SHOWN: Final = 4_000
#: Lines of the plan before the step and behind its beginning.
LINES_BEFORE, LINES_BEHIND = 12, 28
WAY_ON: Final = (
    "The merge stands open in the worktree, with git's marks in the files. Resolve each file, then `git add` "
    "it (or `git rm` it where it is to go; of a binary file `git checkout --ours` or `--theirs` takes one "
    "side). Then take the place again: the merge is committed and whatever is left is merged. On another "
    "machine check out `start`, merge `commits`, push the merge commit and complete with it."
)
_SAID: Final = {
    PlaceState.READY: "It is ready, with all of the work before the step in it.",
    PlaceState.CONFLICT: (
        "The work before the step does not fit together; the merge stands open in the worktree."
    ),
}


def place_of_attempt(attempt_id: int) -> PlaceFacts:
    """NotFound when there is no such attempt."""
    rows = Task.objects.select_related("step__thread__batch__stage", "workstream__version__workflow")
    task = rows.filter(attempts=attempt_id).first()
    if task is None:
        raise NotFound("There is no such attempt.")
    return place_of(task, ())


def has_place(task: Task) -> bool:
    """Whether somebody works on a task in a worktree: nobody claims a gate."""
    return bool(task.workstream.version.repository) and not task.step.is_gate


def place_of(task: Task, upstream: Iterable[ArtifactFacts], owned: Sequence[str] | None = None) -> PlaceFacts:
    """`upstream` are the handovers that the step builds on; the files that its thread `owned` are read where
    they are not given."""
    step, workstream, version = task.step, task.workstream, task.workstream.version
    place = _latest(task) if version.repository else None
    folder = place.folder if place and place.folder else folder_of(step)
    worktree = lane_worktree(folder) if version.repository else step.thread.worktree
    branch = lane_branch(workstream.slug, folder) if version.repository else ""
    return PlaceFacts(
        stage=str(step.thread.batch.stage),
        batch=str(step.thread.batch),
        thread=str(step.thread),
        owned_files=tuple(_owned(step) if owned is None else owned),
        outputs_folder=f"{output_place(workstream, step).folder}/",
        repository=version.repository,
        base_branch=version.base_branch,
        worktree=worktree,
        path=path_of(place, workstream.slug) if place else "",
        branch=branch,
        state=PlaceState(place.state) if place else None,
        said=_said(task, place),
        base=place.base if place else "",
        start=place.start if place else "",
        commits=_commits(task, place),
        workspace_commits=tuple(
            WorkspaceCommit(one.step, one.path, one.commit) for one in upstream if one.commit
        ),
        conflict=_conflict(place) if place and place.state == PlaceState.CONFLICT else None,
        kept=_kept(task) if place else (),
        checkout=_checkout(version.repository, branch, place) if place and place.start else (),
        push_to=pushed_ref(place) if place and place.start else "",
        plan=_plan_around(task),
    )


def _owned(step: Step) -> list[str]:
    return list(step.thread.owned_files.values_list("pattern", flat=True))


def pushed_ref(place: WorkPlace) -> str:
    """The ref that takes what was made of the attempt on another machine."""
    return f"refs/pushed/{place.branch}-{place.attempt_id}"


def path_of(place: WorkPlace, slug: str) -> str:
    """Where the worktree stands on this machine; empty where it does not."""
    return _path(slug, place.folder) if place.state in _STANDS else ""


def running_places(tasks: Iterable[int]) -> dict[int, WorkPlace]:
    """The places of the running attempts of these tasks, by task."""
    rows = WorkPlace.objects.filter(attempt__task__in=list(tasks), attempt__status=AttemptStatus.RUNNING)
    return {place.attempt.task_id: place for place in rows.select_related("attempt")}


def conflict_question(place: WorkPlace) -> str:
    """What a person is asked where a tool cannot begin because the work before it conflicts."""
    conflict = _conflict(place)
    files = "".join(f"\n- {one.path}: {one.said}" for one in conflict.files)
    more = f"\n- and {conflict.left_off} more" if conflict.left_off else ""
    steps = f"{', '.join(conflict.their_steps)} ({conflict.theirs[:12]})"
    slug = place.attempt.task.workstream.slug
    return (
        f"{CONFLICT}: {steps} and {', '.join(conflict.our_steps) or 'the base branch'} changed the same "
        f"files.{files}{more}\nResolve them in {_path(slug, place.folder)}, where the merge stands open, and "
        f"`git add` or `git rm` each; then answer “resolved”. Or answer with the id of a commit in the "
        f"repository that merges {conflict.ours[:12]} and {conflict.theirs[:12]}."
    )


def touched_of(attempts: Sequence[int]) -> dict[int, list[str]]:
    """Files that the commits of these attempts touch and nobody gave them, by attempt."""
    found: dict[int, list[str]] = {}
    rows = TouchedFile.objects.filter(attempt__in=attempts).order_by("attempt", "path")
    for attempt, path in rows.values_list("attempt", "path"):
        found.setdefault(attempt, []).append(path)
    return found


_STANDS: Final = frozenset({PlaceState.READY.value, PlaceState.CONFLICT.value})


def _latest(task: Task) -> WorkPlace | None:
    """The place of the latest attempt, if it has one."""
    last = Attempt.objects.filter(task=task).select_related("place").order_by("-number").first()
    place: WorkPlace | None = getattr(last, "place", None)
    if place is not None and last is not None:
        last.task = task
        place.attempt = last
    return place


def _said(task: Task, place: WorkPlace | None) -> str:
    version = task.workstream.version
    if not version.repository:
        return "The plan names no repository, so no worktree is made."
    if place is None:
        if base_branch_of(task.workstream) is None:
            return f"The repository “{version.repository}” is not on the orchestrator's machine."
        if task.status == TaskStatus.ACTIVE:
            return "It is being made: ask for it once more."
        return "It is made when the step is claimed."
    if place.state == PlaceState.FAILED:
        return f"It could not be made: {place.problem}"
    if place.state == PlaceState.REMOVED:
        kept = (
            f"what was in it is kept: {place.taken_to}"
            if place.taken_to
            else "all of it is in the base branch"
        )
        return f"It was taken away because the work is over; {kept}."
    return _SAID[PlaceState(place.state)]


def _path(slug: str, folder: str) -> str:
    return str(Path(settings.WORKTREES_DIR) / slug / LANES_FOLDER / folder)


def _commits(task: Task, place: WorkPlace | None) -> tuple[CommitBefore, ...]:
    """What the place was made with; before it is made, what it would be made with."""
    if not task.workstream.version.repository or task.status in _OVER:
        return ()
    if place is None or not place.start:
        return commits_before(task)
    return tuple(CommitBefore(one.key, one.commit, one.same_files) for one in place.commits.all())


_OVER: Final = frozenset({TaskStatus.CANCELLED, TaskStatus.SKIPPED})


def _conflict(place: WorkPlace) -> ConflictFacts:
    clashes = list(place.clashes.filter(merging=place.merging))
    before: list[PlaceCommit] = list(place.commits.all())
    theirs = [one for one in before if one.commit == place.merging]
    first = min((one.position for one in theirs), default=0)
    return ConflictFacts(
        ours=place.start,
        our_steps=tuple(one.key for one in before if one.position < first),
        theirs=place.merging,
        their_steps=tuple(one.key for one in theirs),
        files=tuple(_clash(one) for one in clashes[:FILES_SHOWN]),
        left_off=max(0, len(clashes) - FILES_SHOWN),
        way_on=WAY_ON,
    )


def _clash(one: PlaceClash) -> ClashFacts:
    return ClashFacts(one.path, _how(one), one.base, one.ours, one.theirs, one.binary)


def _how(one: PlaceClash) -> str:
    """What became of the file on both sides, in words."""
    if not (one.base or one.ours or one.theirs):
        return "added with the marks of the conflict still in it"
    if one.ours and one.theirs:
        what = "changed on both sides" if one.base else "added on both sides"
        return f"{what}{', and binary' if one.binary else ''}"
    if one.base and (one.ours or one.theirs):
        return f"deleted on {'their' if one.ours else 'our'} side, changed on the other"
    if one.base:
        return "renamed differently or deleted on both sides"
    return f"renamed or added on {'our' if one.ours else 'their'} side only"


def _kept(task: Task) -> tuple[KeptFacts, ...]:
    """What the attempts at this task left, whoever found it in the worktree afterwards."""
    rows = WorkPlace.objects.filter(attempt__task=task).exclude(kept="").order_by("attempt__number")
    return tuple(KeptFacts(number, kept) for number, kept in rows.values_list("attempt__number", "kept"))


def _checkout(repository: str, branch: str, place: WorkPlace) -> tuple[str, ...]:
    """A branch for each attempt: one machine may do several steps of a lane, one after another."""
    base = settings.REPOSITORIES_URL or f"{settings.REPOSITORIES_DIR}/"
    return (
        f"git fetch {shlex.quote(f'{base}{repository}')} {shlex.quote(branch)}",
        f"git switch --create {shlex.quote(f'{branch}-{place.attempt_id}')} FETCH_HEAD",
    )


def _plan_around(task: Task) -> PlanAround:
    """The lines around the step, from its own text's beginning a little upwards to what follows it."""
    version, step = task.workstream.version, task.step
    lines = version.source.split("\n")
    first = max(1, step.line - LINES_BEFORE) if step.line else 1
    text = "\n".join(lines[first - 1 : max(first, step.line) + LINES_BEHIND])
    cut = text if len(text) <= PLAN_SHOWN else f"{text[:PLAN_SHOWN]}…"
    return PlanAround(
        file=f"{workstream_folder(task.workstream.slug)}/PLAN.md",
        address=reverse("plan-review", args=[version.workflow.slug, version.number]),
        first_line=first,
        text=cut,
    )
