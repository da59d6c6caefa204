"""Lines of the log that the queue's workers write say which message they are of."""

from typing import Any

from django_q.signals import pre_execute

from orchestrator.services.base.log_lines import identify_message


def name_lines() -> None:
    """From now on, in this process and in those that it forks."""
    pre_execute.connect(_begun, dispatch_uid="orchestrator.log")


def _begun(*, task: dict[str, Any], **_: Any) -> None:
    identify_message(str(task["id"]))
