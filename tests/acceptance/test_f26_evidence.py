"""F26: what a stale claim hands in is kept as evidence, only of who held the attempt, within limits, out of
the way.
"""

import base64

import pytest
from pytest_django.fixtures import Settings

from orchestrator.core.terms import ArtifactState, AttemptStatus, TaskStatus
from orchestrator.models import Assignment, CriterionCheck, HandoffArtifact, HistoryEntry, OutputFile
from orchestrator.services.work.evidence import MOST_BYTES, MOST_RESULTS
from tests.acceptance.accounts import contributor, tables
from tests.acceptance.forms import key_of
from tests.acceptance.producer import Producer, told
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

FIVE_MB = base64.b64encode(b"x" * (4_400_000)).decode()


@pytest.fixture
def late(driver: Driver) -> tuple[Driver, Assignment, Machine]:
    """builder-A1 froze while it held A1; the failure was declared, and A1 is queued again."""
    driver.start()
    held = driver.claim("A1")
    carl = signed_in(driver.cast.contributor)
    page = f"/workstreams/{driver.reload().uuid}/tasks/A1"
    assert (
        carl.post(f"{page}/declare-failure", {"attempt": held.attempt_id, "reason": "Silent."}).status_code
        == 302
    )
    assert carl.post(f"{page}/requeue", {"reason": "Again."}).status_code == 302
    driver.advance()
    return driver, held, Machine.of(held.executor)


def complete(machine: Machine, held: Assignment, **body: object) -> tuple[int, dict[str, str]]:
    given = {"token": held.token, "outcome": "Late.", "evidence": {}} | body
    return machine.post(f"/api/attempts/{held.attempt_id}/complete", given)


@pytest.mark.django_db
def test_f26_b28_who_never_held_the_attempt_stores_nothing_with_25_mb_in_five_calls(driver: Driver) -> None:
    driver.start()
    held = driver.claim("A1")
    strangers = [Machine.of(contributor("mallory")[1]), Machine.of(driver.cast.builder("same-account"))]
    before = {}
    for machine in strangers:
        before = tables()
        for token in (held.token, held.token + 1, 7, 8, 1000):
            body = {"token": token, "outcome": "Mine.", "evidence": {}, "outputs": {"f": {"base64": FIVE_MB}}}
            status, answer = machine.post(f"/api/attempts/{held.attempt_id}/complete", body)
            assert (status, answer["code"]) == (409, "stale-token")
            assert "Nothing of what was sent is kept" in answer["recovery"]
            assert "never held the attempt" in answer["recovery"]
        assert tables() == before
    assert driver.attempt("A1").status == AttemptStatus.RUNNING


@pytest.mark.django_db
def test_f26_a_token_that_was_never_given_keeps_nothing_and_names_the_way_to_the_right_one(
    driver: Driver,
) -> None:
    driver.start()
    held = driver.claim("A1")
    machine = Machine.of(held.executor)
    before = tables()
    status, answer = complete(machine, held, token=held.token + 7, outputs={"f.txt": "x"})
    assert (status, "claims once more" in answer["recovery"]) == (409, True)
    assert tables() == before


@pytest.mark.django_db
def test_f26_evidence_of_who_held_it_is_kept_up_to_a_number(late: tuple[Driver, Assignment, Machine]) -> None:
    _, held, machine = late
    for number in range(MOST_RESULTS):
        status, answer = complete(machine, held, outputs={f"{number}.txt": "late"})
        assert (status, answer["code"]) == (409, "stale-token")
        assert answer["recovery"].endswith("What was sent is kept as evidence.")
    before = tables()
    status, answer = complete(machine, held, outputs={"more.txt": "late"})
    assert (status, answer["code"]) == (409, "stale-token")
    assert (
        f"{MOST_RESULTS} late results of the attempt are kept already, which is the most."
        in answer["recovery"]
    )
    assert tables() == before
    assert HandoffArtifact.objects.filter(state=ArtifactState.QUARANTINED).count() == MOST_RESULTS
    assert HistoryEntry.objects.filter(action="stale result quarantined").count() == MOST_RESULTS


@pytest.mark.django_db
def test_f26_evidence_is_kept_up_to_a_size(late: tuple[Driver, Assignment, Machine]) -> None:
    _, held, machine = late
    half = base64.b64encode(b"x" * (MOST_BYTES // 2)).decode()
    assert complete(machine, held, outputs={"a": {"base64": half}})[1]["recovery"].endswith(
        "kept as evidence."
    )
    before = tables()
    _, answer = complete(machine, held, outputs={"b": {"base64": half}})
    assert f"have {MOST_BYTES} bytes at most" in answer["recovery"]
    assert tables() == before


@pytest.mark.django_db
@pytest.mark.parametrize("evidence", ["report", "report/part.txt", "report/part.txt/deeper"])
def test_f26_quarantined_outputs_never_obstruct_the_rightful_ones(
    late: tuple[Driver, Assignment, Machine], files: Files, evidence: str
) -> None:
    driver, held, machine = late
    assert complete(machine, held, outputs={evidence: "late"})[0] == 409
    assert OutputFile.objects.filter(artifact__state=ArtifactState.QUARANTINED).count() == 1
    driver.claim("A1", driver.cast.builder("builder-2"))
    driver.complete("A1", outputs={"report/part.txt": b"rightful"})
    assert driver.task("A1").status == TaskStatus.COMPLETE
    rightful = OutputFile.objects.get(artifact__state=ArtifactState.COMMITTED)
    listed = words(signed_in(driver.cast.observer).get(f"/workstreams/{driver.reload().uuid}/files/"))
    assert rightful.path.rpartition("files/")[2] in listed
    assert files.text(rightful.path) == "rightful"
    assert complete(machine, held, outputs={"report": "later"})[1]["recovery"].endswith("kept as evidence.")


@pytest.mark.django_db
def test_f26_a_second_completion_shows_nothing_as_handed_over(driver: Driver) -> None:
    driver.start()
    held = driver.claim("B1")
    driver.complete("B1", outputs={"gateway.txt": b"real"})
    complete(Machine.of(held.executor), held, outputs={"afterthought.txt": "late"})
    driver.do("A1", "A2")
    page = words(signed_in(driver.cast.reviewer).get(f"/gates/{driver.task('MP1').pk}/"))
    assert "gateway.txt" in page
    assert "afterthought.txt" not in page
    assert CriterionCheck.objects.filter(attempt=held.attempt_id).count() == 1


@pytest.mark.django_db
def test_f26_a_late_result_in_an_inbox_branch_is_bound_by_the_same_rule(
    late: tuple[Driver, Assignment, Machine], settings: Settings
) -> None:
    driver, held, _ = late
    mine = Producer(settings.WORKSPACE_DIR, held.executor.name)
    for number in range(MOST_RESULTS + 1):
        mine.push(
            {f"{number}/result.json": told(held, eventType="attempt-completed", outcome=f"Late {number}.")}
        )
    driver.advance()
    assert HandoffArtifact.objects.filter(state=ArtifactState.QUARANTINED).count() == MOST_RESULTS


@pytest.mark.django_db
def test_f26_reports_and_failures_of_a_stale_claim_promise_no_evidence(
    late: tuple[Driver, Assignment, Machine],
) -> None:
    _, held, machine = late
    before = tables()
    for act, body in {"report": {"breadcrumb": "x"}, "fail": {"error": "x"}}.items():
        status, answer = machine.post(f"/api/attempts/{held.attempt_id}/{act}", {"token": held.token} | body)
        assert (status, answer["code"], "kept" in answer["recovery"]) == (409, "stale-token", False)
    assert tables() == before


@pytest.mark.django_db
def test_f26_on_the_page_a_late_completion_is_kept_and_sending_it_again_keeps_nothing_more(
    driver: Driver,
) -> None:
    driver.start()
    carl, page = signed_in(driver.cast.contributor), f"/workstreams/{driver.reload().uuid}/tasks/A1"
    attempt = driver.attempt("A1").pk
    assert carl.post(f"{page}/claim", {"attempt": attempt}).status_code == 302
    key = key_of(carl.get(f"{page}/"), f"{page}/complete")
    rita = signed_in(driver.cast.reviewer)
    assert rita.post(f"{page}/declare-failure", {"attempt": attempt, "reason": "Silent."}).status_code == 302
    form = {"once": key, "attempt": attempt, "token": "1", "outcome": "Late."}
    answer = carl.post(f"{page}/complete", form)
    assert (answer.status_code, "What was sent is kept as evidence." in words(answer)) == (409, True)
    assert HandoffArtifact.objects.filter(state=ArtifactState.QUARANTINED).count() == 1
    before = tables()
    assert carl.post(f"{page}/complete", form).status_code == 409
    assert tables() == before
