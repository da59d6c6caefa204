"""DC-7: stakeholders view the portfolio's chart and export the same rows as CSV."""

import csv
import io
import re

from django.test import Client

from tests.cast import Cast, Driver


def test_dc7_the_page_links_to_a_file_with_exactly_its_rows(client: Client, cast: Cast) -> None:
    active = Driver(cast)
    active.start()
    Driver(cast).submit()
    client.force_login(cast.observer)
    text = client.get("/portfolio/?state=active&domain=payments").content.decode()
    link = re.search(r'href="(/portfolio\.csv[^"]*)">Export 1 row as CSV<', text)
    assert link
    response = client.get(link[1].replace("&amp;", "&"))
    assert response["Content-Disposition"] == 'attachment; filename="portfolio.csv"'
    assert response.streaming
    body = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    (row,) = csv.DictReader(io.StringIO(body))
    work = active.reload()
    assert row["workstream"] == work.slug
    assert row["uuid"] == str(work.uuid)
    assert (row["state"], row["domain"], row["owner"]) == ("active", "payments", "ines")
    assert (row["open_tasks"], row["done_tasks"], row["blocked_tasks"]) == ("6", "0", "0")
    assert row["created (UTC)"] == work.created_at.isoformat(timespec="seconds")
