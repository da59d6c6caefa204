"""The orders of `core/engine/order.py` as the database sorts by them.

Each takes the path from the row that is sorted to a step or a workstream: `launch_order("task__step__")`.
"""


def launch_order(step: str = "step__") -> tuple[str, ...]:
    """The scheduler's order inside a workstream: `OrderKey`."""
    return (
        f"{step}thread__batch__stage__position",
        f"{step}thread__batch__position",
        f"{step}position",
        f"{step}key",
    )


def plan_order(step: str = "step__") -> tuple[str, ...]:
    """As the text of the plan has the steps: `Place`."""
    return (
        f"{step}thread__batch__stage__position",
        f"{step}thread__batch__position",
        f"{step}thread__position",
        f"{step}position",
    )


def rank(workstream: str = "workstream__") -> tuple[str, ...]:
    """Which workstream comes first: `Rank`."""
    return (f"-{workstream}priority", f"{workstream}created_at", f"{workstream}id")
