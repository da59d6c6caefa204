"""FR-006: how many people have signed a gate, who is still asked, and when it is enough."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.engine.explain import waits_for_signatures
from orchestrator.core.engine.signatures import Signer, sign_off

RITA = Signer("rita", frozenset({"reviewer"}))
ANNA = Signer("anna", frozenset({"reviewer", "approver"}))


def test_fr006_one_signature_is_asked_for_plainly() -> None:
    assert waits_for_signatures(sign_off(("reviewer",), 1, ())) == "waits for sign-off by reviewer"
    assert waits_for_signatures(sign_off((), 1, ())) == "waits for sign-off"


def test_fr006_of_several_it_says_who_has_signed() -> None:
    state = sign_off(("reviewer", "approver"), 2, [RITA])
    assert not state.complete
    assert waits_for_signatures(state) == "waits for sign-off by approver or reviewer, 1 of 2 signed: rita"
    assert sign_off(("reviewer", "approver"), 2, [RITA, ANNA]).complete


def test_fr006_all_asks_for_each_name() -> None:
    state = sign_off(("reviewer", "approver", "otto"), 0, [RITA])
    assert waits_for_signatures(state) == "waits for sign-off by approver and otto, 1 of 3 signed: rita"


def test_fr006_a_person_counts_for_the_name_that_still_needs_them() -> None:
    """Anna could sign as reviewer; then nobody would be left for approver."""
    for signers in permutations([RITA, ANNA]):
        assert sign_off(("reviewer", "approver"), 0, signers).complete
    assert not sign_off(("reviewer", "approver"), 0, [ANNA]).complete


def test_fr006_all_of_nobody_is_one_signature() -> None:
    assert not sign_off((), 0, ()).complete
    assert sign_off((), 0, [RITA]).complete


NAMES = ("a", "b", "c", "d")


@given(
    st.lists(st.sampled_from(NAMES), unique=True, min_size=1),
    st.lists(st.frozensets(st.sampled_from(NAMES), max_size=3), max_size=4),
)
def test_fr006_as_many_names_are_covered_as_can_be(reviewers: list[str], roles: list[frozenset[str]]) -> None:
    signers = [Signer(f"person-{n}", held) for n, held in enumerate(roles)]
    padded: list[Signer | None] = [*signers, *[None] * len(reviewers)]
    best = max(
        sum(one is not None and one.answers_to(name) for name, one in zip(reviewers, order, strict=False))
        for order in permutations(padded, len(reviewers))
    )
    assert len(reviewers) - len(sign_off(reviewers, 0, signers).asked) == best
