"""The collector: files that producers committed themselves are checked and go through the services of every
other result (FR-029).

Each file is looked at once, in a transaction of its own with the act it causes: ingested, or quarantined with
the reason. A kill in between leaves neither, and the next run goes on there. `now` is the collector's: the
timestamp in a file is its producer's claim, and decides nothing.
"""

import hashlib
import logging
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

from django.db import InterfaceError, OperationalError

from orchestrator.core.actions import Action
from orchestrator.core.errors import Busy, InvalidInput, Refusal, StaleToken, WorkspaceUnavailable
from orchestrator.core.files.committed_result import is_result, read_result
from orchestrator.core.people.roles import WORKERS
from orchestrator.core.terms import ResultFileState, Scope
from orchestrator.models import Executor, ResultFile
from orchestrator.queries.base.parts import in_parts
from orchestrator.services.base.actor import ORCHESTRATOR, Actor
from orchestrator.services.base.acts import act
from orchestrator.services.base.history import record
from orchestrator.services.base.locks import Lock, locked_workstream, outside_transactions, take
from orchestrator.services.base.masking import masked_text, notice_of, noticing
from orchestrator.services.base.unit_of_work import unit_of_work
from orchestrator.services.handoff.damage import workspace
from orchestrator.services.handoff.known_branch import refuse_diverged
from orchestrator.services.work.answers import answer
from orchestrator.services.work.branch_turns import Turn, go_on_later, had_its_turn, in_turn
from orchestrator.services.work.committed_results import ingest
from orchestrator.workspace import FileDamage, ResultBranches
from orchestrator.workspace.result_branches import Branch, Entry, Step

logger = logging.getLogger(__name__)

#: Bytes of one result file.
RESULT_BYTES = 1024 * 1024
#: Seconds of one run, and new files and commits of one branch in it. What is left goes on in the next run,
#: after the other executors' turn.
SECONDS = 2.0
FILES = 100
COMMITS = 500
#: Commits whose files git lists at once.
AT_ONCE = 100
#: What the columns hold.
PATH_LENGTH = 600
EXECUTOR_LENGTH = 60
#: What is masked stands in the commit all the same.
PUSHED = "The commit that you pushed still has it: push the branch without it."
#: In place of a content's name: the branch is nobody's.
NOBODY = "nobody"
#: Trouble of the database's, not of the file's that met it: the file is looked at again.
PASSING = (OperationalError, InterfaceError)


def collect(*, now: datetime) -> int:
    """Look at the files that producers committed since the last time; how many were looked at.

    Safe to repeat and to run in several processes. Work is bounded: when some is left, the queue is asked to
    go on. A branch or file that makes trouble holds up no other one. Raises at the end, when git or the
    database could not be asked, and WorkspaceDiverged before anything is read; call it outside a transaction.
    """
    outside_transactions()
    space = workspace()
    refuse_diverged(space)  # a result would be judged by a database that may be the wrong one
    run = _Run(ResultBranches(space), now)
    run.go()
    return run.looked


@act(
    roles=WORKERS,
    scope=Scope.WORK,
    locks=(Lock.RESULT_FILE, Lock.WORKSTREAM),
    records=(Action.RESULT_FILE_QUARANTINED,),
    in_steps=True,
)
def collect_now(*, actor: Actor, now: datetime) -> int:  # noqa: ARG001  # the declaration asks the actor
    """Look at the files that producers committed now, instead of waiting for the queue."""
    return collect(now=now)


class _Run:
    """One run over the branches: what it has looked at, and what is left."""

    def __init__(self, branches: ResultBranches, now: datetime) -> None:
        self.branches, self.now, self.turn = branches, now, Turn(SECONDS)
        self.looked, self.unfinished = 0, False
        self.marks: dict[Branch, str] = {}
        self.trouble: Exception | None = None

    def go(self) -> None:
        moved = in_turn(self._of_executors(self.branches.moved()))
        for place, branch in enumerate(moved):
            if place and self.turn.over:
                self.unfinished = True
                break
            self._try(branch)
            self._answer(branch)
        if moved:
            had_its_turn(branch)
        self.branches.mark(self.marks)
        if self.unfinished:
            go_on_later()
        if self.trouble:
            raise self.trouble

    def _try(self, branch: Branch) -> None:
        """Whatever becomes of a branch is said there, and the next one is looked at."""
        try:
            self._collect(branch)
        except (WorkspaceUnavailable, Busy, *PASSING) as trouble:
            self.trouble = trouble
        except Exception as error:
            logger.exception("%s could not be looked at.", branch.name)
            self._tell(branch, branch.tip, f"could not be looked at: {type(error).__name__}: {error}")

    def _answer(self, branch: Branch) -> None:
        """Say in the producer's outbox what it holds and what became of its files; a branch counts as looked
        at behind that, so a kill in between leaves nobody without an answer."""
        try:
            answer(self.branches.space, branch.executor, self.now)
        except (WorkspaceUnavailable, *PASSING) as trouble:
            self.trouble = trouble
        except Exception:
            logger.exception("%s: its outbox could not be written.", branch.name)

    def _tell(self, branch: Branch, blob: str, problem: str) -> None:
        try:
            self.looked += _quarantine_whole(branch, blob, branch.name, problem, self.now)
        except Exception as error:
            logger.exception("%s: nothing could be recorded about it.", branch.name)
            self.trouble = error

    def _of_executors(self, branches: Sequence[Branch]) -> Sequence[Branch]:
        """The branches that are somebody's.

        Of the others it is said once that they are nobody's; none is read.
        """
        if not branches:
            return branches
        members = Executor.objects.filter(user__is_active=True).values_list("name", flat=True)
        names = set(members)
        told = set(ResultFile.objects.filter(blob=NOBODY).values_list("path", flat=True))
        for branch in branches:
            if branch.executor in names or _fitting(branch.name) in told:
                continue
            if self.turn.over:
                self.unfinished = True
                break
            problem = f"belongs to nobody. There is no executor {branch.executor!r} with an active account"
            self._tell(branch, NOBODY, problem)
        return [branch for branch in branches if branch.executor in names]

    def _collect(self, branch: Branch) -> None:
        """Look at the branch's new commits, oldest first, as far as its turn goes."""
        try:
            if not branch.tip:
                raise FileDamage("cannot be read: git finds no commit in it")
            steps = self.branches.commits(branch)
        except FileDamage as damage:
            self.looked += _quarantine_whole(branch, branch.tip, branch.name, str(damage), self.now)
            return
        room, looked_at = FILES, 0
        for start in range(0, min(len(steps), COMMITS), AT_ONCE):
            part = steps[start : start + AT_ONCE]
            listed = self._results(branch, part)
            fresh = _fresh(branch, listed)
            done = self._look_at_all(branch, fresh[:room])
            room -= done
            # A commit counts as looked at when each of its files is.
            whole = _before(listed, {commit for commit, _ in fresh[done:]})
            looked_at += len(whole)
            if whole:
                self.marks[branch] = whole[-1]
            if len(whole) < len(part) or self.turn.over:
                break
        if looked_at == len(steps):
            self.marks[branch] = branch.tip
        else:
            self.unfinished = True

    def _results(self, branch: Branch, steps: Sequence[Step]) -> dict[str, Sequence[Entry]]:
        """The result files of these commits, or of as many of them as there is time for."""
        found: dict[str, Sequence[Entry]] = {}
        for commit, entries in self.branches.changes(steps):
            if isinstance(entries, FileDamage):
                what = f"commit {commit}"
                self.looked += _quarantine_whole(branch, commit, what, str(entries), self.now)
                entries = ()
            found[commit] = [entry for entry in entries if is_result(entry.path)]
            if self.turn.over:
                break
        return found

    def _look_at_all(self, branch: Branch, files: Sequence[tuple[str, Entry]]) -> int:
        """Look at files in their order, and say at how many.

        At one at least, and no more when the time is over.
        """
        blobs = self.branches.blobs
        parts = blobs.read(blobs.sizes(entry.blob for _, entry in files if entry.plain), RESULT_BYTES)
        contents: dict[str, bytes | FileDamage] = {}
        for done, (commit, entry) in enumerate(files):
            if done and self.turn.over:
                return done
            while entry.plain and entry.blob not in contents:
                contents.update(next(parts))
            content = (
                contents[entry.blob]
                if entry.plain
                else FileDamage("is a symbolic link or not a regular file")
            )
            self.looked += self._look_at(branch, commit, entry, content)
        return len(files)

    def _look_at(self, branch: Branch, commit: str, entry: Entry, content: bytes | FileDamage) -> bool:
        try:
            return _look_at(self.branches, branch, commit, entry, content, self.now)
        except (WorkspaceUnavailable, Busy, *PASSING):
            raise
        except Exception as error:
            logger.exception("%s: %s could not be taken in.", branch.name, entry.name)
            damage = FileDamage(f"could not be taken in: {type(error).__name__}: {error}")
            return _look_at(self.branches, branch, commit, entry, damage, self.now)


def _before(commits: Iterable[str], unfinished: Container[str]) -> list[str]:
    """The commits up to the first unfinished one."""
    return list(takewhile(lambda commit: commit not in unfinished, commits))


def _fresh(branch: Branch, listed: Mapping[str, Sequence[Entry]]) -> list[tuple[str, Entry]]:
    """The files that were not looked at yet, each once, in the order of their commits.

    Known before they are read.
    """
    asked = sorted({entry.blob for entries in listed.values() for entry in entries})
    rows = ResultFile.objects.filter(executor=branch.executor)
    seen: set[tuple[str, str]] = set()
    for part in in_parts(asked):
        seen.update(rows.filter(blob__in=part).values_list("path", "blob"))
    fresh = []
    for commit, entries in listed.items():
        for entry in entries:
            if (key := (_fitting(entry.name), entry.blob)) not in seen:
                seen.add(key)
                fresh.append((commit, entry))
    return fresh


def _look_at(
    branches: ResultBranches,
    branch: Branch,
    commit: str,
    entry: Entry,
    content: bytes | FileDamage,
    now: datetime,
) -> bool:
    """Whether this was the first look."""
    read = content if isinstance(content, bytes) else b""
    problem = "" if isinstance(content, bytes) else str(content)
    digest = hashlib.sha256(read or entry.blob.encode()).hexdigest()
    with unit_of_work():
        row, first = _first_look(branch, commit, _fitting(entry.name), entry.blob, digest, now)
        if first:
            row.state, row.problem = _taken_in(branches, row, entry, read, problem, now)
            row.save(update_fields=["state", "problem", "attempt"])
    return first


def _taken_in(
    branches: ResultBranches, row: ResultFile, entry: Entry, content: bytes, problem: str, now: datetime
) -> tuple[ResultFileState, str]:
    """Do what the file says, or say why not."""
    try:
        if problem:
            raise InvalidInput(f"The file {problem}.", field="file")
        result = read_result(content)
        with noticing() as masked:
            ingest(branches, row, result, entry, now)
    except (WorkspaceUnavailable, Busy):
        raise
    except Refusal as refusal:
        said = masked_text(f"{refusal.message} {refusal.way_out}")
        # A late result that is kept as evidence was recorded by the service itself, as over REST.
        if not (isinstance(refusal, StaleToken) and refusal.kept):
            _record_quarantine(row, said, now)
        return ResultFileState.QUARANTINED, said
    return ResultFileState.INGESTED, f"{notice_of(masked)} {PUSHED}" if masked else ""


def _first_look(
    branch: Branch, commit: str, path: str, blob: str, digest: str, now: datetime
) -> tuple[ResultFile, bool]:
    """The row is taken before the act, so a second collector waits here and then leaves."""
    take(Lock.RESULT_FILE, f"{branch.executor} {path} {blob}")
    return ResultFile.objects.get_or_create(
        executor=_fitting(branch.executor, EXECUTOR_LENGTH),
        path=path,
        blob=blob,
        defaults={
            "commit": commit,
            "sha256": digest,
            "state": ResultFileState.QUARANTINED,
            "problem": "",
            "seen_at": now,
        },
    )


def _quarantine_whole(branch: Branch, blob: str, what: str, problem: str, now: datetime) -> int:
    """A branch or a commit that cannot be looked at, said once.

    It is tried again each time, until it can be.
    """
    commit = branch.tip if blob == NOBODY else blob
    digest = hashlib.sha256(commit.encode()).hexdigest()
    with unit_of_work():
        row, first = _first_look(branch, commit, _fitting(what), blob, digest, now)
        if first:
            way_out = (
                "Take it away, or register the executor." if blob == NOBODY else "Push the branch again."
            )
            row.problem = masked_text(f"{what} {problem}. {way_out}")
            row.save(update_fields=["problem"])
            _record_quarantine(row, row.problem, now)
    return int(first)


def _record_quarantine(row: ResultFile, problem: str, now: datetime) -> None:
    workstream = locked_workstream(row.attempt.task.workstream_id) if row.attempt else None
    record(
        workstream=workstream,
        actor=ORCHESTRATOR,
        action=Action.RESULT_FILE_QUARANTINED,
        subject=f"{row.executor}: {row.path}",
        reason=problem,
        now=now,
        data={"file": row.pk, "commit": row.commit, "path": row.path, "sha256": row.sha256},
    )


def _fitting(text: str, limit: int = PATH_LENGTH) -> str:
    """A text that a column can hold, without secrets; what is cut off stands in as a digest."""
    text = masked_text(text)
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"{text[: limit - len(digest) - 1]}~{digest}"
