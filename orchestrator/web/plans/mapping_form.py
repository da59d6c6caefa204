"""The mapping of a migration as a form: a row per step of work in flight, with the verdict of its dry run
(FR-016).

Fields are `to-KEY` (a new key, or empty for dropped), `redo-KEY` (`keep` or `again`), `also-KEY` (further new
keys of a split, by commas) and `why-KEY`. Several rows with the same new key are a merge; the first of them
carries.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.changes.judge import ItemVerdict, Judgement, judge
from orchestrator.core.changes.mapping import Definition, StepMapping
from orchestrator.core.changes.suggestions import suggest
from orchestrator.models import WorkflowVersion, Workstream
from orchestrator.queries.changes.migrations import new_side, running_side
from orchestrator.queries.plans.readings import plan_of

#: Options of all selects together; above it a step is named in a text field with suggestions.
OPTIONS: Final = 20_000
FIELDS: Final = ("to-", "redo-", "also-", "why-")
REDO: Final = {"keep": False, "again": True}


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One step of work in flight; `to`, `redo`, `also` and `why` are what its fields hold."""

    old: Definition
    to: str
    redo: str
    also: str
    why: str
    suggested: bool
    verdict: ItemVerdict | None

    @property
    def settled(self) -> bool:
        """Nothing to decide: it stays as it is."""
        undecided = self.suggested or self.verdict is None or self.verdict.refused
        return self.to == self.old.key and not (self.redo or self.also or undecided)


@dataclass(frozen=True, slots=True)
class MappingForm:
    """`new` are key and title of the new version's steps; `judgement` is the dry run of what the rows say."""

    rows: tuple[MappingRow, ...]
    new: tuple[tuple[str, str], ...]
    judgement: Judgement

    @property
    def large(self) -> bool:
        return len(self.rows) * len(self.new) > OPTIONS

    @property
    def open_rows(self) -> tuple[MappingRow, ...]:
        return tuple(row for row in self.rows if not row.settled)

    @property
    def settled_rows(self) -> tuple[MappingRow, ...]:
        return tuple(row for row in self.rows if row.settled)

    @property
    def other_verdicts(self) -> tuple[ItemVerdict, ...]:
        """Of steps that are new."""
        return tuple(verdict for verdict in self.judgement.verdicts if not verdict.old)


def lines(fields: Mapping[str, str]) -> tuple[StepMapping, ...]:
    """What the fields say; steps without fields are left to the rule that fills a mapping up."""
    carried: dict[str, list[str]] = {}
    keys = [name.removeprefix("to-") for name in fields if name.startswith("to-")]
    found: list[StepMapping] = []
    for key in keys:
        if to := fields[f"to-{key}"]:
            carried.setdefault(to, []).append(key)
        else:
            found.append(StepMapping((key,), (), reason=fields.get(f"why-{key}", "")))
    for to, olds in carried.items():
        first = olds[0]
        also = [part for key in olds for part in re.split(r"[,\s]+", fields.get(f"also-{key}", "")) if part]
        redo = REDO.get(fields.get(f"redo-{first}", ""))
        found.append(StepMapping(tuple(olds), (to, *also), redo, fields.get(f"why-{first}", "")))
    return tuple(found)


def fill(workstream: Workstream, version: WorkflowVersion, fields: Mapping[str, str] | None) -> MappingForm:
    """The form with what was typed, or with what is suggested, and the dry run of it."""
    plan = plan_of(version)
    old, new = running_side(workstream), new_side(workstream, version, plan)
    mapping = suggest(old, new) if fields is None else lines(fields)
    judgement = judge(old, new, mapping)
    names = tuple((definition.key, definition.title) for definition in new)
    return MappingForm(tuple(_rows(old, judgement)), names, judgement)


def _rows(old: Sequence[Definition], judgement: Judgement) -> Iterable[MappingRow]:
    line_of = {key: line for line in judgement.lines for key in line.old}
    verdict_of = {verdict.old: verdict for verdict in judgement.verdicts if verdict.old}
    for definition in old:
        line = line_of[definition.key]
        carries = line.old[0] == definition.key
        redo = "again" if line.redo else "keep"
        yield MappingRow(
            old=definition,
            to=line.new[0] if line.new else "",
            redo="" if line.redo is None or not carries else redo,
            also=", ".join(line.new[1:]) if carries else "",
            why=line.reason,
            suggested=line.suggested,
            verdict=verdict_of.get(definition.key),
        )
