"""DC-5: forms that only rare states of work have, sent twice as two tabs or a double click send them: the
second time stores nothing, and says so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orchestrator.core.changes.mapping import StepMapping
from orchestrator.core.terms import ExecutorKind
from orchestrator.models import HandoffArtifact, HistoryEntry, Workstream
from orchestrator.services.people.executors import register_executor
from tests.acceptance import test_fr010_merge as merging
from tests.acceptance.accounts import tables
from tests.acceptance.lanes import make_repository, working
from tests.acceptance.robot import PageForm, forms_of
from tests.acceptance.test_dc5_decided_twice import BESIDE
from tests.acceptance.test_ec4_mapping import RENAMED
from tests.acceptance.test_f22_f23_f24_divergence import rewritten
from tests.acceptance.versions import ONE, approve, next_version
from tests.acceptance.workspace_files import Files
from tests.cast import Driver
from tests.machines import Machine
from tests.web.pages import signed_in, words

pytestmark = [pytest.mark.django_db, pytest.mark.nightly]


@dataclass(frozen=True)
class Rare:
    """How its state comes about, who sends the form on which page to which address, and what they say in it;
    `records` is the entry that the first sending leaves."""

    before: Callable[[Driver, Files, Settings], None]
    role: str
    page: str
    to: str
    records: str
    says: dict[str, str | list[str]] = field(default_factory=dict)


def two_on_version_one(driver: Driver) -> Workstream:
    """Version 2 is in effect for the first workstream; the second still follows version 1."""
    driver.start(ONE)
    started = {"title": "Refunds for Spain"}
    signed_in(driver.cast.initiator).post("/plans/card-refunds/workstreams/start", started)
    approve(driver, next_version(driver, RENAMED), StepMapping(("A1",), ("A7",)))
    return Workstream.objects.get(slug="refunds-for-spain")


def to_migrate(driver: Driver, _files: Files, _settings: Settings) -> None:
    driver.workstream = two_on_version_one(driver)


def to_roll_back(driver: Driver, _files: Files, _settings: Settings) -> None:
    two_on_version_one(driver)


def handed_over(driver: Driver) -> HandoffArtifact:
    driver.start()
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table\n"})
    driver.advance()
    return HandoffArtifact.objects.filter(attempt__task=driver.task("A1")).latest("sequence")


def spoilt(driver: Driver, files: Files, _settings: Settings) -> None:
    (files.root / handed_over(driver).path).unlink()
    driver.advance()


def mended(driver: Driver, files: Files, _settings: Settings) -> None:
    file = files.root / handed_over(driver).path
    text = file.read_bytes()
    file.unlink()
    driver.advance()
    file.write_bytes(text)


def two_spoilt(driver: Driver, files: Files, _settings: Settings) -> None:
    driver.start()
    driver.do("A1", "B1", "A2")
    driver.advance()
    for key in ("B1", "A2"):
        last = HandoffArtifact.objects.filter(attempt__task=driver.task(key)).latest("sequence")
        (files.root / last.path).unlink()
    driver.advance()


def edited(driver: Driver, files: Files, _settings: Settings) -> None:
    artifact = handed_over(driver)
    output = artifact.outputs.get()
    (files.root / output.path).write_text("drop table\n")


def diverged(driver: Driver, files: Files, _settings: Settings) -> None:
    driver.start()
    driver.claim("A1")
    driver.advance()
    rewritten(driver, files)
    driver.advance()


def mergeable(driver: Driver, _files: Files, settings: Settings) -> None:
    make_repository(settings.REPOSITORIES_DIR / "sample", **{"pages/old.html": "<p>\nold\n"})
    settings.INTEGRATION = "merge"
    driver.start(merging.PLAN)
    working(driver, "A1").write("prices/model.py", "price = 1\n").done()
    working(driver, "B1").write("pages/old.html", "<p>\nnew\n").done()


def with_a_token(driver: Driver, _files: Files, _settings: Settings) -> None:
    driver.start()
    Machine.of(
        register_executor(
            name="carl-bot", kind=ExecutorKind.AGENT, user=driver.cast.contributor, now=driver.tick()
        )
    )


STREAM = "/workstreams/{uuid}/"
MAPPED = {"act": "apply", "to-A1": "A7", "to-A2": "A2", "to-B1": "B1", "to-C1": "C1", "reason": "Same."}
RARE = {
    "migration": Rare(
        to_migrate, "approver", f"{STREAM}migrate/2/", "/migrate/2/", "workstream migrated", MAPPED
    ),
    "migrations": Rare(
        to_migrate,
        "approver",
        "/plans/card-refunds/workstreams/",
        "/workstreams/migrate",
        "workstream migrated",
        {"workstream": ["refunds-for-spain"], "reason": "Better names."},
    ),
    "roll-back": Rare(
        to_roll_back,
        "approver",
        f"{STREAM}roll-back/",
        "/roll-back/act",
        "migration rolled back",
        {"reason": "No."},
    ),
    "merge": Rare(mergeable, "approver", f"{STREAM}merge/", "/merge/act", "baseline integrated"),
    "check again": Rare(
        mended, "contributor", STREAM, "/acts/recover", "artifact intact again", {"way": "retry"}
    ),
    "republish one": Rare(
        spoilt, "contributor", STREAM, "/acts/recover", "artifact republished", {"way": "republish"}
    ),
    "restore": Rare(spoilt, "contributor", STREAM, "/acts/recover", "artifact restored", {"way": "restore"}),
    "give up": Rare(
        spoilt,
        "contributor",
        STREAM,
        "/acts/recover",
        "artifact withdrawn",
        {"way": "declare", "reason": "Do it again."},
    ),
    "republish all": Rare(two_spoilt, "contributor", STREAM, "/acts/republish", "artifact republished"),
    "consistency": Rare(
        edited, "approver", "/workspace/consistency/", "/consistency/fix", "consistency restored"
    ),
    "database is right": Rare(
        diverged,
        "approver",
        "/workspace/",
        "/workspace/acts/",
        "branch ",
        {"reason": "The database is right."},
    ),
    "token": Rare(with_a_token, "contributor", "/tokens/", "/revoke/", "token revoked"),
}


def kept() -> dict[str, object]:
    return {name: rows for name, rows in tables().items() if name not in BESIDE}


def sendings(form: PageForm, rare: Rare) -> Iterator[tuple[str, dict[str, object]]]:
    for to, says in form.sendings():
        if rare.to in to:
            yield to, {**form.filled("because"), **says, **rare.says}


@pytest.mark.parametrize("name", RARE)
def test_dc5_a_rare_form_does_its_thing_once(
    driver: Driver, files: Files, settings: Settings, tmp_path: Path, name: str
) -> None:
    rare = RARE[name]
    rare.before(driver, files, settings)
    client = signed_in(getattr(driver.cast, rare.role))
    address = rare.page.replace("{uuid}", str(driver.reload().uuid))
    page = client.get(address)
    assert page.status_code == 200
    found = [one for form in forms_of(page, address) for one in sendings(form, rare)]
    assert found, f"no form for {rare.to} on {address}"
    to, body = found[0]
    first = client.post(to, body)
    assert first.status_code in {200, 302}, words(first)
    after = kept()
    assert HistoryEntry.objects.filter(action__startswith=rare.records).exists()
    again = client.post(to, body)
    assert again.status_code in {200, 302, 404, 409, 422}
    assert kept() == after, "sent again it changed something"
    told = again.status_code < 400 or b'role="alert"' in again.content
    assert told, "refused in silence"
