"""The map of a plan before it runs: each step with the launch that it is in (WF-3, BX-2)."""

from orchestrator.core.plans.graph import bottleneck
from orchestrator.core.plans.plan import Plan
from orchestrator.core.plans.plan_map import PlanMap, StepKnown, plan_map
from orchestrator.core.plans.rehearsing.preview import Preview


def rehearsed_map(plan: Plan, effect: Preview, most_drawn: int | None = None) -> PlanMap:
    """What the preview says of a plan, as a map (`plan_map`). Steps that have ended before are in no
    launch."""
    launches = {key: n for n, launch in enumerate(effect.launches, start=1) for key in launch}
    known = {
        key: StepKnown("ready" if number == 1 else "pending", f"Launch {number}", _when(number))
        for key, number in launches.items()
    }
    path = effect.critical_path
    following = effect.starts[0] if effect.starts else ""
    return plan_map(plan, known, path, bottleneck(path, _nothing), following, most_drawn=most_drawn)


def _nothing(_key: str) -> tuple[str, ...]:
    """What a step of a rehearsal waits for that is not on the path: nobody holds its files yet."""
    return ()


def _when(launch: int) -> str:
    return "Starts first." if launch == 1 else "Starts when what it needs is complete."
