"""EC-4, FR-016: a workflow changes mid-flight; every step is mapped, checked first, and nothing is lost."""

import pytest

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.errors import MigrationImpossible
from orchestrator.core.terms import AttemptStatus, MappingKind, TaskStatus, VersionStatus
from orchestrator.models import HistoryEntry, MappedStep, Migration, Task, WorkflowVersion
from orchestrator.services.people.interventions import flag_for_human
from tests.acceptance.versions import ONE, approve, decide, migration_page, next_version
from tests.cast import Driver
from tests.verified import state_problems
from tests.web.pages import signed_in, words

RENAMED = ONE.replace(b"A1: Ledger entries for refunds", b"A7: Ledger entries for refunds")
REDEFINED = ONE.replace(b"A1: Ledger entries for refunds", b"A1: Ledger entries for all cards")
SPLIT = ONE.replace(
    b"- A1: Ledger entries for refunds\n  - Exit: unit tests pass\n",
    b"- A1a: Ledger entries for refunds\n  - Exit: unit tests pass\n- A1b: Ledger locks\n  - "
    b"Exit: race test passes\n",
)
MERGED = ONE.replace(b"- A2: Ledger report\n  - Exit: report shows refunds\n", b"").replace(
    b"A1: Ledger entries for refunds", b"A3: Ledger entries and report"
)
WITHOUT_A1 = ONE.replace(b"- A1: Ledger entries for refunds\n  - Exit: unit tests pass\n", b"")
WITHOUT_GATE = ONE.replace(b"##### Gate: G1\n- Kind: review\n- Reviewers: reviewer\n\n", b"")


@pytest.fixture
def under_way(driver: Driver) -> Driver:
    """A1 is complete; A2 and B1 are ready."""
    driver.start(ONE)
    driver.do("A1")
    return driver


def review_of(driver: Driver, version: WorkflowVersion) -> str:
    return words(signed_in(driver.cast.approver).get(f"/plans/{version.workflow.slug}/v{version.number}/"))


def refusal(driver: Driver, source: bytes, *mapping: StepMapping) -> str:
    version = next_version(driver, source)
    with pytest.raises(MigrationImpossible) as told:
        approve(driver, version, *mapping)
    version.refresh_from_db()
    assert (version.status, driver.reload().version.number) == (VersionStatus.IN_REVIEW, 1), (
        "nothing was changed"
    )
    assert not Migration.objects.exists()
    return told.value.message


def test_ec4_a_renamed_step_keeps_its_attempts(under_way: Driver) -> None:
    before = under_way.attempt("A1").pk
    approve(under_way, next_version(under_way, RENAMED), StepMapping(("A1",), ("A7",)))
    assert under_way.task("A7").status == TaskStatus.COMPLETE
    assert under_way.attempt("A7").pk == before
    assert not Task.objects.filter(workstream=under_way.workstream, step__key="A1").exists()
    under_way.advance()
    under_way.finish()
    assert under_way.reload().finished_at is not None
    assert state_problems(under_way.reload()) == []


def test_ec4_without_a_word_about_it_a_started_step_cannot_go(under_way: Driver) -> None:
    assert "A1: it was started; dropping it needs a reason" in refusal(under_way, RENAMED)


def test_ec4_a_redefined_step_stands_or_is_done_again_as_the_mapping_says(under_way: Driver) -> None:
    assert "A1: it was started and is defined differently" in refusal(under_way, REDEFINED)
    version = next_version(under_way, REDEFINED + b"\n")
    approve(under_way, version, StepMapping(("A1",), ("A1",), redo=True))
    assert under_way.task("A1").status == TaskStatus.PENDING
    assert under_way.task("A1").rework == 1
    assert under_way.task("A2").status == TaskStatus.PENDING
    under_way.advance()
    assert under_way.ready() == ["A1", "B1"], "A2 stands after A1, so its launch is taken back"
    under_way.do("A1")
    numbers = under_way.task("A1").attempts.order_by("number").values_list("number", "status")
    assert list(numbers) == [(1, AttemptStatus.COMPLETED), (2, AttemptStatus.COMPLETED)]
    assert state_problems(under_way.reload()) == []


def test_ec4_a_redefined_step_may_stand(under_way: Driver) -> None:
    approve(under_way, next_version(under_way, REDEFINED), StepMapping(("A1",), ("A1",), redo=False))
    assert under_way.task("A1").status == TaskStatus.COMPLETE
    assert under_way.task("A1").step.title == "Ledger entries for all cards"


def test_ec4_of_a_split_step_the_first_part_carries_the_attempts(under_way: Driver) -> None:
    approve(under_way, next_version(under_way, SPLIT), StepMapping(("A1",), ("A1a", "A1b"), redo=False))
    assert under_way.task("A1a").status == TaskStatus.COMPLETE
    assert under_way.task("A1b").status == TaskStatus.PENDING
    kinds = MappedStep.objects.filter(kind=MappingKind.SPLIT).values_list("old_step__key", "new_step__key")
    assert list(kinds) == [("A1", "A1a"), (None, "A1b")]


def test_ec4_merged_steps_are_complete_only_if_all_were(under_way: Driver) -> None:
    merge = StepMapping(("A1", "A2"), ("A3",), redo=False)
    approve(under_way, next_version(under_way, MERGED), merge)
    assert under_way.task("A3").status == TaskStatus.PENDING, "A2 was not complete"
    assert under_way.task("A2").status == TaskStatus.CANCELLED
    assert under_way.attempt("A2").status == AttemptStatus.CANCELLED, (
        "its queued attempt ends, and stays on record"
    )


def test_ec4_merged_steps_that_were_all_complete_stay_so(under_way: Driver) -> None:
    under_way.do("A2")
    approve(under_way, next_version(under_way, MERGED), StepMapping(("A1", "A2"), ("A3",), redo=False))
    assert under_way.task("A3").status == TaskStatus.COMPLETE


def test_ec4_merged_steps_that_were_all_complete_need_a_word_where_the_definition_changes(
    under_way: Driver,
) -> None:
    """Two results do not become one that nobody made, without anybody saying so."""
    under_way.do("A2")
    said = refusal(under_way, MERGED, StepMapping(("A1", "A2"), ("A3",)))
    assert "A1: it was started and is defined differently" in said
    approve(under_way, next_version(under_way, MERGED + b"\n"), StepMapping(("A1", "A2"), ("A3",), redo=True))
    assert under_way.task("A3").status == TaskStatus.PENDING


def test_ec4_a_started_step_is_dropped_with_a_reason(under_way: Driver) -> None:
    approve(
        under_way, next_version(under_way, WITHOUT_A1), StepMapping(("A1",), (), reason="The bank does it.")
    )
    assert under_way.task("A1").status == TaskStatus.CANCELLED
    assert under_way.attempt("A1").status == AttemptStatus.COMPLETED, "what was done stays on record"
    assert MappedStep.objects.get(kind=MappingKind.DROPPED).reason == "The bank does it."
    assert state_problems(under_way.reload()) == []


def test_ec4_a_running_attempt_is_not_preempted(under_way: Driver) -> None:
    under_way.claim("A2")
    dropped = ONE.replace(b"- A2: Ledger report\n  - Exit: report shows refunds\n", b"")
    said = refusal(under_way, dropped, StepMapping(("A2",), (), reason="Nobody reads it."))
    assert "A2: builder-A2 (agent of carl) runs it" in said


def test_ec4_a_running_attempt_goes_on_where_its_step_stays(under_way: Driver) -> None:
    under_way.claim("A2")
    approve(under_way, next_version(under_way, RENAMED), StepMapping(("A1",), ("A7",)))
    under_way.complete("A2")
    assert under_way.task("A2").status == TaskStatus.COMPLETE


def test_ec4_an_undecided_gate_is_not_dropped_in_silence(under_way: Driver) -> None:
    assert "G-g1: the undecided gate is dropped" in refusal(under_way, WITHOUT_GATE)
    approve(
        under_way,
        next_version(under_way, WITHOUT_GATE + b"\n"),
        StepMapping(("G-g1",), (), reason="Law changed."),
    )
    assert under_way.task("G-g1").status == TaskStatus.CANCELLED


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (StepMapping(("A1",), ("Z9",)), "Z9 is not a step of the new version"),
        (StepMapping(("Z9",), ("A7",)), "Z9 is not a step of the running version"),
        (StepMapping(("A1", "A2"), ("A7", "A2")), "cannot become several others"),
        (StepMapping(("A1", "A1"), ("A7",)), "A1 of the running version is mapped twice"),
        (StepMapping(("A1",), ("C1",)), "C1 of the new version is mapped twice"),
    ],
)
def test_ec4_a_mapping_that_makes_no_sense_is_refused(
    under_way: Driver, line: StepMapping, said: str
) -> None:
    extra = (StepMapping(("C1",), ("C1",)),) if line.new == ("C1",) else ()
    assert said in refusal(under_way, RENAMED, line, *extra)


def test_ec4_an_open_question_is_answered_before_its_step_goes(under_way: Driver) -> None:

    flag_for_human(
        task_id=under_way.task("A2").pk,
        note="Which report?",
        actor=under_way.cast.actor("contributor"),
        now=under_way.tick(),
    )
    dropped = ONE.replace(b"- A2: Ledger report\n  - Exit: report shows refunds\n", b"")
    assert "answer it first" in refusal(
        under_way, dropped, StepMapping(("A2",), (), reason="Nobody reads it.")
    )


def test_ec4_the_migration_is_recorded_with_its_mapping(under_way: Driver) -> None:
    approve(under_way, next_version(under_way, RENAMED, "Better names."), StepMapping(("A1",), ("A7",)))
    migration = Migration.objects.get()
    assert (migration.from_version.number, migration.to_version.number) == (1, 2)
    assert migration.reason == "Better names."
    renamed = migration.mapped_steps.get(kind=MappingKind.RENAMED)
    assert (renamed.old_step.key, renamed.new_step.key, renamed.old_status) == (
        "A1",
        "A7",
        TaskStatus.COMPLETE,
    )
    entry = HistoryEntry.objects.get(action="workstream migrated")
    assert '"moved":{"A1":"A7"' in entry.leaf


def test_ec4_the_review_says_what_stands_in_the_way_before_anybody_decides(under_way: Driver) -> None:
    version = next_version(under_way, RENAMED)
    page = review_of(under_way, version)
    assert "A1 looks like A7" in page
    assert "1 step needs a decision A1 : it was started; dropping it needs a reason" in page
    refused = decide(under_way, version)
    assert refused.status_code == 409
    assert "migration page" in words(refused)


def test_ec4_the_page_suggests_a_mapping_and_approves_with_it(under_way: Driver) -> None:
    version = next_version(under_way, RENAMED)
    page = migration_page(under_way, version)
    said = "A1: Ledger entries for refunds now Complete then Renamed keeps its state a guess from titles"
    assert said in words(page)
    done = migration_page(under_way, version, act="approve", to__A1="A7", reason="")
    assert done.status_code == 302, words(done)
    assert under_way.reload().version.number == 2
    assert under_way.task("A7").status == TaskStatus.COMPLETE


def test_ec4_check_shows_the_verdicts_and_writes_nothing(under_way: Driver) -> None:
    version = next_version(under_way, RENAMED)
    before = HistoryEntry.objects.count()
    page = migration_page(under_way, version, act="check", to__A1="", why__A1="Not needed.")
    assert "is dropped: Not needed." in words(page)
    assert 'value="Not needed."' in page.content.decode(), "what was typed stays"
    assert (HistoryEntry.objects.count(), under_way.reload().version.number) == (before, 1)


def test_ec4_the_review_asks_whether_a_step_under_a_new_key_is_the_same_work(under_way: Driver) -> None:
    """B1 was launched and not begun, so it may be dropped without a word.

    The reviewer is told what it looks like.
    """
    renamed = ONE.replace(b"B1: Gateway call", b"B7: Gateway call")
    assert "B1 looks like B7" in review_of(under_way, next_version(under_way, renamed))


def test_ec4_nothing_is_asked_about_other_work(under_way: Driver) -> None:
    other = ONE.replace(b"B1: Gateway call", b"B7: Price list").replace(
        b"contract test passes", b"prices are shown"
    )
    assert "B1 looks like" not in review_of(under_way, next_version(under_way, other))
