"""LC-1, BX-6: a plan has one number of tasks wherever it is told: with gates, without what was dropped."""

import csv
import io

from django.urls import reverse

from orchestrator.services.plans.submissions import read_files
from tests.acceptance.versions import ONE, approve, next_version
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

WITHOUT_B1 = ONE.replace(
    b"""
###### Thread 02: gateway
- Role: contributor
- B1: Gateway call
  - Exit: contract test passes
""",
    b"",
)


def plan_address(driver: Driver) -> str:
    return reverse("plan-review", args=[driver.workstream.version.workflow.slug, 1])


def test_lc1_one_number_of_tasks_from_preview_to_portfolio(driver: Driver, files: Files) -> None:
    driver.submit(ONE)
    client = signed_in(driver.cast.observer)
    assert "Creates 5 tasks in 3 batches" in words(client.get(plan_address(driver)))
    assert [plan.tasks for plan in read_files({"PLAN.md": ONE}).plans] == [5]
    driver.start(ONE)
    driver.do("A1")
    approve(driver, next_version(driver, WITHOUT_B1))
    driver.advance()
    work = driver.reload()

    counted = Machine.of(driver.cast.builder("counter")).get(f"/api/workstreams/{work.uuid}/")[1]
    assert (counted["done_tasks"], counted["open_tasks"]) == (1, 3)
    page = words(client.get(reverse("workstream", args=[work.uuid])))
    assert "Done 1 of 4 tasks" in page
    assert "1 of 2 done" in page, "of the first batch"
    portfolio = words(client.get(reverse("portfolio")))
    assert "1/4" in portfolio
    exported = csv.DictReader(io.StringIO(client.get(reverse("portfolio-csv")).getvalue().decode()))
    row = next(row for row in exported if row["uuid"] == str(work.uuid))
    assert (row["done_tasks"], row["open_tasks"]) == ("1", "3")
    dashboard = files.text(f"workstreams/{work.slug}/EXECUTION-DASHBOARD.md")
    assert "**Tasks:** 1 of 4 complete, gates included" in dashboard
