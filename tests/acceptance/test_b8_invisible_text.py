"""B8, B9, B10: what nobody sees is told in plans, shown on pages, and refused where it would be part of a
name.
"""

import json
import re

import pytest
from django.conf import settings
from django.test import Client

from orchestrator.core.errors import PlanRejected
from orchestrator.models import Executor, Policy, WorkflowVersion
from tests.cast import PLAN, Cast, Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

#: Characters of every kind that nobody sees, by what they are.
WEAK = {
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "zero width non-joiner": "\u200c",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "Hangul filler": "\u3164",
    "half width Hangul filler": "\uffa0",
    "Hangul initial filler": "\u115f",
    "Hangul medial filler": "\u1160",
    "blank Braille": "\u2800",
    "variation selector": "\ufe0f",
    "later variation selector": "\U000e0101",
    "next line": "\u0085",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "escape": "\x1b",
}
STRONG = {
    "tag": "\U000e0041",
    "override": "\u202e",
    "embedding": "\u202b",
    "isolate": "\u2067",
    "end of an isolate": "\u2069",
}
ALL = WEAK | STRONG
every = pytest.mark.parametrize("hidden", ALL.values(), ids=ALL.keys())
ORDINARY = (
    "Ship it \u26a0\ufe0f \u2764\ufe0f\u200d\U0001f525 \U0001f469\U0001f3fd\u200d\U0001f4bb 1\ufe0f\u20e3"
    " \U0001f3f3\ufe0f\u200d\U0001f308 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 "
    "\u845b\U000e0100\u98fe"
)
TITLE, LINE = "Ledger report", 21
PLACES = {
    "key": ("- A2: ", "- A2{}: "),
    "key's middle": ("- A2: ", "- A{}2: "),
    "dependency": ("- A2: Ledger report", "- A2: Ledger report (needs A{}1)"),
    "file pattern": ("`ledger/**`", "`led{}ger/**`"),
    "role": ("- Role: contributor\n- Files: `ledger", "- Role: contri{}butor\n- Files: `ledger"),
    "property's name": ("- Files: `ledger", "- Fi{}les: `ledger"),
    "run line": ("  - Exit: report", "  - Tool: script\n  - Run: a.py --x={}1\n  - Exit: report"),
    "condition": ("  - Exit: report", "  - When: A1 is{} complete\n  - Exit: report"),
    "reviewer": ("- **Reviewers:** reviewer", "- **Reviewers:** revi{}ewer"),
    "heading": ("##### Batch 02: ", "##### Bat{}ch 02: "),
    "gate": ("### Merge Point MP1", "### Merge{} Point MP1"),
    "owner": ("domain: payments", "domain: pay{}ments"),
}


def hold(place: str, hidden: str) -> str:
    old, new = PLACES[place]
    assert old in PLAN.decode()
    return PLAN.decode().replace(old, new.format(hidden), 1)


def check(machine: Machine, source: str) -> dict[str, list[tuple[int, str]]]:
    """Line and severity of the findings about hidden characters, by code."""
    status, told = machine.post("/api/plans/check", {"source": source})
    assert status == 200, told
    found: dict[str, list[tuple[int, str]]] = {}
    for one in told["findings"]:
        if one["code"].startswith(("hidden-", "deceiving-")):
            found.setdefault(one["code"], []).append((one["line"], one["severity"]))
    return found


def approve(driver: Driver, source: str) -> int:
    """The status with which the approval of a plan with this text is answered."""
    version = driver.submit(source.encode()).version
    body = {"decision": "approve", "version_id": version.pk, "seen_sha256": version.source_sha256}
    address = f"/plans/{version.workflow.slug}/v1/decide"
    status = signed_in(driver.cast.approver).post(address, body).status_code
    assert (WorkflowVersion.objects.get(pk=version.pk).status == "approved") == (status == 302)
    return status


# -- plans


@every
@pytest.mark.parametrize("place", PLACES)
def test_b8_what_nobody_sees_in_a_name_of_a_plan_blocks_it(planner: Machine, place: str, hidden: str) -> None:
    found = check(planner, hold(place, hidden))
    assert found, "nothing is said"
    assert any(severity == "blocks" for rows in found.values() for _, severity in rows), found


@pytest.mark.parametrize("hidden", WEAK.values(), ids=WEAK.keys())
def test_b8_what_nobody_sees_in_a_sentence_is_a_warning_with_its_line(planner: Machine, hidden: str) -> None:
    source = PLAN.decode().replace(TITLE, f"Ledger{hidden} report")
    line = source.split("\n").index(f"- A2: Ledger{hidden} report") + 1
    assert check(planner, source) == {"hidden-characters": [(line, "warns")]}


@pytest.mark.parametrize("hidden", STRONG.values(), ids=STRONG.keys())
def test_b8_direction_and_tags_block_a_plan_wherever_they_stand(planner: Machine, hidden: str) -> None:
    source = PLAN.decode().replace(TITLE, f"Ledger{hidden} report")
    line = source.split("\n").index(f"- A2: Ledger{hidden} report") + 1
    assert check(planner, source) == {"deceiving-characters": [(line, "blocks")]}


def test_b8_emoji_and_scripts_that_join_are_ordinary(driver: Driver, planner: Machine) -> None:
    source = PLAN.decode().replace(TITLE, ORDINARY)
    assert check(planner, source) == {}
    assert approve(driver, source) == 302
    page = signed_in(driver.cast.reviewer).get("/plans/card-refunds/v1/").content.decode()
    assert ORDINARY in page
    assert 'class="unseen"' not in page


def test_b8_a_plan_with_a_warning_can_be_approved_and_one_that_deceives_is_not_taken(driver: Driver) -> None:
    assert approve(driver, PLAN.decode().replace(TITLE, "Led\u00adger report")) == 302
    for source in (PLAN.decode().replace(TITLE, "Led\u202eger report"), hold("run line", "\u200b")):
        refused = signed_in(driver.cast.initiator).post("/plans/submit/", {"act": "submit", "source": source})
        assert refused.status_code == PlanRejected.status
        assert "Delete the character, so that all read the same text." in words(refused)
    assert WorkflowVersion.objects.count() == 1


@every
def test_b8_json_that_spells_them_with_escapes_is_told_as_well(planner: Machine, hidden: str) -> None:
    status, told = planner.post("/api/plans/check", {"source": PLAN.decode()})
    assert status == 200
    bundle = {
        "schemaVersion": "1.0",
        "plan": {
            "name": "Refunds",
            "stages": [
                {"number": 1, "name": "Build", "batches": [{"prefix": "01", "name": "parts", "threads": []}]}
            ],
        },
    }
    thread = {"lane": "01", "name": "x", "steps": [{"key": "A1", "title": f"Led{hidden}ger"}]}
    bundle["plan"]["stages"][0]["batches"][0]["threads"].append(thread)  # type: ignore[index]
    source = json.dumps(bundle)
    assert source.isascii()
    assert set(check(planner, source)) & {"hidden-characters", "deceiving-characters"}, told


@every
def test_b8_keys_in_other_formats_hold_nothing_unseen(planner: Machine, hidden: str) -> None:
    source = json.dumps({"master": {"tasks": [{"id": 1, "title": "Index", "files": [f"src/{hidden}a.py"]}]}})
    status, told = planner.post("/api/plans/check", {"source": source})
    assert status == 200
    assert told["findings"]


# -- names over the interfaces


@every
def test_b8_names_and_paths_with_unseen_characters_are_refused(driver: Driver, hidden: str) -> None:
    driver.start()
    carl, machine = signed_in(driver.cast.contributor), Machine.of(driver.cast.builder("scout"))
    form = {"kind": "agent", "label": "x", "scopes": ["read"], "executor": f"my{hidden}agent"}
    assert carl.post("/tokens/", form).status_code == 422
    assert not Executor.objects.exclude(name="scout").exists()
    attempt = driver.attempt("A1").pk
    claim = machine.post(f"/api/attempts/{attempt}/claim")[1]
    evidence = {str(one["id"]): "Seen." for one in claim["criteria"]}
    body = {"token": claim["token"], "evidence": evidence, "outputs": {f"led{hidden}ger.txt": "x"}}
    status, refusal = machine.post(f"/api/attempts/{attempt}/complete", body)
    assert (status, refusal["details"]["field"]) == (422, "outputs")


def test_b9_two_spellings_of_one_name_are_one_or_refused(driver: Driver, planner: Machine) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    twins = PLAN.decode().replace("- A2: ", f"- {composed}-1: ").replace("- B1: ", f"- {apart}-1: ")
    status, told = planner.post("/api/plans/check", {"source": twins})
    assert status == 200
    assert not told["approvable"]
    driver.start()
    machine, attempt = Machine.of(driver.cast.builder("scout")), driver.attempt("A1").pk
    claim = machine.post(f"/api/attempts/{attempt}/claim")[1]
    evidence = {str(one["id"]): "Seen." for one in claim["criteria"]}
    body = {"token": claim["token"], "evidence": evidence}
    outputs = {f"{composed}.txt": "x", f"{apart}.txt": "y"}
    status, refusal = machine.post(f"/api/attempts/{attempt}/complete", body | {"outputs": outputs})
    assert (status, refusal["details"]["field"]) == (422, "outputs")
    for name in (composed, apart):
        form = {"kind": "agent", "label": "x", "scopes": ["read"], "executor": name}
        assert signed_in(driver.cast.contributor).post("/tokens/", form).status_code == 422


def test_b10_half_a_character_is_refused_everywhere(driver: Driver, planner: Machine) -> None:
    half = PLAN.decode().replace("- A2: ", "- A\ud8002: ")
    assert planner.call("POST", "/api/plans/check", json.dumps({"source": half}))[0] == 422
    driver.start()
    machine, attempt = Machine.of(driver.cast.builder("scout")), driver.attempt("A1").pk
    token = machine.post(f"/api/attempts/{attempt}/claim")[1]["token"]
    for body in (
        {"token": token, "breadcrumb": "half\udfff"},
        {"token": token, "breadcrumb": "x", "half\ud800": 1},
    ):
        assert machine.post(f"/api/attempts/{attempt}/report", body)[0] == 422
    form, kind = "kind=agent&label=x&scopes=read&executor=half%ED%BF%BF", "application/x-www-form-urlencoded"
    answer = signed_in(driver.cast.contributor).generic("POST", "/tokens/", form, content_type=kind)
    assert answer.status_code == 422


# -- pages


@pytest.fixture
def hidden_everywhere(driver: Driver) -> Driver:
    """A workstream whose plan and people's texts hold a zero width space and a tag."""
    source = (
        PLAN.decode()
        .replace("Card refunds", "Card\u200b refunds")
        .replace("Ledger entries", "Ledger\u200b entries")
    )
    driver.start(source.encode())
    machine = Machine.of(driver.cast.builder("scout"))
    attempt, task = driver.attempt("A1").pk, driver.task("A1").pk
    claim = machine.post(f"/api/attempts/{attempt}/claim")[1]
    token = {"token": claim["token"]}
    machine.post(f"/api/attempts/{attempt}/report", token | {"breadcrumb": "crumb\U000e0041"})
    machine.post(f"/api/tasks/{task}/flag", {"note": "note\u2066"})
    machine.post(f"/api/tasks/{task}/clear-flag", {"answer": "answer\u3164"})
    evidence = {str(one["id"]): "evidence\u2060" for one in claim["criteria"] if one["kind"] == "exit"}
    body = token | {"outcome": "outcome\u202e", "evidence": evidence}
    assert machine.post(f"/api/attempts/{attempt}/complete", body)[0] == 200
    driver.advance()
    return driver


def test_b8_pages_show_what_nobody_would_see(hidden_everywhere: Driver) -> None:
    driver = hidden_everywhere
    uuid, rita = driver.reload().uuid, signed_in(driver.cast.reviewer)
    task = words(rita.get(f"/workstreams/{uuid}/tasks/A1/"))
    for shown in ("Ledger ⟨U+200B⟩ entries", "crumb ⟨U+E0041⟩", "evidence ⟨U+2060⟩", "outcome ⟨U+202E⟩"):
        assert shown in task, shown
    everything = (
        "/",
        "/workstreams/",
        f"/workstreams/{uuid}/",
        f"/workstreams/{uuid}/history/",
        "/plans/",
        "/history/",
    )
    everything += ("/plans/card-refunds/v1/", "/gates/", "/interventions/", f"/workstreams/{uuid}/tasks/A1/")
    for address in everything:
        page = rita.get(address, follow=True).content.decode()
        for character in ("\u200b", "\U000e0041", "\u2066", "\u3164", "\u2060", "\u202e"):
            assert character not in page, (address, character)


def test_b8_titles_options_and_attributes_show_a_mark_and_forms_keep_what_was_typed(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.approver)
    form = {"title": "Rule\u200b", "body": "text\u200b", "reason": "why", "impact": "none", "slug": "rule"}
    answer = client.post("/policies/", form, follow=True)
    policy = Policy.objects.get()
    page = client.get(f"/policies/{policy.slug}/").content.decode()
    assert answer.status_code == 200
    assert policy.title == "Rule\u200b"
    assert "Rule⟨U+200B⟩" in re.search("<title>(.*?)</title>", page, re.DOTALL)[1]  # type: ignore[index]
    assert "text\u200b" in re.search("<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1]  # type: ignore[index]


def test_b8_a_name_in_another_direction_stays_in_its_own_place(driver: Driver) -> None:
    title = "\u05d4\u05d7\u05d6\u05e8\u05d9\u05dd"
    driver.start(PLAN.replace(b"Card refunds", title.encode()))
    page = (
        signed_in(driver.cast.reviewer).get(f"/workstreams/{driver.reload().uuid}/history/").content.decode()
    )
    assert f"Every change of <bdi>{title}</bdi>, newest first." in page
    styles = (settings.BASE_DIR / "static/orchestrator.css").read_text()
    assert re.search(r"\bbdi\b[^{]*\{ unicode-bidi: isolate; \}", styles)
