"""WF-2, AD-1: any text with work in it becomes a plan, and nothing of it is unread in silence."""

import html
import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from orchestrator.core.plans.checks.rules import SETTABLE
from orchestrator.core.terms import Format
from orchestrator.mcp.plans import PlanTools
from orchestrator.models import Task, WorkflowVersion
from orchestrator.services.people.callers import caller_by_name
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db

README = Path(__file__).parents[2] / "README.md"
HALF_READ = """# Plan: Fence

## Stages

### Stage 1: Build

##### Batch 01: All

- A1: Dig holes
- A2: Set posts (needs A1)

## Afterwards

- [ ] Take the fence to the paint shop
"""
SENTENCE = "1 box and 2 keyed items: 2 steps, 1 not read: line 14. 1 dependency: 1 read."
TICKED = "- [x] Buy the paint\n- [~] Sand the wall\n- [-] Rent a lift\n- [ ] Paint (needs 1, 2)\n"


def example() -> str:
    """The five lines that the README pastes."""
    text = README.read_text(encoding="utf-8")
    start = text.index("Five lines are a plan")
    block = re.search(r"```markdown\n(.*?)```", text[start:], re.DOTALL)
    assert block is not None
    return block[1]


def test_wf2_the_five_lines_of_the_readme_are_under_review_after_one_paste(driver: Driver) -> None:
    """Every sentence that the README quotes stands on the page."""
    text = README.read_text(encoding="utf-8")
    start = text.index("Five lines are a plan")
    steps = text[start : text.index("\n## ", start)]
    client = signed_in(driver.cast.initiator)
    form = client.get("/plans/submit/")
    for control in re.findall(r"\*([A-Z][a-z ]+)\*", steps):
        if control != "Edit as PLAN.md":
            assert control in words(form) or control in ("Plans",), control
    page = words(
        client.post("/plans/submit/", {"act": "submit", "source": example(), "adopt": "yes"}, follow=True)
    )
    version = WorkflowVersion.objects.get()
    assert (version.status, version.format, version.source) == ("in_review", "list", example())
    quoted = re.findall(r"“([^”]+)”", steps)
    assert len(quoted) == 2
    for sentence in quoted:
        assert sentence in page


def test_wf2_the_page_the_review_rest_and_the_command_say_the_same_account(
    driver: Driver, tmp_path: Path
) -> None:
    client = signed_in(driver.cast.initiator)
    check = words(client.post("/plans/submit/", {"act": "check", "source": HALF_READ}))
    assert SENTENCE in check
    version = driver.submit(HALF_READ.encode()).version
    assert SENTENCE in words(client.get(f"/plans/{version.workflow.slug}/v1/"))
    status, facts = Machine.of(driver.cast.builder()).post("/api/plans/check", {"source": HALF_READ})
    assert status == 200
    assert facts["account"] == {
        "sentence": SENTENCE,
        "lines": 4,
        "steps": 2,
        "headings": 0,
        "details": 1,
        "named_in_findings": 0,
        "kept_as_text": [],
        "unread": [14],
    }
    (tmp_path / "PLAN.md").write_text(HALF_READ)
    out = StringIO()
    call_command("preview_plan", str(tmp_path / "PLAN.md"), "--json", stdout=out)
    assert json.loads(out.getvalue())["account"] == facts["account"]
    out = StringIO()
    call_command("preview_plan", str(tmp_path / "PLAN.md"), stdout=out)
    assert SENTENCE in out.getvalue()


def test_wf2_an_agent_reads_the_same_account(driver: Driver) -> None:
    name = driver.cast.builder().name
    account = PlanTools(lambda: caller_by_name(name)).check_plan(source=HALF_READ).account
    assert (account.sentence, account.unread) == (SENTENCE, (14,))


def test_wf2_an_unread_line_is_marked_in_words_on_both_pages(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    version = driver.submit(HALF_READ.encode()).version
    check = client.post("/plans/submit/", {"act": "check", "source": HALF_READ}).content.decode()
    review = client.get(f"/plans/{version.workflow.slug}/v1/").content.decode()
    for page in (check, review):
        marked = re.findall(r'([^<>\n]*)<span class="line-tag">([^<]*)</span>', page)
        assert marked == [("- [ ] Take the fence to the paint shop", "not read")]


def test_wf2_a_line_that_is_not_read_can_be_made_to_block_by_policy() -> None:
    assert {"not-read", "dependency-not-read", "work-as-text"} <= set(SETTABLE)


def test_ad1_the_account_tells_a_dependency_that_no_step_has(driver: Driver) -> None:
    text = HALF_READ.replace(
        "- A1: Dig holes", "- A1: Dig holes\n- B1: Paint the gate\n  It can start after A2."
    )
    status, facts = Machine.of(driver.cast.builder()).post("/api/plans/check", {"source": text})
    assert status == 200
    assert [f["line"] for f in facts["findings"] if f["code"] == "dependency-not-read"] == [11]


def test_wf2_the_review_shows_both_readings_with_what_each_gives(driver: Driver) -> None:
    nested = "# Wall\n\n- [ ] Prepare\n  - [ ] Sand\n  - [ ] Clean\n- [ ] Paint\n"
    slug = driver.submit(nested.encode()).version.workflow.slug
    client = signed_in(driver.cast.initiator)
    said = words(client.get(f"/plans/{slug}/v1/"))
    assert "Nested items as details of the step above them: 2 steps. Read so here. Prepare Paint" in said
    assert "Nested items as steps of their own: 3 steps. Sand Clean Paint" in said
    page = client.get(f"/plans/{slug}/v1/").content.decode()
    assert f"of={slug}&amp;from=1&amp;format=list-fine" in page
    form = client.get("/plans/submit/", {"of": slug, "from": "1", "format": "list-fine"}).content.decode()
    assert re.search(r'<option value="list-fine"\s+selected>', form)
    body = {"act": "submit", "source": nested, "of": slug, "from": "1", "format": "list-fine"}
    client.post("/plans/submit/", {**body, "change_reason": "Sand and clean are steps"})
    newest = WorkflowVersion.objects.get(number=2)
    assert (newest.format, newest.source) == ("list-fine", nested)


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None, name
    return html.unescape(found[1])


def test_wf2_ticks_and_source_stay_when_a_list_is_opened_as_plan_md(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    body = {"source": TICKED, "source_name": "wall.md"}
    page = client.post("/plans/submit/", {"act": "edit", "adopt": "yes", **body}).content.decode()
    text, origin = _hidden(page, "source"), _hidden(page, "origin")
    assert origin == TICKED
    assert [line for line in text.split("\n") if line.startswith("- ")] == [
        "- [x] Task 1: Buy the paint",
        "- [~] Task 2: Sand the wall",
        "- [-] Task 3: Rent a lift",
        "- Task 4: Paint",
    ]
    sent = {"act": "submit", "adopt": "yes", "source": text, "origin": origin, "origin_name": "wall.md"}
    client.post("/plans/submit/", {**sent, "format": "plan"})
    version = WorkflowVersion.objects.get()
    assert (version.source, version.format) == (text, Format.PLAN)
    assert (version.origin, version.origin_name, version.adopts) == (TICKED, "wall.md", True)
    review = f"/plans/{version.workflow.slug}/v1/"
    assert "Made from wall.md" in words(client.get(review))
    assert client.get(f"{review}files/origin.txt").content.decode() == TICKED
    assert not Task.objects.exists()


def test_wf2_ticks_stay_when_a_version_is_opened_as_plan_md(driver: Driver) -> None:
    slug = driver.submit(TICKED.encode()).version.workflow.slug
    client = signed_in(driver.cast.initiator)
    page = client.get("/plans/submit/", {"of": slug, "from": "1", "as": "plan"}).content.decode()
    assert "- [x] Task 1: Buy the paint" in page


def test_wf2_a_version_without_an_origin_has_no_file_of_it(driver: Driver) -> None:
    slug = driver.submit(TICKED.encode()).version.workflow.slug
    client = signed_in(driver.cast.initiator)
    assert client.get(f"/plans/{slug}/v1/files/origin.txt").status_code == 404
