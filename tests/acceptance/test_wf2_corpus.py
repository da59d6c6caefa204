"""WF-2: plans that others wrote in any format are submitted, approved where they can be, and done to their
end.
"""

import pytest

from orchestrator.core.plans.formats.folder import PlanSource
from orchestrator.core.terms import WorkstreamStatus
from orchestrator.queries.plans.judged import judged
from orchestrator.queries.plans.readings import checked
from orchestrator.services.plans.plans import STORED_BLOCKERS
from tests import corpus
from tests.cast import Driver

PLANS = corpus.plans()


@pytest.mark.skipif(not PLANS, reason=corpus.MISSING)
def test_wf2_nothing_in_the_corpus_is_refused() -> None:
    assert len(PLANS) >= 10


@pytest.mark.nightly
@pytest.mark.parametrize("source", PLANS, ids=lambda source: source.name)
def test_wf2_a_real_plan_is_approved_and_done_to_its_end(driver: Driver, source: PlanSource) -> None:
    reading = judged(checked(source.text))
    codes = {finding.code for finding in reading.blockers}
    assert codes <= STORED_BLOCKERS | {"unknown-workstream"}, (
        "irregular files are read with findings, not refused"
    )
    if codes:
        pytest.skip(f"waits for its author: {', '.join(sorted(codes))}")
    workstream = driver.start(source.text.encode())
    assert workstream.status == WorkstreamStatus.ACTIVE
    assert driver.finish().finished_at is not None
