"""WF-3: a plan names who has to approve it and how many.

The workflow's page sets the least, with a change log.
"""

import pytest
from django.contrib.auth.models import User

from orchestrator.core.errors import PlanHasBlockers
from orchestrator.core.terms import Role, VersionStatus
from orchestrator.models import HistoryEntry, Task, WorkflowVersion
from tests.acceptance.versions import ONE
from tests.cast import Driver, UserFactory
from tests.web.pages import signed_in, words


@pytest.fixture
def omar(driver: Driver) -> User:
    return UserFactory(username="omar", roles=[Role.APPROVER])


def submitted(driver: Driver, *lines: str) -> WorkflowVersion:
    matter = "".join(f"{line}\n" for line in lines)
    return driver.submit(f"---\n{matter}---\n".encode() + ONE).version


def decide(user: User, version: WorkflowVersion):
    form = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    return signed_in(user).post(f"/plans/{version.workflow.slug}/v{version.number}/decide", form)


def page(user: User, version: WorkflowVersion) -> str:
    return words(signed_in(user).get(f"/plans/{version.workflow.slug}/v{version.number}/"))


def status(version: WorkflowVersion) -> str:
    version.refresh_from_db()
    return version.status


def test_wf3_a_named_approver_is_among_those_who_approve(driver: Driver, omar: User) -> None:
    version = submitted(driver, "approvers: [omar]")
    assert "still needed: omar" in page(driver.cast.approver, version)
    decide(driver.cast.approver, version)
    assert (status(version), Task.objects.count()) == (VersionStatus.IN_REVIEW, 0), (
        "anna does not stand for omar"
    )
    assert "1 of 2 approvals; still needed: you" in page(omar, version)
    assert "1 of 2 approvals; still needed: omar" in page(driver.cast.approver, version)
    decide(omar, version)
    assert (status(version), Task.objects.count()) == (VersionStatus.APPROVED, 5)


def test_wf3_a_plan_asks_for_more_approvals_never_for_fewer(driver: Driver, omar: User) -> None:
    version = submitted(driver, "approvals: 2")
    decide(omar, version)
    assert status(version) == VersionStatus.IN_REVIEW
    assert "still needed: another approver" in page(omar, version)
    type(version.workflow).objects.update(required_approvals=3)
    decide(driver.cast.approver, version)
    assert "2 of 3 approvals" in page(omar, version)
    assert status(version) == VersionStatus.IN_REVIEW


def test_wf3_an_approver_reads_that_their_own_approval_is_needed(driver: Driver, omar: User) -> None:
    version = submitted(driver, "approvals: 1")
    assert "0 of 1 approvals; still needed: you or another approver" in page(omar, version)
    assert "0 of 1 approvals; still needed: an approver" in page(driver.cast.observer, version)
    version.workflow.required_approvals = 2
    version.workflow.save()
    assert "0 of 2 approvals; still needed: 2 approvers, maybe you" in page(omar, version)
    decide(driver.cast.approver, version)
    assert "1 of 2 approvals; still needed: you or another approver" in page(omar, version)
    assert "1 of 2 approvals; still needed: another approver" in page(driver.cast.approver, version)


def test_wf3_a_named_approver_reads_that_they_are_needed(driver: Driver, omar: User) -> None:
    version = submitted(driver, "approvers: [omar]")
    assert "0 of 1 approvals; still needed: you" in page(omar, version)


@pytest.mark.parametrize(("name", "code"), [("nobody", "unknown-approver"), ("rita", "unknown-approver")])
def test_wf3_an_approver_who_cannot_approve_blocks_with_a_way_out(
    driver: Driver, name: str, code: str
) -> None:
    version = submitted(driver, f"approvers: [{name}]")
    shown = page(driver.cast.approver, version)
    assert f"The plan names the approver “{name}”, who is no user with the role approver." in shown
    assert "Correct the name, or have an administrator give that person the role approver." in shown
    assert decide(driver.cast.approver, version).status_code == PlanHasBlockers.status
    UserFactory(username=name, roles=[Role.APPROVER])
    UserFactory(username=name).groups.add(*User.objects.get(username="anna").groups.all())
    assert "The plan names the approver" not in page(driver.cast.approver, version)


def test_wf3_an_author_who_names_herself_is_told_unless_that_is_allowed(driver: Driver) -> None:
    anna = driver.cast.approver
    version = driver.submit(b"---\napprovers: anna\n---\n" + ONE, role="approver").version
    assert "The plan names anna as an approver, who wrote this version." in page(anna, version)
    type(version.workflow).objects.update(allow_self_approval=True)
    assert decide(anna, version).status_code == 302
    assert status(version) == VersionStatus.APPROVED


@pytest.mark.parametrize("line", ["approvals: many", "approvals: 0", "approvals: 21", "approvers: [a b]"])
def test_wf3_what_cannot_be_read_is_refused_with_its_line(driver: Driver, line: str) -> None:
    source = f"---\n{line}\n---\n".encode() + ONE
    answer = signed_in(driver.cast.initiator).post(
        "/plans/submit/", {"act": "submit", "source": source.decode()}
    )
    assert answer.status_code == 422
    assert "Line 2" in words(answer)
    assert not WorkflowVersion.objects.exists()


def test_wf3_the_workflows_page_sets_the_rules_and_logs_them(driver: Driver, omar: User) -> None:
    version = submitted(driver)
    address = f"/plans/{version.workflow.slug}/rules/"
    form = {
        "name": version.workflow.name,
        "domain": "payments",
        "required_approvals": "2",
        "reason": "Two pairs of eyes.",
    }
    assert signed_in(driver.cast.contributor).post(address, form).status_code == 403
    assert signed_in(omar).post(address, form | {"required_approvals": "21"}).status_code == 422
    assert signed_in(omar).post(address, form | {"domain": "x" * 61}).status_code == 422
    assert not HistoryEntry.objects.filter(action="workflow changed").exists()
    assert signed_in(omar).post(address, form).status_code == 302
    log = words(signed_in(driver.cast.observer).get(address))
    assert "Approvals needed 1 2 omar" in log
    assert "Two pairs of eyes." in log
    decide(omar, version)
    assert status(version) == VersionStatus.IN_REVIEW


def test_wf3_a_version_that_changes_the_approvers_says_so(driver: Driver, omar: User) -> None:
    version = submitted(driver, "approvers: [omar]", "approvals: 2")
    form = {"act": "submit", "source": ONE.decode(), "of": version.workflow.slug, "change_reason": "Faster."}
    signed_in(driver.cast.initiator).post("/plans/submit/", form)
    newer = WorkflowVersion.objects.get(number=2)
    shown = page(omar, newer)
    assert "changes approvers and approvals needed" in shown
