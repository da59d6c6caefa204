"""What the text of a stored version says, read in the format that it was submitted in (WF-2, AD-5)."""

from django.conf import settings

from orchestrator.core.errors import WrongState
from orchestrator.core.formats.recognise import Format
from orchestrator.core.plan import Plan, Reading
from orchestrator.core.plan_check import review_any
from orchestrator.core.plan_render import render_plan
from orchestrator.models import WorkflowVersion


def reading_of(version: WorkflowVersion) -> Reading:
    """Plan and findings; what a plan needs of other workstreams is judged in `services/plans.py`."""
    return review_any(version.source, frozenset(settings.TOOLS), Format(version.format))[1]


def plan_of(version: WorkflowVersion) -> Plan:
    """The plan that a version's text says; WrongState when this release reads it no longer."""
    plan = reading_of(version).plan
    if plan is None:
        raise WrongState(f"The text of version {version.number} can no longer be read.")
    return plan


def plan_text(version: WorkflowVersion) -> str:
    """The version as PLAN.md: as it was submitted when it is one, else its plan written as one."""
    return version.source if version.format == Format.PLAN else render_plan(plan_of(version))
