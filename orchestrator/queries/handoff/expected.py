"""What should be there, by the database: files that were handed over, tasks, folders of threads (LC-12)."""

from collections import defaultdict

from django.db.models import F

from orchestrator.core.plans.lanes import lane_folder, own_folder
from orchestrator.core.terms import ArtifactState
from orchestrator.models import HandoffArtifact, OutputFile, Step, Task, WorkPlace, Workstream
from orchestrator.queries.handoff.handovers import PUBLISHED


def handed_over() -> tuple[dict[str, str], dict[str, int]]:
    """Path -> SHA-256 of every file in force, and path -> id of the artifact that it belongs to; of an output
    that was handed over again, the latest."""
    rows = HandoffArtifact.objects.filter(state__in=PUBLISHED).order_by("workstream", "sequence")
    digests: dict[str, str] = {}
    owners: dict[str, int] = {}
    for pk, path, sha256 in rows.values_list("pk", "path", "sha256"):
        digests[path], owners[path] = sha256, pk
    outputs = OutputFile.objects.exclude(artifact__state=ArtifactState.QUARANTINED).order_by(
        "artifact__workstream", "artifact__sequence"
    )
    for pk, path, sha256, state in outputs.values_list("artifact", "path", "sha256", "artifact__state"):
        if state in PUBLISHED:
            digests[path], owners[path] = sha256, pk
        elif state == ArtifactState.WITHDRAWN:  # it stands there still, and nobody builds on it
            digests.pop(path, None)
    return digests, owners


def announced() -> set[str]:
    """Paths of what waits to be committed, and may stand there already."""
    pending = HandoffArtifact.objects.filter(state=ArtifactState.PENDING)
    paths = set(pending.values_list("path", flat=True))
    return paths | set(OutputFile.objects.filter(artifact__in=pending).values_list("path", flat=True))


def task_keys() -> dict[str, set[str]]:
    """Workstream -> keys of the tasks of the version in effect."""
    keys: dict[str, set[str]] = defaultdict(set)
    rows = Task.objects.filter(step__version=F("workstream__version")).order_by("pk")
    for slug, key in rows.values_list("workstream__slug", "step__key"):
        keys[slug].add(key)
    return keys


def work_folders() -> set[tuple[str, str]]:
    """(workstream, folder) of each thread, and of each parallel step, of every version with tasks."""
    places = set()
    rows = Task.objects.select_related("step__thread", "workstream").only(
        "workstream__slug", "step__key", "step__parallel", "step__thread__lane", "step__thread__worktree"
    )
    for task in rows.iterator(chunk_size=500):
        places.add((task.workstream.slug, folder_of(task.step)))
    places.update(WorkPlace.objects.values_list("attempt__task__workstream__slug", "folder"))
    return places


def folder_of(step: Step) -> str:
    """The name of the folder of a step's worktree; a parallel step has one of its own (BX-1)."""
    thread = step.thread
    folder = lane_folder(thread.lane, thread.worktree)
    return own_folder(folder, step.key) if step.parallel else folder


def slugs() -> dict[str, int]:
    """Slug -> id of every workstream."""
    return dict(Workstream.objects.values_list("slug", "pk"))
