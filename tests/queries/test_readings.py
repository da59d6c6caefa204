"""WF-2: plans are read behind one door, once in a process; a reading says in which format."""

import pytest

from orchestrator.core.plans.checks import read as door
from orchestrator.core.plans.formats import recognise as formats
from orchestrator.core.terms import ExecutorKind, Format
from orchestrator.models import WorkflowVersion
from orchestrator.queries.plans import readings
from orchestrator.queries.plans.judged import judged_version
from orchestrator.queries.plans.readings import checked
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver
from tests.core.plans.formats.samples import SAMPLES
from tests.machines import Machine


@pytest.fixture
def read_in(monkeypatch: pytest.MonkeyPatch) -> list[Format]:
    """The format of every text that a reader is given, with nothing kept from before."""
    readings._read.cache_clear()
    given: list[Format] = []

    def counting(form: Format):
        def read(text: str):
            given.append(form)
            return formats.FORMATS[form].read(text)

        return read

    monkeypatch.setattr(door, "READERS", {form: counting(form) for form in Format})
    return given


def test_a_text_is_read_once_however_it_is_asked_for(read_in: list[Format], driver: Driver) -> None:
    """Checked over REST, submitted, shown for review and approved: one reading."""
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON
    )
    planner = Machine.of(executor)
    planner.post("/api/plans/check", {"source": PLAN.decode()})
    _, submitted = planner.post("/api/plans/", {"source": PLAN.decode()})
    version = WorkflowVersion.objects.get(pk=submitted["version_id"])
    assert judged_version(version).format is Format.PLAN
    assert read_in == [Format.PLAN]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_reading_says_what_it_was_read_as(name: str, read_in: list[Format]) -> None:
    """Only as what it was recognised as, and where a list may be meant in another way, in that one too."""
    assert checked(SAMPLES[name]).format == name
    assert read_in[0] == Format(name)
    assert set(read_in[1:]) <= {Format.LIST, Format.LIST_FINE}
    assert len(read_in) <= 2


def test_what_is_no_text_has_no_format(read_in: list[Format]) -> None:
    reading = checked(b"\xff\xfe")
    assert (reading.format, reading.plan, read_in) == (None, None, [])
