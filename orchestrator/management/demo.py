"""The demo: a repository, a policy and a few workstreams, made through the same services that people use."""

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User

from orchestrator.adapters.repository import git
from orchestrator.core.plans.plan import slugify
from orchestrator.models import Policy, Workflow
from orchestrator.queries.plans.readings import checked
from orchestrator.services.base.actor import Actor
from orchestrator.services.plans.plans import Submission, submit_plan
from orchestrator.services.review.decisions import approve_version, send_back_version
from orchestrator.services.workstreams.policies import change_policy
from orchestrator.services.workstreams.workstreams import sign_prehandoff

FIXTURES: Final = settings.BASE_DIR / "fixtures"
SAMPLE: Final = "sample"
#: The workstream that the stub agent works on.
AGENT_PLAN: Final = "a-first-step-by-an-agent"
POLICY: Final = "definition-of-done"
POLICY_TEXT: Final = """\
A workstream is accepted when all of this is true:

- Every task is complete, and every exit criterion has evidence that somebody who was not there can follow.
- Every gate is signed by a person who looked at what came in.
- No question is open: interventions are answered, blockers resolved, failures followed up.
- The documentation says what was built and names its sources.
- What went wrong, what worked and what needs tightening is written down for the next plan.

Whoever accepts has read the history, not only the summary.
"""


def make_sample_repository() -> bool:
    """Copy the sample into a git repository of its own; false when it is there.

    A half-made copy is never seen.
    """
    target = Path(settings.REPOSITORIES_DIR) / SAMPLE
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as folder:
        copy = Path(folder) / SAMPLE
        shutil.copytree(
            FIXTURES / "sample_repository", copy, ignore=shutil.ignore_patterns("__pycache__", ".*_cache")
        )
        git(copy, "init", "--quiet", "--initial-branch", "main")
        git(copy, "add", "--all")
        git(copy, "commit", "--quiet", "--message", "The price list as it stands")
        copy.rename(target)
    return True


def name_stub_agent() -> bool:
    """Have `serve` start the stub agent for the demo's own plan; false where there is a file already."""
    path = Path(settings.EXECUTORS_FILE)
    if path.exists():
        return False
    command = shlex.join([sys.executable, str(FIXTURES / "stub_agent.py")])
    path.write_text(
        f"# Made for the demo: a stand-in for a coding agent, which does the first step of its plan.\n"
        f'[stub-agent]\ncommand = {json.dumps(command)}\naccount = "contributor"\n'
        f'workstream = "{AGENT_PLAN}"\nminutes = 5\n',
        encoding="utf-8",
    )
    return True


def write_policy(approver: User, now: datetime) -> bool:
    if Policy.objects.filter(slug=POLICY).exists():
        return False
    change_policy(
        slug=POLICY,
        title="Definition of done for workstreams",
        body=POLICY_TEXT,
        reason="First version, written with the demo.",
        impact="Applies to every workstream from now on.",
        actor=Actor.person(approver),
        now=now,
    )
    return True


def submit_demo_plans(initiator: User, approver: User, now: datetime) -> list[str]:
    """One plan that waits for review, one with an open question, one sent back, one that people work on,
    one whose step the stub agent does."""
    follow_ups: dict[str, Callable[[Submission], None]] = {
        "demo": lambda _: None,
        "opening-hours": lambda _: None,
        "returns": lambda submission: _send_back(submission, approver, now),
        "stocktaking": lambda submission: _start(submission, approver, now),
        "agent": lambda submission: _start(submission, approver, now),
    }
    submitted = []
    for name, follow_up in follow_ups.items():
        source = (FIXTURES / "plans" / f"{name}.PLAN.md").read_bytes()
        if _is_there(source):
            continue
        submission = submit_plan(
            source=source, source_name=f"{name}.PLAN.md", actor=Actor.person(initiator), now=now
        )
        follow_up(submission)
        submitted.append(submission.workstream.title)
    return submitted


def _is_there(source: bytes) -> bool:
    plan = checked(source).plan
    return plan is not None and Workflow.objects.filter(slug=slugify(plan.name)).exists()


def _send_back(submission: Submission, approver: User, now: datetime) -> None:
    send_back_version(
        version_id=submission.version.pk,
        seen_sha256=submission.version.source_sha256,
        reason="The plan does not say what happens when a customer cannot show the code. Please "
        "add a step for it.",
        actor=Actor.person(approver),
        now=now,
    )


def _start(submission: Submission, approver: User, now: datetime) -> None:
    sign_prehandoff(
        workstream_id=submission.workstream.pk,
        rationale="Looked through the portfolio: nobody else works on stocktaking.",
        actor=Actor.person(approver),
        now=now,
    )
    approve_version(
        version_id=submission.version.pk,
        seen_sha256=submission.version.source_sha256,
        actor=Actor.person(approver),
        now=now,
    )
