"""What approving a plan would do, before anything is stored (WF-3)."""

from dataclasses import dataclass
from typing import Literal

from orchestrator.contract.values import UsageFacts


@dataclass(frozen=True)
class HeldBackFacts:
    """A gate and what it holds back until it is signed: the last `count` steps of the launch order, of which
    `holds` names the first."""

    key: str
    count: int
    holds: tuple[str, ...]


@dataclass(frozen=True)
class ThreadStepFacts:
    """A step of a thread and the launch that it runs in; launches count from 1."""

    key: str
    launch: int


@dataclass(frozen=True)
class ThreadLaunchesFacts:
    """A thread, and in which launch each of its steps is."""

    stage: int
    batch: str
    thread: str
    name: str
    steps: tuple[ThreadStepFacts, ...]


@dataclass(frozen=True)
class WaitFacts:
    """The step that waits longest, how long, and for which other step (`holder`).

    `executor` is true when no executor was free before the other one ended.
    """

    key: str
    length: int
    holder: str
    executor: bool


@dataclass(frozen=True)
class LengthFacts:
    """From approval to the last step: with `one` executor, with as many as were `given`, with as many as it
    takes."""

    one: int
    given: int
    unlimited: int


@dataclass(frozen=True)
class ConditionalFacts:
    """A step with a condition, and whether it runs when every step before it ends with its usual outcome."""

    key: str
    condition: str
    runs: bool


@dataclass(frozen=True)
class UsageForecast:
    """What the `steps` that are left are likely to use together, by what `measured` earlier steps said;
    `known` of them ran before in the same workflow. `beyond` is what of the plan's `budget` that would reach,
    and `sentence` says all of it."""

    sentence: str
    steps: int
    known: int
    measured: int
    expected: UsageFacts
    budget: str
    beyond: tuple[str, ...]


@dataclass(frozen=True)
class PreviewFacts:
    """What approval will do when every step ends as usual.

    `tasks` are created; so many of them are `taken_over` as done before, or skipped. Everything else is about
    the steps that are left, blocked ones as if nothing were in their way: `starts` are launched first,
    `launches` run side by side, `critical_path` is the longest chain.

    Lengths are in minutes when every step of work has an estimate, and in steps otherwise; `unit` says which.
    `peak` is how many of the `executors` are ever busy at once, `useful` how many would be if there were
    enough.
    """

    tasks: int
    taken_over: int
    executors: int
    unit: Literal["minutes", "steps"]
    peak: int
    useful: int
    length: LengthFacts
    longest_wait: WaitFacts | None
    threads: tuple[ThreadLaunchesFacts, ...]
    starts: tuple[str, ...]
    launches: tuple[tuple[str, ...], ...]
    launch_order: tuple[str, ...]
    critical_path: tuple[str, ...]
    gates: tuple[HeldBackFacts, ...]
    conditional: tuple[ConditionalFacts, ...]
    forecast: UsageForecast
