"""AD-3: many plans are submitted as one bundle, all or nothing; members may need one another."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Bundle, HistoryEntry, Workflow, Workstream, WorkstreamNeed
from orchestrator.services.people.executors import register_executor
from tests.cast import NOON, PLAN, Driver
from tests.machines import Machine
from tests.web.pages import carried, signed_in, words

pytestmark = pytest.mark.django_db
CYCLE = (
    b"# Plan: Round\n\n## Task Dependencies\n\n### Batch 1\n\n- **A1:** one (needs A2)\n- **A2:** "
    b"two (needs A1)\n"
)


def plan(title: str, needs: str = "") -> bytes:
    front = f"domain: payments\nneeds: {needs}\n" if needs else "domain: payments\n"
    return PLAN.replace(b"domain: payments\n", front.encode()).replace(b"Card refunds", title.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three plans: the first by name needs both others, one of them by its file, one by its title."""
    place = tmp_path / "shop"
    (place / "02-tax").mkdir(parents=True)
    (place / "01-quotes.PLAN.md").write_bytes(plan("Quote service", "price-book, 02-tax"))
    (place / "03-prices.md").write_bytes(plan("Price book"))
    (place / "02-tax" / "PLAN.md").write_bytes(plan("Tax rates", "03-prices"))
    (place / "README.md").write_text("What these plans are for.")
    return place


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("submit_plan", *arguments, "--as", "ines", stdout=out)
    return out.getvalue()


def test_ad3_a_folder_is_submitted_in_the_order_of_its_needs(driver: Driver, folder: Path) -> None:
    printed = run(str(folder))
    left, *lines = [line.split() for line in printed.splitlines()]
    assert left[:3] == ["Left", "out:", "README.md"]
    assert [line[:7] for line in lines[:4]] == [
        ["file", "format", "tasks", "blocking", "other", "workstream", "version"],
        ["03-prices.md", "plan", "6", "0", "1", "price-book", "1"],
        ["02-tax/PLAN.md", "plan", "6", "0", "1", "tax-rates", "1"],
        ["01-quotes.PLAN.md", "plan", "6", "0", "1", "quote-service", "1"],
    ]
    assert "“shop”: 3 plans wait for review." in printed
    assert set(WorkstreamNeed.objects.values_list("workstream__slug", "needed__slug")) == {
        ("quote-service", "price-book"),
        ("quote-service", "tax-rates"),
        ("tax-rates", "price-book"),
    }
    bundle = Bundle.objects.get()
    assert (bundle.name, bundle.submitted_by, bundle.workstreams.count()) == (
        "shop",
        driver.cast.initiator,
        3,
    )
    client = signed_in(driver.cast.observer)
    text = words(client.get(f"/bundles/{bundle.pk}/"))
    assert "Quote service Planning Price book , Tax rates 01-quotes.PLAN.md, v1" in text
    one = Workstream.objects.get(slug="tax-rates")
    assert "Submitted in the bundle shop" in words(client.get(f"/workstreams/{one.uuid}/"))
    assert HistoryEntry.objects.get(action="bundle submitted").subject == "shop"


def test_ad3_one_plan_that_cannot_be_taken_keeps_the_whole_folder_out(driver: Driver, folder: Path) -> None:
    (folder / "04-round.md").write_bytes(CYCLE)
    with pytest.raises(CommandError) as refused:
        run(str(folder))
    assert refused.value.returncode == 1
    said = str(refused.value)
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line.strip()}
    assert rows["03-prices.md"][:4] == ["plan", "6", "0", "1"]
    assert " ".join(rows["03-prices.md"][4:]) == "– – held back by the others"
    assert "04-round.md        plan" in said
    assert "04-round.md blocks  line 7: Steps wait for one another in a circle" in said
    assert (Workflow.objects.count(), Bundle.objects.count(), HistoryEntry.objects.count()) == (0, 0, 0)


def test_ad3_members_in_a_circle_are_refused_by_name(driver: Driver, folder: Path) -> None:
    (folder / "03-prices.md").write_bytes(plan("Price book", "quote-service"))
    with pytest.raises(CommandError, match=r"circle: 01-quotes.PLAN.md → 03-prices.md → 01-quotes.PLAN.md"):
        run(str(folder))
    assert Workflow.objects.count() == 0


def test_ad3_the_same_folder_again_makes_suspected_duplicates_that_need_one_another(
    driver: Driver, folder: Path
) -> None:
    run(str(folder))
    printed = run(str(folder))
    assert "waits for review, resembles 1 other" in printed
    needs = WorkstreamNeed.objects.filter(workstream__slug="quote-service-2")
    assert sorted(needs.values_list("needed__slug", flat=True)) == ["price-book-2", "tax-rates-2"]


def test_ad3_files_form_a_bundle_and_nonsense_is_a_usage_error(
    driver: Driver, folder: Path, tmp_path: Path
) -> None:
    printed = run(str(folder / "03-prices.md"), str(folder / "02-tax" / "PLAN.md"), "--bundle", "Prices")
    assert "“Prices”: 2 plans wait for review." in printed
    (tmp_path / "empty").mkdir()
    for wrong in ([str(tmp_path / "empty")], [str(tmp_path / "nothing.md")]):
        with pytest.raises(CommandError) as refused:
            run(*wrong)
        assert refused.value.returncode == 2


def test_ad3_several_files_are_uploaded_on_the_page(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)

    old = client.get("/bundles/submit/")
    assert (old.status_code, old.url) == (301, "/plans/submit/?together=bundle")
    assert 'name="together" value="bundle"' in client.get(old.url).content.decode()

    def upload(name: str = "Shop", **files: bytes):
        """Chosen on the page, then submitted as they were shown."""
        uploads = [SimpleUploadedFile(f"{name}.md", source) for name, source in files.items()]
        shown = client.post("/plans/submit/", {"act": "submit", "file": uploads})
        assert 'value="bundle" checked' in " ".join(shown.content.decode().split()), "they need one another"
        assert "Needs prices to be accepted first." in words(shown)
        body = carried(shown) | {"act": "submit", "together": "bundle", "bundle": name}
        return client.post("/plans/submit/", body, follow=True)

    refused = upload(quotes=plan("Quote service", "prices"), prices=plan("Price book", "nowhere"))
    assert refused.status_code == 422
    assert "Line 3: The plan needs “nowhere”, which is no workstream." in words(refused)
    assert "Nothing; it is held back by the others." in words(refused)
    assert upload("", quotes=plan("Quote service", "prices"), prices=plan("Price book")).status_code == 422
    assert Workstream.objects.count() == 0
    done = upload(quotes=plan("Quote service", "prices"), prices=plan("Price book"))
    assert "2 plans are submitted; each waits for its review." in words(done)
    assert Bundle.objects.get().name == "Shop"


def test_ad3_a_bundle_over_rest(driver: Driver) -> None:
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON
    )
    planner = Machine.of(executor)
    files = [
        {"name": "quotes.md", "source": plan("Quote service", "prices").decode()},
        {"name": "prices.md", "source": plan("Price book").decode()},
    ]
    status, answer = planner.post("/api/bundles", {"name": "Shop", "files": files}, key="bundle-1")
    assert status == 201
    shown = [(m["slug"], m["state"], m["needs"]) for m in answer["members"]]
    assert shown == [("price-book", "planning", []), ("quote-service", "planning", ["price-book"])]
    assert planner.post("/api/bundles", {"name": "Shop", "files": files}, key="bundle-1") == (status, answer)
    assert planner.get(f"/api/bundles/{answer['id']}") == (200, answer)
    bad = [*files, {"name": "round.md", "source": CYCLE.decode()}]
    status, answer = planner.post("/api/bundles", {"name": "Shop", "files": bad})
    assert (status, answer["code"], answer["details"]["files"]) == (422, "bundle-rejected", "round.md")
    assert answer["files"]["round.md"][0]["line"] == 7
    twice = [files[1], {"name": "PRICES.md", "source": files[1]["source"]}]
    assert planner.post("/api/bundles", {"name": "Shop", "files": twice})[1]["message"].endswith(
        "the same title."
    )
    assert planner.post("/api/bundles", {"name": "Shop", "files": []})[0] == 422
    assert planner.get("/api/bundles/999")[0] == 404
    assert Workstream.objects.count() == 2


def test_ad3_a_member_is_known_by_its_file_when_its_plan_is_approved_and_revised(
    driver: Driver, folder: Path
) -> None:
    run(str(folder))
    for slug in ("tax-rates", "quote-service"):
        version = Workflow.objects.get(slug=slug).versions.get()
        seen = {"version_id": version.pk, "seen_sha256": version.source_sha256, "decision": "approve"}
        approved = signed_in(driver.cast.approver).post(f"/plans/{slug}/v1/decide", seen)
        assert approved.status_code == 302, words(approved)
    assert WorkstreamNeed.objects.count() == 3
