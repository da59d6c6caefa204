"""Policies: read what people agreed on, with the change log; people write them in the browser (LC-11, FR-022)."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from ninja import Router

from orchestrator.api.acts import needs
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import Scope
from orchestrator.models import Policy

router = Router(tags=["policies"])


@dataclass(frozen=True)
class PolicyName:
    slug: str
    title: str
    updated_at: datetime


@dataclass(frozen=True)
class ChangeFacts:
    author: str
    reason: str
    impact: str
    changed_at: datetime


@dataclass(frozen=True)
class PolicyFacts:
    """`body` is Markdown; `changes` are newest first."""

    slug: str
    title: str
    body: str
    updated_at: datetime
    changes: tuple[ChangeFacts, ...]


@router.get("/", response=list[PolicyName])
@needs(Scope.READ)
def listing(request: HttpRequest) -> list[PolicyName]:
    return [PolicyName(one.slug, one.title, one.updated_at) for one in Policy.objects.order_by("slug")]


@router.get("/{slug:slug}/", response=PolicyFacts)
@needs(Scope.READ)
def inspect(request: HttpRequest, slug: str) -> PolicyFacts:
    policy = Policy.objects.filter(slug=slug).first()
    if policy is None:
        raise NotFound(f"There is no policy {slug}.")
    changes = policy.changes.select_related("author").order_by("-changed_at", "-pk")
    return PolicyFacts(
        policy.slug,
        policy.title,
        policy.body,
        policy.updated_at,
        tuple(ChangeFacts(c.author.get_username(), c.reason, c.impact, c.changed_at) for c in changes),
    )
