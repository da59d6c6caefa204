"""How a tool answers: its facts as JSON, a refusal as a tool error with code and recovery (FR-025)."""

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pydantic_core
from django.db import close_old_connections
from django.utils import timezone
from mcp_types import CallToolResult, TextContent

from orchestrator.contract.refusals import RefusalFacts
from orchestrator.core.errors import Refusal
from orchestrator.core.strict_json import check_values
from orchestrator.queries.plans.refusal_facts import refusal_facts
from orchestrator.services.base.acts import Act
from orchestrator.services.base.bounds import check_text
from orchestrator.services.base.idempotency import (
    SERVER_ERROR,
    Answer,
    answer_in_steps,
    answer_once,
    request_digest,
)
from orchestrator.services.base.masking import MASKED, noticing, with_notice
from orchestrator.services.base.outages import OUTAGES, UNSTORABLE, outage, unstorable
from orchestrator.services.people.callers import Caller

Tool = Callable[..., Any]
KEY: Final = "idempotency_key"

#: What an agent does next, where the class of a refusal speaks to people at a page; by its code.
AGENT_RECOVERY: Final[Mapping[str, str]] = {
    "refused": "Read the task again with get_brief, then decide.",
    "wrong-state": "Read the task again with get_brief: its state has changed. next_task finds other work.",
    "not-found": "Check the id: next_task, my_tasks and list_claimable_tasks name those that there are.",
    "already-claimed": "Leave it to its holder and call next_task.",
    "assigned-elsewhere": "Call next_task for a step that you may do.",
    "wrong-executor": "Call next_task for a step that you may do.",
    "not-allowed": "Call next_task for a step that you may do, or ask a person with flag_for_human.",
    "executor-busy": "my_tasks names the task you hold, with its token: complete, fail or release it.",
    "stale-token": "Stop work on it: it ended or is somebody else's. my_tasks says what you hold.",
    "criteria-unmet": "Prove what is named, then complete_task with evidence by criterion id; or fail_task.",
    "held-back": "Keep your claim and wait: a person repairs a lost file. Then call again, with a new key.",
    "idempotency-key-reused": "Use a new idempotency_key for a different call.",
    "not-finished": "Complete the open tasks first; workstream_status lists them.",
}


def answering(
    tool: Tool, act: Act[..., Any] | None = None, sign_in: Callable[[], Caller] | None = None
) -> Tool:
    """The tool as the server runs it, on a worker thread of its own, with that thread's database connection.

    A tool that does an act also takes an idempotency key: called again with it, it answers as the first time.
    """

    @functools.wraps(tool)
    def answer(**arguments: Any) -> CallToolResult:
        close_old_connections()
        try:
            check_values(arguments)
            check_lengths(arguments)
            key = arguments.pop(KEY, "")
            if key and act is not None and sign_in is not None:
                return _once(tool, arguments, key, act, sign_in())
            return _told(_facts(tool, arguments).body)
        except Refusal as refusal:
            return refused(refusal)
        except OUTAGES as error:
            return refused(outage(error))
        except UNSTORABLE:
            return refused(unstorable())
        finally:
            close_old_connections()

    if act is not None:
        answer.__dict__["__signature__"] = _with_key(inspect.signature(tool))
    return answer


def _with_key(signature: inspect.Signature) -> inspect.Signature:
    key = inspect.Parameter(KEY, inspect.Parameter.KEYWORD_ONLY, default="", annotation=str)
    return signature.replace(parameters=[*signature.parameters.values(), key])


def _facts(tool: Tool, arguments: Mapping[str, Any]) -> Answer:
    with noticing() as masked:
        facts = tool(**arguments)
    body = with_notice(pydantic_core.to_json(facts).decode(), masked)
    return Answer(200, body, kept=not getattr(facts, "retry_after", 0))


def _once(
    tool: Tool, arguments: Mapping[str, Any], key: str, act: Act[..., Any], caller: Caller
) -> CallToolResult:
    """The answer that is kept under the key; REST has the same keys, for requests of its own."""
    asked = json.dumps(arguments, sort_keys=True, default=str).encode()
    answered = answer_in_steps if act.declaration.in_steps else answer_once
    kept = answered(
        executor=caller.executor,
        key=key,
        digest=request_digest(b"mcp", tool.__name__.encode(), asked),
        now=timezone.now(),
        act=lambda: _settled(tool, arguments),
    )
    if kept.status < SERVER_ERROR and kept.status >= 400:
        return _error(json.loads(kept.body))
    return _told(kept.body)


def _settled(tool: Tool, arguments: Mapping[str, Any]) -> Answer:
    """A refusal is an answer too, unless it only says "try again"."""
    try:
        return _facts(tool, arguments)
    except Refusal as refusal:
        if refusal.retry_after or refusal.status >= SERVER_ERROR:
            raise
        return Answer(refusal.status, pydantic_core.to_json(_for_agents(refusal)).decode())


def check_lengths(arguments: Mapping[str, Any]) -> None:
    """Texts are as long as they may be over REST; a plan's source and files have limits of their own."""
    for name, value in arguments.items():
        if name in {"outputs", "source"}:
            continue
        texts = value if isinstance(value, list) else [value]
        for text in value.values() if isinstance(value, dict) else texts:
            if isinstance(text, str):
                check_text(text, name)


def refused(refusal: Refusal) -> CallToolResult:
    return _error(pydantic_core.to_jsonable_python(_for_agents(refusal)))


def _for_agents(refusal: Refusal) -> RefusalFacts:
    """In words for whoever has tools and no page."""
    facts = refusal_facts(refusal)
    said = AGENT_RECOVERY.get(refusal.code)
    return replace(facts, recovery=said) if said and refusal.way_out == refusal.recovery else facts


def _told(answer: str) -> CallToolResult:
    """Structured as the tool declares. What was masked is told beside that, in a text of its own: a client
    that holds answers to their schema would refuse one with more in it."""
    facts = json.loads(answer)
    masked = facts.pop(MASKED, None) if isinstance(facts, dict) else None
    if masked is None:
        texts = [answer]
    else:
        texts = [json.dumps(facts, ensure_ascii=False), json.dumps({MASKED: masked}, ensure_ascii=False)]
    return CallToolResult(
        content=[TextContent(type="text", text=text) for text in texts], structured_content=facts
    )


def _error(facts: dict[str, Any]) -> CallToolResult:
    wait = facts["details"].get("retry_after")
    later = f" (Retry after {wait} s.)" if wait else ""
    text = f"{facts['code']}: {facts['message']} {facts['recovery']}{later}"
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=facts, is_error=True
    )
