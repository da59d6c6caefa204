"""Policies: what people agreed on, and which findings of the plan check block approval (LC-11, FR-022,
WF-3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from orchestrator.contract.values import Body, Text
from orchestrator.core.terms import Severity


class CheckRuleChange(Body):
    """`severities` says by the finding's code whether it blocks approval, warns or informs."""

    severities: Annotated[dict[str, Severity], Field(min_length=1, max_length=200)]
    reason: Text
    impact: Text = ""


@dataclass(frozen=True)
class PolicyName:
    """A policy in the list of all."""

    slug: str
    title: str
    updated_at: datetime


@dataclass(frozen=True)
class PolicyChangeFacts:
    """A change of a policy: who made it, why, and what it means for those who work by it."""

    author: str
    reason: str
    impact: str
    changed_at: datetime


@dataclass(frozen=True)
class PolicyFacts:
    """A policy. `body` is Markdown; `changes` are newest first."""

    slug: str
    title: str
    body: str
    updated_at: datetime
    changes: tuple[PolicyChangeFacts, ...]


@dataclass(frozen=True)
class CheckRuleFacts:
    """What a finding of the plan check does to approval now and by default; `settable` says whether a policy
    may."""

    code: str
    meaning: str
    severity: Severity
    default: Severity
    settable: bool
