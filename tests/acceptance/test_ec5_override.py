"""EC-5: a suspicion that a person overturns is overridden with the rationale, and corrected before work
begins.
"""

from orchestrator.models import DuplicateDecision, HistoryEntry, Workstream
from tests.cast import PLAN, Driver
from tests.web.pages import signed_in, words

TWIN = PLAN.replace(b"Card refunds", b"Refunds by card")


def test_ec5_an_override_with_its_rationale_lets_the_review_be_signed(driver: Driver) -> None:
    driver.submit(TWIN)
    driver.submit()
    client, page = signed_in(driver.cast.reviewer), f"/workstreams/{driver.reload().uuid}/prehandoff/"
    said = {"other": "refunds-by-card", "outcome": "override", "rationale": "Gift cards, not bank cards."}
    after = client.post(f"{page}decide", said, follow=True)
    assert "Card refunds is no duplicate of Refunds by card." in words(after)
    assert "Gift cards, not bank cards." in words(after)
    assert client.post(f"{page}sign", {"rationale": "Looked at the portfolio."}).status_code == 302
    assert "Linked with" not in words(client.get(f"/workstreams/{driver.reload().uuid}/"))
    assert HistoryEntry.objects.get(action="duplicate decided").reason == "Gift cards, not bank cards."


def test_ec5_deciding_again_corrects_the_earlier_decision_and_keeps_it_in_history(driver: Driver) -> None:
    driver.submit(TWIN)
    driver.submit()
    other = Workstream.objects.get(slug="refunds-by-card")
    driver.decide(other, "override", "Looks different.")
    driver.decide(other, "close", "It is the same after all.")
    first, second = HistoryEntry.objects.filter(action="duplicate decided").order_by("sequence")
    assert (first.reason, second.corrects) == ("Looks different.", first)
    assert DuplicateDecision.objects.get().outcome == "close"
    assert driver.reload().status == "archived"
