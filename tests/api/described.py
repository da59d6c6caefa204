"""Requests made from the description of the REST interface, against a world in which many of them succeed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from itertools import islice
from random import Random
from typing import Any

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.hypothesis.builder import generate_example_cases
from schemathesis.generation.meta import content_type_probes_first
from schemathesis.generation.overrides import Override
from schemathesis.schemas import APIOperation

from orchestrator.api.root import api
from orchestrator.core.terms import BlockerKind, ExecutorKind, Role
from orchestrator.models import Criterion, OutputFile, Policy, Thread
from orchestrator.services.base.actor import Actor
from orchestrator.services.people.blockers import declare_blocker
from orchestrator.services.people.executors import register_executor
from orchestrator.services.plans import comments, plans
from orchestrator.services.plans.bundles import PlanFile, submit_bundle
from tests.cast import NOON, PLAN, Driver, UserFactory
from tests.machines import Machine

#: What is asked of every answer. How well a bad request is refused is asked elsewhere.
ASKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
SETTINGS = SchemathesisConfig.from_dict(
    {"generation": {"allow-x00": False, "with-security-parameters": False}}
)
TEXT = ["Because it is so."]
#: Up to so many requests are few: then the fuzzed ones are those that the description allows.
A_FEW = 10
#: Values by the name of a member or of a part of the address; `area.name` is for one area alone.
Known = Mapping[str, list[Any]]


@cache
def document() -> dict[str, Any]:
    return dict(api.get_openapi_schema(path_prefix="/api/"))


class Requests(StrEnum):
    """How the requests about an operation are made, as schemathesis calls its phases."""

    #: The examples of the description, or one that is made where it has none; about what is there.
    EXAMPLES = "examples"
    #: Each member and parameter at its bounds and just past them, of each type, left out, and doubled.
    COVERAGE = "coverage"
    #: Whatever fits the description, and what does not.
    FUZZING = "fuzzing"


@cache
def operations() -> dict[str, list[APIOperation]]:
    """Every operation of the description, by the area that it is listed under."""
    return operations_in(document())


def operations_in(description: dict[str, Any]) -> dict[str, list[APIOperation]]:
    load_all_checks()
    schema = schemathesis.openapi.from_dict(description, config=SETTINGS)
    schema.app = WSGIHandler()
    by_area: dict[str, list[APIOperation]] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        by_area.setdefault(operation.tags[0], []).append(operation)
    return by_area


def trial(made: Requests, operation: APIOperation, machine: Machine, known: Known, most: int) -> list[int]:
    """Send about `most` requests that are made this way; the statuses of the answers. Fails with the first
    answer that the description does not know."""
    statuses: list[int] = []
    if made is Requests.FUZZING:

        @settings(max_examples=most, database=None, phases=[Phase.generate])
        @given(_fuzzed(operation, known, wrong=most > A_FEW))
        def answered_as_described(case: Case) -> None:
            statuses.append(check(case, machine))

        answered_as_described()
        return statuses
    cases = _examples(operation, known) if made is Requests.EXAMPLES else _covering(operation, known, most)
    return [check(case, machine) for case in cases]


def _fuzzed(operation: APIOperation, known: Known, *, wrong: bool) -> st.SearchStrategy[Case]:
    """Requests as the description allows them, three of four about what is there; with `wrong`, one of five
    it forbids."""
    allowed = st.builds(
        _about, operation.as_strategy(), st.sampled_from([True, True, True, False]), st.just(known)
    )
    if not (wrong and _can_be_wrong(operation)):
        return allowed
    forbidden = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.sampled_from([allowed] * 4 + [forbidden]).flatmap(lambda chosen: chosen)


def _can_be_wrong(operation: APIOperation) -> bool:
    """Whether the operation takes anything that a request could get wrong."""
    return bool(operation.body or operation.path_parameters or operation.query)


def _examples(operation: APIOperation, known: Known) -> list[Case]:
    cases = generate_example_cases(test=_examples, operation=operation, fill_missing=True)
    return [_about(case, True, known) for case in cases]


def _covering(operation: APIOperation, known: Known, most: int) -> list[Case]:
    """Half of them allowed, half forbidden, evenly spread over what schemathesis finds worth trying first; a
    few come from the first of it, because making all of it takes long."""
    cases: list[Case] = []
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        generator = CoverageGenerator(
            operation=operation,
            generation_modes=[mode],
            generation_config=operation.schema.config.generation_for(operation=operation, phase="coverage"),
            auth_storage=None,
            override=Override(),
            feedback=NO_FEEDBACK,
            hooks=None,
        )
        found = list(islice(content_type_probes_first(generator), 6 * most))
        chosen = found[:: max(1, 2 * len(found) // most)]
        allowed = mode is GenerationMode.POSITIVE
        cases += [_about(case, allowed and number % 4 != 3, known) for number, case in enumerate(chosen)]
    return cases


def _about(case: Case, there: bool, known: Known) -> Case:
    """The same request with values that are known in place of those that were made up."""
    if not there:
        return case
    choice = Random(repr((case.path_parameters, case.body)))
    area = case.operation.tags[0]
    case.path_parameters = _filled(case.path_parameters or {}, area, known, choice)
    if isinstance(case.body, dict):
        named = _members(case.operation)
        body = {name: value for name, value in case.body.items() if name in named}
        case.body = _filled(body, area, known, choice)
    return case


def _members(operation: APIOperation) -> set[str]:
    """The members of the body that the description names; any other one is ignored."""
    reference = operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return set(document()["components"]["schemas"][reference.rsplit("/", 1)[1]]["properties"])


def _filled(values: Mapping[str, Any], area: str, known: Known, choice: Random) -> dict[str, Any]:
    filled = {}
    for name, value in values.items():
        options = known.get(f"{area}.{name}") or known.get(name) or [value]
        filled[name] = choice.choice(options)
    return filled


def check(case: Case, machine: Machine) -> int:
    """Send the request and take back what it did; the answer has to be one that the description knows."""
    headers = {"Authorization": f"Bearer {machine.secret}", "Accept-Encoding": "identity"}
    with undone():
        response = case.call(headers=headers)
    case.validate_response(response, checks=CHECKS.get_by_names(ASKED), headers=headers)
    return response.status_code


@contextmanager
def undone() -> Iterator[None]:
    """What happens within is no transaction of the product's, and is rolled back."""
    block = transaction.atomic()
    block._from_testcase = True
    # The end of a request would close the connection that holds the transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        with block:
            yield
            transaction.set_rollback(True)
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def world(driver: Driver) -> tuple[Machine, Known]:
    """Two workstreams and what else requests may be about: in one a gate waits, in the other an attempt runs.

    The machine is a person with every role, so that nothing is refused for want of one; it holds A1.
    """
    waiting = driver.start()
    driver.do("A1", "A2")
    driver.claim("B1")
    driver.complete("B1", outputs={"notes.md": b"# Notes\n"})
    gate, output = driver.task("MP1").pk, OutputFile.objects.get()
    workstream = driver.start()
    user = UserFactory(username="every-token", roles=list(Role))
    executor = register_executor(name="every", kind=ExecutorKind.PERSON, user=user, now=NOON)
    held = driver.claim("A1", executor)
    slug = workstream.version.workflow.slug
    sha256, known = _submitted(driver, workstream, Actor.person(user))
    threads = Thread.objects.filter(batch__stage__version=workstream.version_id).order_by("pk")
    criteria = Criterion.objects.filter(step__tasks=held.attempt.task_id)
    about_work = {
        "uuid": [str(workstream.uuid), str(waiting.uuid)],
        "workstream": [str(workstream.uuid)],
        "workstreams": [[str(workstream.uuid)]],
        "other": [str(waiting.uuid)],
        "task_id": [driver.task(key).pk for key in ("A1", "A2", "B1")],
        "gates.task_id": [gate],
        "attempt_id": [held.attempt_id, driver.attempt("B1").pk],
        "artifact_id": [output.artifact_id],
        "output_id": [output.pk],
        "threads.thread_id": list(threads.values_list("pk", flat=True)[:2]),
        "slug": [slug],
        "plan": [slug],
        "version": [1],
        "number": [1, 2],
        "sha256": [sha256, workstream.version.source_sha256],
        "token": [held.token],
        "evidence": [{str(criterion.pk): "seen" for criterion in criteria}],
        "migration": [1],
    }
    return Machine.of(executor), {**SAID, **about_work, **known}


#: What requests say, whatever they are about.
SAID: Known = {
    **dict.fromkeys(("reason", "note", "body", "rationale", "resolution", "breadcrumb", "error"), TEXT),
    **dict.fromkeys(("worked", "intervention_note", "answer", "change_reason", "description"), TEXT),
    "source": [PLAN.decode().replace("Card refunds", "Invoices")],
    "files": [[{"name": "invoices.md", "source": PLAN.decode().replace("Card refunds", "Invoices")}]],
    "format": [None],
    "bundle": ["", "Invoices"],
    "tasks": ["Try it | it works"],
    "executor": ["every"],
    "executors": [3],
    "mode": ["assigned", "preferred"],
    "blockers.kind": ["external"],
    "to": ["carl"],
    "owner": ["carl"],
    "after": ["Batch 01"],
    "gate": [""],
    "return_to": ["A1"],
    "workstreams.outcome": ["override", "link"],
    "attempts.result": [""],
    "commit": [""],
    "outputs": [{}, {"notes.md": "# Notes\n"}],
    "workstreams.status": ["completed", "archived"],
    "choices": [[], ["left", "right"]],
    "mapping": [[]],
    "withdraw_seconds": [0],
    "priority": [3],
    "severities": [{"no-headings": "warns"}],
    "follow_ups": [""],
    "effective_at": [None],
    "library.name": ["release"],
    "values": [{}, {"product": "Shop", "version": "1"}],
    "parameters": [[{"name": "what", "text": "Card refunds"}]],
    "of": [""],
    "line": [0, 9],
    "step": [""],
}


def _submitted(driver: Driver, workstream: Any, actor: Actor) -> tuple[str, Known]:
    """A version in review with a comment, a blocker, a bundle and a policy: its SHA-256, and their ids."""
    later = plans.submit_plan(
        source=PLAN.replace(b"Ledger report", b"Monthly ledger report"),
        source_name="PLAN.md",
        actor=driver.cast.actor("initiator"),
        now=driver.tick(),
        workstream=workstream,
        change_reason="Says which report.",
    ).version
    comment = comments.open_discussion(
        version_id=later.pk, line=9, step="", body="Whose?", actor=actor, now=NOON
    )
    behind, kind = driver.task("A2").pk, BlockerKind.EXTERNAL
    blocker = declare_blocker(task_id=behind, kind=kind, note="No key.", owner="", actor=actor, now=NOON)
    files = [PlanFile("other.md", PLAN.replace(b"Card refunds", b"Price book"))]
    bundle = submit_bundle(name="Shop", files=files, actor=actor, now=driver.tick()).bundle
    policy = Policy.objects.create(slug="reviews", title="Reviews", body="Two people.", updated_at=NOON)
    return later.source_sha256, {
        "comments.discussion_id": [comment.pk],
        "blocker_id": [blocker.pk],
        "bundle_id": [bundle.pk],
        "policies.slug": [policy.slug],
    }
