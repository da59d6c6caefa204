"""The pages in real Chromium: accessible in both themes, no horizontal overflow, nothing that the policy
blocks.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, resolve
from django.utils import timezone

from orchestrator.models import Task, WorkflowVersion, Workstream
from orchestrator.services.people import blockers, interventions
from orchestrator.services.plans import plans
from orchestrator.services.review import decisions
from orchestrator.services.work import rework
from orchestrator.services.workstreams.policies import change_policy
from tests.cast import NOON, PLAN, Cast, Driver
from tests.web.flow_rows import flow_rows
from tests.web.rows import workstream

axe_playwright_python = pytest.importorskip(
    "axe_playwright_python", reason="axe is not installed: make test-browser installs it"
)
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
#: Rules that colours or widths decide.
LOOKS = ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 390, 320)
#: Routes that answer with no page of their own: acts, files, fragments and what machines ask.
NO_PAGES = """
task-address logout sign-out-everywhere sign-out-session recovery-codes second-factor-off inbox-act
portfolio-csv flow-steps-csv flow-csv health ready metrics log-checkpoint log-keys log-tile
entry-proof entry-proof-text correct-entry step-proof checker-py token-revoke subscribe unsubscribe
notifications-read feed library-act schemas schema plan-section plan-decide plan-drop plan-sign
plan-prehandoff plan-comment plan-download workstream-act workstream-file prehandoff-act
roll-back-act workflow-start workflow-migrate task-act gate-decide gate-say workstream-merge-act
intervention-done collect workspace-act consistency-fix executor-revoke executor-retire
"""
#: Pages at which nobody is signed in, that are read apart from the product, or that need more than is here:
#: they are not looked at.
ELSEWHERE = frozenset(
    {"login", "login-code", "workstream-report", "checker-html", "api-docs", "bundle", "gate-changes"}
)


@pytest.fixture
def filled(transactional_db: None, cast: Cast) -> Driver:
    driver = Driver(cast)
    driver.start()
    driver.claim("A1")
    driver.fail("A1", "It broke.")
    interventions.flag_for_human(
        task_id=driver.task("B1").pk,
        note="Keep the column?",
        actor=cast.actor("contributor"),
        now=driver.tick(),
    )
    for number, domain in enumerate(["search", "a domain whose name is long enough to wrap", ""]):
        workstream(cast.initiator, driver.now, domain=domain, tasks=(number, 2, 0))
    actor = cast.actor("approver")
    change_policy(
        slug="dod",
        title="Done",
        body="# Done\n\n- tested",
        reason="First.",
        impact="None.",
        actor=actor,
        now=NOON,
    )
    return driver


@pytest.fixture
def open_page(browser: Any, live_server: Any, filled: Driver) -> Iterator[Any]:
    """Open an address as the superuser in a colour scheme.

    Answers with the page and what its console said.
    """
    client = Client()
    client.force_login(filled.cast.admin)
    contexts = []

    def opened(address: str, scheme: str) -> tuple[Any, list[str]]:
        context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", base_url=live_server.url)
        contexts.append(context)
        context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        page, said = context.new_page(), []
        page.on(
            "console",
            lambda message: said.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        assert page.goto(address).status == 200
        return page, said

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("half", [0, 1], ids=["one half", "the other half"])
def test_every_page_is_accessible_and_fits_every_screen(open_page: Any, filled: Driver, half: int) -> None:
    """Every rule once; those that colours or widths decide in both colour schemes and at three widths."""
    more_states(filled)
    make_inconsistent(filled)
    page, said = open_page("/", "light")
    for address in [*addresses(filled)][half::2]:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        assert page.goto(address).status == 200, address
        page.evaluate(AXE)
        # The menu covers what stands under it, so it is open on one page only.
        folded = "details" if address == "/" else "details:not(.menu)"
        page.eval_on_selector_all(folded, "all => all.forEach(details => details.open = true)")
        assert violations(page, {"type": "tag", "values": RULES}) == [], address
        for width, scheme in zip(WIDTHS, ("dark", "light", "dark"), strict=True):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (address, width)
            page.emulate_media(color_scheme=scheme)
            assert violations(page, {"type": "rule", "values": LOOKS}) == [], (address, width, scheme)
    assert said == []


def violations(page: Any, rules: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    """What axe finds wrong, with the elements."""
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(options).then(results => results.violations)", options)
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]


def addresses(driver: Driver) -> Iterator[str]:
    """Every kind of page, each in the state that shows most of it."""
    assert driver.workstream is not None
    work = f"/workstreams/{driver.workstream.uuid}/"
    yield from ("/", "/portfolio/?window=30d", "/history/?since=never", f"{work}history/")
    yield from ("/search/?q=refunds&state=nothing", "/search/", "/portfolio/?sort=-title&domain=nowhere")
    yield from ("/guide/", "/guide/operating/", "/operating/executors/builder-A1/")
    yield from (
        "/flow/?time=all&by=owner&since=never",
        "/flow/items/?time=all&show=timed",
        "/flow/forecast/?time=all",
        "/flow/steps/?time=all",
    )
    yield from (
        "/policies/",
        "/policies/dod/",
        "/tokens/",
        "/plans/",
        "/plans/submit/",
        "/interventions/",
        "/gates/",
    )
    yield from (
        "/library/",
        "/library/release/",
        "/library/release/start/",
        "/blockers/?state=all",
        "/collected/",
        "/workspace/",
        "/workspace/consistency/",
        "/operating/",
        "/account/",
        "/account/password/",
        "/account/second-factor/",
    )
    yield from ("/connecting/", "/notifications/", "/history/1/", "/tasks/", "/bundles/submit/")
    yield from (
        work,
        f"{work}roll-back/",
        f"{work}merge/",
        f"{work}tasks/A1/log/",
        f"{work}files/",
        f"{work}map/",
        f"{work}timeline/",
        f"{work}dashboard/",
        f"{work}dashboard/?mark=Blocked&q=a",
        "/executors/builder-A1/",
        f"{work}new-stage/?gate=MP1",
        f"{work}prehandoff/",
        f"{work}migrate/2/",
    )
    yield from (f"{work}tasks/{key}/" for key in ("A1", "B1", "C1"))
    slug = driver.workstream.version.workflow.slug
    yield from (
        f"/plans/{slug}/",
        f"/plans/{slug}/rules/",
        f"/plans/{slug}/v1/map",
        f"/plans/{slug}/compare/?from=1&to=2",
        f"/plans/{slug}/changes/",
        f"/plans/{slug}/workstreams/",
    )
    yield from (f"/plans/{slug}/v1/save/", "/policies/plan-checks/", f"/plans/{slug}/v1/runs")
    redone = Task.objects.get(step__key="A2", workstream__title="Plan done again").workstream.uuid
    yield from (f"/workstreams/{redone}/tasks/A2/", f"{work}learnings/Batch%2001/")
    versions = WorkflowVersion.objects.filter(
        workflow__name__in=["Plan blocked", "Plan again", "Plan at its gate"]
    )
    yield from (f"/plans/{one.workflow.slug}/v{one.number}/" for one in versions.select_related("workflow"))
    waiting = Task.objects.get(step__key="MP1", workstream__title="Plan at its gate")
    yield from (f"/gates/{gate.pk}/" for gate in (driver.task("MP1"), waiting))
    yield from (f"/workstreams/{one.uuid}/" for one in Workstream.objects.filter(title__startswith="Plan "))


@pytest.mark.django_db(transaction=True)
def test_no_page_is_left_out_of_those_that_are_looked_at(filled: Driver) -> None:
    more_states(filled)
    looked_at = {resolve(address.partition("?")[0]).url_name for address in addresses(filled)}
    left_out = {name for name in route_names(get_resolver()) if name and name not in looked_at}
    assert left_out == ELSEWHERE.union(NO_PAGES.split())


def route_names(resolver: Any) -> Iterator[str | None]:
    """Those of the product's own pages: the administration and REST stand apart."""
    for one in resolver.url_patterns:
        if not hasattr(one, "url_patterns"):
            yield one.name
        elif str(one.pattern) not in {"admin/", "api/"}:
            yield from route_names(one)


def make_inconsistent(driver: Driver) -> None:
    """Something for the consistency check to find: a foreign file, an edited one, a long name."""
    root = Path(settings.WORKSPACE_DIR)
    root.mkdir(exist_ok=True)
    (root / f"notes-{'long-' * 20}of-somebody.txt").write_text("mine")
    for board in root.glob("workstreams/*/EXECUTION-DASHBOARD.md"):
        board.write_text("All done.")


def more_states(driver: Driver) -> None:
    """A second version and a blocker of the first workstream; beside it others with a blocked plan, sent back
    and submitted again, at its gate, done again, and finished; and many with times of their own."""
    cast = driver.cast
    flow_rows([cast.initiator, cast.approver], timezone.now(), 120)
    contributor, now = cast.actor("contributor"), driver.tick()
    in_the_way = {"kind": "external", "note": "No vendor key.", "actor": contributor, "now": now}
    blockers.declare_blocker(task_id=driver.task("C1").pk, **in_the_way)
    plans.submit_plan(
        source=PLAN.replace(b"Ledger report", b"Ledger report in EUR"),
        source_name="PLAN.md",
        actor=cast.actor("initiator"),
        now=driver.tick(),
        workstream=driver.workstream,
        change_reason="The currency is named.",
    )
    redone = Driver(cast, driver.now)
    redone.start(PLAN.replace(b"Card refunds", b"Plan done again"))
    redone.do("A1", "A2")
    back = {"reason": "Rounding is wrong.", "actor": cast.actor("reviewer"), "now": redone.tick()}
    rework.send_back(task_id=redone.task("A1").pk, **back)
    blocked = PLAN.replace(b"## Stages", b"## Open Questions\n- [ ] Who owns the ledger?\n\n## Stages")
    Driver(cast, driver.now).submit(blocked.replace(b"Card refunds", b"Plan blocked"))
    again = Driver(cast, driver.now)
    sent = again.submit(PLAN.replace(b"Card refunds", b"Plan again"))
    decisions.send_back_version(
        version_id=sent.version.pk,
        seen_sha256=sent.version.source_sha256,
        reason="Name the currency.",
        actor=cast.actor("approver"),
        now=again.tick(),
    )
    plans.submit_plan(
        source=PLAN.replace(b"Card refunds", b"Plan again").replace(
            b"Ledger report", b"Ledger report in EUR"
        ),
        source_name="PLAN.md",
        actor=cast.actor("initiator"),
        now=again.tick(),
        workstream=sent.workstream,
        change_reason="The currency is named.",
    )
    gate = Driver(cast, driver.now)
    gate.start(PLAN.replace(b"Card refunds", b"Plan at its gate"))
    gate.do("A1", "B1", "A2")
    done = Driver(cast, driver.now)
    done.start(PLAN.replace(b"Card refunds", b"Plan finished"))
    done.finish()


@pytest.mark.django_db(transaction=True)
def test_filters_swap_the_results_and_the_back_button_restores_them(open_page: Any) -> None:
    page, said = open_page("/portfolio/", "light")
    page.locator("label.filter", has_text="Blocked").click()
    page.wait_for_url("**signal=blocked**")
    assert page.locator("[data-row]").count() == 1
    assert page.evaluate("document.activeElement.id") == "signal-blocked"
    page.locator("label.filter", has_text="30 days").click()
    page.wait_for_url("**window=30d**")
    page.go_back()
    page.wait_for_url("**window=&**")
    assert page.locator("header.top").count() == 1
    assert page.locator("#signal-blocked").is_checked()
    page.locator("svg.bar a").first.click()
    page.wait_for_url("**domain=**#list")
    assert page.locator("[data-row]").count() == 1
    assert said == []


@pytest.mark.django_db(transaction=True)
def test_the_keyboard_moves_through_rows_and_can_be_switched_off(open_page: Any) -> None:
    page, _ = open_page("/portfolio/", "light")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator(".is-here").count() == 1
    assert page.evaluate("document.activeElement.closest('[data-row]').classList.contains('is-here')")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.get_by_label("Shortcuts are on").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    assert page.locator(".is-here").count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_chosen_theme_stays(open_page: Any) -> None:
    page, _ = open_page("/", "light")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Use dark colours").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 19, 22)"


@pytest.mark.django_db(transaction=True)
def test_the_administration_works_under_the_policy(open_page: Any, filled: Driver) -> None:
    assert filled.workstream is not None
    workflow = filled.workstream.version.workflow
    page, said = open_page(f"/admin/orchestrator/workflow/{workflow.pk}/change/", "light")
    page.get_by_label("Domain").fill("money")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    workflow.refresh_from_db()
    assert workflow.domain == "money"
    assert said == []
