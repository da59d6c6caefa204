"""A filter with a value that means nothing is said on every list, and filters nothing (FR-025)."""

import pytest
from django.test import Client

from tests.cast import Cast, Driver
from tests.web.pages import words

LISTS = {
    "/portfolio/": ("state", "signal", "window", "domain", "owner", "workflow", "sort"),
    "/history/": ("actor", "action", "since", "until"),
    "/blockers/": ("state", "owner", "kind", "sort"),
    "/search/": ("kind", "workstream", "domain", "state", "window"),
    "/collected/": ("state",),
    "/plans/": ("sort",),
}


@pytest.mark.parametrize(("address", "name"), [(a, name) for a, names in LISTS.items() for name in names])
def test_an_unknown_value_is_said(client: Client, cast: Cast, address: str, name: str) -> None:
    client.force_login(cast.observer)
    response = client.get(address, {name: "q<u>ux"})
    assert response.status_code == 200
    assert "“q<u>ux” is no" in words(response)


@pytest.mark.parametrize("sort", ["title", "-title", "state", "domain", "owner", "-done", "updated"])
def test_the_portfolio_is_sorted_by_a_column(client: Client, cast: Cast, driver: Driver, sort: str) -> None:
    client.force_login(cast.observer)
    driver.start()
    driver.submit()
    rows = client.get("/portfolio/", {"sort": sort}).context["items"]
    assert len(rows) == 2


def test_days_narrow_the_history(client: Client, cast: Cast, driver: Driver) -> None:
    driver.start()
    client.force_login(cast.observer)

    def count(**days: str) -> int:
        return client.get("/history/", days).context["page_obj"].paginator.count

    everything = count()
    assert count(since="2026-03-04", until="2026-03-04") == everything > 0
    assert count(since="2026-03-05") == count(until="2026-03-03") == 0
    assert count(until="9999-12-31") == everything
    last = count(upto="2")
    assert last == 2
