"""WF-3: several approvers sign one text, the last one makes it effective; an author takes a version back."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse

from orchestrator.core.errors import InvalidInput, MissingReason, NotAllowed, VersionMoved, WrongState
from orchestrator.core.terms import Role, VersionStatus
from orchestrator.models import Approval, HistoryEntry, Task, WorkflowVersion
from orchestrator.services.base.actor import Actor
from orchestrator.services.duties import inbox_of
from orchestrator.services.review import decisions
from orchestrator.services.review.workflows import change_workflow
from tests.cast import NOON, PLAN, Driver, UserFactory
from tests.web.pages import signed_in, words


@pytest.fixture
def version(driver: Driver) -> WorkflowVersion:
    """In review; its workflow asks for two approvals."""
    found = driver.submit().version
    need(driver, found, 2)
    return WorkflowVersion.objects.select_related("workflow").get(pk=found.pk)


@pytest.fixture
def omar(driver: Driver) -> User:
    return UserFactory(username="omar", roles=[Role.APPROVER])


def need(driver: Driver, version: WorkflowVersion, count: int) -> None:
    change_workflow(
        workflow_id=version.workflow_id,
        name=version.workflow.name,
        domain="",
        allow_self_approval=False,
        demands_proof=False,
        required_approvals=count,
        actor=driver.cast.actor("approver"),
        now=NOON,
    )


def decide(
    user: User, version: WorkflowVersion, decision: str, reason: str = "", htmx: bool = False
) -> HttpResponse:
    form = {
        "decision": decision,
        "version_id": version.pk,
        "seen_sha256": version.source_sha256,
        "reason": reason,
        "effective_at": "2031-05-06T07:08" if decision == "approve" and reason else "",
    }
    headers = {"HX-Request": "true", "HX-Target": "decision"} if htmx else {}
    return signed_in(user).post(
        f"/plans/{version.workflow.slug}/v{version.number}/decide", form, headers=headers
    )


def page(user: User, version: WorkflowVersion) -> str:
    return words(signed_in(user).get(f"/plans/{version.workflow.slug}/v{version.number}/"))


def status(version: WorkflowVersion) -> str:
    version.refresh_from_db(fields=["status"])
    return version.status


def waits_for(user: User) -> list[str]:
    return [
        entry.title
        for _, entries in inbox_of(user).groups
        for entry in entries
        if entry.page == "plan-review"
    ]


def test_wf3_the_last_of_two_approvers_makes_the_version_effective(
    driver: Driver, version: WorkflowVersion, omar: User
) -> None:
    anna = driver.cast.approver
    decide(anna, version, "approve")
    assert (status(version), Task.objects.count()) == (VersionStatus.IN_REVIEW, 0)
    assert "1 of 2 approvals" in page(omar, version)
    assert (waits_for(anna), waits_for(omar)) == ([], ["Plan “Card refunds”, version 1"])
    again = decide(anna, version, "approve")
    assert again.status_code == WrongState.status
    assert Approval.objects.count() == 1
    decide(omar, version, "approve")
    assert (status(version), Task.objects.count()) == (VersionStatus.APPROVED, 6)
    rows = Approval.objects.values_list("person__username", "sha256")
    assert list(rows) == [("anna", version.source_sha256), ("omar", version.source_sha256)]
    acts = HistoryEntry.objects.filter(action__in=["plan signed", "plan approved"]).order_by("sequence")
    assert list(acts.values_list("action", flat=True)) == ["plan signed", "plan approved"]


def test_wf3_a_send_back_ends_it_and_a_newer_version_starts_anew(
    driver: Driver, version: WorkflowVersion, omar: User
) -> None:
    decide(driver.cast.approver, version, "approve")
    decide(omar, version, "send-back", "Name the owner.")
    assert status(version) == VersionStatus.SENT_BACK
    assert Approval.objects.filter(version=version).count() == 1
    newer = resubmit(driver, version)
    assert "0 of 2 approvals" in page(omar, newer)
    assert "last approved v1" in page(omar, newer)
    decide(omar, newer, "approve")
    assert status(newer) == VersionStatus.IN_REVIEW


def resubmit(driver: Driver, version: WorkflowVersion) -> WorkflowVersion:
    form = {
        "act": "submit",
        "source": PLAN.decode() + "\n",
        "of": version.workflow.slug,
        "change_reason": "Answered.",
    }
    signed_in(driver.cast.initiator).post("/plans/submit/", form)
    return WorkflowVersion.objects.select_related("workflow").get(number=2)


def test_wf3_fewer_approvals_needed_meanwhile_lets_who_signed_settle_it(
    driver: Driver, version: WorkflowVersion
) -> None:
    decide(driver.cast.approver, version, "approve")
    need(driver, version, 1)
    decide(driver.cast.approver, version, "approve")
    assert (status(version), Approval.objects.count()) == (VersionStatus.APPROVED, 1)


@pytest.mark.parametrize("count", [0, 21])
def test_wf3_a_number_of_approvals_out_of_range_is_refused(
    driver: Driver, version: WorkflowVersion, count: int
) -> None:
    with pytest.raises(InvalidInput):
        need(driver, version, count)


def test_wf3_the_author_takes_a_version_back_with_a_reason(driver: Driver, version: WorkflowVersion) -> None:
    ines = driver.cast.initiator
    assert decide(ines, version, "withdraw").status_code == MissingReason.status
    decide(ines, version, "withdraw", "The scope was wrong.")
    assert status(version) == VersionStatus.WITHDRAWN
    assert "The scope was wrong." in page(ines, version)
    assert waits_for(driver.cast.approver) == []
    assert HistoryEntry.objects.filter(action="plan withdrawn", reason="The scope was wrong.").exists()
    assert decide(driver.cast.approver, version, "approve").status_code == WrongState.status
    assert resubmit(driver, version).status == VersionStatus.IN_REVIEW


def test_wf3_only_the_author_and_approvers_take_a_version_back(
    driver: Driver, version: WorkflowVersion
) -> None:
    with pytest.raises(NotAllowed):
        decisions.withdraw_version(
            version_id=version.pk,
            seen_sha256=version.source_sha256,
            reason="No.",
            actor=Actor.person(driver.cast.contributor),
            now=NOON,
        )
    assert status(version) == VersionStatus.IN_REVIEW


@pytest.mark.parametrize("htmx", [False, True])
def test_dc5_a_newer_version_keeps_what_was_typed(
    driver: Driver, version: WorkflowVersion, omar: User, htmx: bool
) -> None:
    resubmit(driver, version)
    refused = decide(omar, version, "approve", "Looks right to me.", htmx)
    body = refused.content.decode()
    assert refused.status_code == VersionMoved.status
    assert "Looks right to me." in body
    link = re.search(r'href="([^"]+effective_at=[^"]+)"', body)
    assert link
    newer = signed_in(omar).get(unescape(link[1])).content.decode()
    assert "Looks right to me." in newer
    assert "2031-05-06T07:08" in newer
    assert "What changed from version 1 to version 2" in words(refused)
    assert not Approval.objects.exists()
