"""WorkPlace: the worktree and the branch in which an attempt works, with the work before it (BX-1, WF-4)."""

from django.db import models

from orchestrator.core.terms import PlaceState
from orchestrator.models.base.choices import choices, one_of
from orchestrator.models.work.attempt import Attempt


class WorkPlace(models.Model):
    """Where an attempt of a plan with a repository works; one that is not claimed has none.

    `folder` is the worktree's name among those of its workstream. It begins at `base`, the head of the base
    branch, and `start` is the commit with everything before it. In a conflict `merging` is the commit whose
    work does not fit. `problem` says why there is none. `kept` is where is kept what an earlier attempt left
    in the worktree, `taken_to` where its own contents are kept since it was removed. `committed` says that
    what stood in it was committed for the executor, which named no commit.
    """

    attempt = models.OneToOneField(Attempt, models.PROTECT, related_name="place")
    folder = models.CharField(max_length=100)
    branch = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=choices(PlaceState))
    base = models.CharField(max_length=64, blank=True)
    start = models.CharField(max_length=64, blank=True)
    merging = models.CharField(max_length=64, blank=True)
    problem = models.TextField(blank=True)
    kept = models.CharField(max_length=400, blank=True)
    taken_to = models.CharField(max_length=400, blank=True)
    committed = models.BooleanField(default=False)
    prepared_at = models.DateTimeField()

    class Meta:
        ordering = ["attempt_id"]
        constraints = [one_of("state", PlaceState, "place_state_known")]
        indexes = [models.Index(fields=["state", "branch"], name="place_branches")]

    def __str__(self) -> str:
        return f"{self.attempt} on {self.branch}"


class PlaceCommit(models.Model):
    """A commit of an earlier step that the place was made with; `same_files` says that the step comes before
    only because it held the same files."""

    place = models.ForeignKey(WorkPlace, models.PROTECT, related_name="commits")
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=80)
    commit = models.CharField(max_length=64)
    same_files = models.BooleanField(default=False)

    class Meta:
        ordering = ["place_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["place", "position"], name="place_commit_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} at {self.commit}"


class PlaceClash(models.Model):
    """A file in which the merge of the commit `merging` conflicts, or did; `ours` and `theirs` are git's
    names of both contents, empty where that side has none."""

    place = models.ForeignKey(WorkPlace, models.PROTECT, related_name="clashes")
    merging = models.CharField(max_length=64)
    path = models.CharField(max_length=1000)
    base = models.CharField(max_length=64, blank=True)
    ours = models.CharField(max_length=64, blank=True)
    theirs = models.CharField(max_length=64, blank=True)
    binary = models.BooleanField(default=False)

    class Meta:
        ordering = ["place_id", "path"]
        constraints = [models.UniqueConstraint(fields=["place", "merging", "path"], name="place_clash_once")]

    def __str__(self) -> str:
        return self.path


class TouchedFile(models.Model):
    """A file that an attempt's commit touches although neither the step nor its lane owns it (BX-5)."""

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="touched")
    path = models.CharField(max_length=1000)

    class Meta:
        ordering = ["attempt_id", "path"]
        constraints = [models.UniqueConstraint(fields=["attempt", "path"], name="touched_file_once")]

    def __str__(self) -> str:
        return self.path
