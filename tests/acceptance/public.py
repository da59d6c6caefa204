"""The driver of the acceptance tests: people use pages, executors use REST, the queue's own task does the
rest.
"""

import base64

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orchestrator.core import errors
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Assignment, Attempt, Executor, StateFiles, Workstream
from orchestrator.processes import tasks
from orchestrator.queries.plans.readings import checked
from orchestrator.queries.work.proof import criteria_to_prove
from orchestrator.services.handoff.publishing import publish
from orchestrator.services.plans.plans import Submission
from tests.cast import PLAN, Driver
from tests.machines import Machine
from tests.web.pages import signed_in

REFUSALS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.Refusal)
}


class PublicDriver(Driver):
    """Reaches every state as its users do; what they are refused is raised as the refusal it was."""

    def submit(self, source: bytes = PLAN, role: str = "initiator") -> Submission:
        before = set(Workstream.objects.values_list("pk", flat=True))
        body = {"act": "submit", "source": source.decode()}
        answer = self._person(role).post(reverse("plan-submit"), body)
        assert answer.status_code == 302, answer.content.decode()
        self.workstream = Workstream.objects.exclude(pk__in=before).get()
        return Submission(self.workstream.version, self.workstream, checked(source))

    def start_afresh(self, source: bytes) -> None:
        version = self.submit(source).version
        self.override_suspects()
        approver, place = self._person("approver"), [version.workflow.slug, version.number]
        signed = approver.post(reverse("plan-sign", args=place), {"rationale": "No similar work."})
        seen = {"version_id": version.pk, "seen_sha256": version.source_sha256}
        approved = approver.post(reverse("plan-decide", args=place), {"decision": "approve"} | seen)
        assert (signed.status_code, approved.status_code) == (302, 302), approved.content.decode()
        self.advance()

    def decide(self, other: Workstream, outcome: str, rationale: str = "Compared both plans.") -> None:
        assert self.workstream is not None
        body = {"other": other.slug, "outcome": outcome, "rationale": rationale}
        answer = self._person("reviewer").post(
            reverse("prehandoff-act", args=[self.workstream.uuid, "decide"]), body
        )
        assert answer.status_code == 302, answer.content.decode()

    def advance(self) -> None:
        """What the queue does with a message; and where that left something to the end of the second, what it
        does with the one that the watch sends then."""
        assert self.workstream is not None
        tasks.advance(self.workstream.pk)
        if StateFiles.objects.filter(pk=self.workstream.pk, behind=True).exists():
            publish(now=timezone.now(), workstream_id=self.workstream.pk)

    def claim(self, key: str, executor: Executor | None = None) -> Assignment:
        kind = ExecutorKind.TOOL if self.task(key).step.tool else ExecutorKind.AGENT
        executor = executor or self.cast.builder(f"builder-{key.replace('.', '-')}", kind)
        attempt = self.attempt(key)
        self._machine(executor, f"/api/attempts/{attempt.pk}/claim", {})
        return Assignment.objects.select_related("executor", "attempt").get(attempt=attempt)

    def complete(
        self, key: str, outputs: dict[str, bytes] | None = None, outcome: str = "Done.", result: str = ""
    ) -> Attempt:
        held = Assignment.objects.select_related("executor").get(attempt=self.attempt(key))
        asked = criteria_to_prove(self.task(key))
        body = {
            "token": held.token,
            "outcome": outcome,
            "result": result or self.usual_outcome(key),
            "evidence": {str(criterion.pk): f"seen: {criterion.text}" for criterion in asked},
            "outputs": {
                n: {"base64": base64.b64encode(content).decode()} for n, content in (outputs or {}).items()
            },
        }
        self._machine(held.executor, f"/api/attempts/{held.attempt_id}/complete", body)
        self.advance()
        return self.attempt(key)

    def fail(self, key: str, error: str = "It broke.") -> Attempt:
        held = Assignment.objects.select_related("executor").get(attempt=self.attempt(key))
        self._machine(
            held.executor, f"/api/attempts/{held.attempt_id}/fail", {"token": held.token, "error": error}
        )
        self.advance()
        return self.attempt(key)

    def sign(self, key: str, role: str = "reviewer") -> None:
        decide = reverse("gate-decide", args=[self.task(key).pk])
        answer = self._person(role).post(decide, {"decision": "approve"})
        assert answer.status_code == 302, answer.content.decode()
        self.advance()

    def _person(self, role: str) -> Client:
        return signed_in(getattr(self.cast, role))

    @staticmethod
    def _machine(executor: Executor, address: str, body: object) -> None:
        status, answer = Machine.of(executor).post(address, body)
        if status >= 400:
            refusal = REFUSALS[answer["code"]]
            raise refusal(answer["message"])
