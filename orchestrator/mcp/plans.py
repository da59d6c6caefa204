"""The tools an agent plans with: check a text, submit it, read what reviewers said of it (WF-2, WF-3)."""

from dataclasses import dataclass
from typing import Literal

from django.utils import timezone

from orchestrator.contract.comments import DiscussionList
from orchestrator.contract.plans import CheckFacts, SubmissionFacts
from orchestrator.core.errors import InvalidInput
from orchestrator.core.limits import ROWS
from orchestrator.core.plans.checks.checkpoints import with_remarks
from orchestrator.core.plans.rehearsing.preview import DEFAULT_EXECUTORS, MOST_EXECUTORS
from orchestrator.core.strict_json import LARGEST
from orchestrator.core.terms import Format, VersionStatus
from orchestrator.mcp.tools import Tools
from orchestrator.mcp.workstreams import uuid_of
from orchestrator.queries.plans.comment_facts import discussion_facts
from orchestrator.queries.plans.comments import discussions_on
from orchestrator.queries.plans.judged import judged, judged_version
from orchestrator.queries.plans.plan_facts import check_facts
from orchestrator.queries.plans.plans import find_version, workstream_of
from orchestrator.queries.plans.readings import checked, turn_to_read
from orchestrator.queries.workstreams.workstream_facts import find_workstream
from orchestrator.services.plans import plans
from orchestrator.services.plans.templates import source_of_tag, source_with_values
from orchestrator.web.plans.submission_facts import submission_facts


@dataclass(frozen=True)
class PlanTools(Tools):
    def check_plan(
        self,
        source: str,
        format: Format | None = None,
        executors: int = DEFAULT_EXECUTORS,
        adopt: bool = False,
        tag: str = "",
        checkpoints: Literal["gates", "remarks"] = "gates",
    ) -> CheckFacts:
        """Read the text of a plan and say what a reviewer will see; nothing is stored.

        Every finding has code, line, message and fix; those of severity `blocks` keep it from being approved.
        `preview` has launches and critical path with so many executors, `adoption` what becomes of the state
        that the text tells; with `adopt` the preview shows only what that state leaves to do. The format is
        told from the content: PLAN.md, JSON plan file, spec-kit, task-master, beads, Backlog.md and others.
        `tag` chooses one tag of a task-master file; `checkpoints` as `remarks` keeps them as text.
        """
        self.reader()
        if not 1 <= executors <= MOST_EXECUTORS:
            raise InvalidInput(f"Give 1 to {MOST_EXECUTORS} executors.", field="executors")
        text = _source(source, tag, None, checkpoints)
        with turn_to_read(len(text)):
            return check_facts(judged(checked(text, format)), executors, adopt=adopt)

    def submit_plan(
        self,
        source: str,
        source_name: str = "PLAN.md",
        workstream_id: str = "",
        change_reason: str = "",
        format: Format | None = None,
        values: dict[str, str] | None = None,
        adopt: bool = False,
        leave_needs: bool = False,
        tag: str = "",
        checkpoints: Literal["gates", "remarks"] = "gates",
    ) -> SubmissionFacts:
        """Submit a plan for review; a person decides on the page at `review`, and nothing starts before.

        With `workstream_id` (its UUID) it is a new version of that one's plan, and `change_reason` says why.
        `values` are the parameters of a template. With `adopt`, approval takes over the state that the text
        tells of its tasks. With `leave_needs`, dependencies that cannot hold do not keep it out: its reviewer
        drops them. `tag` and `checkpoints` are as in a check.
        """
        caller = self.doer(plans.submit_plan)
        submission = plans.submit_plan(
            source=_source(source, tag, values, checkpoints),
            source_name=source_name.strip() or "PLAN.md",
            actor=caller.actor,
            now=timezone.now(),
            workstream=find_workstream(uuid_of(workstream_id)) if workstream_id else None,
            change_reason=change_reason,
            wanted=format,
            adopt=adopt,
            leave_needs=leave_needs,
        )
        return submission_facts(submission)

    def list_comments(
        self, workflow: str, version: int = 0, resolved: bool = False, limit: int = 100, offset: int = 0
    ) -> DiscussionList:
        """What reviewers said of a plan, with the line and the step each stands on, so that it can be
        revised.

        `workflow` is the slug of the plan; without a version the newest one. Resolved ones are left out
        unless asked for; `outdated` ones stand on a line or step that was changed or is gone. `count` is how
        many there are.
        """
        caller = self.reader()
        if version < 0:
            raise InvalidInput("A version has a number from 1 on; 0 is the newest one.", field="version")
        if not (1 <= limit <= ROWS and 0 <= offset <= LARGEST):
            raise InvalidInput(f"A page has 1 to {ROWS} discussions, from the offset 0 on.", field="limit")
        shown = find_version(workflow, version or None)
        plan = judged_version(shown, workstream_of(shown)).plan
        discussions = discussions_on(shown, plan, caller.actor.account.pk).discussions
        wanted = tuple(
            discussion_facts(discussion) for discussion in discussions if resolved or not discussion.resolved
        )
        part = wanted[offset : offset + limit]
        status = VersionStatus(shown.status)
        return DiscussionList(workflow, shown.number, status, shown.decision_reason, len(wanted), part)


def _source(source: str, tag: str, values: dict[str, str] | None, checkpoints: str) -> bytes:
    """The text that is read: one tag of it, with the values of its parameters, as REST reads it."""
    text = source.encode()
    text = source_of_tag(text, tag) if tag else text
    text = source_with_values(text, values) if values else text
    return with_remarks(text.decode()).encode() if checkpoints == "remarks" else text
