"""FR-025: every refusal can happen, and a test provokes it as users and machines would meet it."""

import ast
import re
from pathlib import Path

import pytest

from orchestrator.adapters.repository import RepositoryFailed, git
from orchestrator.core.errors import Refusal
from orchestrator.management.refusal_table import refusals

ROOT = Path(__file__).resolve().parents[2]
#: Class -> the test that provokes it; behind `|` what the test looks for, when that is neither code nor
#: class.
PROVOKED = {
    "PlanRejected": "api/test_plans.py::test_a_plan_that_cannot_be_scheduled_is_refused_with_its_findings",
    "BundleRejected": "acceptance/test_ad3_bundles.py::test_ad3_a_bundle_over_rest",
    "PlanHasBlockers": "web/plans/test_plans.py::test_what_blocks_approval_stands_first_and_switches_approve_off|409",
    "MigrationImpossible": "acceptance/test_wf5_fix_stage.py::"
    "test_ec4_a_version_that_changes_started_work_is_refused_and_changes_nothing",
    "LimitReached": "acceptance/test_ad8_added_steps.py::test_ad8_the_limit_counts_what_was_ever_added",
    "BaselineIntegrated": "acceptance/test_fr010_baseline.py::"
    "test_fr010_integrated_work_goes_back_only_after_a_revert_decision",
    "SuspectsOpen": "acceptance/test_fr003_suspects.py::test_fr003_decided_and_signed_over_rest",
    "SecretInFile": "acceptance/test_fr009_secrets.py::"
    "test_fr009_a_refused_text_is_not_kept_with_its_key_either|secret-in-file",
    "BreakerOpen": "acceptance/test_ec6_circuit_breaker.py::test_ec6_nobody_queues_it_again_before_the_answer",
    "AssignedElsewhere": "acceptance/test_wf4_thread_assignment.py::"
    "test_wf4_only_the_assigned_executor_claims_in_the_thread",
    "VersionMoved": "web/plans/test_plans.py::"
    "test_a_decision_on_an_older_version_shows_the_newer_one_and_keeps_the_reason|is newer than "
    "the one you read",
    "WrongState": "acceptance/test_as4_exclusive_claim.py::test_as4_the_attempt_stays_with_its_holder_until_it_ends",
    "NotAllowed": "acceptance/test_lc9_patch_accepts.py::test_lc9_accepting_needs_the_role_of_an_approver",
    "NoRole": "acceptance/test_fr011_without_a_role.py::test_fr011_no_rest_operation_answers_an_account_without_a_role",
    "SelfApproval": "web/plans/test_plans.py::test_authors_do_not_approve_their_own_plan|403",
    "NotFound": "api/test_bad_input.py::test_an_unknown_address_is_a_404_in_json",
    "MissingReason": "acceptance/test_wf5_fix_stage.py::test_a_stage_is_proposed_with_a_reason",
    "MissingNote": "acceptance/test_lc6_needs_human.py::test_lc6_a_flag_without_a_note_is_422",
    "InvalidInput": "acceptance/test_lc6_choices_and_files.py::test_lc6_the_answer_is_one_of_the_choices",
    "AlreadyClaimed": "acceptance/test_as4_exclusive_claim.py::"
    "test_as4_f27_one_of_a_hundred_claimers_wins_and_the_others_learn_who",
    "VerificationFailed": "acceptance/test_bx9_proved_not_asserted.py::"
    "test_bx9_red_is_refused_and_its_holder_learns_why",
    "BeingVerified": "acceptance/test_bx9_proved_not_asserted.py::"
    "test_bx9_another_completion_waits_and_the_same_one_is_answered_again",
    "BudgetSpent": "acceptance/test_fr013_budgets.py::"
    "test_fr013_a_plan_s_budget_stops_the_work_and_asks_once",
    "SomethingBroke": "acceptance/test_fr009_subscriptions_over_rest.py::"
    "test_fr027_a_fault_is_told_to_machines_as_the_description_says|internal-error",
    "ProofDemanded": "acceptance/test_bx9_proved_not_asserted.py::test_bx9_a_workflow_may_take_proof_only",
    "WrongExecutor": "acceptance/test_fr027_next.py::test_fr011_next_offers_no_step_of_another_role_or_of_a_tool",
    "AlreadyDecided": "acceptance/test_wf3_review_page.py::"
    "test_wf3_already_decided_names_who_and_when|was already decided",
    "ExecutorBusy": "acceptance/test_as4_exclusive_claim.py::"
    "test_as4_one_executor_that_asks_for_two_attempts_at_once_gets_one",
    "HeldBack": "acceptance/test_f32_launched_successors.py::"
    "test_f32_a_queued_successor_is_not_claimable_until_it_is_decided",
    "WorkspaceDiverged": "acceptance/test_f22_f23_f24_divergence.py::test_f23_older_database_restored",
    "ToolsUnprotected": "sandbox/test_surroundings.py::test_a_tool_does_not_run_where_it_cannot_be_shut_in",
    "TokenExpired": "acceptance/test_fr027_tokens.py::test_an_expired_token_is_refused_by_name",
    "TooManyTries": "acceptance/test_fr027_tokens.py::test_wrong_tokens_from_one_address_are_limited",
    "PasswordWeak": "acceptance/test_fr011_sign_in.py::test_weak_passwords_are_refused_with_the_reason|422",
    "SecondFactorMissing": "acceptance/test_fr011_second_factor.py::test_its_tokens_wait_as_well",
    "CodeWrong": "acceptance/test_fr011_second_factor.py::test_a_code_is_used_once|used before",
    "TooMany": "faults/test_numbers_bounded.py::test_breadcrumbs_of_an_attempt",
    "TooOften": "faults/test_numbers_bounded.py::test_new_idempotency_keys_within_an_hour",
    "Busy": "faults/test_plan_checks_bounded.py::test_beyond_so_many_at_once_a_check_is_refused_over_rest",
    "StaleToken": "acceptance/test_as8_recovery.py::test_f26_the_old_executor_wakes_up_too_late",
    "CriteriaUnmet": "api/test_attempts.py::test_completion_without_evidence_names_the_criterion",
    "KeyReused": "api/test_idempotency.py::test_b31_the_same_key_with_another_body_is_409",
    "FormSentBefore": "acceptance/test_dc5_forms_sent_twice.py::"
    "test_dc5_the_back_button_with_other_words_asks_first_and_keeps_them|409",
    "ArtifactDamaged": "services/test_recoveries.py::test_retry_says_when_nothing_has_changed",
    "WorkspaceUnavailable": "api/test_idempotency.py::test_a_refusal_that_says_try_again_is_not_kept",
    "ToolUnknown": "adapters/test_tools.py::test_only_registered_tools_exist",
    "NotFinished": "acceptance/test_lc9_patch_accepts.py::test_lc9_an_unfinished_workstream_is_not_accepted",
    "NotSignedIn": "api/test_signing_in.py::test_b30_without_a_token_there_is_no_answer",
    "TooLarge": "api/test_bad_input.py::test_b15_a_body_of_50_mb_is_refused_unread",
    "MethodUnknown": "api/test_bad_input.py::test_an_unknown_method_is_a_405_that_names_the_others",
    "DatabaseUnavailable": "api/test_database_unavailable.py::"
    "test_f18_a_locked_database_is_a_503_and_the_call_can_be_repeated",
    "RepositoryMissing": "adapters/test_worktree.py::test_a_missing_repository_or_branch_says_so",
    "MergeConflict": "acceptance/test_bx3_conflicts.py::test_bx3_the_same_file_in_two_lanes",
    "RepositoryFailed": "acceptance/test_fr025_refusals.py::test_fr025_git_says_no_in_a_folder_without_a_repository",
}


def raised(refusal: type[Refusal]) -> bool:
    """Whether anything raises it, itself or by the declaration of an act; the base of others may be raised by none."""
    makes = re.compile(rf"\b{refusal.__name__}\(|refusal={refusal.__name__}\b")
    files = [path for path in (ROOT / "orchestrator").rglob("*.py") if path.name != "errors.py"]
    return any(makes.search(path.read_text(encoding="utf-8")) for path in files)


@pytest.mark.parametrize("refusal", refusals()[1:], ids=lambda refusal: refusal.__name__)
def test_fr025_a_test_provokes_every_refusal(refusal: type[Refusal]) -> None:
    if not raised(refusal):
        pytest.skip(f"no act raises {refusal.__name__} yet")
    place, _, said = PROVOKED[refusal.__name__].partition("|")
    file, name = place.split("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    found = {node.name: node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    source = ast.get_source_segment(text, found[name]) or ""
    assert any(word in source for word in (said or refusal.code, refusal.__name__))


def test_fr025_every_entry_of_the_list_is_a_refusal() -> None:
    assert set(PROVOKED) == {refusal.__name__ for refusal in refusals()[1:]}


def test_fr025_git_says_no_in_a_folder_without_a_repository(tmp_path: Path) -> None:
    with pytest.raises(RepositoryFailed) as refusal:
        git(tmp_path, "rev-parse", "HEAD")
    assert "not a git repository" in refusal.value.message
    assert refusal.value.as_dict()["code"] == "git-failed"
