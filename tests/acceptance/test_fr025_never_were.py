"""FR-025: a form about a thing that never was is refused in words, and nothing is stored."""

import pytest

from tests.acceptance.accounts import tables
from tests.acceptance.test_dc5_decided_twice import BESIDE
from tests.cast import Driver
from tests.web.pages import signed_in, words

pytestmark = pytest.mark.django_db
NEVER, NOBODY = "999999", "00000000-0000-4000-8000-000000000000"
PLAN, STREAM = "/plans/card-refunds/v1/", "/workstreams/{uuid}/"
TASK, GATE = f"{STREAM}tasks/A1/", "/gates/{gate}/"
SEEN = {"version_id": NEVER, "seen_sha256": "0" * 64, "reason": "No."}
#: Who sends what where.
FORMS: dict[str, tuple[str, str, dict[str, object]]] = {
    "comment on a step": ("reviewer", f"{PLAN}comments/add", {"body": "Why?", "step": "Z9"}),
    "comment on a line": ("reviewer", f"{PLAN}comments/add", {"body": "Why?", "line": NEVER}),
    "reply": ("reviewer", f"{PLAN}comments/reply", {"body": "Why?", "discussion": NEVER}),
    "changed draft": ("reviewer", f"{PLAN}comments/change", {"body": "Why?", "comment": NEVER}),
    "discarded draft": ("reviewer", f"{PLAN}comments/discard", {"comment": NEVER}),
    "resolved discussion": ("reviewer", f"{PLAN}comments/resolve", {"discussion": NEVER}),
    "re-opened discussion": ("reviewer", f"{PLAN}comments/reopen", {"discussion": NEVER}),
    "sent comments": ("reviewer", f"{PLAN}comments/send", {}),
    "viewed section": (
        "reviewer",
        f"{PLAN}comments/viewed",
        {"viewed": "yes", "number": "99"},
    ),
    "no longer viewed": ("reviewer", f"{PLAN}comments/viewed", {"number": "99"}),
    "approval": ("approver", f"{PLAN}decide", {"decision": "approve", **SEEN}),
    "sent back": ("approver", f"{PLAN}decide", {"decision": "send-back", **SEEN}),
    "withdrawn plan": ("approver", f"{PLAN}decide", {"decision": "withdraw", **SEEN}),
    "withdrawn approval": ("approver", f"{PLAN}decide", {"decision": "withdraw-approval", **SEEN}),
    "dropped need": ("approver", f"{PLAN}drop", {"pair": NEVER, **SEEN}),
    "snooze": ("contributor", "/inbox/snooze", {"item": f"claim:{NEVER}", "for": "1d"}),
    "snooze of another list": ("contributor", "/inbox/snooze", {"item": "nonsense:1", "for": "1d"}),
    "wake": ("contributor", "/inbox/wake", {"item": f"claim:{NEVER}"}),
    "card": ("contributor", f"/interventions/{NEVER}/done", {"answer": "Euro."}),
    "claim": ("contributor", f"{TASK}claim", {"attempt": NEVER}),
    "breadcrumb": ("contributor", f"{TASK}report", {"attempt": NEVER, "token": "1", "breadcrumb": "Half."}),
    "given back": ("contributor", f"{TASK}release", {"attempt": NEVER, "token": "1", "reason": "Ill."}),
    "failure": ("contributor", f"{TASK}fail", {"attempt": NEVER, "token": "1", "error": "It broke."}),
    "declared failure": ("contributor", f"{TASK}declare-failure", {"attempt": NEVER, "reason": "Silent."}),
    "blocker": ("contributor", f"{TASK}resolve-blocker", {"blocker": NEVER, "resolution": "It came."}),
    "blocker passed on": (
        "contributor",
        f"{TASK}pass-blocker",
        {"blocker": NEVER, "to": "rita", "reason": "Hers."},
    ),
    "owner of a blocker": (
        "contributor",
        f"{TASK}declare-blocker",
        {"kind": "external", "note": "No key.", "owner": "nobody-here"},
    ),
    "owner": ("contributor", f"{TASK}own", {"to": "nobody-here", "reason": "On leave."}),
    "owner of a workstream": ("approver", f"{STREAM}acts/own", {"to": "nobody-here", "reason": "On leave."}),
    "thread": (
        "approver",
        f"{STREAM}acts/assign",
        {"thread": NEVER, "executor": "bob", "mode": "assigned"},
    ),
    "executor of a thread": (
        "approver",
        f"{STREAM}acts/assign",
        {"thread": "{thread}", "executor": "nobody-here", "mode": "assigned"},
    ),
    "unassigned thread": ("approver", f"{STREAM}acts/unassign", {"thread": NEVER}),
    "artifact": ("contributor", f"{STREAM}acts/recover", {"artifact": NEVER, "way": "retry"}),
    "lesson": ("contributor", f"{STREAM}learnings/Batch%2077/", {"worked": "Small steps."}),
    "duplicate": (
        "reviewer",
        f"{STREAM}prehandoff/decide",
        {"other": "nothing-here", "outcome": "link", "rationale": "Same."},
    ),
    "duplicates": (
        "reviewer",
        f"{STREAM}prehandoff/decide-all",
        {"others": "nothing-here", "outcome": "link", "rationale": "Same."},
    ),
    "roll-back": ("approver", f"{STREAM}roll-back/act", {"migration": NEVER, "reason": "No."}),
    "gate": ("reviewer", f"/gates/{NEVER}/decide", {"decision": "approve"}),
    "attempt of a gate": ("reviewer", f"{GATE}decide", {"decision": "approve", "attempt": NEVER}),
    "withdrawn signature": ("reviewer", f"{GATE}decide", {"decision": "withdraw"}),
    "return step": ("reviewer", f"{GATE}decide", {"decision": "reject", "reason": "No.", "return_key": "Z9"}),
    "migrated workstream": (
        "approver",
        "/plans/card-refunds/workstreams/migrate",
        {"workstream": "nothing-here", "version": "1", "reason": "Better."},
    ),
    "archived workflow": ("approver", "/library/nothing-here/act/archive", {"reason": "Old."}),
    "revoked token": ("contributor", f"/tokens/{NEVER}/revoke/", {}),
    "revoked token of an executor": ("admin", "/operating/executors/nobody-here/revoke", {"token": NEVER}),
    "retired executor": ("admin", "/operating/executors/nobody-here/retire", {}),
    "subscription": ("contributor", "/notifications/end", {"subscription": NEVER}),
    "subscribed workstream": (
        "contributor",
        "/notifications/add",
        {"topics": "gates", "channel": "page", "rhythm": "at once", "workstream": "nothing-here"},
    ),
    "budget": ("approver", f"/workstreams/{NOBODY}/acts/budget", {"budget": "2 h", "reason": "More."}),
    "correction": ("reviewer", f"/history/{NEVER}/correct", {"reason": "Wrong."}),
}


@pytest.mark.parametrize("name", FORMS)
def test_fr025_what_never_was_is_refused_in_words(driver: Driver, name: str) -> None:
    driver.start()
    who, to, typed = FORMS[name]
    values = {"{uuid}": str(driver.reload().uuid), "{gate}": str(driver.task("MP1").pk)}
    values["{thread}"] = str(driver.task("A1").step.thread_id)
    for word, value in values.items():
        to = to.replace(word, value)
        typed = {field: str(given).replace(word, value) for field, given in typed.items()}
    before = {table: rows for table, rows in tables().items() if table not in BESIDE}
    refused = signed_in(getattr(driver.cast, who)).post(to, typed)
    assert refused.status_code in {404, 409, 422}, words(refused)
    assert "Traceback" not in words(refused)
    assert {table: rows for table, rows in tables().items() if table not in BESIDE} == before
