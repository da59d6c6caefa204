"""`manage.py why SLUG [KEY]`: why a workstream or one of its tasks is not moving, to the root (FR-015).

With `--json` what REST answers at /api/tasks/ID/why/ and /api/workstreams/UUID/why/.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orchestrator.contract.why import WaitingLink, WaitingRoot, WhyFacts
from orchestrator.core.errors import Refusal
from orchestrator.management.printed import as_json
from orchestrator.queries.work.tasks import find_task, find_workstream_by_slug
from orchestrator.services.freeing import why_task, why_workstream


class Command(BaseCommand):
    help = "Say why a workstream, or one of its tasks, is not moving, and what frees it."
    # The answer is read by programs too; system checks would stand before it.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the workstream")
        parser.add_argument("key", metavar="KEY", nargs="?", default="", help="one of its steps")
        parser.add_argument("--json", action="store_true", help="print the same facts as JSON")

    def handle(self, *, slug: str, key: str, **options: Any) -> None:
        try:
            facts = _asked(slug, key)
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        if options["json"]:
            self.stdout.write(as_json(facts))
            return
        for line in _lines(facts):
            self.stdout.write(line)


def _asked(slug: str, key: str) -> WhyFacts:
    workstream, now = find_workstream_by_slug(slug), timezone.now()
    if not key:
        return why_workstream(workstream, now)
    return why_task(workstream, find_task(workstream, key).step.key, now)


def _lines(facts: WhyFacts) -> Iterator[str]:
    yield facts.sentence
    yield ""
    for link in facts.links:
        yield _link(link)
    yield ""
    yield from (f"{label}: {value}" for label, value in _root(facts.root) if value)
    for other in facts.also:
        yield f"Also in the way: {other.key} ({other.title}): {other.sentence}"


def _link(link: WaitingLink) -> str:
    name = f"{link.workstream}/{link.key}" if link.key else link.workstream
    since = f", since {link.since:%Y-%m-%d %H:%M} UTC" if link.since else ""
    return f"{name} ({link.title}): {link.sentence or 'see below'}{since}"


def _root(root: WaitingRoot) -> Iterator[tuple[str, str]]:
    yield "What frees it", f"{root.to_do} ({root.address})" if root.to_do else ""
    people = f" ({', '.join(root.people)})" if root.people else ""
    yield "Who can", f"{', '.join(root.freed_by)}{people}" if root.freed_by else ""
    claimers = [
        f"{one.executor} ({f'busy with {one.busy_with}' if one.busy_with else 'free'})"
        for one in root.could_claim
    ]
    more = root.claimers - len(claimers)
    yield "Could claim it", ", ".join(claimers) + (f" and {more} more" if more > 0 else "")
    yield "Last word", root.last_word
    left = root.behind - len(root.behind_first)
    if not root.behind_first and root.behind:
        yield "Behind it", f"{root.behind} planned step{'' if root.behind == 1 else 's'}"
    else:
        yield "Behind it", ", ".join(root.behind_first) + (f" and {left} more" if left > 0 else "")
    yield "Workstreams that need it", ", ".join(root.workstreams_behind)
