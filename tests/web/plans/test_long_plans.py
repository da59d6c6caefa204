"""WF-2: a long plan is read once for both of its readings, and its check is a page that people can open."""

import re

import pytest

from orchestrator.queries.plans import readings
from orchestrator.queries.plans.excerpts import MOST_STEPS, WHOLE
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db

STEPS = 3_000
LONG = "# Wall\n" + "".join(
    f"- [ ] Build part {n} of it with care\n  - [ ] a first detail\n  - [ ] a second detail\n"
    for n in range(STEPS)
)


def test_wf2_a_long_plan_is_shown_in_part_and_the_page_says_so(driver: Driver) -> None:
    source = LONG + "- [ ] The last one (needs Z9)\n"
    page = signed_in(driver.cast.initiator).post("/plans/submit/", {"act": "check", "source": source})
    html, said = page.content.decode(), words(page)
    assert f"The first {MOST_STEPS} steps are shown; {STEPS + 1 - MOST_STEPS} more are read." in said
    assert "Of a long text the start is shown, and the lines that something was found on." in said
    assert html.count('class="line-no"') <= WHOLE + 10
    last = 3 * STEPS + 2
    assert f'id="L{last}"' in html
    assert f'id="L{last - 500}"' not in html
    assert len(re.findall("Build part 2999", html)) >= 1


def test_wf2_both_readings_of_a_long_plan_take_one_process(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []
    real = readings.apart

    def counted(function, *given):
        began.append(function.__name__)
        return real(function, *given)

    monkeypatch.setattr(readings, "apart", counted)
    page = signed_in(driver.cast.initiator).post("/plans/submit/", {"act": "check", "source": LONG})
    said = words(page)
    assert f"Nested items as details of the step above them: {STEPS} steps. Read so here." in said
    assert f"Nested items as steps of their own: {2 * STEPS} steps." in said
    assert began == ["read_both_ways", "preview"]


def test_wf2_rest_offers_both_readings_as_the_page_does(driver: Driver) -> None:
    source = "# Wall\n\n- [ ] Prepare\n  - [ ] Sand\n  - [ ] Clean\n- [ ] Paint\n"
    machine = Machine.of(driver.cast.builder())
    status, answer = machine.post("/api/plans/check", {"source": source})
    assert status == 200
    assert [(way["format"], way["steps"], way["here"]) for way in answer["ways"]] == [
        ("list", 2, True),
        ("list-fine", 3, False),
    ]
    assert answer["ways"][1]["titles"] == ["Sand", "Clean", "Paint"]
    forced = machine.post("/api/plans/check", {"source": source, "format": "list-fine"})[1]
    assert [way["here"] for way in forced["ways"]] == [False, True]
    assert machine.post("/api/plans/check", {"source": "- [ ] Sand\n- [ ] Paint\n"})[1]["ways"] == []
