"""WF-6: the documentation batch writes docs/<slug>/ from the outputs, and its first page links to all of
them.
"""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.urls import reverse

from orchestrator.models import HandoffArtifact
from orchestrator.queries.work.briefs import brief
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in

OUTPUTS = {
    "A1": {"ledger.md": b"# Ledger\n", "notes/how (1).md": b"why\n"},
    "A2": {"report.csv": b"1\n"},
    "B1": {"gateway.md": b"# Gateway\n"},
    "C1": {},
}
PAGE = "docs/card-refunds/README.md"


@pytest.fixture
def built(driver: Driver) -> Driver:
    """Everything before the documentation batch is done and signed, with a learning on the way."""
    driver.start()
    for key in ("A1", "A2", "B1"):
        driver.claim(key)
        driver.complete(key, outputs=OUTPUTS[key], outcome=f"{key} is there.\nSee <the> [notes].")
    answer = signed_in(driver.cast.contributor).post(
        reverse("workstream-act", args=[driver.reload().uuid, "learn"]),
        {"after": "Batch 01", "worked": "Small steps."},
    )
    assert answer.status_code == 302
    driver.sign("MP1")
    return driver


def links(files: Files, page: str) -> list[Path]:
    found = [unquote(target) for target in re.findall(r"\]\(([^)]+)\)", files.text(page))]
    return [(files.root / page).parent / target for target in found]


def test_wf6_the_page_appears_when_documentation_work_starts(built: Driver, files: Files) -> None:
    assert PAGE not in files.names()
    built.claim("C1")
    built.complete("C1")
    assert built.ready() == ["D1"]
    text = files.text(PAGE)
    assert "Customers get their money back." in text
    assert "### Stage 1: Build\n\n#### Batch 01: foundations" in text
    assert "**A1: Ledger entries for refunds** (01: ledger): A1 is there. See \\<the\\> \\[notes\\]." in text
    assert re.search(r"- \*\*MP1: .+\*\* approved by rita, 20\d\d-", text)
    assert "worked: Small steps." in text
    assert "None yet." in text


def test_wf6_every_link_leads_to_a_file_and_every_output_is_linked(built: Driver, files: Files) -> None:
    built.claim("C1")
    built.complete("C1")
    built.claim("D1")
    built.complete("D1", outputs={"manual.md": b"# Manual\n", "part/two.md": b"2\n"})
    found = links(files, PAGE)
    assert found
    assert [path for path in found if not path.is_file()] == []
    handed = {
        path
        for artifact in HandoffArtifact.objects.all()
        for path in artifact.outputs.values_list("path", flat=True)
    }
    assert {str(path.resolve().relative_to(files.root.resolve())) for path in found} == handed
    assert (files.root / "docs/card-refunds/manual.md").resolve() in [path.resolve() for path in found]
    assert files.git("status", "--porcelain") == ""


def test_wf6_the_page_follows_the_work_until_it_is_accepted(built: Driver, files: Files) -> None:
    built.finish()
    built.advance()
    before = files.text(PAGE)
    again = files.git("rev-parse", "HEAD")
    built.advance()
    assert files.git("rev-parse", "HEAD") == again, "the same rows give the same page"
    page = reverse("workstream-act", args=[built.reload().uuid, "learn"])
    signed_in(built.cast.contributor).post(page, {"after": "Batch 02", "tighten": "Names."})
    built.advance()
    assert "to tighten: Names." in files.text(PAGE)
    assert files.text(PAGE) != before


def test_wf6_a_document_of_the_same_name_is_never_written_over(built: Driver, files: Files) -> None:
    built.claim("C1")
    built.complete("C1")
    built.claim("D1")
    built.complete("D1", outputs={"README.md": b"# Ours\n"})
    built.advance()
    assert files.text(PAGE) == "# Ours\n"
    assert "[README.md](README.md)" in files.text("docs/card-refunds/OUTPUTS.md")


def test_wf6_the_brief_of_a_documentation_step_lists_every_output(built: Driver) -> None:
    built.claim("C1")
    built.complete("C1")
    documents = {one.key: one for one in brief(built.task("D1").pk).documents}
    assert (documents["A2"].batch, documents["A2"].thread) == ("Batch 01: foundations", "01: ledger")
    [report] = documents["A2"].outputs
    assert report.endswith("/report.csv")
    assert brief(built.task("C1").pk).documents == ()
    _, told = Machine.of(built.cast.builder("writer")).get(f"/api/tasks/{built.task('D1').pk}/continue")
    assert report in told["markdown"]


def test_wf6_documents_stand_before_logs_and_the_last_step_promises_no_successor(
    built: Driver, files: Files
) -> None:
    built.claim("C1")
    built.complete("C1")
    built.claim("D1")
    built.complete("D1", outputs={"build.log": b"ok\n", "manual.md": b"# Manual\n"})
    built.advance()
    text = files.text(PAGE)
    assert text.index("[manual.md]") < text.index("[build.log]")
    said = HandoffArtifact.objects.filter(event="attempt-completed").order_by("sequence").values_list("body")
    promises = [json.loads(body)["nextAction"] for (body,) in said]
    assert promises[-1] == "No step comes after it."
    assert set(promises[:-1]) == {"Successors may start."}
