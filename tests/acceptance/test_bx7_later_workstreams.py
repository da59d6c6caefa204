"""BX-7: what a workstream taught reaches later ones on its repository, and its file where that is wanted."""

import json
import logging
import subprocess
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.core.actions import Action
from orchestrator.models import HistoryEntry
from orchestrator.processes import tasks
from tests.acceptance.public import PublicDriver
from tests.cast import Cast
from tests.machines import Machine

PLAN = """---
repository: {repository}
---
# Plan: {title}

- A1: Do it
  - Exit: it is done
"""
BEGIN, END = "<!-- orchestrator: learnings begin -->", "<!-- orchestrator: learnings end -->"


def work(cast: Cast, title: str, repository: str = "shop") -> PublicDriver:
    driver = PublicDriver(cast)
    driver.start(PLAN.format(title=title, repository=repository).encode())
    return driver


def teach(driver: PublicDriver, text: str, after: str = "Batch 01") -> None:
    body = {"after": after, "went_wrong": text}
    machine = Machine.of(driver.cast.builder(f"teacher-{driver.workstream.pk}"))
    status, answer = machine.post(f"/api/workstreams/{driver.workstream.uuid}/learnings", body)
    assert status == 200, answer


def taught(driver: PublicDriver) -> list[tuple[str, str]]:
    machine = Machine.of(driver.cast.builder(f"reader-{driver.workstream.pk}"))
    brief = machine.get(f"/api/tasks/{driver.task('A1').pk}/")[1]
    return [(one["workstream_slug"], one["went_wrong"]) for one in brief["learnings"]]


def test_bx7_later_work_on_the_repository_reads_what_earlier_work_taught(cast: Cast) -> None:
    first, elsewhere = work(cast, "Card refunds"), work(cast, "Cellar", "other")
    teach(first, "The gateway was mocked.")
    teach(elsewhere, "It is damp.")
    later = work(cast, "Invoices")
    teach(later, "Totals were rounded.")
    assert taught(later) == [
        ("card-refunds", "The gateway was mocked."),
        ("invoices", "Totals were rounded."),
    ]
    machine = Machine.of(cast.builder("reader"))
    told = machine.get(f"/api/tasks/{later.task('A1').pk}/continue")[1]["markdown"]
    assert "After Batch 01 of card-refunds, went wrong: The gateway was mocked." in told
    assert "After Batch 01, went wrong: Totals were rounded." in told


def test_bx7_plans_without_a_repository_share_nothing(cast: Cast) -> None:
    one, other = PublicDriver(cast), PublicDriver(cast)
    one.start(b"# Plan: One\n\n- A1: Do it\n")
    teach(one, "It was hard.")
    other.start(b"# Plan: Other\n\n- A1: Do it\n")
    assert taught(other) == []


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.write({"CLAUDE.md": b"# House rules\r\nNo tabs.\r\n", "src/app.py": b"pass\n"})

    def git(self, *words: str) -> str:
        mine = ("-c", "user.name=Olga", "-c", "user.email=olga@localhost")
        done = subprocess.run(["git", "-C", self.folder, *mine, *words], capture_output=True, check=True)
        return done.stdout.decode()

    def write(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "By hand")

    def file(self, branch: str) -> str:
        return self.git("show", f"{branch}:CLAUDE.md")


@pytest.fixture
def shop(settings: Settings, tmp_path: Path) -> Repository:
    settings.REPOSITORIES_DIR = tmp_path / "repositories"
    settings.LEARNINGS_FILE = "CLAUDE.md"
    return Repository(tmp_path / "repositories" / "shop")


def test_bx7_the_file_is_left_alone_unless_the_operator_names_it(
    cast: Cast, shop: Repository, settings: Settings
) -> None:
    settings.LEARNINGS_FILE = ""
    teach(work(cast, "Card refunds"), "The gateway was mocked.")
    tasks.sweep()
    assert shop.git("branch", "--format=%(refname:short)").split() == ["main"]


def test_bx7_a_base_branch_that_nobody_has_checked_out_gets_the_section(cast: Cast, shop: Repository) -> None:
    shop.git("checkout", "--quiet", "--detach")
    first = work(cast, "Card refunds")
    teach(first, "The gateway was mocked.")
    before = shop.git("rev-parse", "main")
    tasks.sweep()
    text = shop.file("main")
    assert text.startswith(f"# House rules\r\nNo tabs.\r\n\n{BEGIN}\n")
    assert "- The gateway was mocked. (Card refunds, Batch 01)" in text
    assert shop.git("rev-parse", "main^") == before
    assert shop.git("diff", "--name-only", "main^", "main").split() == ["CLAUDE.md"]
    assert shop.git("log", "-1", "--format=%an", "main").strip() == "orchestrator"
    (entry,) = HistoryEntry.objects.filter(action=Action.LEARNINGS_WRITTEN)
    assert (entry.subject, entry.actor) == ("CLAUDE.md of shop", "orchestrator")
    written = {"repository": "shop", "branch": "main", "commit": shop.git("rev-parse", "main").strip()}
    assert json.loads(entry.leaf)["data"] == written

    after = shop.git("rev-parse", "main")
    tasks.sweep()
    assert shop.git("rev-parse", "main") == after, "the same learnings make no commit"
    assert HistoryEntry.objects.filter(action=Action.LEARNINGS_WRITTEN).count() == 1, "and no entry"
    teach(first, "The tests were slow.", "A1")
    tasks.sweep()
    assert "- The tests were slow. (Card refunds, A1)" in shop.file("main")
    assert shop.file("main").count(BEGIN) == shop.file("main").count(END) == 1
    assert shop.file("main").startswith("# House rules\r\nNo tabs.\r\n\n")


def test_bx7_a_checked_out_base_branch_is_never_moved(cast: Cast, shop: Repository) -> None:
    teach(work(cast, "Card refunds"), "The gateway was mocked.")
    before = shop.git("rev-parse", "main")
    tasks.sweep()
    assert shop.git("rev-parse", "main") == before
    assert shop.git("status", "--porcelain") == ""
    own = "orchestrator/learnings/main"
    assert "- The gateway was mocked." in shop.file(own)
    made = shop.git("rev-parse", own)
    tasks.sweep()
    assert shop.git("rev-parse", own) == made, "it waits to be merged"

    shop.write({"CLAUDE.md": b"# House rules\r\nNo tabs, no spaces.\r\n"})
    tasks.sweep()
    assert shop.git("rev-parse", f"{own}^") == shop.git("rev-parse", "main"), "on top of what people wrote"
    shop.git("merge", "--quiet", "--ff-only", own)
    merged = shop.git("rev-parse", own)
    tasks.sweep()
    assert shop.git("rev-parse", own) == merged, "nothing is left to say"
    assert "No tabs, no spaces." in shop.file("main")


@pytest.mark.parametrize(
    "content", [f"{BEGIN}\nno end\n".encode(), b"\xff\xfe no text", None], ids=["markers", "bytes", "link"]
)
def test_bx7_a_file_that_cannot_be_written_safely_is_left_alone(
    cast: Cast, shop: Repository, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    if content is None:
        (shop.folder / "CLAUDE.md").unlink()
        (shop.folder / "CLAUDE.md").symlink_to("/etc/passwd")
        shop.write({"README.md": b"# Shop\n"})
    else:
        shop.write({"CLAUDE.md": content})
    teach(work(cast, "Card refunds"), "The gateway was mocked.")
    with caplog.at_level(logging.WARNING):
        tasks.sweep()
    assert shop.git("branch", "--format=%(refname:short)").split() == ["main"]
    assert "CLAUDE.md of shop is left as it is" in caplog.text
