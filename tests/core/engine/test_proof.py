"""What a completion has to prove (AS-7, FR-021)."""

import pytest

from orchestrator.core.engine.proof import CriterionAsked, kinds_to_prove, refuse_unproved
from orchestrator.core.errors import CriteriaUnmet
from orchestrator.core.terms import CriterionKind

LEAVE = CriterionAsked(1, CriterionKind.EXIT, "it works")
ENTER = CriterionAsked(2, CriterionKind.ENTRY, "the ground holds")


def test_fr021_only_rework_asks_for_entry_criteria() -> None:
    assert kinds_to_prove(0) == {CriterionKind.EXIT}
    assert kinds_to_prove(2) == {CriterionKind.ENTRY, CriterionKind.EXIT}


@pytest.mark.parametrize(
    ("asked", "evidence", "outcome"),
    [
        ([], {}, " "),
        ([LEAVE], {}, "Done."),
        ([LEAVE], {1: " "}, "Done."),
        ([], {}, "\u200b"),
        ([LEAVE], {1: " \u2060\ufeff"}, "Done."),
        ([LEAVE, ENTER], {1: "seen"}, "Done."),
        ([ENTER], {2: "seen"}, ""),
    ],
)
def test_as7_what_is_not_proved_is_refused(asked: list, evidence: dict[int, str], outcome: str) -> None:
    with pytest.raises(CriteriaUnmet):
        refuse_unproved("A1", asked, evidence, outcome)


@pytest.mark.parametrize(
    ("asked", "evidence", "outcome"),
    [([], {}, "Swept and looked."), ([LEAVE], {1: "seen"}, ""), ([ENTER], {2: "seen"}, "Swept and looked.")],
)
def test_as7_what_is_proved_passes(asked: list, evidence: dict[int, str], outcome: str) -> None:
    refuse_unproved("A1", asked, evidence, outcome)
