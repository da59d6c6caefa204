"""The main job, end to end, in a real browser, from `make run`'s own start command (DC-7 and all it rests
on).
"""

import csv
import json
import sqlite3
import urllib.error
import urllib.request
from typing import Any

from tests.browser.conftest import Product, SignIn

DEMO = "Quotes in four currencies"
SLUG = "quotes-in-four-currencies"
OWN_PLAN = """# Plan: A plan of my own

## Stages
### Stage 1: Only
##### Batch 01: work
###### Thread 01: lane
- P1: Say hello
  - Role: contributor
  - Exit: hello was said
"""


def test_the_main_path(product: Product, sign_in: SignIn) -> None:
    approver, contributor, reviewer = sign_in("approver"), sign_in("contributor"), sign_in("reviewer")
    address = approve_the_waiting_plan(approver)
    answer_the_intervention(contributor)
    requeue_what_failed(contributor)
    reject_the_merge_point_then_sign_it(reviewer)
    sign(reviewer, "EV1")
    accept(approver, address)
    the_history_tells_it(approver, address)
    the_workspace_says_the_same(product)
    the_portfolio_counts_and_exports_it(approver)
    secret = issue_a_token(contributor)
    submit_a_plan_and_let_an_agent_do_it(product, sign_in("initiator"), approver, secret)
    a_changed_history_is_found(product)


def approve_the_waiting_plan(page: Any) -> str:
    page.get_by_role("row", name=DEMO).get_by_role("link").first.click()
    for text in ("Creates 16 tasks", "Stage 1: Build", "Critical path"):
        page.get_by_text(text).first.wait_for(state="attached")
    page.locator("#step-A1").get_by_text("Write the catalogue").first.wait_for()
    page.get_by_label("Rationale").fill("No other plan touches the price book.")
    page.get_by_role("button", name="Sign the pre-handoff review").click()
    page.get_by_text("No other plan touches the price book.").first.wait_for()
    return approve(page)


def approve(page: Any) -> str:
    """Approve, and let the time to withdraw it pass where the work is; its address."""
    page.get_by_role("button", name="Approve v1").click()
    page.wait_for_url("**/workstreams/**")
    page.get_by_text("Nothing of it has started.").wait_for()
    page.get_by_role("button", name="Withdraw approval").wait_for(state="detached")
    return str(page.url)


def answer_the_intervention(page: Any) -> None:
    """The amber card appears when a builder's script asks; its answer lets the work go on."""
    open_when_there(page, "/interventions/", "How do your accounts round converted prices?")
    page.get_by_label("Your answer").fill("half-even")
    page.get_by_role("button", name="Mark done").click()
    page.get_by_text("half-even").first.wait_for()


def requeue_what_failed(page: Any) -> None:
    open_when_there(page, "/", "C2")
    page.get_by_role("link", name="C2").first.click()
    page.get_by_text("No snapshot to compare with").first.wait_for()
    page.get_by_label("Why is another attempt worth it?").fill("I read the quote; it is right.")
    page.get_by_role("button", name="Re-queue").click()
    page.get_by_role("button", name="Re-queue").wait_for(state="detached")


def reject_the_merge_point_then_sign_it(page: Any) -> None:
    """A rejection sends work back to A1; it is done again as a second attempt, and the gate waits again."""
    open_gate(page, "MP1")
    page.get_by_text("Every article can be quoted in every currency").first.wait_for()
    page.get_by_label("Reason; a rejection needs one").fill("The catalogue needs another look.")
    page.get_by_label("Return to, if rejected").select_option("A1")
    page.get_by_role("button", name="Reject").click()
    page.get_by_text("Nothing is thrown away yet.").wait_for()
    page.get_by_role("button", name="Withdraw rejection").wait_for(state="detached")
    page.get_by_text("The catalogue needs another look.").first.wait_for(state="attached")
    sign(page, "MP1")
    page.get_by_text("attempt 2", exact=False).first.wait_for(state="attached")


def sign(page: Any, key: str) -> None:
    open_gate(page, key)
    """Sign, and let the time to withdraw it pass."""
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Nothing behind it has started.").wait_for()
    page.get_by_role("button", name="Withdraw signature").wait_for(state="detached")
    page.get_by_text("Approved").first.wait_for(state="attached")


def open_gate(page: Any, key: str) -> None:
    """Wait until the gate stands among those that wait for a signature."""
    page.goto("/gates/")
    waiting = page.get_by_role("region", name="Waits for a signature").get_by_role("link", name=key)
    for _ in range(120):
        if waiting.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    waiting.first.click()
    page.get_by_role("button", name="Approve").wait_for()


def accept(page: Any, address: str) -> None:
    page.goto(address)
    button = page.get_by_role("button", name="Accept the workstream")
    for _ in range(120):
        if button.is_enabled():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.get_by_text("Definition of done for workstreams").first.click()
    button.click()
    page.get_by_text("Accepted").first.wait_for()


def the_history_tells_it(page: Any, address: str) -> None:
    page.goto(address + "history/")
    page.get_by_text("workstream accepted").filter(visible=True).first.wait_for()
    told = page.request.get(address + "history/?format=csv").text()
    for act in ("plan approved", "gate rejected", "work sent back", "task re-queued", "intervention done"):
        assert act in told


def the_workspace_says_the_same(product: Product) -> None:
    folder = product.data / "workspace" / "workstreams"
    tasks = json.loads((folder / SLUG / "tasks.json").read_text())["tasks"]
    assert {task["status"] for task in tasks} == {"complete"}
    assert "MP1: ✅ DONE" in (folder / SLUG / "EXECUTION-DASHBOARD.md").read_text()
    assert SLUG in (folder / "index.json").read_text()
    artifacts = sorted((folder / SLUG / "handoffs").rglob("*.json"))
    numbers = [int(path.name.split("-")[0]) for path in artifacts]
    assert numbers == list(range(1, len(numbers) + 1)), "one artifact per event, none missing"
    assert list((product.data / "workspace" / "docs" / SLUG).rglob("*.md"))


def the_portfolio_counts_and_exports_it(page: Any) -> None:
    page.goto("/portfolio/")
    page.get_by_role("link", name="Accepted").first.click()
    page.get_by_role("button", name="Export 1 row").or_(
        page.get_by_role("link", name="Export 1 row")
    ).first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export 1 row").or_(
            page.get_by_role("link", name="Export 1 row")
        ).first.click()
    rows = list(csv.reader(download.value.path().read_text().splitlines()))
    assert len(rows) == 2
    assert DEMO in rows[1]


def issue_a_token(page: Any) -> str:
    page.goto("/tokens/")
    page.get_by_role("textbox", name="Executor").fill("my-agent")
    page.get_by_label("What the token is for").fill("trying it out")
    page.get_by_role("button", name="Make the token").click()
    return str(page.locator("code", has_text="pteo_").first.inner_text()).strip()


def submit_a_plan_and_let_an_agent_do_it(
    product: Product, initiator: Any, approver: Any, secret: str
) -> None:
    initiator.goto("/plans/submit/")
    initiator.locator("textarea[name=source]").fill(OWN_PLAN)
    initiator.get_by_role("button", name="Submit for review").click()
    initiator.wait_for_url("**/plans/a-plan-of-my-own/**")
    approver.goto("/plans/a-plan-of-my-own/v1/")
    approver.get_by_label("Rationale").fill("New work.")
    approver.get_by_role("button", name="Sign the pre-handoff review").click()
    approver.get_by_text("New work.").first.wait_for()
    approve(approver)
    task = wait_for_task(product, secret)
    claimed = call(product, secret, f"/api/attempts/{task['attempt']['id']}/claim", {})
    evidence = {str(c["id"]): "I said hello." for c in claimed["criteria"] if c["kind"] == "exit"}
    path = f"/api/attempts/{task['attempt']['id']}"
    call(product, secret, f"{path}/report", {"token": claimed["token"], "breadcrumb": "Saying hello"})
    body = {"token": claimed["token"], "outcome": "Said hello.", "evidence": evidence}
    assert call(product, secret, f"{path}/complete", body)["status"] == "completed"
    uuid = approver.url.rstrip("/").rsplit("/", 1)[-1]
    refused = call(
        product, secret, f"/workstreams/{uuid}/", {"status": "completed"}, method="PATCH", expect=403
    )
    assert refused["recovery"]


def wait_for_task(product: Product, secret: str) -> dict[str, Any]:
    import time

    for _ in range(60):
        tasks = call(product, secret, "/api/tasks/?claimable=true")
        mine = [task for task in rows_of(tasks) if task["key"] == "P1"]
        if mine:
            return dict(mine[0])
        time.sleep(0.5)
    raise AssertionError("P1 never became claimable")


def rows_of(answer: Any) -> list[Any]:
    return list(answer["items"] if isinstance(answer, dict) else answer)


def call(
    product: Product,
    secret: str,
    path: str,
    body: object = None,
    method: str | None = None,
    expect: int = 200,
) -> Any:
    request = urllib.request.Request(
        product.url + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read()
    assert status == expect, text
    return json.loads(text)


def a_changed_history_is_found(product: Product) -> None:
    assert "in order and unchanged" in product.manage("verify_history")
    database = sqlite3.connect(product.data / "orchestrator.sqlite3", timeout=20)
    with database:
        database.execute("DROP TRIGGER orchestrator_historyentry_no_update")
        database.execute("UPDATE orchestrator_historyentry SET actor = 'nobody' WHERE sequence = 5")
    database.close()
    assert "5" in product.manage("verify_history", expect=1)


def open_when_there(page: Any, address: str, text: str) -> None:
    page.goto(address)
    wanted = page.locator("main").get_by_text(text, exact=False)
    for _ in range(120):
        if wanted.count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{text!r} never appeared on {address}")
