"""BX-9: runners that meet at one completion run its command once, and it counts once."""

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from orchestrator.core.actions import Action
from orchestrator.core.terms import TaskStatus
from orchestrator.models import HandoffArtifact, HistoryEntry, Verification
from orchestrator.processes.verifier import Verifier
from tests.acceptance.lanes import make_repository, working
from tests.acceptance.test_bx9_proved_not_asserted import GREEN, PLAN
from tests.cast import Driver
from tests.races.contest import contest
from tests.verified import state_problems

RUNNERS = 4


@pytest.mark.django_db(transaction=True)
def test_bx9_one_completion_is_run_once_and_counts_once(driver: Driver, settings: Settings) -> None:
    settings.TOOLS_SANDBOX = "off"
    make_repository(settings.REPOSITORIES_DIR / "sample", **{"prices/none.txt": ""})
    driver.start(PLAN)
    agent = working(driver, "A1").write("prices/test_price.py", GREEN)
    assert agent.complete(agent.commit())[0] == 202

    def runner() -> bool:
        return Verifier(timezone.now).turn()

    contest(*[runner] * RUNNERS)
    row = Verification.objects.get()
    assert (row.state, row.runs) == ("proved", 1)
    assert HistoryEntry.objects.filter(action=Action.ATTEMPT_COMPLETED).count() == 1
    assert HandoffArtifact.objects.filter(event="attempt-completed").count() == 1
    assert driver.task("A1").status == TaskStatus.COMPLETE
    assert state_problems(driver.reload()) == []
