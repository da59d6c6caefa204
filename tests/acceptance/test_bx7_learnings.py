"""BX-7: what a batch or merge point taught is written where the next executor reads it."""

from orchestrator.models import HistoryEntry, Learning
from orchestrator.queries.briefs import brief
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.web.pages import signed_in, words


def test_bx7_a_learning_reaches_the_file_and_the_next_brief(driver: Driver, files: Files) -> None:
    workstream = driver.start()
    driver.do("A1", "A2", "B1")
    reviewer = signed_in(driver.cast.reviewer)
    act = f"/workstreams/{workstream.uuid}/acts/learn"
    refused = reviewer.post(act, {"after": "Batch 01"})
    assert refused.status_code == 422
    assert not Learning.objects.exists()
    page = reviewer.post(act, {"after": "Batch 01", "went_wrong": "The gateway was mocked."}, follow=True)
    assert "Went wrong The gateway was mocked." in words(page)
    assert HistoryEntry.objects.get(action="learning recorded").reason == "went wrong: The gateway was mocked."
    driver.advance()
    assert "The gateway was mocked." in files.text("workstreams/card-refunds/LEARNINGS.md")
    assert [taught.went_wrong for taught in brief(driver.task("C1").pk).learnings] == ["The gateway was mocked."]
