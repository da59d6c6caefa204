"""AD-8, AD-6: each shipped workflow, started from the library's pages, is done by local executors
and people.
"""

import re
import time
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from orchestrator.adapters.repository import git
from orchestrator.core.terms import TaskStatus, WorkstreamStatus
from orchestrator.models import Attempt, Task, WorkflowVersion, Workstream
from orchestrator.processes.local_executor import LocalExecutor
from orchestrator.queries.plans.library import find_entry
from tests.acceptance.public import PublicDriver
from tests.acceptance.versions import decide
from tests.verified import first_breach, state_problems
from tests.web.pages import signed_in, words

#: The values of each workflow. Its tests pass at the second look: the first time there is something to fix.
VALUES = {
    "test-fix-verify": {
        "name": "Nightly ledger tests",
        "component": "ledger",
        "repository": "sample",
        "tool": "script",
        "test command": "check.py ledger/books.txt",
    },
    "feature-delivery": {"name": "Refunds by card", "goal": "A customer gets the money back."},
    "release": {"product": "shop", "version": "2.4.0", "channel": "preview"},
}
#: Which conditional steps a run leaves out: an announcement is for the stable channel, clean checks find
#: nothing.
SKIPPED = {"test-fix-verify": set(), "feature-delivery": set(), "release": {"R2", "P2"}}
#: What people would do in each workflow is done by commands; every other step leaves a note.
COMMANDS = {
    "test-fix-verify": {"F1": "work.py ledger/books.txt", "V1": "check.py ledger/books.txt"},
    "feature-delivery": {"B1": "work.py services/refunds.txt", "F1": "work.py web/refunds.txt"},
    "release": {},
}
#: The commands behind the steps: one leaves a file, the other looks for one and fails when it is not there.
SCRIPTS = {
    "work.py": "import os, pathlib, sys\npath = pathlib.Path(sys.argv[1])\n"
    "path.parent.mkdir(parents=True, "
    "exist_ok=True)\npath.write_text(os.environ['STEP_KEY'])\nprint('wrote', path)",
    "check.py": "import pathlib, sys\nmissing = [n for n in sys.argv[1:] if not pathlib.Path(n).exists()]\n"
    "print('missing', missing)\nsys.exit(bool(missing))",
}
_STEP = re.compile(r"^- ([A-Z]\d+): .*$", re.MULTILINE)


@pytest.fixture
def repository(settings: Settings) -> Path:
    path = Path(settings.REPOSITORIES_DIR) / "sample"
    (path / "scripts").mkdir(parents=True)
    for name, text in SCRIPTS.items():
        (path / "scripts" / name).write_text(text)
    git(path, "init", "--quiet", "--initial-branch", "main")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "scripts")
    return path


def with_commands(name: str) -> str:
    """The workflow's text with a command for every step that people would do otherwise, as
    somebody types it.
    """
    source = find_entry(name).source
    if "\nrepository:" not in source:
        source = source.replace("---\n", "---\nrepository: sample\n", 1)

    def equipped(step: re.Match[str]) -> str:
        key = step[1]
        command = COMMANDS[name].get(key, f"work.py notes/{key}.txt")
        return step[0] if key == "T1" else f"{step[0]}\n  - Tool: script\n  - Run: `{command}`"

    return _STEP.sub(equipped, source)


def started(driver: PublicDriver, name: str) -> Workstream:
    """Its text is changed on the page that the library leads to, submitted, reviewed and approved."""
    ines, form = signed_in(driver.cast.initiator), reverse("plan-submit")
    assert f"{form}?template={name}" in ines.get(reverse("library-entry", args=[name])).content.decode()
    assert ines.get(form, {"template": name}).status_code == 200
    body = {f"value-{key}": value for key, value in VALUES[name].items()}
    body |= {"act": "submit", "source": with_commands(name), "template": name, "template_number": "0"}
    answer = ines.post(form, body)
    assert answer.status_code == 302, words(answer)
    driver.workstream = Workstream.objects.get()
    version = driver.workstream.version
    sign = reverse("plan-sign", args=[version.workflow.slug, version.number])
    signed_in(driver.cast.approver).post(sign, {"rationale": "No similar work."})
    assert decide(driver, version).status_code == 302
    driver.advance()
    return driver.reload()


def run_to_its_end(driver: PublicDriver, executors: list[LocalExecutor]) -> None:
    """Executors take what is queued in turns.

    Whatever is a gate is signed by somebody whom the plan names.
    """
    while ready := driver.ready():
        worked = [executor.turn() for executor in executors]
        driver.advance()
        gates = [key for key in ready if driver.task(key).step.is_gate]
        for key in gates:
            driver.sign(key, driver.task(key).step.reviewers.get().name)
        assert any(worked) or gates, f"nobody takes {ready}"


@pytest.mark.django_db
@pytest.mark.parametrize("name", VALUES)
def test_ad8_a_shipped_workflow_is_run_to_its_end_by_local_executors_and_people(
    driver: PublicDriver, repository: Path, name: str
) -> None:
    workstream = started(driver, name)
    until = time.monotonic() + 60
    executors = [
        LocalExecutor(driver.cast.builder(f"builder-{n}"), timezone.now, lambda: time.monotonic() > until)
        for n in (1, 2)
    ]
    run_to_its_end(driver, executors)
    assert driver.reload().finished_at
    found = dict(Task.objects.filter(workstream=workstream).values_list("step__key", "status"))
    assert {key for key, status in found.items() if status == TaskStatus.SKIPPED} == SKIPPED[name]
    assert set(found.values()) <= {TaskStatus.COMPLETE, TaskStatus.SKIPPED}
    done = Attempt.objects.filter(task__workstream=workstream, assignment__isnull=False)
    assert {attempt.task.step.tool for attempt in done.select_related("task__step")} == {"script"}
    assert all(attempt.commit for attempt in done)
    accept = reverse("workstream-act", args=[workstream.uuid, "accept"])
    answer = signed_in(driver.cast.approver).post(accept, follow=True)
    assert driver.reload().status == WorkstreamStatus.COMPLETED, words(answer)
    assert first_breach() is None
    assert state_problems(driver.reload()) == []
    assert "Used 1 time." in words(signed_in(driver.cast.observer).get(reverse("library-entry", args=[name])))
    assert WorkflowVersion.objects.get().started_from == name
