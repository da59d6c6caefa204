"""The map of a workstream as it stands: made of what the page has read already (FR-002, FR-015, BX-6)."""

from collections.abc import Iterable, Sequence

from orchestrator.core.plans.graph import bottleneck, compile_graph, critical_path
from orchestrator.core.plans.plan_map import PlanMap, StepKnown, plan_map
from orchestrator.core.terms import OPEN_TASK
from orchestrator.queries.engine.explanations import Explained
from orchestrator.queries.work.projection import open_steps_before, place, plan_of_tasks
from orchestrator.queries.work.tasks import TaskRow


def live_map(
    known: Explained, rows: Iterable[TaskRow], following: str = "", most_drawn: int | None = None
) -> PlanMap | None:
    """None while there are no tasks. `rows` are all of the workstream's, `following` is the key of the one
    that is launched next. Reads nothing."""
    tasks = sorted(known.loaded.tasks.values(), key=place)
    if not tasks:
        return None
    needs = {view.key: view.needs for view in known.loaded.snapshot.tasks}
    plan = plan_of_tasks(known.workstream.title, tasks, needs)
    ended = {task.step.key for task in tasks if task.status not in OPEN_TASK}
    path = critical_path(plan, ended)
    graph = compile_graph(plan)

    def waits(key: str) -> Sequence[str]:
        verdict = known.verdicts.get(key)
        return open_steps_before(graph, verdict, ended) if verdict else ()

    current = {task.pk for task in tasks}
    states = {row.task.step.key: _known(row) for row in rows if row.task.pk in current}
    return plan_map(plan, states, path, bottleneck(path, waits), following, most_drawn=most_drawn)


def _known(row: TaskRow) -> StepKnown:
    return StepKnown(row.state, "", row.sentence)
