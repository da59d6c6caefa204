"""Seed 003's tools for tasks that need a person (LC-8)."""

from dataclasses import dataclass

from django.utils import timezone

from orchestrator.contract.tasks import TaskFacts, TaskList
from orchestrator.mcp.tools import Tools
from orchestrator.queries.work.task_facts import TaskFilter, find_task, list_tasks
from orchestrator.services.people import interventions


@dataclass(frozen=True)
class InterventionTools(Tools):
    def flag_for_human(
        self, task_id: int, intervention_note: str, choices: list[str] | None = None
    ) -> TaskFacts:
        """Ask a person for help with a task. The note says what the person is to do; without one it is
        refused.

        With `choices`, two or more short texts, the answer will be one of them.
        """
        caller = self.doer(interventions.flag_for_human)
        interventions.flag_for_human(
            task_id=task_id,
            note=intervention_note,
            choices=choices or (),
            actor=caller.actor,
            now=timezone.now(),
        )
        return find_task(task_id)

    def clear_human_flag(self, task_id: int, answer: str = "", question: str = "") -> TaskFacts:
        """Mark the question of a flagged task as dealt with; the answer goes to whoever does the step.

        A question with choices takes one of them. A circuit breaker is answered by a person, not over MCP.
        With `question`, the note that was read, another one that was asked since is not answered.
        """
        caller = self.doer(interventions.clear_human_flag)
        interventions.clear_human_flag(
            task_id=task_id, answer=answer, question=question, actor=caller.actor, now=timezone.now()
        )
        return find_task(task_id)

    def list_human_interventions(self) -> TaskList:
        """The tasks that wait for a person, with their notes."""
        self.reader()
        return list_tasks(TaskFilter(needs_human=True), limit=500)
