"""Many files at once: what plans they hold, and submitting each on its own or all as one bundle
(WF-2, AD-3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field, StrictBool

from orchestrator.api.acts import act, needs
from orchestrator.api.auth import caller_of
from orchestrator.core.errors import InvalidInput
from orchestrator.core.plans.formats.folder import LeftOut
from orchestrator.core.terms import Format, Scope
from orchestrator.queries.plans.plan_facts import (
    AdoptionFacts,
    FindingFacts,
    adoption_facts,
    facts_of,
    finding_facts,
)
from orchestrator.services.base.steps import once
from orchestrator.services.plans.bundles import members_of, submit_bundle
from orchestrator.services.plans.submissions import (
    Outcome,
    ReadFiles,
    ReadPlan,
    SubmissionFacts,
    read_files,
    submission_facts,
    submit_each,
)
from orchestrator.web.addresses import review_page

router = Router(tags=["plans"])
#: Files of one request; a plan may be made of many of them.
MOST_FILES = 1_000


class NamedText(Schema):
    """`name` is the file's path with `/`: PLAN.md, TASKS.md, tasks.json and index.json of one folder are one
    plan.
    """

    name: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$")]
    source: str


class FileSet(Schema):
    files: Annotated[list[NamedText], Field(min_length=1, max_length=MOST_FILES)]
    format: Format | None = None


class FileSubmission(FileSet):
    """With the name of a `bundle`, all plans are taken or none; else each is submitted on its own.

    With `adopt`, approval takes over the state that the sources tell of their tasks.
    """

    bundle: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    adopt: StrictBool = False


@dataclass(frozen=True)
class ReadFacts:
    """A plan that the files hold. It cannot be submitted while `submittable` is false, nor approved while
    `approvable` is; what it needs of other workstreams is judged when it is submitted."""

    name: str
    format: Format | None
    title: str
    tasks: int
    submittable: bool
    approvable: bool
    findings: tuple[FindingFacts, ...]
    adoption: AdoptionFacts | None


@dataclass(frozen=True)
class LeftOutFacts:
    name: str
    why: str


@dataclass(frozen=True)
class FilesFacts:
    plans: tuple[ReadFacts, ...]
    left_out: tuple[LeftOutFacts, ...]


@dataclass(frozen=True)
class OutcomeFacts:
    """`refusal` says why a plan was not submitted, with the `recovery`; its findings name the lines."""

    name: str
    submission: SubmissionFacts | None
    refusal: str
    recovery: str
    findings: tuple[FindingFacts, ...]


@dataclass(frozen=True)
class OutcomesFacts:
    """`bundle` is the id of the bundle, when there is one."""

    bundle: int | None
    plans: tuple[OutcomeFacts, ...]
    left_out: tuple[LeftOutFacts, ...]


@router.post("/check", response=FilesFacts)
@needs(Scope.READ)
def check(request: HttpRequest, body: FileSet) -> FilesFacts:
    """Sort the files into plans and read each; stores nothing."""
    found = _read(body)
    return FilesFacts(tuple(_read_facts(one) for one in found.plans), _left_out(found.left_out))


@router.post("", response={201: OutcomesFacts})
@act(Scope.MANAGE, status=201, in_steps=True)
def submit(request: HttpRequest, body: FileSubmission) -> OutcomesFacts:
    """Submit every plan that the files hold; the answer has one outcome for each."""
    found, actor, now = _read(body), caller_of(request).actor, timezone.now()
    files = [replace(one.file, adopt=body.adopt) for one in found.plans]
    if body.bundle.strip():
        name = body.bundle
        bundle = once("bundle", lambda: submit_bundle(name=name, files=files, actor=actor, now=now).bundle.pk)
        outcomes = [Outcome(name, submission) for name, submission in members_of(bundle).items()]
        return OutcomesFacts(bundle, tuple(map(_outcome, outcomes)), _left_out(found.left_out))
    each = submit_each(files=files, actor=actor, now=now)
    return OutcomesFacts(None, tuple(map(_outcome, each)), _left_out(found.left_out))


def _read(body: FileSet) -> ReadFiles:
    files = {file.name: file.source.encode("utf-8", "surrogatepass") for file in body.files}
    if len(files) < len(body.files):
        raise InvalidInput("Two files have the same name.", recovery="Give each its path.", field="files")
    return read_files(files, body.format)


def _read_facts(one: ReadPlan) -> ReadFacts:
    return ReadFacts(
        name=one.file.name,
        format=one.format,
        title=one.reading.plan.name if one.reading.plan else "",
        tasks=one.tasks,
        submittable=not one.refused,
        approvable=not one.reading.blockers,
        findings=finding_facts(one.reading),
        adoption=adoption_facts(one.adoption),
    )


def _left_out(left_out: Sequence[LeftOut]) -> tuple[LeftOutFacts, ...]:
    return tuple(LeftOutFacts(left.name, left.why) for left in left_out)


def _outcome(one: Outcome) -> OutcomeFacts:
    done = one.submission
    return OutcomeFacts(
        name=one.name,
        submission=submission_facts(done, review_page(done.version)) if done else None,
        refusal=one.refusal.message if one.refusal else "",
        recovery=one.refusal.way_out if one.refusal else "",
        findings=facts_of(one.findings),
    )
