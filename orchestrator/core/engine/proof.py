"""What a completion has to prove: evidence for criteria, a sentence where a step has none (AS-7, FR-021)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.core.engine.contention import globs_overlap
from orchestrator.core.errors import CriteriaUnmet, InvalidInput
from orchestrator.core.invisible import says_nothing
from orchestrator.core.terms import CriterionKind


class ProofWord(StrEnum):
    """What a completed step rests on: a run of this installation, or somebody's word (BX-9)."""

    PROVED = "proved"
    ASSERTED = "asserted"


@dataclass(frozen=True, slots=True)
class ProofRule:
    """What takes proof only: `everything`, steps of these `roles`, or steps that own files below these
    `paths` (globs)."""

    everything: bool = False
    roles: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def demands(self, role: str, files: Sequence[str]) -> str:
        """Why a step with this role and these files takes proof only, in words; empty where it does not."""
        if self.everything:
            return "every step takes proof only"
        if role in self.roles:
            return f"steps with the role {role} take proof only"
        met = next((path for path in self.paths for file in files if globs_overlap(file, path)), "")
        return f"steps that own files below {met} take proof only" if met else ""


#: Digits of a commit that name it in a sentence.
SHORT_COMMIT: Final = 7


@dataclass(frozen=True, slots=True)
class CriterionAsked:
    """A criterion that a completion brings evidence for, by the id of its row."""

    id: int
    kind: CriterionKind
    text: str


def kinds_to_prove(results_thrown_away: int) -> frozenset[CriterionKind]:
    """Returns the kinds of criteria that a completion of a task proves: what it exits by, and after rework
    also what it may be entered by, because the ground it stands on may have changed (FR-021, AS-6).

    `results_thrown_away` is how often a completed result of the task was sent back (`Task.rework`).
    """
    if results_thrown_away:
        return frozenset({CriterionKind.ENTRY, CriterionKind.EXIT})
    return frozenset({CriterionKind.EXIT})


def run_that_proves(*, measured: bool, verified: str) -> str:
    """The run of this installation that shows what was done: `verified` is the command that was green on the
    commit, `measured` says that the step's own tool did it. Empty where it is only said (BX-9)."""
    return verified or ("the tool" if measured else "")


def named_in(evidence: str, *, files: Sequence[str], commit: str) -> str:
    """What somebody's word points at: the file handed over, or the commit, that the evidence names."""
    named = next((name for name in sorted(files, key=len, reverse=True) if name in evidence), "")
    if named:
        return named
    short = commit[:SHORT_COMMIT]
    return f"commit {commit[:12]}" if len(short) == SHORT_COMMIT and short in evidence else ""


def refuse_unproved(
    key: str, asked: Sequence[CriterionAsked], evidence: Mapping[int, str], outcome: str
) -> None:
    """Raises CriteriaUnmet when the completion of the step `key` does not say how it knows that it is done.

    Every criterion needs evidence, by its id; a step without exit criteria needs `outcome`, a sentence that
    says what was done and how it was checked.
    """
    missing = [criterion for criterion in asked if says_nothing(evidence.get(criterion.id, ""))]
    if missing:
        texts = "; ".join(f"{criterion.text} (criterion {criterion.id})" for criterion in missing)
        ids = ", ".join(str(criterion.id) for criterion in missing)
        raise CriteriaUnmet(f"Without evidence: {texts}.", criteria=ids)
    provable = any(criterion.kind is CriterionKind.EXIT for criterion in asked)
    if not provable and says_nothing(outcome):
        raise CriteriaUnmet(
            f"{key} has no exit criteria, and nothing says what was done and how it was checked.",
            recovery="Say both in one sentence, as the outcome, or declare the attempt failed.",
            field="outcome",
        )


def refuse_unknown(key: str, asked: Sequence[CriterionAsked], unknown: Sequence[int]) -> None:
    """InvalidInput for evidence that is about no criterion of the step `key`."""
    if unknown:
        known = "; ".join(f"{one.id} ({one.text})" for one in asked) or "none"
        raise InvalidInput(
            f"{', '.join(map(str, unknown[:20]))} is no criterion of {key}. Evidence is asked for: {known}.",
            recovery="Give evidence by the ids that the brief names.",
            field="evidence",
        )
