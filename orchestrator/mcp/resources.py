"""What an agent reads by address, and the prompt that starts one (WF-4, WF-9, LC-11).

Addresses begin with `orchestrator://`. Whoever may read over REST may read here.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pydantic_core
from django.db import close_old_connections
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Resource

from orchestrator.core.errors import NotFound, Refusal
from orchestrator.mcp.tools import Tools
from orchestrator.models import Policy
from orchestrator.queries.handoff.artifact_facts import find_artifact
from orchestrator.queries.work.briefs import whole_brief
from orchestrator.queries.work.held_tasks import held_tasks
from orchestrator.queries.work.tasks import find_workstream_by_slug

#: Resources that are listed of one kind; the templates say the addresses of all others.
MOST_LISTED: Final = 20
MARKDOWN, JSON = "text/markdown", "application/json"
PROMPT: Final = """\
Work on tasks of the orchestrator{where} until there are none left for you.

1. Call next_task{arguments}. It claims a task; with `wait` it looks out for one. Keep attempt id and token.
2. Read `claim.brief`: summary, details, criteria, upstream files, place. `left_out` names what is shown in
   part only; get_brief with an offset has the rest.
3. Do the task, and nothing beside it, where `place` says. Call report_progress whenever something is done.
4. Call complete_task with evidence for each criterion that is asked: what you ran, and what it said. If it
   cannot be done, call fail_task and say why. If a person has to decide, call flag_for_human.
5. Go on with 1. If next_task claims nothing, `waiting` says what is in the way; call it again after
   `retry_after` seconds.

If you have lost your context, call my_tasks, then continue_task. If a call was cut off, repeat it with the
same idempotency_key. A refusal says what to do next.
"""


@dataclass(frozen=True)
class Resources(Tools):
    def plan(self, workstream: str) -> str:
        """The text of the plan that a workstream follows, by its slug."""
        return str(find_workstream_by_slug(workstream).version.source)

    def brief(self, task_id: str) -> str:
        """The whole brief of a task, whatever its length."""
        return pydantic_core.to_json(whole_brief(_number(task_id))).decode()

    def artifact(self, artifact_id: str) -> str:
        """What an attempt handed over, as it stands in the workspace."""
        return str(find_artifact(_number(artifact_id)).body)

    def policy(self, slug: str) -> str:
        """A rule that people follow, such as definition-of-done."""
        found = Policy.objects.filter(slug=slug).first()
        if found is None:
            raise NotFound(f"There is no policy {slug[:60]}.")
        return f"# {found.title}\n\n{found.body}"

    def known(self) -> list[Resource]:
        """What a client may read without being told an address: briefs and plans of what the caller holds,
        and the policies, so many of each; nothing for whoever may not read."""
        close_old_connections()
        try:
            executor = self.reader().executor
            policies = list(Policy.objects.order_by("slug").values_list("slug", "title")[:MOST_LISTED])
            held = held_tasks(executor, limit=MOST_LISTED, offset=0).items
        except Refusal:
            return []
        finally:
            close_old_connections()
        plans = dict.fromkeys(one.workstream for one in held)
        return [
            *(_listed(f"tasks/{one.task}/brief", f"Brief of {one.key}: {one.title}", JSON) for one in held),
            *(_listed(f"workstreams/{slug}/plan", f"Plan of {slug}", MARKDOWN) for slug in plans),
            *(_listed(f"policies/{slug}", title, MARKDOWN) for slug, title in policies),
        ]

    def reading(self, read: Callable[..., str]) -> Callable[..., str]:
        """The reader behind the sign-in, with its thread's database connection."""

        @functools.wraps(read)
        def answer(**named: Any) -> str:
            close_old_connections()
            try:
                self.reader()
                return read(**named)
            except Refusal as refusal:
                said = f"{refusal.code}: {refusal.message} {refusal.way_out}"
                kind = ResourceNotFoundError if isinstance(refusal, NotFound) else ResourceError
                raise kind(said) from refusal
            finally:
                close_old_connections()

        return answer


def add_resources(server: MCPServer[None], resources: Resources) -> None:
    """Plan, brief, artifact and policy by address."""
    for address, read, kind in (
        ("workstreams/{workstream}/plan", resources.plan, MARKDOWN),
        ("tasks/{task_id}/brief", resources.brief, JSON),
        ("artifacts/{artifact_id}", resources.artifact, JSON),
        ("policies/{slug}", resources.policy, MARKDOWN),
    ):
        server.resource(f"orchestrator://{address}", mime_type=kind)(resources.reading(read))


def _listed(address: str, title: str, kind: str) -> Resource:
    return Resource(uri=f"orchestrator://{address}", name=address, title=title, mime_type=kind)


def add_prompts(server: MCPServer[None]) -> None:
    @server.prompt(name="work")
    def work(workstream: str = "", repository: str = "") -> str:
        """Start an agent that claims tasks and does them, one after another."""
        named = {"workstream": workstream.strip(), "repository": repository.strip()}
        given = {name: value for name, value in named.items() if value}
        where = "".join(f", {name} {value}" for name, value in given.items())
        arguments = " and ".join(f"{name} {value!r}" for name, value in given.items())
        return PROMPT.format(where=where, arguments=f" with {arguments}" if given else "")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound(f"{text[:40]!r} is no id.")
    return int(text)
