"""Pages are small on the wire, and the page with a secret is not compressed."""

import gzip

import pytest

from tests.cast import PLAN, Driver
from tests.web.pages import signed_in

#: Bytes of a page on the wire (the look's budget for a page that was seen before).
BUDGET = 15_000


def test_a_page_with_forty_tasks_is_small_on_the_wire(driver: Driver) -> None:
    more = b"".join(
        b"- B%d: Gateway call number %d\n  - Exit: contract %d holds\n" % (n, n, n) for n in range(2, 36)
    )
    driver.start(PLAN.replace(b"### Merge Point", more + b"\n### Merge Point", 1))
    client = signed_in(driver.cast.approver)
    assert driver.workstream is not None
    for page in ("/portfolio/", f"/workstreams/{driver.workstream.uuid}/"):
        response = client.get(page, headers={"Accept-Encoding": "gzip"})
        assert response.headers["Content-Encoding"] == "gzip"
        assert b"</html>" in gzip.decompress(response.content)
        assert len(response.content) <= BUDGET, page


@pytest.mark.parametrize(("page", "encoding"), [("/tokens/", None), ("/plans/", "gzip")])
def test_the_page_that_shows_a_new_token_is_not_compressed(
    driver: Driver, page: str, encoding: str | None
) -> None:
    response = signed_in(driver.cast.contributor).get(page, headers={"Accept-Encoding": "gzip"})
    assert response.headers.get("Content-Encoding") == encoding
