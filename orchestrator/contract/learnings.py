"""What batches and merge points taught (BX-7)."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import StrictBool

from orchestrator.contract.values import Body, Name, Text


class LearningNote(Body):
    """What one taught: `after` names the batch or merge point. At least one text is given, or `nothing` is
    true."""

    after: Name
    went_wrong: Text = ""
    worked: Text = ""
    tighten: Text = ""
    nothing: StrictBool = False


@dataclass(frozen=True)
class LearningFacts:
    """What was recorded. All three texts are empty when somebody said that there was nothing to record."""

    after: str
    went_wrong: str
    worked: str
    tighten: str
    author: str
    recorded_at: datetime


@dataclass(frozen=True)
class LearningList:
    """What was recorded in a workstream; `due` are the batches and merge points that wait for a word."""

    due: tuple[str, ...]
    items: tuple[LearningFacts, ...]
