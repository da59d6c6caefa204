"""Tools for the library: look workflows up, start a workstream from one, save a plan as one (AD-8)."""

from dataclasses import dataclass

from django.utils import timezone

from orchestrator.contract.library import LibraryFacts, WorkflowFacts
from orchestrator.contract.plans import SubmissionFacts
from orchestrator.core.changes.parametrise import NewParameter
from orchestrator.mcp.tools import Tools
from orchestrator.queries.plans.library_facts import library_facts, workflow_facts
from orchestrator.queries.plans.plans import find_version
from orchestrator.services.plans.saved_workflows import save_workflow, start_from_workflow
from orchestrator.web.plans.submission_facts import submission_facts


@dataclass(frozen=True)
class WorkflowTools(Tools):
    def list_workflows(self, words: str = "") -> LibraryFacts:
        """The workflows that work can be started from, with their parameters; `words` looks some up."""
        self.reader()
        return library_facts(words)

    def start_from_workflow(self, name: str, values: dict[str, str] | None = None) -> SubmissionFacts:
        """Submit the plan that a workflow makes with these values; a person reviews it before any work
        starts.

        `name` is the workflow's name in list_workflows; a parameter that is left out keeps its default.
        """
        caller = self.doer(start_from_workflow)
        done = start_from_workflow(name=name, values=values or {}, actor=caller.actor, now=timezone.now())
        return submission_facts(done)

    def save_plan_as_workflow(
        self, plan: str, version: int, name: str, parameters: dict[str, str], description: str = ""
    ) -> WorkflowFacts:
        """Save an approved plan as a workflow. `parameters` maps the name of each to the text in the plan
        that it stands for, which becomes its default."""
        caller = self.doer(save_workflow)
        done = save_workflow(
            version=find_version(plan, version),
            name=name,
            description=description,
            parameters=[NewParameter(key, text) for key, text in parameters.items()],
            actor=caller.actor,
            now=timezone.now(),
        )
        return workflow_facts(done.workflow.slug)
