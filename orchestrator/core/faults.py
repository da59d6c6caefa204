"""What is said when something broke that nobody expected (FR-025)."""

from orchestrator.core.errors import Refusal


class SomethingBroke(Refusal):
    """A fault of the orchestrator itself; what was being done did not apply."""

    code, status = "internal-error", 500
    recovery = (
        "Send it again with its Idempotency-Key. If it stays so, the operator finds the reason in the log."
    )
