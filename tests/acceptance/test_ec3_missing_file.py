"""EC-3: a handed-over file that is missing holds what builds on it, by name, until one of the ways out is
taken.
"""

from orchestrator.core.terms import EventType, Reason
from orchestrator.models import HandoffArtifact, RecordedVerdict
from tests.cast import Driver


def test_ec3_a_missing_file_blocks_its_successors_and_says_which(driver: Driver, settings) -> None:
    driver.start()
    driver.do("B1")
    artifact = HandoffArtifact.objects.get(attempt__task=driver.task("B1"), event=EventType.ATTEMPT_COMPLETED)
    (settings.WORKSPACE_DIR / artifact.path).unlink()
    driver.do("A1", "A2")
    assert driver.ready() == []
    verdict = RecordedVerdict.objects.filter(task=driver.task("MP1")).latest("pk")
    assert (verdict.reason, verdict.holder) == (Reason.ARTIFACT, "B1")
    assert artifact.path in verdict.sentence

    (settings.WORKSPACE_DIR / artifact.path).write_text(artifact.body)
    driver.advance()
    assert driver.ready() == ["MP1"]
