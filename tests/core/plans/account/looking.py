"""Looks at a plan value by brute force: which words stand where, without the account's own index."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from orchestrator.core.plans.plan import Plan, StepSpec


def words_in(value: Any) -> Iterator[str]:
    """Every text in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from words_in(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from words_in(getattr(value, field.name))


def text_of(value: Any) -> str:
    return plain(" ".join(words_in(value)))


def plain(text: str) -> str:
    """The words of a text; the number that Backlog.md puts before a criterion is a mark, as a bullet is."""
    text = re.sub(r"\A\s*#\d+\s", "", text)
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def without_step(plan: Plan, dropped: StepSpec) -> Plan:
    """The plan as a reader would make it that loses one step."""
    stages = []
    for stage in plan.stages:
        batches = []
        for batch in stage.batches:
            threads = [
                replace(thread, steps=tuple(step for step in thread.steps if step is not dropped))
                for thread in batch.threads
            ]
            batches.append(replace(batch, threads=tuple(threads)))
        stages.append(replace(stage, batches=tuple(batches)))
    return replace(plan, stages=tuple(stages))
