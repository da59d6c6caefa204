"""WF-2, AD-3: many plans at once: each on its own or as one bundle, on the command line, the page and over
REST.
"""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from orchestrator.core.terms import ExecutorKind
from orchestrator.models import Bundle, Workstream
from orchestrator.queries.work.duplicates import suspects
from orchestrator.services.people.executors import register_executor
from tests.acceptance.test_ad3_bundles import CYCLE, plan
from tests.cast import NOON, Driver
from tests.core.plans.formats.samples import FOLDER_FILES
from tests.machines import Machine
from tests.web.pages import carried, signed_in, words

pytestmark = pytest.mark.django_db
SPEC_KIT = "# Tasks: Lending\n\n## Phase 1: Setup\n\n- [x] T001 Create shelf.py\n- [ ] T002 Create card.py\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "mixed"
    (place / "lending").mkdir(parents=True)
    (place / "prices.md").write_bytes(plan("Price book"))
    (place / "round.md").write_bytes(CYCLE)
    (place / "lending" / "tasks.md").write_text(SPEC_KIT)
    (place / "notes.txt").write_text("no plan")
    return place


def run(command: str, *arguments: str) -> tuple[str, str]:
    """What is printed, and what is said when something was refused."""
    out = StringIO()
    try:
        call_command(command, *arguments, stdout=out)
    except CommandError as refused:
        return out.getvalue(), f"{refused.returncode}: {refused}"
    return out.getvalue(), ""


def test_wf2_each_plan_of_a_folder_is_submitted_on_its_own(driver: Driver, folder: Path) -> None:
    printed, refused = run("submit_plan", str(folder), "--each", "--adopt", "--as", "ines")
    rows = {line.split()[0]: line for line in printed.splitlines()}
    assert "Left out: notes.txt" in printed
    assert rows["lending/tasks.md"].split()[1:4] == ["spec-kit", "2", "0"]
    assert "waits for review, adopts the state of its source" in rows["lending/tasks.md"]
    assert "price-book" in rows["prices.md"]
    assert rows["round.md"].split()[-1] == "refused"
    assert refused.startswith("1: 1 of 3 plans was refused.\nround.md blocks  line 7:")
    assert sorted(Workstream.objects.values_list("slug", "version__adopts")) == [
        ("lending", True),
        ("price-book", False),
    ]
    assert Bundle.objects.count() == 0


def test_wf2_the_same_facts_are_printed_as_json(driver: Driver, folder: Path) -> None:
    printed, refused = run("submit_plan", str(folder), "--each", "--json", "--as", "ines")
    facts = json.loads(printed)
    assert refused
    plans = {one["name"]: one for one in facts["plans"]}
    taken = {name: one["submission"]["workstream_slug"] for name, one in plans.items() if one["submission"]}
    assert taken == {"lending/tasks.md": "lending", "prices.md": "price-book"}
    assert (plans["prices.md"]["refusal"], plans["prices.md"]["findings"]) == ("", [])
    assert plans["round.md"]["refusal"].startswith("The plan cannot be taken: line 7: ")
    assert next((one["line"], one["severity"]) for one in plans["round.md"]["findings"]) == (7, "blocks")
    assert [left["name"] for left in facts["left_out"]] == ["notes.txt"]
    printed, refused = run("submit_plan", str(folder), "--json", "--as", "ines")
    whole = {one["name"]: one for one in json.loads(printed)["plans"]}
    assert whole["round.md"]["refusal"].startswith("The plan cannot be taken: line 7: ")
    assert whole["prices.md"]["refusal"] == "prices.md is held back by the others."
    assert "The bundle cannot be taken." in refused
    assert Workstream.objects.count() == 2
    printed, refused = run("submit_plan", str(folder / "prices.md"), "--json", "--as", "ines")
    assert json.loads(printed)["plans"][0]["submission"]["workstream_slug"] == "price-book-2"
    assert refused == ""


def test_wf2_each_and_a_bundle_exclude_one_another(driver: Driver, folder: Path) -> None:
    with pytest.raises(CommandError) as wrong:
        call_command("submit_plan", str(folder), "--each", "--bundle", "Shop", "--as", "ines")
    assert wrong.value.returncode == 2


def test_wf3_a_folder_is_previewed_plan_by_plan(driver: Driver, folder: Path) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("preview_plan", str(folder), stdout=out)
    said = out.getvalue()
    assert [line for line in said.splitlines() if line.startswith("== ")] == [
        "== lending/tasks.md",
        "== prices.md",
        "== round.md",
    ]
    assert "With the state of its source: 1 task stands as complete" in said
    assert "Then starts: T002" in said
    (folder / "round.md").unlink()
    out = StringIO()
    call_command("preview_plan", str(folder), "--json", stdout=out)
    lending, prices = json.loads(out.getvalue())
    assert lending["adoption"]["counts"] == {"complete": 1}
    assert lending["preview"]["launches"] == [["T001"], ["T002"]]
    out = StringIO()
    call_command("preview_plan", str(folder), "--adopt", stdout=out)
    assert (
        "Lending: 2 tasks, 1 of them done before and left out\nLaunch 1: T002\nLaunch order: T002\n"
        in out.getvalue()
    )
    assert prices["preview"]["tasks"] == 6
    assert Workstream.objects.count() == 0


def uploads(**files: bytes) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name.replace("__", "."), data) for name, data in files.items()]


def test_wf2_several_files_are_shown_as_read_before_anything_is_stored(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    files = uploads(
        prices__md=plan("Price book"), round__md=CYCLE, lending__md=SPEC_KIT.encode(), notes__txt=b"no plan"
    )
    page = client.post("/plans/submit/", {"act": "submit", "file": files})
    shown = words(page)
    assert Workstream.objects.count() == 0
    for said in (
        "3 plans were read",
        "Lending lending.md spec-kit 2 Nothing blocks approval.",
        "1 task stands as complete",
        "Cannot be submitted Line 7: Steps wait for one another in a circle",
        "notes.txt is no Markdown, JSON or JSONL file.",
    ):
        assert said in shown, said
    body = carried(page) | {"act": "submit", "adopt": "yes", "together": "each"}
    rest = client.post("/plans/submit/", body)
    assert sorted(Workstream.objects.values_list("slug", "version__adopts")) == [
        ("lending", True),
        ("price-book", False),
    ]
    assert "2 plans are submitted" in words(rest)
    assert "1 plan was refused" in words(rest)
    # Nobody submits again what was submitted.
    assert carried(rest)["plan-name"] == ["round.md"]


def test_ad3_several_files_are_submitted_as_one_bundle_or_none(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    page = client.post("/plans/submit/", {"file": uploads(prices__md=plan("Price book"), round__md=CYCLE)})
    body = carried(page) | {"act": "submit", "together": "bundle", "bundle": "Shop"}
    refused = client.post("/plans/submit/", body)
    assert refused.status_code == 422
    assert Workstream.objects.count() == 0
    assert len(carried(refused)["plan-name"]) == 2
    good = client.post(
        "/plans/submit/", {"file": uploads(a__md=plan("Price book"), b__md=plan("Tax rates", "a"))}
    )
    done = client.post(
        "/plans/submit/", carried(good) | {"act": "submit", "together": "bundle", "bundle": "Shop"}
    )
    assert done.status_code == 302
    assert Bundle.objects.get().workstreams.count() == 2


def test_wf7_the_files_of_one_workstream_are_read_as_one_plan(driver: Driver) -> None:
    client = signed_in(driver.cast.initiator)
    files = [SimpleUploadedFile(name, text.encode()) for name, text in FOLDER_FILES.items()]
    shown = words(client.post("/plans/submit/", {"act": "check", "file": files}))
    assert "1 plan was read" in shown
    twice = client.post("/plans/submit/", {"file": uploads(a__md=SPEC_KIT.encode()) * 2})
    assert (twice.status_code, "Two files are called a.md." in words(twice)) == (422, True)
    nothing = client.post("/plans/submit/", {"file": uploads(a__txt=b"x", b__txt=b"y")})
    assert (nothing.status_code, "There is no plan in these files" in words(nothing)) == (422, True)
    observer = signed_in(driver.cast.observer)
    page = observer.post("/plans/submit/", {"file": uploads(a__md=plan("A"), b__md=plan("B"))})
    assert observer.post("/plans/submit/", carried(page) | {"act": "submit"}).status_code == 403
    assert Workstream.objects.count() == 0


def test_wf2_files_are_checked_and_submitted_over_rest(driver: Driver) -> None:
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON
    )
    planner = Machine.of(executor)
    files = [
        {"name": "lending/tasks.md", "source": SPEC_KIT},
        {"name": "round.md", "source": CYCLE.decode()},
        {"name": "notes.txt", "source": "no plan"},
    ]
    status, answer = planner.post("/api/plans/files/check", {"files": files})
    assert status == 200
    assert [(one["name"], one["format"], one["tasks"], one["submittable"]) for one in answer["plans"]] == [
        ("lending/tasks.md", "spec-kit", 2, True),
        ("round.md", "plan", 2, False),
    ]
    assert answer["plans"][0]["adoption"]["counts"] == {"complete": 1}
    assert [left["name"] for left in answer["left_out"]] == ["notes.txt"]
    assert Workstream.objects.count() == 0
    body = {"files": files, "adopt": True}
    status, answer = planner.post("/api/plans/files", body, key="many-1")
    lending, wrong = answer["plans"]
    assert (status, lending["submission"]["adopts"], lending["submission"]["review"]) == (
        201,
        True,
        "/plans/lending/v1/",
    )
    assert (wrong["submission"], wrong["findings"][0]["line"]) == (None, 7)
    assert planner.post("/api/plans/files", body, key="many-1") == (status, answer)
    status, refused = planner.post("/api/plans/files", body | {"bundle": "Shop"})
    assert (status, refused["code"]) == (422, "bundle-rejected")
    status, answer = planner.post("/api/plans/files", {"files": files[:1], "bundle": "Shop"})
    assert (status, answer["bundle"], Workstream.objects.count()) == (201, Bundle.objects.get().pk, 2)
    status, answer = planner.post("/api/plans/files", {"files": [files[0], files[0]]})
    assert (status, answer["code"]) == (422, "invalid-input")


def _get_shit_done(title: str, waits: str) -> str:
    return (
        f"---\nphase: 01-move\nwave: 1\ndepends_on: {waits}\n---\n<objective>\n{title}\n</objective>\n"
        f'<task type="auto">\n  <name>Task 1: {title}</name>\n  <action>Do it</action>\n</task>\n'
    )


@pytest.mark.parametrize(
    ("waits", "known"), [('["01-01"]', True), ("\n  - 01-01-PLAN.md", True), ("[01-09]", False)]
)
def test_ad3_files_of_get_shit_done_need_one_another(driver: Driver, waits: str, known: bool) -> None:
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON
    )
    files = [
        {"name": "phases/01-01-PLAN.md", "source": _get_shit_done("Pack", "[]")},
        {"name": "phases/01-02-PLAN.md", "source": _get_shit_done("Load", waits)},
    ]
    status, answer = Machine.of(executor).post("/api/plans/files", {"files": files, "bundle": "Move"})
    if not known:
        assert (status, answer["code"]) == (422, "bundle-rejected")
        assert "01-09" in str(answer)
        return
    assert status == 201
    needed = Workstream.objects.get(title="Load").needs.values_list("needed__title", flat=True)
    assert list(needed) == ["Pack"]


def test_fr003_an_automatic_name_alone_makes_no_duplicate(driver: Driver) -> None:
    executor = register_executor(
        name="planner", kind=ExecutorKind.AGENT, user=driver.cast.initiator, now=NOON
    )
    planner = Machine.of(executor)
    texts = ["- [ ] Buy paint\n- [ ] Paint\n", "- [ ] Buy paint\n- [ ] Sell it\n", "- [ ] Dig\n- [ ] Plant\n"]
    for text in [*texts, texts[2]]:
        assert planner.post("/api/plans/", {"source": text})[0] == 201
    rows = list(Workstream.objects.order_by("pk"))
    assert [row.title for row in rows] == [
        "Buy paint and 1 more",
        "Buy paint and 1 more",
        "Dig and 1 more",
        "Dig and 1 more",
    ]
    counts = [len(suspects(row)) for row in rows]
    assert counts == [0, 0, 1, 1], "the same text again is the same work"
