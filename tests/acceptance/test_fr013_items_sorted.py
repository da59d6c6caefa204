"""FR-013: the items behind a figure are sorted by what is counted of them; what has no value comes last."""

import pytest
from django.utils import timezone

from tests.cast import Driver
from tests.web.flow_rows import flow_rows
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db


def test_fr013_items_are_sorted_as_their_reader_asks(driver: Driver) -> None:
    flow_rows([driver.cast.initiator], timezone.now(), 40)
    client = signed_in(driver.cast.approver)

    def spans(query: str) -> list[float | None]:
        page = client.get(f"/flow/items/?time=all&show=registered{query}")
        cycles = [row.item.cycle for row in page.context["rows"]]
        return [None if cycle is None else cycle.total_seconds() for cycle in cycles]

    usual, up, down = spans(""), spans("&sort=cycle"), spans("&sort=-cycle")
    known = sorted(span for span in usual if span is not None)
    assert len(known) > 10
    assert up == [*known, *[None] * (len(usual) - len(known))]
    assert down == [*reversed(known), *[None] * (len(usual) - len(known))]
    page = client.get("/flow/items/?time=all&show=registered&sort=colour")
    assert "“colour” is no column to sort by" in words(page)
    assert "sort=" not in page.content.decode().split('data-key="x"')[1].split(">")[0], (
        "the file has one order"
    )
