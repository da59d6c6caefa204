"""`manage.py continue [TASK] --executor NAME`: the brief of interrupted work, for whoever goes on with it.

Requirements: WF-9.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orchestrator.core.errors import NotFound, Refusal
from orchestrator.models import Executor, Task
from orchestrator.queries.work.continuing import to_continue
from orchestrator.queries.work.continuing_text import orientation
from orchestrator.services.people.callers import caller_by_name


class Command(BaseCommand):
    help = (
        "Print what an executor needs to continue a task; without TASK, what it holds or what "
        "others have left."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("task", nargs="?", help="task id, or workstream/step key")
        parser.add_argument("--executor", required=True, metavar="NAME", help="who continues")

    def handle(self, *, task: str | None, executor: str, **_options: Any) -> None:
        try:
            who = caller_by_name(executor).executor
            chosen, others = ([_found(task)], []) if task else _own(who)
            self.stdout.write(orientation(chosen[0].pk).markdown, ending="")
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.way_out}") from refusal
        for other in others:
            self.stdout.write(f"Also waiting: {other.step.key} of {other.workstream.slug} (task {other.pk})")


def _found(name: str) -> Task:
    slug, _, key = name.partition("/")
    rows = Task.objects.filter(pk=int(name)) if name.isdecimal() and name.isascii() else Task.objects.none()
    found = rows.first() or Task.objects.filter(workstream__slug=slug, step__key=key).order_by("-pk").first()
    if found is None:
        raise NotFound(f"There is no task {name}.")
    return found


def _own(executor: Executor) -> tuple[list[Task], list[Task]]:
    tasks = list(to_continue(executor))
    if not tasks:
        raise NotFound(
            f"{executor.name} holds nothing, and nobody has left anything that can be claimed.",
            recovery="Claim a task that is ready: /api/tasks/?claimable=true lists them.",
        )
    return tasks[:1], tasks[1:]
