"""FR-013: logs of two other tools, with figures that an independent calculator gave for them."""

import csv
import json
from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from orchestrator.core.flow.buckets import Span, buckets, counts, key_at
from orchestrator.core.flow.figures import figures
from orchestrator.core.flow.logs import LoggedItem, StateEntry, item_of_log
from orchestrator.core.flow.percentiles import nearest_rank, percentiles
from tests.corpus import SHARED

FOLDER = SHARED / "corpus" / "flow"
if not FOLDER.is_dir():
    pytest.skip("the logs of flow are not beside this checkout", allow_module_level=True)
GOLDEN = json.loads((FOLDER / "golden.json").read_text())
JIRA = GOLDEN["jira_actionableagile_25"]
STATES = ("Backlog", "Analysis Active", "Analysis Done", "Dev Active", "Dev Done", "Test", "Done")
AS_OF = datetime.fromisoformat(JIRA["as_of"])


def logs() -> dict[str, list[StateEntry]]:
    found: dict[str, list[StateEntry]] = defaultdict(list)
    with (FOLDER / "jira_actionableagile_25.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            state = "Backlog" if row["to"] == "(created)" else row["to"]
            found[row["item"]].append(
                StateEntry(datetime.strptime(row["ts"], "%Y-%m-%dT%H:%M:%S.%f%z"), state)
            )
    return found


ITEMS: dict[str, LoggedItem] = {
    name: item_of_log(number, entries, STATES, AS_OF) for number, (name, entries) in enumerate(logs().items())
}


@pytest.mark.parametrize("name", JIRA["items"])
def test_fr013_each_item_to_the_second(name: str) -> None:
    item, spent = ITEMS[name]
    wanted = JIRA["items"][name]
    moments = (item.registered, item.started, item.finished)
    assert [at and at.isoformat() for at in moments] == [
        wanted["created"], wanted["started"], wanted["finished"],
    ]  # fmt: skip
    spans = (item.lead, item.cycle, item.age(AS_OF))
    seconds = [None if span is None else span.total_seconds() for span in spans]
    assert seconds == [wanted["lead_s"], wanted["cycle_s"], wanted["age_s"]]
    assert item.back_moves == wanted["back_moves"]
    assert {state: span.total_seconds() for state, span in spent.items()} == wanted["time_in_state_s"]


def test_fr013_all_items_together() -> None:
    items = [one.item for one in ITEMS.values()]
    said = figures([i for i in items if i.finished], [i for i in items if i.in_progress], AS_OF)
    assert (said.finished, said.in_progress) == (JIRA["finished"], JIRA["wip_at_as_of"])
    shown = {str(percent): span.total_seconds() for percent, span in said.cycle.percentiles.items()}
    assert shown == JIRA["cycle_s_p"]
    assert said.rework_rate is not None
    assert round(said.rework_rate, 6) == JIRA["rework_rate"]


@pytest.mark.parametrize("zone", JIRA["throughput_by_iso_week"])
def test_fr013_throughput_by_week_in_a_zone(zone: str) -> None:
    there = ZoneInfo(zone)
    finishes = [one.item.finished for one in ITEMS.values() if one.item.finished]
    weeks = buckets(min(finishes), AS_OF, Span.WEEK, there)
    filled = {week.key: count for week, count in zip(weeks, counts(finishes, weeks), strict=True) if count}
    assert filled == JIRA["throughput_by_iso_week"][zone]
    assert sum(filled.values()) == len(finishes)
    assert weeks[-1].key == key_at(AS_OF, Span.WEEK, there) or weeks[-1].partial is False


def test_fr013_durations_of_the_running_example() -> None:
    wanted = GOLDEN["running-example"]
    cases: dict[str, list[datetime]] = defaultdict(list)
    activities: dict[str, list[str]] = defaultdict(list)
    with (FOLDER / "running-example.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["time:timestamp"]).astimezone(UTC)
            cases[row["case:concept:name"]].append(at)
            activities[row["case:concept:name"]].append(row["Activity"])
    lasted = sorted((max(times) - min(times)).total_seconds() for times in cases.values())
    assert (len(cases), sum(map(len, cases.values()))) == (wanted["cases"], wanted["events"])
    shown = {str(percent): nearest_rank(lasted, percent) for percent in (50, 85, 95)}
    assert shown == wanted["case_duration_s"]
    assert sum(lasted) / len(lasted) == wanted["mean_case_duration_s"]
    assert percentiles(lasted) == {}, "six cases are too few for percentiles"
    repeated = [names for names in activities.values() if len(names) > len(set(names))]
    assert len(repeated) == wanted["cases_with_repeated_activity"]
