"""Every change with who, what, why and when; of all work or of one workstream (FR-009)."""

import csv
import io

import pytest
from django.test import Client

from orchestrator.models import HistoryEntry
from orchestrator.web.csv_export import csv_lines
from tests.cast import Cast, Driver
from tests.web.pages import words


@pytest.fixture
def reader(client: Client, cast: Cast) -> Client:
    client.force_login(cast.observer)
    return client


def test_an_entry_shows_who_what_why_and_when(reader: Client, driver: Driver) -> None:
    driver.start()
    signed = HistoryEntry.objects.get(action="pre-handoff review signed")
    text = reader.get("/history/").content.decode()
    assert "<strong>anna</strong>" in text
    assert "Why: No similar work." in words(reader.get("/history/"))
    assert f"#{signed.sequence}" in text
    assert signed.leaf_hash[:12] in text
    assert f'datetime="{signed.recorded_at.isoformat(timespec="seconds")}"' in text


def test_newest_comes_first_by_sequence_even_when_the_clock_went_back(reader: Client, driver: Driver) -> None:
    driver.start()
    shown = [entry.sequence for entry, _ in reader.get("/history/").context["entries"]]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == HistoryEntry.objects.count()


def test_a_workstream_shows_its_own_entries_only(reader: Client, cast: Cast, driver: Driver) -> None:
    first = driver.start()
    Driver(cast).start()
    entries = reader.get(f"/workstreams/{first.uuid}/history/").context["entries"]
    assert {entry.workstream_id for entry, _ in entries} == {first.pk}
    assert len(entries) == first.history.count()


def test_filters_narrow_page_and_file_alike(reader: Client, driver: Driver) -> None:
    driver.start()
    driver.do("A1")
    query = "?actor=anna&text=similar"
    page = reader.get(f"/history/{query}").context["page_obj"]
    response = reader.get(f"/history/{query}&format=csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["why"] for row in rows] == ["No similar work."]
    assert page.paginator.count == 1
    (entry,) = page.object_list
    assert rows[0]["hash"] == HistoryEntry.objects.get(pk=entry.pk).leaf_hash


def test_a_subject_leads_to_what_changed(reader: Client, driver: Driver) -> None:
    work = driver.start()
    driver.do("A1")
    text = reader.get("/history/").content.decode()
    assert f'href="/workstreams/{work.uuid}/tasks/A1/"' in text
    assert f'href="/workstreams/{work.uuid}/"' in text


def test_a_page_costs_the_same_however_long_it_is(
    reader: Client, driver: Driver, django_assert_max_num_queries
) -> None:
    driver.start()
    with django_assert_max_num_queries(14) as few:
        reader.get("/history/")
    driver.finish()
    with django_assert_max_num_queries(len(few)):
        reader.get("/history/")


def test_pages_keep_the_filters(reader: Client, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.web.history.PAGE_SIZE", 2)
    driver.start()
    text = reader.get("/history/?actor=anna&page=1").content.decode()
    assert "Page 1 of" in text or HistoryEntry.objects.filter(actor="anna").count() <= 2
    first = reader.get("/history/?page=1").content.decode()
    assert 'href="?page=2"' in first


def test_an_unknown_workstream_is_not_found(reader: Client) -> None:
    response = reader.get("/workstreams/00000000-0000-4000-8000-000000000000/history/")
    assert response.status_code == 404
    assert "There is no page at this address." in response.content.decode()


def test_nothing_matches_names_the_way_out(reader: Client, driver: Driver) -> None:
    assert "Take a filter away" in reader.get("/history/?text=zzz").content.decode()


def test_b8_no_cell_turns_the_direction_of_a_csv_file_or_hides_a_formula() -> None:
    lines = "".join(csv_lines(["text"], [["Card \u202e refunds"], ["\u200b=1+1"], ["👩‍💻 desk"]]))
    assert "\u202e" not in lines
    assert "Card ⟨U+202E⟩ refunds" in lines
    assert "\n=1" not in lines
    assert "👩‍💻 desk" in lines


def test_fr009_an_act_keeps_its_hyphens(reader: Client, driver: Driver) -> None:
    driver.start()
    assert "Pre-handoff review signed" in words(reader.get("/history/"))
