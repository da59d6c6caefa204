"""The MCP server: the tools of one signed-in executor (LC-8)."""

from collections.abc import Callable, Collection
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import ValidationError

from orchestrator.mcp.answers import answering, refused
from orchestrator.mcp.arguments import unknown_argument, wrong_arguments
from orchestrator.mcp.blockers import BlockerTools
from orchestrator.mcp.interventions import InterventionTools
from orchestrator.mcp.learnings import LearningTools
from orchestrator.mcp.plans import PlanTools
from orchestrator.mcp.work import WorkTools
from orchestrator.mcp.workflows import WorkflowTools
from orchestrator.mcp.workstreams import WorkstreamTools
from orchestrator.services.people.callers import Caller

INSTRUCTIONS = (
    "Find work with list_claimable_tasks, read get_brief, claim_task, report_progress while you work, then "
    "complete_task with evidence for every exit criterion, or fail_task. After an interruption, "
    "continue_task. When a "
    "person has to decide or do something, flag_for_human. A plan of your own: check_plan until "
    "nothing blocks, "
    "submit_plan, and when it comes back, list_comments, then submit_plan with its workstream. "
    "An error names what to "
    "do next."
)


class ToolServer(MCPServer[None]):
    """The SDK's server, which refuses arguments that do not fit a tool as a tool refuses an act (FR-025)."""

    def __init__(self, name: str) -> None:
        super().__init__(name, instructions=INSTRUCTIONS, log_level="WARNING")
        #: The names of the arguments of each tool.
        self._taken: dict[str, Collection[str]] = {}

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        known = await self._arguments_of(name)
        if known is not None and (refusal := unknown_argument(name, arguments, known)):
            return refused(refusal)
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            return refused(wrong_arguments(name, error.__cause__))

    async def _arguments_of(self, name: str) -> Collection[str] | None:
        """The names that a tool takes; None where there is no such tool."""
        if not self._taken:
            tools = await self.list_tools()
            self._taken.update({tool.name: frozenset(tool.input_schema["properties"]) for tool in tools})
        return self._taken.get(name)


def build_server(sign_in: Callable[[], Caller]) -> ToolServer:
    """`sign_in` is asked at every call, so that a revoked token stops working at once."""
    interventions, workstreams, work = (
        InterventionTools(sign_in),
        WorkstreamTools(sign_in),
        WorkTools(sign_in),
    )
    blockers, learnings, plans = BlockerTools(sign_in), LearningTools(sign_in), PlanTools(sign_in)
    workflows = WorkflowTools(sign_in)
    server = ToolServer("orchestrator")
    reads = (
        interventions.list_human_interventions,
        work.list_claimable_tasks,
        work.get_brief,
        work.continue_task,
        work.why,
        plans.check_plan,
        plans.list_comments,
        workflows.list_workflows,
    )
    for read in reads:
        server.tool(annotations=ToolAnnotations(read_only_hint=True))(answering(read))
    acts = (
        interventions.flag_for_human,
        interventions.clear_human_flag,
        workstreams.update_workstream_status,
        work.claim_task,
        work.report_progress,
        work.release_task,
        work.complete_task,
        work.add_steps,
        work.fail_task,
        blockers.declare_blocker,
        blockers.resolve_blocker,
        learnings.record_learning,
        plans.submit_plan,
        workflows.start_from_workflow,
        workflows.save_plan_as_workflow,
    )
    for act in acts:
        server.tool(annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False))(answering(act))
    return server
