"""Bundles as pages and machines read them: members in the order of submission, with their state (AD-3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.contract.bundles import BundleFacts, MemberFacts
from orchestrator.core.engine.attention import lifecycle
from orchestrator.core.errors import NotFound
from orchestrator.core.terms import Lifecycle
from orchestrator.models import Bundle, Workstream
from orchestrator.queries.engine.needs import needs_of
from orchestrator.queries.workstreams.portfolio import counts_of


@dataclass(frozen=True, slots=True)
class Member:
    workstream: Workstream
    state: Lifecycle
    needs: list[Workstream]


def find_bundle(bundle_id: int) -> Bundle:
    bundle = Bundle.objects.select_related("submitted_by").filter(pk=bundle_id).first()
    if bundle is None:
        raise NotFound("There is no such bundle.")
    return bundle


def members_of(bundle: Bundle) -> Iterator[Member]:
    rows = list(
        Workstream.objects.filter(bundle=bundle).select_related("owner", "version__workflow").order_by("pk")
    )
    needs = needs_of(row.pk for row in rows)
    return (Member(row, lifecycle(counts_of(row)), needs[row.pk]) for row in rows)


def bundle_facts(bundle_id: int) -> BundleFacts:
    bundle = find_bundle(bundle_id)
    members = []
    for member in members_of(bundle):
        workstream, needs = member.workstream, tuple(needed.slug for needed in member.needs)
        name = workstream.version.source_name
        members.append(
            MemberFacts(workstream.uuid, workstream.slug, workstream.title, name, member.state, needs)
        )
    return BundleFacts(bundle.pk, bundle.name, bundle.submitted_as, tuple(members))
