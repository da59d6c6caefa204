"""The operator's commands: thin, clear about what happened, and safe to repeat."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from orchestrator.core.terms import Role, VersionStatus
from orchestrator.models import Executor, HistoryEntry, Policy, Workflow, WorkflowVersion, Workstream
from orchestrator.models.base.guards import drop_guards
from orchestrator.services.people.tokens import live_token
from tests.cast import PLAN
from tests.core.plans.formats.samples import FOLDER_FILES, SAMPLES

ROOT = Path(__file__).resolve().parent.parent.parent
CYCLE = (
    b"# Plan: Round\n\n## Task Dependencies\n\n### Batch 1\n\n- **A1:** one (needs A2)\n- **A2:** "
    b"two (needs A1)\n"
)
QUESTION = PLAN.replace(b"## Stages", b"## Questions\n\n- [ ] Who pays?\n\n## Stages")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def rows() -> tuple[int, ...]:
    return tuple(m.objects.count() for m in (Workflow, WorkflowVersion, Workstream, HistoryEntry))


@pytest.fixture
def plan_file(tmp_path):
    def write(source: bytes) -> str:
        path = tmp_path / "PLAN.md"
        path.write_bytes(source)
        return str(path)

    return write


def test_the_demo_is_set_up_once(db, monkeypatch):
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)
    first = run("setup_demo")
    before = rows()
    assert run("setup_demo") == ""
    assert rows() == before
    for role in Role:
        person = User.objects.get(username=role.value)
        assert [group.name for group in person.groups.all()] == [role.value]
        line = next(line for line in first.splitlines() if line.startswith(f"Account {role.value} "))
        assert person.check_password(line.split()[-1])
    assert User.objects.get(username="admin").is_superuser
    assert list(Executor.objects.values_list("name", flat=True)) == ["builder-1", "builder-2", "builder-3"]
    assert Policy.objects.get().slug == "definition-of-done"


def test_the_demo_has_something_to_review_and_something_to_see(db):
    run("setup_demo")
    found = dict(Workstream.objects.values_list("slug", "version__status"))
    assert found == {
        "quotes-in-four-currencies": VersionStatus.IN_REVIEW,
        "opening-hours-on-every-page": VersionStatus.IN_REVIEW,
        "returns-without-a-printed-label": VersionStatus.SENT_BACK,
        "stocktaking-by-hand-held-scanner": VersionStatus.APPROVED,
        "a-first-step-by-an-agent": VersionStatus.APPROVED,
    }
    assert len(set(Workstream.objects.values_list("domain", flat=True))) == 4


def test_passwords_of_a_second_run_are_not_printed_again(db, monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", "given from outside")
    assert "given from outside" not in run("setup_demo")
    assert User.objects.get(username="approver").check_password("given from outside")


def test_the_demo_plan_previews_without_a_blocker_and_stores_nothing(db):
    printed = run("preview_plan", str(ROOT / "fixtures" / "plans" / "demo.PLAN.md"))
    assert "16 tasks" in printed
    assert "Launch 2: A1, B1, C1" in printed
    assert "Critical path: S1" in printed
    assert "Nothing blocks approval." in printed
    assert rows() == (0, 0, 0, 0)


@pytest.mark.parametrize("source", [CYCLE, b"", b"\x00\x01binary", QUESTION])
def test_a_preview_of_a_plan_that_cannot_be_approved_ends_with_1(db, plan_file, capsys, source):
    with pytest.raises(SystemExit) as left:
        run("preview_plan", plan_file(source))
    assert left.value.code == 1
    assert rows() == (0, 0, 0, 0)


def test_a_preview_shows_the_schedule_although_a_question_is_open(db, plan_file):
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("preview_plan", plan_file(QUESTION), stdout=out)
    assert "Launch 1: A1, B1" in out.getvalue()
    assert "Who pays?" in out.getvalue()


def test_a_plan_is_submitted_as_somebody(cast, plan_file):
    printed = run("submit_plan", plan_file(PLAN), "--as", "ines")
    assert "“Card refunds” (card-refunds), version 1, waits for review." in printed
    assert WorkflowVersion.objects.get().author == cast.initiator


def test_a_cyclic_plan_is_refused_with_the_line_and_nothing_is_stored(cast, plan_file):
    with pytest.raises(CommandError, match=r"line 7") as refused:
        run("submit_plan", plan_file(CYCLE), "--as", "ines")
    assert "othing was stored" in str(refused.value)
    assert Workflow.objects.count() == 0


def test_who_may_not_submit_is_told(cast, plan_file):
    with pytest.raises(CommandError, match="needs the role initiator"):
        run("submit_plan", plan_file(PLAN), "--as", "otto")
    with pytest.raises(CommandError, match="no account nobody"):
        run("submit_plan", plan_file(PLAN), "--as", "nobody")
    with pytest.raises(CommandError, match="Cannot read"):
        run("submit_plan", "no-such-file.md", "--as", "ines")


def test_an_account_is_made_once_with_its_roles(db):
    printed = run("add_user", "mara", "--role", "reviewer", "--role", "observer")
    mara = User.objects.get(username="mara")
    assert mara.check_password(printed.split()[-1])
    assert {group.name for group in mara.groups.all()} == {"reviewer", "observer"}
    with pytest.raises(CommandError, match="already"):
        run("add_user", "mara", "--role", "approver")
    assert not mara.groups.filter(name="approver").exists()


def test_a_token_is_shown_once_and_signs_in(cast):
    printed = run("create_token", "--executor", "helper", "--user", "carl", "--scope", "work")
    token = live_token(printed.split()[-1])
    assert token is not None
    assert (token.executor.name, token.scope_set) == ("helper", {"work"})
    with pytest.raises(CommandError, match="add --user"):
        run("create_token", "--executor", "unknown")


def test_a_changed_history_is_found_and_the_entry_named(driver):
    driver.start()
    assert "all in order" in run("verify_history")
    third = HistoryEntry.objects.order_by("sequence")[2]
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orchestrator_historyentry SET reason = 'forged' WHERE id = %s", [third.pk])
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("verify_history", stdout=out)
    assert left.value.code == 1
    assert out.getvalue().startswith(f"Entry {third.sequence} is bad: ")


def test_an_unknown_executor_does_not_start(db):
    with pytest.raises(CommandError, match="There is no executor nobody"):
        run("run_executor", "--name", "nobody", "--once")


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"beads"}))
def test_other_tools_plans_are_previewed(name, plan_file, db):
    printed = run("preview_plan", plan_file(SAMPLES[name].encode()))
    assert f"Read as {name}." in printed
    assert "Nothing blocks approval." in printed


def test_the_format_can_be_given(plan_file, db):
    with pytest.raises(SystemExit):
        run("preview_plan", "--format", "plan", plan_file(SAMPLES["task-master"].encode()))


def test_a_converted_plan_can_be_submitted(plan_file, db):
    run("setup_demo")
    converted = run("convert_plan", plan_file(SAMPLES["task-master"].encode()))
    run("submit_plan", plan_file(converted.encode()), "--as", "initiator")
    assert Workstream.objects.filter(title="Packing", version__status=VersionStatus.IN_REVIEW).exists()


@pytest.mark.parametrize("form", ["plan-file", "tasks"])
def test_ad5_a_converted_plan_reads_as_the_same_work(plan_file, form):
    converted = run("convert_plan", plan_file(PLAN), "--to", form)
    again = run("convert_plan", plan_file(converted.encode()))
    titles = [line.split(": ", 1)[1] for line in again.splitlines() if line.startswith("- Task ")]
    assert titles
    assert all(title in PLAN.decode() for title in titles if not title.startswith("Merge point"))


def test_wf7_a_folder_is_converted_as_one_workstream(tmp_path):
    for name, text in FOLDER_FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "README.md").write_text("# About\n")
    (tmp_path / ".hidden.md").write_text(text)
    errors = StringIO()
    out = StringIO()
    call_command("convert_plan", str(tmp_path), stdout=out, stderr=errors)
    assert "- Task 02.01.01.01: Check" in out.getvalue()
    assert "README.md says something about the folder" in errors.getvalue()
    assert "PLAN.md: read as folder." in errors.getvalue()
    assert ".hidden.md" not in errors.getvalue()


def test_ad3_a_folder_of_plans_becomes_one_bundle(tmp_path):
    (tmp_path / "a.json").write_text(SAMPLES["bundle-ws"])
    (tmp_path / "b.jsonl").write_text(SAMPLES["beads"])
    bundle = run("convert_plan", str(tmp_path), "--to", "plan-file")
    assert [plan["name"] for plan in json.loads(bundle)["plans"]] == ["ws-10-ledger", "Checkout"]
    (tmp_path / "all.json").write_text(bundle)
    several = run("convert_plan", str(tmp_path / "all.json"))
    assert several.count("<!-- plan: ") == 2


def test_what_holds_no_plan_is_not_converted(plan_file, db):
    with pytest.raises(SystemExit):
        run("convert_plan", plan_file(b'{"streams": []}'))
