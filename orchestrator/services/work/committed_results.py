"""What a producer's result file says, done as over REST: as the executor whose branch it stands in.

Requirements: FR-029.
"""

from collections.abc import Mapping
from datetime import datetime

from orchestrator.core import limits
from orchestrator.core.engine.proof import kinds_to_prove
from orchestrator.core.errors import InvalidInput, NotAllowed, NotFound, WrongState
from orchestrator.core.files.committed_result import AttemptName, CommittedResult
from orchestrator.core.files.handoff import check_output_name
from orchestrator.core.terms import ResultEvent
from orchestrator.models import Assignment, Attempt, Executor, ResultFile
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.queries.work.tasks import find_workstream_by_slug
from orchestrator.queries.work.work import Wanted
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.callers import caller_by_name
from orchestrator.services.work.claims import claim, report
from orchestrator.services.work.completions import complete
from orchestrator.services.work.failures import fail
from orchestrator.services.work.first_free import claim_first, claim_held
from orchestrator.workspace import FileDamage, ResultBranches
from orchestrator.workspace.git import shown
from orchestrator.workspace.result_branches import Entry


def ingest(
    branches: ResultBranches, row: ResultFile, result: CommittedResult, entry: Entry, now: datetime
) -> None:
    """Do what the file says as the executor whose branch it stands in. Raises the refusal of the service."""
    executor = caller_by_name(row.executor).executor
    if result.event is ResultEvent.CLAIM:
        row.attempt = _claimed(result, executor, now)
        return
    attempt = _attempt(result, executor)
    row.attempt = attempt
    match result.event:
        case ResultEvent.COMPLETED:
            complete(
                attempt_id=attempt.pk,
                token=result.token,
                executor=executor,
                outcome=result.texts["outcome"],
                evidence=_evidence(attempt, result.evidence),
                outputs=_outputs(branches, row.commit, entry, result),
                commit=result.texts["commit"],
                result=result.texts["result"],
                usage=result.usage,
                now=now,
            )
        case ResultEvent.FAILED:
            fail(
                attempt_id=attempt.pk,
                token=result.token,
                executor=executor,
                error=result.texts["error"],
                usage=result.usage,
                now=now,
            )
        case ResultEvent.BREADCRUMB:
            breadcrumb = result.texts["breadcrumb"]
            report(
                attempt_id=attempt.pk,
                token=result.token,
                executor=executor,
                breadcrumb=breadcrumb,
                usage=result.usage,
                now=now,
            )


def _claimed(result: CommittedResult, executor: Executor, now: datetime) -> Attempt:
    """The attempt that the file asks for, or the next one, held by the executor from now on (FR-014)."""
    actor = Actor.member(executor)
    claim.refuse(actor)
    if result.attempt is not None:
        wanted = _named(result)
        return claim(attempt_id=wanted.pk, executor=executor, actor=actor, now=now).attempt
    place = Wanted(find_workstream_by_slug(result.workstream) if result.workstream else None)
    number = claim_held(executor, actor, now) or claim_first(executor, actor, place, now)
    if not number:
        raise WrongState(
            f"Nothing can be claimed by {executor.name} now.",
            recovery="Commit the claim again later, with another timestamp.",
        )
    return Assignment.objects.select_related("attempt__task").get(pk=number).attempt


def _attempt(result: CommittedResult, executor: Executor) -> Attempt:
    """The attempt that the file names, if this executor holds or held it."""
    attempt = _named(result)
    holder = Assignment.objects.filter(attempt=attempt).select_related("executor").first()
    if holder is None or holder.executor_id != executor.pk:
        held = f"is held by {holder.claimed_as}" if holder else "has not been claimed"
        raise NotAllowed(f"{attempt} {held}; {executor.name} cannot hand in its result.")
    return attempt


def _named(result: CommittedResult) -> Attempt:
    rows = Attempt.objects.select_related("task__step", "task__workstream").order_by("-pk")
    if isinstance(result.attempt, AttemptName):
        name = result.attempt
        rows = rows.filter(task__workstream__slug=name.slug, task__step__key=name.key, number=name.number)
    else:
        rows = rows.filter(pk=result.attempt or 0)
    attempt = rows.first()
    if attempt is None:
        raise NotFound(
            "There is no such attempt.", recovery="Write the file anew with the attempt that was claimed."
        )
    return attempt


def _evidence(attempt: Attempt, given: Mapping[str, str]) -> dict[int, str]:
    """By criterion id, from ids or the criteria's own texts."""
    asked = criteria_to_prove(attempt.task)
    known = {name: criterion.pk for criterion in asked for name in (str(criterion.pk), criterion.text)}
    if unknown := next((name for name in given if name not in known), None):
        kinds = " or ".join(sorted(kinds_to_prove(attempt.task.rework)))
        raise InvalidInput(f"evidence: the step has no {kinds} criterion {unknown[:80]!r}.", field="evidence")
    return {known[name]: text for name, text in given.items()}


def _outputs(
    branches: ResultBranches, commit: str, entry: Entry, result: CommittedResult
) -> dict[str, bytes]:
    """The files that the result names, as its commit holds them beside it. Raises InvalidInput."""
    folder = entry.path.rpartition("/")[0]
    paths = {
        check_output_name(name) and name: f"{folder}/{name}" if folder else name for name in result.outputs
    }
    try:
        found = branches.find(commit, list(paths.values()))
    except FileDamage as damage:
        raise InvalidInput(f"outputs: the commit {damage}.", field="outputs") from damage
    for path in paths.values():
        _refuse_unusable(path, found.get(path))
    sizes = branches.blobs.sizes(found[path].blob for path in paths.values())
    room = limits.OUTPUT_BYTES
    for path in paths.values():
        room -= sizes[found[path].blob]
        if room < 0:
            raise _bad_output(
                path, f"is too large: the outputs of a result have {limits.OUTPUT_BYTES} bytes at most"
            )
    contents: dict[str, bytes | FileDamage] = {}
    for part in branches.blobs.read(sizes, limits.OUTPUT_BYTES):
        contents.update(part)
    return {name: _bytes_of(path, contents[found[path].blob]) for name, path in paths.items()}


def _refuse_unusable(path: str, found: Entry | None) -> None:
    if found is None:
        raise _bad_output(path, "is not in the commit")
    if not found.plain:
        raise _bad_output(path, "is a symbolic link or not a regular file")


def _bytes_of(path: str, content: bytes | FileDamage) -> bytes:
    if isinstance(content, FileDamage):
        raise _bad_output(path, str(content))
    return content


def _bad_output(path: str, problem: str) -> InvalidInput:
    return InvalidInput(f"outputs: {shown(path)} {problem}.", field="outputs")
