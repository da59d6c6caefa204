"""Plans as they are read here: with the registered tools, once in a process, long ones apart (WF-2, AD-5)."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Final, NamedTuple

from django.conf import settings

from orchestrator.adapters.apart import apart
from orchestrator.adapters.turns import turn
from orchestrator.core import limits
from orchestrator.core.changes.adoption import Adoption, adoption_of
from orchestrator.core.changes.pairing import old_keys
from orchestrator.core.errors import WrongState
from orchestrator.core.findings import Finding
from orchestrator.core.plans.checks.read import format_of, read_both_ways
from orchestrator.core.plans.compare import PlanChanges, compare_plans
from orchestrator.core.plans.impossible import NeedPair
from orchestrator.core.plans.plan import Plan, Reading
from orchestrator.core.plans.reading.naming import called_after
from orchestrator.core.plans.rehearsing.preview import Preview, preview
from orchestrator.core.plans.text.render import render_plan
from orchestrator.core.plans.text.source import decode_source
from orchestrator.core.terms import Format, TaskStatus
from orchestrator.models import WorkflowVersion
from orchestrator.queries.base.registered import masker
from orchestrator.queries.plans.secret_lines import with_secrets
from orchestrator.queries.plans.tool_runs import with_refused_runs

#: Texts that a process keeps read; the two of a comparison, and those of a few reviewers beside.
KEPT: Final = 6


def reading_of(version: WorkflowVersion) -> Reading:
    """A stored version, read in the format that it was submitted in; see `checked`."""
    return read_without(version, _text_of(version).dropped)


def read_without(version: WorkflowVersion, dropped: tuple[NeedPair, ...]) -> Reading:
    """The same, without dependencies that a review drops (AD-1)."""
    text = _Text(version.source, version.format, dropped)
    return called_after(_read(text, frozenset(settings.TOOLS)), version.source_name)


def adoption_by(version: WorkflowVersion) -> Adoption:
    """What approving the version does with the state that its source tells.

    Nothing, unless it was submitted so.
    """
    return state_told_by(version) if version.adopts else Adoption()


def state_told_by(version: WorkflowVersion) -> Adoption:
    """What would become of the state that the version's source tells, if it were taken over (WF-8)."""
    return _adopted(_text_of(version), frozenset(settings.TOOLS))


def checked(source: bytes | str, wanted: Format | None = None, name: str = "") -> Reading:
    """Plan and findings of a text, in the wanted format or in the one that its content shows; `name` is that
    of its file, if it has one.

    Read once in a process: who checks a text submits it next, and then opens it. What other workstreams,
    people and the policy of checks have to do with it is added by `judged` (`judged.py`).
    """
    text = decode_source(source)
    if isinstance(text, Finding):
        return Reading(None, (text,))
    reading = _read(_Text(text, wanted or _format_of(text)), frozenset(settings.TOOLS))
    return called_after(reading, name)


_format_of = lru_cache(KEPT)(format_of)


def changes_between(old: WorkflowVersion, new: WorkflowVersion) -> PlanChanges | None:
    """What changed in the structure from one version to the other.

    None when one of them cannot be read as a plan.
    """
    return _compared(_text_of(old), _text_of(new), frozenset(settings.TOOLS))


def preview_of(version: WorkflowVersion, executors: int) -> Preview | None:
    """What approving the version does with so many executors; None when nothing in it can be scheduled.

    Of one that adopts the state of its source, what is left to do (WF-8).
    """
    return _previewed(_text_of(version), frozenset(settings.TOOLS), executors, version.adopts)


def turn_to_read(size: int) -> AbstractContextManager[None]:
    """Held while texts of so many bytes or characters together are read and shown.

    Busy when too many others are.
    """
    if size < limits.CHECKED_ALONE_BYTES:
        return nullcontext()
    return turn(settings.TURNS_DIR, limits.CHECKS_AT_ONCE, limits.CHECK_WAIT_SECONDS)


class _Text(NamedTuple):
    """What a reading rests on beside the registered tools."""

    source: str
    form: str
    dropped: tuple[NeedPair, ...] = ()


def _text_of(version: WorkflowVersion) -> _Text:
    return _Text(version.source, version.format, tuple((step, need) for step, need in version.dropped_needs))


@lru_cache(KEPT)
def _read(text: _Text, tools: frozenset[str]) -> Reading:
    """A large text is read in a process of its own: it takes its time there, and only so much of it."""
    asked = (text.source, tools, Format(text.form), text.dropped)
    if len(text.source) < limits.CHECKED_ALONE_BYTES:
        reading = read_both_ways(*asked)
    else:
        with turn_to_read(len(text.source)):
            reading = apart(read_both_ways, limits.CHECK_SECONDS, limits.CHECK_MEMORY_BYTES, *asked)
    return with_secrets(with_refused_runs(reading, tools, text.source), text.source, masker())


def preview_plan(plan: Plan, executors: int, ended: Mapping[str, TaskStatus]) -> Preview:
    """How the plan will run; a long one is rehearsed in a process of its own, too."""
    steps = sum(1 for _ in plan.steps())
    if steps < limits.REHEARSED_ALONE_STEPS:
        return preview(plan, executors, ended)
    with turn_to_read(limits.CHECKED_ALONE_BYTES):
        return apart(preview, limits.CHECK_SECONDS, limits.CHECK_MEMORY_BYTES, plan, executors, dict(ended))


@lru_cache(KEPT)
def _adopted(text: _Text, tools: frozenset[str]) -> Adoption:
    return adoption_of(_read(text, tools))


@lru_cache(KEPT)
def _previewed(text: _Text, tools: frozenset[str], executors: int, adopts: bool) -> Preview | None:
    reading = _read(text, tools)
    ended = _adopted(text, tools).ended if adopts else {}
    return preview_plan(reading.plan, executors, ended) if reading.plan else None


@lru_cache(KEPT)
def _compared(old: _Text, new: _Text, tools: frozenset[str]) -> PlanChanges | None:
    before, after = _read(old, tools).plan, _read(new, tools).plan
    return compare_plans(before, after, old_keys(before, after)) if before and after else None


def plan_of(version: WorkflowVersion) -> Plan:
    """The plan that a version's text says; WrongState when this release reads it no longer."""
    plan = reading_of(version).plan
    if plan is None:
        raise WrongState(f"The text of version {version.number} can no longer be read.")
    return plan


def plan_text(version: WorkflowVersion) -> str:
    """The version as PLAN.md: as it was submitted when it is one, else its plan written as one.

    What a review dropped is not in it.
    """
    as_given = version.format == Format.PLAN and not version.dropped_needs
    return version.source if as_given else render_plan(plan_of(version))
