"""Refusals: what the orchestrator will not do, why, and the way out (FR-025).

Every refusal has a stable `code`, the HTTP `status` that pages and API answer with, a `message` that says
what happened and a `recovery` that says what to do next. Services raise them; entry points print them;
nothing else reaches a user.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from orchestrator.core.findings import Finding
from orchestrator.core.limits import RETRY_SECONDS

#: Statuses that say "try again": every one of them says when (RFC 9110, `Retry-After`).
TRY_AGAIN: Final = frozenset({429, 503})


class Refusal(Exception):
    """The base of all others; nothing raises it itself.

    `details` are facts for machines (holder, path, line). `retry_after` is in how many seconds the same may
    be tried again; 0 where waiting does not help.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    recovery: ClassVar[str] = "Reload the page and look at the current state."

    def __init__(self, message: str, *, recovery: str | None = None, **details: str | int | None) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = recovery or self.recovery
        if self.status in TRY_AGAIN:
            details.setdefault("retry_after", RETRY_SECONDS)
        self.details: Mapping[str, str | int | None] = details

    @property
    def retry_after(self) -> int:
        return int(self.details.get("retry_after") or 0)

    def as_dict(self) -> dict[str, object]:
        """The body every machine interface answers with."""
        return {
            "code": self.code,
            "message": self.message,
            "recovery": self.way_out,
            "details": dict(self.details),
        }


class PlanRejected(Refusal):
    """The plan cannot be scheduled; `findings` name the lines."""

    code, status = "plan-unreadable", 422
    recovery = "Correct the plan at the named line and submit it again; nothing was stored."

    def __init__(self, findings: Sequence[Finding], recovery: str = "") -> None:
        first = findings[0]
        where = f"line {first.line}: " if first.line else ""
        super().__init__(
            f"The plan cannot be taken: {where}{first.message}", recovery=recovery, line=first.line
        )
        self.findings = tuple(findings)


class BundleRejected(Refusal):
    """Plans submitted as one of which some cannot be taken; `findings` names each file's."""

    code, status = "bundle-rejected", 422
    recovery = "Correct the named files and submit all of them again; nothing was stored."

    def __init__(self, findings: Mapping[str, Sequence[Finding]], recovery: str = "") -> None:
        wrong = {name: found[0] for name, found in findings.items() if found and found[0].blocks}
        where = "; ".join(
            f"{name}, {f'line {f.line}: ' if f.line else ''}{f.message}" for name, f in wrong.items()
        )
        super().__init__(f"The bundle cannot be taken: {where}", recovery=recovery, files=", ".join(wrong))
        self.findings = {name: tuple(found) for name, found in findings.items()}


class PlanHasBlockers(Refusal):
    """Approval was asked for while a finding blocks it."""

    code, status = "plan-has-blockers", 409
    recovery = "Correct what blocks approval in the plan and submit a new version, or send this one back."


class MigrationImpossible(Refusal):
    """A mapping does not settle a step that was started, or a step that would change or go is running."""

    code, status = "migration-impossible", 409
    recovery = "Say on the version's migration page what becomes of each started step, or keep it unchanged."


class LimitReached(Refusal):
    """A running step adds more steps than the plan allows it."""

    code, status = "limit-reached", 409
    recovery = "Submit a new version of the plan, which a person reviews; the plan's own limit is used up."


class BaselineIntegrated(Refusal):
    """Work that is part of the base branch is to be done again."""

    code, status = "baseline-integrated", 409
    recovery = "Revert it in the repository, record the revert decision, then send the work back."


class SuspectsOpen(Refusal):
    """The pre-handoff review is signed while a suspected duplicate is undecided."""

    code, status = "suspects-open", 409
    recovery = "Decide every suspected duplicate: merge, link, close or override, each with its rationale."


class BreakerOpen(Refusal):
    """A task is re-queued although its circuit breaker waits for a person."""

    code, status = "breaker-open", 409
    recovery = "A person answers the task's intervention first; then it can be queued again."


class AssignedElsewhere(Refusal):
    """The thread is assigned to another executor, which alone claims there."""

    code, status = "assigned-elsewhere", 409
    recovery = "Claim another task, or have the thread assigned to another executor."


class VersionMoved(Refusal):
    """The version decided on is not the one that was read."""

    code, status = "version-moved", 409
    recovery = "Read what changed meanwhile, then decide again."


class WrongState(Refusal):
    """The act does not apply to the state the row is in now."""

    code, status = "wrong-state", 409
    recovery = "Reload the page: the state has changed since it was opened."


class AlreadyDecided(WrongState):
    """Somebody decided first; the message names who, `at` says when."""

    code, status = "already-decided", 409
    recovery = "The page shows the decision now; nothing of yours was kept or changed."


class NotAllowed(Refusal):
    """A role or a token's scope is missing."""

    code, status = "not-allowed", 403
    recovery = "Ask someone who has the role to do it, or ask an administrator for the role."


class NoRole(NotAllowed):
    """The account holds no role, so it is shown and may do nothing."""

    code, status = "no-role", 403
    recovery = "Ask an administrator for a role; until then you only see your own account and its tokens."


class SelfApproval(NotAllowed):
    """The author of a version approves it, or somebody signs for work of their own."""

    code, status = "self-approval", 403
    recovery = "Ask another approver to decide, or allow self-approval on the workflow."


class NotFound(Refusal):
    """No such row or address."""

    code, status = "not-found", 404
    recovery = "Check the address or the key."


class MissingReason(Refusal):
    """An act that needs a reason came without one."""

    code, status = "reason-missing", 422
    recovery = "Give a reason: the next person needs it to act."


class MissingNote(Refusal):
    """A task was flagged without saying what the person is to do."""

    code, status = "note-missing", 422
    recovery = "Give an intervention note that says what the person is to do."


class InvalidInput(Refusal):
    """A field holds something it may not hold."""

    code, status = "invalid-input", 422
    recovery = "Correct the named field and try again."


class AlreadyClaimed(Refusal):
    """Somebody else holds the attempt; `details` name the holder."""

    code, status = "already-claimed", 409
    recovery = "Claim another task; this one belongs to its holder until the attempt ends."


class WrongExecutor(Refusal):
    """The step is for another kind of executor: a tool's work for an agent, or the other way round."""

    code, status = "wrong-executor", 409
    recovery = "Ask for the next step that you may do (next); a person may do this one by hand, on its page."


class ExecutorBusy(Refusal):
    """The executor runs another attempt."""

    code, status = "executor-busy", 409
    recovery = "Complete, fail or release the running attempt first. Claiming it answers with its token."


class StaleToken(Refusal):
    """The fencing token is not the current one; a late result of who held the attempt is kept as evidence."""

    kept = False
    code, status = "stale-token", 409
    recovery = "Stop work on this attempt: it has ended or belongs to another claim."


class CriteriaUnmet(Refusal):
    """A criterion has no evidence, or nothing says what was done of a step without exit criteria."""

    code, status = "criteria-unmet", 422
    recovery = "Check every criterion with evidence before completing, or declare the attempt failed."


class KeyReused(Refusal):
    """The key came before, with another request."""

    code, status = "idempotency-key-reused", 409
    recovery = "Use a new idempotency key for a different request."


class FormSentBefore(Refusal):
    """A form came a second time, with other words, or before the first time had ended."""

    code, status = "form-sent-before", 409
    recovery = "Look at what the first one made; what you typed is kept, and sending it makes another."


class ArtifactDamaged(Refusal):
    """A handed-over file is still missing or altered."""

    code, status = "artifact-damaged", 409
    recovery = (
        "Retry the check, republish the file from the record, restore it from git, or declare "
        "the attempt failed."
    )


class HeldBack(WrongState):
    """An attempt is claimed, completed or signed while what it builds on is missing or altered."""

    code = "held-back"
    recovery = (
        "Use one of the ways out on the workstream's page: check again, republish, restore, or "
        "declare the result "
        "failed. A claim stays yours meanwhile; then call again, with a new idempotency key."
    )


class WorkspaceUnavailable(Refusal):
    """The git workspace cannot be written or read."""

    code, status = "workspace-unavailable", 503
    recovery = "See that the workspace folder can be written and has space; the work is retried by itself."


class WorkspaceDiverged(WorkspaceUnavailable):
    """Database and workspace do not belong together: nothing is claimed, completed or published."""

    code = "workspace-diverged"
    recovery = "An approver decides on the page Workspace, or with manage.py workspace; then call again."


class ToolUnknown(Refusal):
    """A step or `TOOLS` names a tool that is not registered."""

    code, status = "tool-unknown", 422
    recovery = "Use a registered tool, or ask the operator to register this one."


class ToolsUnprotected(Refusal):
    """This machine cannot shut in what a tool step runs, and the operator has not allowed it to run open"""

    code, status = "tools-unprotected", 409
    recovery = (
        "Ask the operator for a machine with namespaces or Landlock, or for TOOLS_SANDBOX=off, "
        "which lets tools read "
        "every secret of the server; then queue the step again."
    )


class NotFinished(Refusal):
    """Acceptance was asked for while tasks are open."""

    code, status = "not-finished", 409
    recovery = "Complete the open tasks first; the workstream page lists them."


class NotSignedIn(Refusal):
    """No live token, no session."""

    code, status = "not-signed-in", 401
    recovery = "Send `Authorization: Bearer <token>` with a token that is not revoked, or sign in."


class TokenExpired(NotSignedIn):
    """The token's time is over."""

    code, status = "token-expired", 401
    recovery = "Make a new token under your name, Executors and tokens, or with `manage.py create_token`."


class TooManyTries(Refusal):
    """Signing in failed too often, from one address or with one name."""

    code, status = "too-many-tries", 429
    recovery = "Wait as long as the answer says, then sign in with the right name, password, code or token."

    def __init__(self, message: str, *, retry_after: int) -> None:
        """How long stands in the words as well: a person sees no headers."""
        wait = f"{retry_after} seconds" if retry_after < 120 else f"{-(-retry_after // 60)} minutes"
        recovery = self.recovery.replace("as long as the answer says", wait)
        super().__init__(message, recovery=recovery, retry_after=retry_after)


class PasswordWeak(Refusal):
    """A new password does not keep to the rules for passwords."""

    code, status = "password-weak", 422
    recovery = "Choose a longer one that is neither common nor like your name."


class SecondFactorMissing(Refusal):
    """The account has to sign in with a code of an authenticator app, and has none yet or gave none."""

    code, status = "second-factor-missing", 403
    recovery = "Sign in in the browser and set up an authenticator app under your name."


class CodeWrong(Refusal):
    """The code is not the app's current one, was used before, or is no unused recovery code."""

    code, status = "code-wrong", 422
    recovery = (
        "Wait for the app's next code and type that, or one of your recovery codes; check the "
        "clock of the device."
    )


class TooLarge(Refusal):
    """The body or the plan is over the limit."""

    code, status = "too-large", 413
    recovery = "Send less: put large files into the repository and name the commit."


class TooMany(Refusal):
    """There are as many of something as there may be; `limit` in the details is how many."""

    code, status = "too-many", 409
    recovery = "Use or end what is there before you make more."


class TooOften(Refusal):
    """Something is asked for more often than it may be."""

    code, status = "too-often", 429
    recovery = "Wait, then try again."


class Busy(Refusal):
    """As much of this is being done as may be done at once."""

    code, status = "busy", 503
    recovery = "Try again in a few seconds; nothing was stored."


class MethodUnknown(Refusal):
    """The address does not take this method."""

    code, status = "method-not-allowed", 405
    recovery = "Use one of the methods that the Allow header names."


class DatabaseUnavailable(Refusal):
    """The database did not answer; whether the act applied is unknown."""

    code, status = "database-unavailable", 503
    recovery = "Call again with the same idempotency key: the key settles whether the first call took effect."
