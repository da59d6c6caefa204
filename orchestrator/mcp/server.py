"""The MCP server: the tools of one signed-in executor, as many as its profile has (LC-8, FR-027)."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, Literal

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    CallToolResult,
    InputRequiredResult,
    ListResourcesResult,
    PaginatedRequestParams,
    Resource,
    ToolAnnotations,
)
from pydantic import ValidationError

from orchestrator import __version__
from orchestrator.core.errors import NotFound
from orchestrator.mcp.answers import answering, refused
from orchestrator.mcp.arguments import number_out_of_bounds, unknown_argument, wrong_arguments
from orchestrator.mcp.blockers import BlockerTools
from orchestrator.mcp.interventions import InterventionTools
from orchestrator.mcp.learnings import LearningTools
from orchestrator.mcp.plans import PlanTools
from orchestrator.mcp.resources import Resources, add_prompts, add_resources
from orchestrator.mcp.supervising import SupervisingTools
from orchestrator.mcp.work import WorkTools
from orchestrator.mcp.workflows import WorkflowTools
from orchestrator.mcp.workstreams import WorkstreamTools
from orchestrator.services.base.acts import Act
from orchestrator.services.next_step import claim_next
from orchestrator.services.people import blockers, interventions
from orchestrator.services.people.callers import Caller
from orchestrator.services.plans.plans import submit_plan
from orchestrator.services.plans.saved_workflows import save_workflow, start_from_workflow
from orchestrator.services.review import additions, decisions, gates
from orchestrator.services.work import claims, completions, failures, releases
from orchestrator.services.workstreams.closing import close_workstream
from orchestrator.services.workstreams.learnings import record_learning

Profile = Literal["agent", "full"]
Tool = Callable[..., Any]
WORKING: Final = (
    "next_task claims your next task, or looks out for one; claim.brief says what to do. report_progress "
    "while you work, then complete_task with evidence for every criterion asked, or fail_task. Context lost: "
    "my_tasks, continue_task. Need a person: flag_for_human. Every act takes an idempotency_key: repeat a "
    "call that was cut off with the same key. An error says what to do next."
)
PLANNING: Final = (
    " A plan of your own: check_plan until nothing blocks, submit_plan, and when it comes back, "
    "list_comments, then submit_plan with its workstream. why says what is in the way of work."
)
#: The headers of the HTTP request that a call came with; a sign-in over HTTP asks for them.
HEADERS: Final[ContextVar[Mapping[str, str]]] = ContextVar("HEADERS", default={})  # noqa: B039 (never changed)


class ToolServer(MCPServer[None]):
    """The SDK's server, which refuses arguments that do not fit a tool as a tool refuses an act (FR-025), and
    lists what there is to read for who asks."""

    def __init__(self, resources: Resources, **given: Any) -> None:
        super().__init__("orchestrator", version=__version__, log_level="WARNING", **given)
        self.of_caller = resources
        add_resources(self, resources)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        tool = self._tool_manager.get_tool(name)
        if tool is None:
            known = ", ".join(one.name for one in self._tool_manager.list_tools())
            return refused(NotFound(f"There is no tool {name[:60]}.", recovery=f"These there are: {known}."))
        unfit = unknown_argument(name, arguments, tool.parameters["properties"])
        if refusal := unfit or number_out_of_bounds(name, arguments):
            return refused(refusal)
        HEADERS.set((context.headers if context else None) or {})
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            return refused(wrong_arguments(name, error.__cause__))

    async def _handle_list_resources(
        self, ctx: ServerRequestContext[None], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        HEADERS.set(getattr(ctx.request, "headers", None) or {})
        return await super()._handle_list_resources(ctx, params)

    async def list_resources(self) -> list[Resource]:
        return await anyio.to_thread.run_sync(self.of_caller.known)

    async def read_resource(self, uri: Any, context: Context[None, Any] | None = None) -> Any:
        HEADERS.set((context.headers if context else None) or {})
        return await super().read_resource(uri, context)


def build_server(sign_in: Callable[[], Caller], profile: Profile = "full") -> ToolServer:
    """`sign_in` is asked at every call, so that a revoked token stops working at once.

    The `agent` profile has what an agent works with, in few words; `full` has everything.
    """
    full = profile == "full"
    words = WORKING + PLANNING * full
    server = ToolServer(Resources(sign_in), instructions=words)
    reads, acts = _working(sign_in)
    if full:
        more_reads, more_acts = _looking_after(sign_in)
        reads, acts = (*reads, *more_reads), acts | more_acts
    for read in reads:
        _add(server, answering(read), reads=True)
    for tool, act in acts.items():
        _add(server, answering(tool, act, sign_in), reads=False)
    add_prompts(server)
    return server


def _working(sign_in: Callable[[], Caller]) -> tuple[tuple[Tool, ...], dict[Tool, Act[..., Any]]]:
    """What an agent needs: a dozen at the most."""
    work, asking = WorkTools(sign_in), InterventionTools(sign_in)
    reads = (work.my_tasks, work.get_brief, work.continue_task, work.list_claimable_tasks)
    return reads, {
        work.next_task: claim_next,
        work.claim_task: claims.claim,
        work.report_progress: claims.report,
        work.complete_task: completions.complete,
        work.fail_task: failures.fail,
        work.release_task: releases.release,
        work.add_steps: additions.add_steps,
        asking.flag_for_human: interventions.flag_for_human,
    }


def _looking_after(sign_in: Callable[[], Caller]) -> tuple[tuple[Tool, ...], dict[Tool, Act[..., Any]]]:
    """What whoever plans and looks after work needs beside that."""
    asking, workstreams, work = InterventionTools(sign_in), WorkstreamTools(sign_in), WorkTools(sign_in)
    blocking, learning, plans = BlockerTools(sign_in), LearningTools(sign_in), PlanTools(sign_in)
    workflows, looking = WorkflowTools(sign_in), SupervisingTools(sign_in)
    reads = (
        *(asking.list_human_interventions, work.why, plans.check_plan, plans.list_comments),
        *(workflows.list_workflows, looking.workstream_status, looking.list_gates),
        *(looking.list_artifacts, looking.list_learnings),
    )
    return reads, {
        asking.clear_human_flag: interventions.clear_human_flag,
        workstreams.update_workstream_status: close_workstream,
        blocking.declare_blocker: blockers.declare_blocker,
        blocking.resolve_blocker: blockers.resolve_blocker,
        learning.record_learning: record_learning,
        plans.submit_plan: submit_plan,
        workflows.start_from_workflow: start_from_workflow,
        workflows.save_plan_as_workflow: save_workflow,
        looking.approve_gate: gates.approve_gate,
        looking.reject_gate: gates.reject_gate,
        looking.approve_plan: decisions.approve_version,
        looking.send_back_plan: decisions.send_back_version,
        looking.requeue_task: failures.requeue,
        looking.declare_failure: failures.declare_failure,
    }


def _add(server: ToolServer, tool: Tool, *, reads: bool) -> None:
    """Without output schemas, which would be most of what a list of tools weighs: REST describes the same
    answers."""
    hints = ToolAnnotations(read_only_hint=True) if reads else ToolAnnotations(destructive_hint=False)
    server.add_tool(tool, annotations=hints, structured_output=False)
    added = server._tool_manager.get_tool(tool.__name__)
    if added is not None:
        words = " ".join((added.description or "").split())
        added.description = words
        added.parameters = {**_without_titles(added.parameters), "additionalProperties": False}


def _without_titles(schema: Any) -> Any:
    """The names of arguments say what their titles repeat."""
    if isinstance(schema, list):
        return [_without_titles(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
