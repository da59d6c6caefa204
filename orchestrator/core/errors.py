"""Refusals: what the orchestrator will not do, why, and the way out (FR-025).

Every refusal has a stable `code`, the HTTP `status` that pages and API answer with, a `message` that says what
happened and a `recovery` that says what to do next. Services raise them; entry points print them; nothing else
reaches a user.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from orchestrator.core.plan import Finding


class Refusal(Exception):
    """An act that does not apply now. `details` are facts for machines (holder, path, line)."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    recovery: ClassVar[str] = "Reload the page and look at the current state."

    def __init__(self, message: str, *, recovery: str | None = None, **details: str | int | None) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = recovery or self.recovery
        self.details: Mapping[str, str | int | None] = details

    def as_dict(self) -> dict[str, object]:
        """The body every machine interface answers with."""
        return {"code": self.code, "message": self.message, "recovery": self.way_out, "details": dict(self.details)}


class PlanRejected(Refusal):
    """A plan that cannot be scheduled; `findings` name the lines."""

    code, status = "plan-unreadable", 422
    recovery = "Correct the plan at the named line and submit it again; nothing was stored."

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        where = f"line {first.line}: " if first.line else ""
        super().__init__(f"The plan cannot be taken: {where}{first.message}", line=first.line)
        self.findings = tuple(findings)


class BundleRejected(Refusal):
    """Plans submitted as one of which some cannot be taken; `findings` has those of every file, by its name."""

    code, status = "bundle-rejected", 422
    recovery = "Correct the named files and submit all of them again; nothing was stored."

    def __init__(self, findings: Mapping[str, Sequence[Finding]]) -> None:
        wrong = {name: found[0] for name, found in findings.items() if found and found[0].blocks}
        where = "; ".join(f"{name}, {f'line {f.line}: ' if f.line else ''}{f.message}" for name, f in wrong.items())
        super().__init__(f"The bundle cannot be taken: {where}", files=", ".join(wrong))
        self.findings = {name: tuple(found) for name, found in findings.items()}


class PlanHasBlockers(Refusal):
    code, status = "plan-has-blockers", 409
    recovery = "Correct what blocks approval in the plan and submit a new version, or send this one back."


class MigrationImpossible(Refusal):
    code, status = "migration-impossible", 409
    recovery = (
        "Say on the version's migration page what becomes of each started step, or keep it unchanged under its key."
    )


class LimitReached(Refusal):
    code, status = "limit-reached", 409
    recovery = "Submit a new version of the plan, which a person reviews; the plan's own limit is used up."


class BaselineIntegrated(Refusal):
    code, status = "baseline-integrated", 409
    recovery = "Undo the integration in the repository, record the revert decision, then send the work back."


class SuspectsOpen(Refusal):
    code, status = "suspects-open", 409
    recovery = "Decide every suspected duplicate: merge, link, close or override, each with its rationale."


class BreakerOpen(Refusal):
    code, status = "breaker-open", 409
    recovery = "A person answers the task's intervention first; then it can be queued again."


class AssignedElsewhere(Refusal):
    code, status = "assigned-elsewhere", 409
    recovery = "Claim another task, or have the thread assigned to another executor."


class VersionMoved(Refusal):
    code, status = "version-moved", 409
    recovery = "Read what changed since the page was opened, then decide again. What you typed is kept."


class WrongState(Refusal):
    code, status = "wrong-state", 409
    recovery = "Reload the page: the state has changed since it was opened."


class NotAllowed(Refusal):
    code, status = "not-allowed", 403
    recovery = "Ask someone who has the role to do it, or ask an administrator for the role."


class SelfApproval(NotAllowed):
    code, status = "self-approval", 403
    recovery = "Ask another approver to decide, or allow self-approval on the workflow."


class NotFound(Refusal):
    code, status = "not-found", 404
    recovery = "Check the address or the key."


class MissingReason(Refusal):
    code, status = "reason-missing", 422
    recovery = "Give a reason: the next person needs it to act."


class MissingNote(Refusal):
    code, status = "note-missing", 422
    recovery = "Give an intervention note that says what the person is to do."


class InvalidInput(Refusal):
    code, status = "invalid-input", 422
    recovery = "Correct the named field and try again."


class AlreadyClaimed(Refusal):
    code, status = "already-claimed", 409
    recovery = "Claim another task; this one belongs to its holder until the attempt ends."


class ExecutorBusy(Refusal):
    code, status = "executor-busy", 409
    recovery = "Complete or fail the running attempt first: an executor does one attempt at a time."


class StaleToken(Refusal):
    code, status = "stale-token", 409
    recovery = "Stop work on this attempt: it has ended or belongs to another claim. What was sent is kept as evidence."


class CriteriaUnmet(Refusal):
    code, status = "criteria-unmet", 422
    recovery = "Check every exit criterion with evidence before completing, or declare the attempt failed."


class KeyReused(Refusal):
    code, status = "idempotency-key-reused", 409
    recovery = "Use a new idempotency key for a different request."


class ArtifactDamaged(Refusal):
    code, status = "artifact-damaged", 409
    recovery = (
        "Retry the check, republish the file from the record, restore it from git, or declare the attempt failed."
    )


class WorkspaceUnavailable(Refusal):
    code, status = "workspace-unavailable", 503
    recovery = "Check that the workspace folder can be written and has free space; the work is retried by itself."


class ToolUnknown(Refusal):
    code, status = "tool-unknown", 422
    recovery = "Use a registered tool, or ask the operator to register this one."


class NotFinished(Refusal):
    code, status = "not-finished", 409
    recovery = "Complete the open tasks first; the workstream page lists them."


class NotSignedIn(Refusal):
    code, status = "not-signed-in", 401
    recovery = "Send `Authorization: Bearer <token>` with a token that is not revoked, or sign in."


class TooLarge(Refusal):
    code, status = "too-large", 413
    recovery = "Send less: put large files into the repository and name the commit."


class MethodUnknown(Refusal):
    code, status = "method-not-allowed", 405
    recovery = "Use one of the methods that the Allow header names."


class DatabaseUnavailable(Refusal):
    code, status = "database-unavailable", 503
    recovery = "Call again with the same idempotency key: the key settles whether the first call took effect."
