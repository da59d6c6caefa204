"""`make paint`: how long until the largest part of each main page stands in Chromium (LCP).

Starts the product in a folder of its own, with 300 workstreams and a plan of 500 tasks under way, opens each
page five times in a browser that has nothing stored, and prints the middle and the worst figure. Ends with 1
when a middle one is above the bound. Times say something on an idle machine only; the load at the start is
printed.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PASSWORD: Final = "only-for-this-measurement"
BOUND, LOADS = 1000, 5
PAGES: Final = {
    "inbox": "/",
    "plans": "/plans/",
    "gates": "/gates/",
    "interventions": "/interventions/",
    "portfolio": "/portfolio/",
    "flow": "/flow/",
    "history": "/history/",
    "search": "/search/?q=ledger",
    "guide": "/guide/start/",
    "operating": "/operating/",
}
LCP: Final = """() => new Promise((done) => {
  let last = 0;
  const keep = (list) => list.getEntries().forEach((one) => { last = one.startTime; });
  const watch = new PerformanceObserver(keep);
  watch.observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => done(last), 300);
})"""


def fill() -> None:
    """In the process of its own that knows the folder: what a busy installation has."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.utils import timezone

    from orchestrator.services.advance import advance
    from orchestrator.services.base.actor import Actor
    from orchestrator.services.plans.plans import submit_plan
    from orchestrator.services.review.decisions import approve_version
    from orchestrator.services.workstreams.workstreams import sign_prehandoff
    from tests.acceptance.test_dc1_page_bytes import plan
    from tests.web.rows import workstream

    people = {user.username: user for user in User.objects.all()}
    now = timezone.now()
    for number in range(300):
        tasks = (number % 9, number % 5, number % 2)
        workstream(people["initiator"], now, domain=("search", "sales", "shipping")[number % 3], tasks=tasks)
    initiator, approver = (Actor.person(people[name]) for name in ("initiator", "approver"))
    made = submit_plan(source=plan(), source_name="PLAN.md", actor=initiator, now=now)
    sign_prehandoff(workstream_id=made.workstream.pk, rationale="Looked.", actor=approver, now=now)
    approve_version(
        version_id=made.version.pk, seen_sha256=made.version.source_sha256, actor=approver, now=now
    )
    advance(workstream_id=made.workstream.pk, clock=timezone.now)
    slug = made.version.workflow.slug
    print(f"/plans/{slug}/v1/ /workstreams/{made.workstream.uuid}/")


def measure(url: str, pages: dict[str, str]) -> dict[str, list[float]]:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    found: dict[str, list[float]] = {}
    with sync_playwright() as play:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = play.chromium.launch(executable_path=chromium, args=root)
        state = signed_in(browser, url)
        for name, address in pages.items():
            found[name] = [paint(browser, state, url + address) for _ in range(LOADS)]
        browser.close()
    return found


def signed_in(browser: Any, url: str) -> Any:
    page = browser.new_page()
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("User name").fill("approver")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Inbox").wait_for()
    return page.context.storage_state()


def paint(browser: Any, state: Any, address: str) -> float:
    context = browser.new_context(storage_state=state, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address)
    figure = float(page.evaluate(LCP))
    context.close()
    return figure


def started(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "serve", "--demo"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, start_new_session=True)
    address = f"http://127.0.0.1:{environment['PORT']}/accounts/login/"
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return process
        except OSError:
            assert process.poll() is None, "the product did not start"
            time.sleep(0.2)
    raise AssertionError("the product did not answer")


def main() -> int:
    print(f"Load at the start: {os.getloadavg()[0]:.1f} (idle is below 0.5)")
    with socket.socket() as probe, tempfile.TemporaryDirectory() as data:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        probe.close()
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"PORT": port, "DATA_DIR": data, "DEMO_PASSWORD": PASSWORD}
        environment["DJANGO_SETTINGS_MODULE"] = "orchestrator.settings"
        process = started(environment)
        try:
            filling = [sys.executable, "-m", "tests.benchmarks.paint", "--fill"]
            made = subprocess.run(filling, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
            review, work = made.stdout.decode().split()[-2:]
            figures = measure(f"http://127.0.0.1:{port}", PAGES | {"review": review, "workstream": work})
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=60)
    print(f"{'page':<15}{'middle':>8}{'worst':>8}  ms to the largest paint, {LOADS} cold loads")
    for name, all_of in figures.items():
        print(f"{name:<15}{statistics.median(all_of):>8.0f}{max(all_of):>8.0f}")
    slow = [name for name, all_of in figures.items() if statistics.median(all_of) > BOUND]
    print(f"Above {BOUND} ms: {', '.join(slow)}." if slow else f"All within {BOUND} ms.")
    return 1 if slow else 0


if __name__ == "__main__":
    if "--fill" in sys.argv:
        fill()
    else:
        sys.exit(main())
