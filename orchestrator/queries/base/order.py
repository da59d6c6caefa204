"""The orders of `core/engine/order.py` as the database sorts by them.

Each takes the path from the row that is sorted to what is ordered: `launch_order("task__step__")`.
"""

from orchestrator.models.base.ordering import ByCodePoint


def launch_order(step: str = "step__") -> tuple[str | ByCodePoint, ...]:
    """The scheduler's order inside a workstream: `OrderKey`."""
    return (*batch_order(f"{step}thread__batch__"), f"{step}position", ByCodePoint(f"{step}key"))


def launch_order_of_tasks(task: str = "task__") -> tuple[str | ByCodePoint, ...]:
    """The same from what each task keeps of its step, so that nothing but the step is joined."""
    return (f"{task}batch_index", f"{task}position", ByCodePoint(f"{task}step__key"))


def plan_order(step: str = "step__") -> tuple[str, ...]:
    """As the text of the plan has the steps: `Place`."""
    return (*thread_order(f"{step}thread__"), f"{step}position")


def thread_order(thread: str = "thread__") -> tuple[str, ...]:
    """As the text of the plan has the threads."""
    return (*batch_order(f"{thread}batch__"), f"{thread}position")


def batch_order(batch: str = "batch__") -> tuple[str, ...]:
    """As the text of the plan has the batches."""
    return (f"{batch}stage__position", f"{batch}position")


def rank(workstream: str = "workstream__") -> tuple[str, ...]:
    """Which workstream comes first: `Rank`."""
    return (f"-{workstream}priority", f"{workstream}created_at", f"{workstream}id")
