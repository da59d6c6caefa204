"""The collector: files that producers committed themselves are checked and go through the services of every other
result (FR-029).

Each file is looked at once, in a transaction of its own with the act it causes: ingested, or quarantined with the
reason. A kill in between leaves neither, and the next run goes on there. `now` is the collector's: the timestamp in a
file is its producer's claim, and decides nothing.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from orchestrator.core.errors import InvalidInput, NotAllowed, NotFound, Refusal, StaleToken, WorkspaceUnavailable
from orchestrator.core.handoff import check_output_name
from orchestrator.core.inbox_result import AttemptName, InboxResult, is_result, read_result
from orchestrator.core.terms import CriterionKind, InboxEvent, InboxState, Role
from orchestrator.models import Assignment, Attempt, Executor, InboxFile
from orchestrator.services.actor import ORCHESTRATOR, Actor
from orchestrator.services.artifacts import COMMIT_BYTES
from orchestrator.services.callers import caller_by_name
from orchestrator.services.claims import report
from orchestrator.services.completions import complete
from orchestrator.services.damage import workspace
from orchestrator.services.failures import fail
from orchestrator.services.history import record
from orchestrator.services.locks import locked_workstream
from orchestrator.workspace import FileDamage, Inbox
from orchestrator.workspace.inbox import Branch, Entry

COLLECTORS = (Role.CONTRIBUTOR, Role.REVIEWER, Role.APPROVER)
#: Bytes of one result file.
RESULT_BYTES = 1024 * 1024
#: Commits of one branch in one run; a longer one goes on in the next, after the other executors' turn.
COMMITS = 500


def collect(*, now: datetime) -> int:
    """Look at every file that producers committed since the last time; how many were looked at.

    Safe to repeat and to run in several processes. A branch that cannot be read holds up no other one. Raises
    WorkspaceUnavailable at the end when git could not be asked; call it outside a transaction.
    """
    inbox = Inbox(workspace())
    looked, trouble = 0, None
    for branch in inbox.moved():
        try:
            looked += _collect_branch(inbox, branch, now)
        except WorkspaceUnavailable as refusal:
            trouble = refusal
    if trouble:
        raise trouble
    return looked


def collect_now(*, actor: Actor, now: datetime) -> int:
    """The same at somebody's wish, instead of waiting for the queue."""
    actor.require(*COLLECTORS)
    return collect(now=now)


def _collect_branch(inbox: Inbox, branch: Branch, now: datetime) -> int:
    try:
        if not branch.tip:
            raise FileDamage("cannot be read: git finds no commit in it")
        commits = inbox.commits(branch)[:COMMITS]
    except FileDamage as damage:
        return _quarantine_whole(branch, branch.tip, branch.name, str(damage), now)
    looked = 0
    for commit, parent in commits:
        looked += _collect_commit(inbox, branch, commit, parent, now)
    inbox.mark(branch, commits[-1][0] if commits else branch.tip)
    return looked


def _collect_commit(inbox: Inbox, branch: Branch, commit: str, parent: str, now: datetime) -> int:
    try:
        found = [entry for entry in inbox.changes(commit, parent) if is_result(entry.path)]
    except FileDamage as damage:
        return _quarantine_whole(branch, commit, f"commit {commit}", str(damage), now)
    return sum(_look_at(inbox, branch, commit, entry, now) for entry in found)


def _look_at(inbox: Inbox, branch: Branch, commit: str, entry: Entry, now: datetime) -> bool:
    """Whether this was the first look."""
    content, problem = _content(inbox, entry)
    digest = hashlib.sha256(content or entry.blob.encode()).hexdigest()
    executor, path = branch.executor[:60], _fitting(entry.path)
    if InboxFile.objects.filter(executor=executor, path=path, sha256=digest).exists():
        return False  # the branch was rewritten: the same file under another commit
    with transaction.atomic():
        row, first = _first_look(executor, commit, path, digest, now)
        if first:
            row.state, row.problem = _taken_in(inbox, row, entry, content, problem, now)
            row.save(update_fields=["state", "problem", "attempt"])
    return first


def _taken_in(
    inbox: Inbox, row: InboxFile, entry: Entry, content: bytes, problem: str, now: datetime
) -> tuple[InboxState, str]:
    """Do what the file says, or say why not."""
    result = None
    try:
        if problem:
            raise InvalidInput(f"The file {problem}.", field="file")
        result = read_result(content)
        _ingest(inbox, row, result, entry, now)
    except WorkspaceUnavailable:
        raise
    except Refusal as refusal:
        said = f"{refusal.message} {refusal.way_out}"
        # A stale result has been kept and recorded by the service itself, as over REST.
        if not (result and result.event is InboxEvent.COMPLETED and isinstance(refusal, StaleToken)):
            _record_quarantine(row, said, now)
        return InboxState.QUARANTINED, said
    return InboxState.INGESTED, ""


def _content(inbox: Inbox, entry: Entry) -> tuple[bytes, str]:
    """The bytes, or why they are not read."""
    if not entry.plain:
        return b"", "is a symbolic link or not a regular file"
    try:
        size = inbox.sized(entry).size
        if size > RESULT_BYTES:
            return b"", f"is too large: {size} bytes, and {RESULT_BYTES} is the most"
        return inbox.content(entry), ""
    except FileDamage as damage:
        return b"", str(damage)


def _first_look(executor: str, commit: str, path: str, digest: str, now: datetime) -> tuple[InboxFile, bool]:
    """The row is taken before the act, so a second collector waits here and then leaves."""
    return InboxFile.objects.get_or_create(
        executor=executor,
        commit=commit,
        path=path,
        defaults={"sha256": digest, "state": InboxState.QUARANTINED, "problem": "", "seen_at": now},
    )


def _ingest(inbox: Inbox, row: InboxFile, result: InboxResult, entry: Entry, now: datetime) -> None:
    """Do what the file says as the executor whose branch it stands in. Raises the refusal of the service."""
    executor = caller_by_name(row.executor).executor
    attempt = _attempt(result, executor)
    row.attempt = attempt
    match result.event:
        case InboxEvent.COMPLETED:
            complete(
                attempt_id=attempt.pk,
                token=result.token,
                executor=executor,
                outcome=result.texts["outcome"],
                evidence=_evidence(attempt, result.evidence),
                outputs=_outputs(inbox, row.commit, entry, result),
                commit=result.texts["commit"],
                result=result.texts["result"],
                now=now,
            )
        case InboxEvent.FAILED:
            fail(attempt_id=attempt.pk, token=result.token, executor=executor, error=result.texts["error"], now=now)
        case InboxEvent.BREADCRUMB:
            breadcrumb = result.texts["breadcrumb"]
            report(attempt_id=attempt.pk, token=result.token, executor=executor, breadcrumb=breadcrumb, now=now)


def _attempt(result: InboxResult, executor: Executor) -> Attempt:
    """The attempt that the file names, if this executor holds or held it."""
    rows = Attempt.objects.select_related("task__step", "task__workstream").order_by("-pk")
    if isinstance(result.attempt, AttemptName):
        name = result.attempt
        rows = rows.filter(task__workstream__slug=name.slug, task__step__key=name.key, number=name.number)
    else:
        rows = rows.filter(pk=result.attempt)
    attempt = rows.first()
    if attempt is None:
        raise NotFound("There is no such attempt.", recovery="Write the file anew with the attempt that was claimed.")
    holder = Assignment.objects.filter(attempt=attempt).select_related("executor").first()
    if holder is None or holder.executor_id != executor.pk:
        held = f"is held by {holder.claimed_as}" if holder else "has not been claimed"
        raise NotAllowed(f"{attempt} {held}; {executor.name} cannot hand in its result.")
    return attempt


def _evidence(attempt: Attempt, given: Mapping[str, str]) -> dict[int, str]:
    """By criterion id, from ids or the criteria's own texts."""
    exits = attempt.task.step.criteria.filter(kind=CriterionKind.EXIT)
    known = {name: criterion.pk for criterion in exits for name in (str(criterion.pk), criterion.text)}
    if unknown := next((name for name in given if name not in known), None):
        raise InvalidInput(f"evidence: the step has no exit criterion {unknown[:80]!r}.", field="evidence")
    return {known[name]: text for name, text in given.items()}


def _outputs(inbox: Inbox, commit: str, entry: Entry, result: InboxResult) -> dict[str, bytes]:
    """The files that the result names, as its commit holds them beside it. Raises InvalidInput."""
    folder = entry.path.rpartition("/")[0]
    outputs: dict[str, bytes] = {}
    room = COMMIT_BYTES
    for name in result.outputs:
        check_output_name(name)
        outputs[name] = content = _output(inbox, commit, f"{folder}/{name}" if folder else name, room)
        room -= len(content)
    return outputs


def _output(inbox: Inbox, commit: str, path: str, room: int) -> bytes:
    try:
        found = inbox.find(commit, path)
        if found is None:
            raise FileDamage("is not in the commit")
        if not found.plain:
            raise FileDamage("is a symbolic link or not a regular file")
        if found.size > room:
            raise FileDamage(f"is too large: the outputs of a result have {COMMIT_BYTES} bytes at most")
        return inbox.content(found)
    except FileDamage as damage:
        raise InvalidInput(f"outputs: {path} {damage}.", field="outputs") from damage


def _quarantine_whole(branch: Branch, commit: str, what: str, problem: str, now: datetime) -> int:
    """A branch or a commit that cannot be read, said once. A branch is tried again each time, until it can be."""
    digest = hashlib.sha256(commit.encode()).hexdigest()
    with transaction.atomic():
        row, first = _first_look(branch.executor[:60], commit, _fitting(what), digest, now)
        if first:
            row.problem = f"{what} {problem}. Push the branch again."
            row.save(update_fields=["problem"])
            _record_quarantine(row, row.problem, now)
    return int(first)


def _record_quarantine(row: InboxFile, problem: str, now: datetime) -> None:
    workstream = locked_workstream(row.attempt.task.workstream_id) if row.attempt else None
    record(
        workstream=workstream,
        actor=ORCHESTRATOR,
        action="inbox file quarantined",
        subject=f"{row.executor}: {row.path}",
        reason=problem,
        now=now,
        data={"file": row.pk, "commit": row.commit, "path": row.path, "sha256": row.sha256},
    )


def _fitting(path: str) -> str:
    """A path that the column can hold; what is cut off stands in as a digest."""
    limit = InboxFile._meta.get_field("path").max_length or 0
    if len(path) <= limit:
        return path
    digest = hashlib.sha256(path.encode()).hexdigest()
    return f"{path[: limit - len(digest) - 1]}~{digest}"
