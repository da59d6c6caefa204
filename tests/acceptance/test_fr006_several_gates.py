"""FR-006, DC-5: several gates are signed from the inbox with one note, each with a result of its own."""

import re

import pytest

from orchestrator.core.terms import TaskStatus
from orchestrator.models import GateReview, Task
from tests.cast import PLAN, Driver
from tests.web.pages import htmx, signed_in, words


@pytest.fixture
def gates(driver: Driver) -> list[Task]:
    """Two gates wait; work on the second one's workstream was done by the reviewer's own agent."""
    found = []
    for name in (b"Card refunds", b"Gift cards"):
        driver.start(PLAN.replace(b"Card refunds", name))
        driver.do("A1", "B1", "A2")
        found.append(driver.task("MP1"))
    return found


def test_fr006_each_chosen_gate_is_signed_or_refused_by_itself(driver: Driver, gates: list[Task]) -> None:
    client = signed_in(driver.cast.reviewer)
    shown = words(client.get("/", {"kind": "gate"}))
    assert "Sign the chosen gates" in shown
    assert "Sign the chosen gates" not in words(client.get("/"))
    client.post(f"/gates/{gates[0].pk}/decide", {"decision": "approve"})
    form = {"item": [f"gate:{gate.pk}" for gate in gates], "note": "Looked at both."}
    said = words(client.post("/inbox/sign", form, follow=True))
    assert "MP1 of Gift cards is signed." in said
    assert "Not signed: MP1 is decided already: approved by rita." in said
    assert [gate.status for gate in Task.objects.filter(pk__in=[g.pk for g in gates])] == [
        TaskStatus.COMPLETE,
        TaskStatus.COMPLETE,
    ]
    assert GateReview.objects.get(attempt__task=gates[1]).reason == "Looked at both."


def test_fr006_nothing_but_gates_is_signed_and_not_by_everybody(driver: Driver, gates: list[Task]) -> None:
    client = signed_in(driver.cast.reviewer)
    assert client.post("/inbox/sign", {"item": ["plan:1"]}).status_code == 422
    assert client.post("/inbox/sign", {}).status_code == 422
    barred = signed_in(driver.cast.contributor).post(
        "/inbox/sign", {"item": [f"gate:{gates[0].pk}"]}, follow=True
    )
    assert "You may not sign MP1" in words(barred)
    assert not GateReview.objects.exists()


def test_dc5_the_inbox_refreshes_itself_and_its_badge_and_sends_what_changed(
    driver: Driver, gates: list[Task]
) -> None:
    client = signed_in(driver.cast.reviewer)
    part = client.get("/", {"seen": "0"}, **htmx("results"))
    assert b'hx-swap-oob="true"' in part.content
    seen = re.search(rb"seen=([0-9a-f]{16})", part.content)
    assert seen is not None
    again = {"seen": seen[1].decode()}
    assert client.get("/", again, **htmx("results")).status_code == 204
    client.post(f"/gates/{gates[0].pk}/decide", {"decision": "approve"})
    assert client.get("/", again, **htmx("results")).status_code == 200
    for address, target in (("/gates/", "results"), ("/interventions/", "cards")):
        part = client.get(address, {"seen": "0"}, **htmx(target))
        seen = re.search(rb"seen=([0-9a-f]{16})", part.content)
        assert seen is not None, address
        same = client.get(address, {"seen": seen[1].decode()}, **htmx(target))
        assert (same.status_code, same.content) == (204, b"")
