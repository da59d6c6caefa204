"""The tools the operator registered (`settings.TOOLS`); a plan reaches no other (design section 7)."""

from collections.abc import Mapping
from typing import Final

from django.conf import settings

from orchestrator.adapters.http import Http
from orchestrator.adapters.human import Human
from orchestrator.adapters.pytest import Pytest
from orchestrator.adapters.ruff import Ruff
from orchestrator.adapters.script import Script
from orchestrator.adapters.tool import Tool
from orchestrator.core.errors import ToolUnknown
from orchestrator.core.people.roles import HUMAN

KNOWN: Final[Mapping[str, Tool]] = {tool.name: tool for tool in (Pytest(), Ruff(), Script(), Http(), Human())}


def that_run() -> Mapping[str, Tool]:
    """Those of the registered tools that executors run, and that can prove a step: all but `human`."""
    return {name: tool for name, tool in registered().items() if name != HUMAN}


def registered() -> Mapping[str, Tool]:
    """Tools by name, as registered now.

    Raises `ToolUnknown` when the operator registered one that does not exist.
    """
    unknown = sorted(set(settings.TOOLS) - set(KNOWN))
    if unknown:
        raise ToolUnknown(f"TOOLS names {', '.join(unknown)}, but only {', '.join(sorted(KNOWN))} exist.")
    return {name: KNOWN[name] for name in settings.TOOLS}
