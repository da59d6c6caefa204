"""FR-009: anybody can check offline that an entry, a report or the whole history is what was signed."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client

from orchestrator.core.sealing.merkle import root_between
from orchestrator.core.sealing.notes import read_note, read_public
from orchestrator.core.sealing.tiles import nodes_in, read_path
from orchestrator.models import (
    Attempt,
    Criterion,
    CriterionCheck,
    Executor,
    GateReview,
    HandoffArtifact,
    HistoryCheckpoint,
    HistoryEntry,
    Step,
    WorkflowVersion,
    Workstream,
)
from orchestrator.models.base.guards import drop_guards, install_guards
from orchestrator.proofs import verify as checker
from orchestrator.services.sealing.anchors import seal_and_anchor
from orchestrator.services.sealing.keys import key_file, key_ring
from orchestrator.services.sealing.verifying import verify
from orchestrator.services.workstreams import workstreams
from tests.acceptance.workspace_files import Files
from tests.cast import NOON, Driver
from tests.forged_reports import forgeries
from tests.web.pages import signed_in, words

Checked = tuple[int, str]


@pytest.fixture
def finished(driver: Driver) -> Driver:
    driver.start()
    driver.claim("A1")
    driver.complete("A1", outputs={"schema.sql": b"create table t"})
    driver.finish()
    seal_and_anchor(now=driver.tick())
    return driver


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Checked]:
    """What the stand-alone script says of a file with this content."""

    def run(content: bytes | str, *options: str, name: str = "given") -> Checked:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        code = checker.main([str(file), *options])
        return code, capsys.readouterr().out

    return run


def page(driver: Driver, address: str) -> bytes:
    answer = signed_in(driver.cast.observer).get(address)
    assert answer.status_code == 200, address
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def keys() -> list[str]:
    return [word for key in key_ring().public for word in ("--key", str(key))]


def signature(driver: Driver) -> HistoryEntry:
    return HistoryEntry.objects.filter(action="gate approved").latest("sequence")


def test_fr009_every_entry_has_a_proof_that_the_script_checks(finished: Driver, check) -> None:
    for entry in HistoryEntry.objects.all():
        for form in ("json", "txt"):
            code, said = check(page(finished, f"/history/{entry.sequence}/proof.{form}"), *keys())
            assert code == 0, said
            assert f"entry {entry.sequence}, " in said


def test_fr009_the_page_of_an_entry_offers_its_proof(finished: Driver) -> None:
    entry = signature(finished)
    shown = words(signed_in(finished.cast.observer).get(f"/history/{entry.sequence}/"))
    assert "Proof (JSON)" in shown
    assert entry.leaf_hash in shown
    assert signed_in(finished.cast.observer).get("/history/99999/").status_code == 404
    assert f'href="/history/{entry.sequence}/"' in page(finished, "/history/").decode()


def test_fr009_the_script_runs_alone(finished: Driver, tmp_path: Path) -> None:
    """As a stakeholder gets it: downloaded, in an empty folder, with nothing of ours to import."""
    (tmp_path / "verify.py").write_bytes(page(finished, "/proofs/verify.py"))
    (tmp_path / "proof.json").write_bytes(
        page(finished, f"/history/{signature(finished).sequence}/proof.json")
    )
    (tmp_path / "keys.txt").write_bytes(page(finished, "/log/keys"))
    words_of = [sys.executable, "-I", "verify.py", "proof.json", "--key", "keys.txt"]
    done = subprocess.run(words_of, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "PROVED" in done.stdout) == (0, True), done.stdout + done.stderr


def test_fr009_a_proof_that_was_changed_proves_nothing(finished: Driver, check) -> None:
    good = json.loads(page(finished, f"/history/{signature(finished).sequence}/proof.json"))
    assert check(json.dumps(good), *keys())[0] == 0

    def changed(change: Callable[[dict], object]) -> Checked:
        bad = json.loads(json.dumps(good))
        change(bad)
        return check(json.dumps(bad), *keys())

    changes: dict[str, Callable[[dict], object]] = {
        "leaf": lambda bad: bad["entries"][0].update(
            leaf=bad["entries"][0]["leaf"].replace("Fine", "Bad") + " "
        ),
        "index": lambda bad: bad["entries"][0].update(index=bad["entries"][0]["index"] - 1),
        "hash": lambda bad: bad["entries"][0]["inclusion"].reverse(),
        "none": lambda bad: bad["entries"][0]["inclusion"].clear(),
        "root": lambda bad: bad.update(checkpoint=bad["checkpoint"].replace("\n", "\n1", 1)),
        "signature": lambda bad: bad.update(checkpoint=bad["checkpoint"].rpartition("\n\n")[0] + "\n\n"),
        "entries": lambda bad: bad.pop("entries"),
    }
    for what, change in changes.items():
        code, said = changed(change)
        assert (code, said.startswith("NOT PROVED: ")) == (1, True), what
    assert check(json.dumps(good), "--key", "x+00000000+AAAA")[0] == 1, "another key"


def test_fr009_growth_from_a_checkpoint_that_was_kept(finished: Driver, check, tmp_path: Path) -> None:
    old = HistoryCheckpoint.objects.order_by("size")[0]
    kept = tmp_path / "kept.txt"
    kept.write_text(old.note)
    address = f"/history/{signature(finished).sequence}/proof.json"
    proof = page(finished, f"{address}?since={old.size}")
    code, said = check(proof, "--checkpoint", str(kept), *keys())
    assert (code, f"begins with the {old.size} entries" in said) == (0, True), said
    assert check(page(finished, address), "--checkpoint", str(kept), *keys())[0] == 1, (
        "no hashes of the growth"
    )
    assert signed_in(finished.cast.observer).get(f"{address}?since=99999").status_code == 422
    assert signed_in(finished.cast.observer).get(f"{address}?since=x").status_code == 422


def test_fr009_a_gate_has_its_proofs(finished: Driver, check) -> None:
    entry = signature(finished)
    key = entry.subject.split()[0]
    task = finished.task(key)
    shown = page(finished, f"/gates/{task.pk}/").decode()
    address = f"/workstreams/{finished.workstream.uuid}/tasks/{key}/proof.json"
    assert address in shown
    code, said = check(page(finished, address), *keys())
    assert (code, f"gate approved, {entry.subject}" in said) == (0, True), said


def test_fr009_a_workstream_report_proves_itself(finished: Driver, check) -> None:
    address = f"/workstreams/{finished.workstream.uuid}/report.html"
    assert address in page(finished, f"/workstreams/{finished.workstream.uuid}/").decode()
    report = page(finished, address)
    code, said = check(report, *keys(), name="report.html")
    assert code == 0, said
    assert "the report is unchanged, signed by" in said
    for shown in ("Approvals of the plan", "asserted", "schema.sql", "gate approved"):
        assert shown in report.decode(), shown
    assert b"<script" not in report
    assert check(report.replace(b"asserted", b"proved", 1), *keys())[0] == 1
    assert check(report.replace(b'"index":', b'"index":1', 1), *keys())[0] == 1
    assert check(report[:-4], *keys())[0] == 1
    for what, forged in forgeries(report).items():
        assert check(forged, *keys())[0] == 1, what


def test_fr009_whoever_reads_a_part_of_the_answer_gets_no_error(finished: Driver, tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_bytes(page(finished, "/history/1/proof.json"))
    script = Path(checker.__file__)
    command = f"{sys.executable} -I {script} proof.json | true"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_fr009_a_report_of_changed_rows_is_not_signed(finished: Driver) -> None:
    CriterionCheck.objects.filter(pk=CriterionCheck.objects.first().pk).update(evidence="All green.")
    answer = signed_in(finished.cast.observer).get(f"/workstreams/{finished.workstream.uuid}/report.html")
    assert answer.status_code == 409
    assert "would show what was not recorded" in words(answer)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (WorkflowVersion, {"decided_as": "FORGED"}),
        (Attempt, {"outcome": "FORGED"}),
        (Attempt, {"proof": "proved"}),
        (Criterion, {"text": "FORGED"}),
        (Step, {"key": "FORGED"}),
        (Executor, {"name": "forged"}),
        (Workstream, {"title": "FORGED"}),
        (GateReview, {"withdrawn_at": NOON}),
        (HandoffArtifact, {"state": "withdrawn"}),
    ],
)
def test_fr009_nothing_that_a_report_shows_can_be_forged(
    finished: Driver, rows: type[Model], columns: dict[str, Any]
) -> None:
    address = f"/workstreams/{finished.workstream.uuid}/report.html"
    pk = rows.objects.order_by("pk").values_list("pk", flat=True)[0]
    rows.objects.filter(pk=pk).update(**columns)
    answer = signed_in(finished.cast.observer).get(address)
    assert answer.status_code == 409
    assert "would show what was not recorded" in words(answer)


def test_fr009_a_report_waits_until_what_it_shows_is_sealed(finished: Driver) -> None:
    address = f"/workstreams/{finished.workstream.uuid}/report.html"
    workstreams.accept_workstream(
        workstream_id=finished.workstream.pk, actor=finished.cast.actor("approver"), now=finished.tick()
    )
    answer = signed_in(finished.cast.observer).get(address)
    assert (answer.status_code, "not sealed yet" in words(answer)) == (409, True)
    seal_and_anchor(now=finished.tick())
    assert signed_in(finished.cast.observer).get(address).status_code == 200


def test_fr009_an_export_proves_itself_and_no_line_can_be_changed(
    finished: Driver, check, tmp_path: Path
) -> None:
    file = tmp_path / "history.jsonl"
    call_command("verify_history", "--export", str(file))
    lines = file.read_text().split("\n")[:-1]
    code, said = check("\n".join(lines), *keys())
    assert (code, f"{HistoryEntry.objects.count()} entries" in said) == (0, True), said
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("verify_history", "--export", str(file))
    rng, missed = random.Random(9), []
    for place in range(1, len(lines)):
        line = lines[place]
        at = rng.randrange(line.index(":") + 4, len(line) - 4)
        sign = "x" if line[at] != "x" else "y"
        ways = {
            "changed": [*lines[:place], f"{line[:at]}{sign}{line[at + 1 :]}", *lines[place + 1 :]],
            "removed": [*lines[:place], *lines[place + 1 :]],
        }
        named = line.replace('"checkpoint"', '"checkpoiOt"', 1).replace('"leaf"', '"leaF"', 1)
        ways["of another name"] = [*lines[:place], named, *lines[place + 1 :]]
        for way, text in ways.items():
            if text == lines:
                continue
            if check("\n".join(text), *keys())[0] == 0 and not ('"checkpoint"' in line and way == "removed"):
                missed.append((way, line[:60]))
    assert missed == []


def test_fr009_the_log_is_laid_out_as_others_read_it(finished: Driver, settings) -> None:
    client = signed_in(finished.cast.observer)
    size = HistoryCheckpoint.objects.latest("size").size

    def tile(level: int, number: int) -> bytes:
        return client.get(f"/log/tile/{level}/{number:03}.p/{size}").content

    root = root_between(nodes_in(tile), 0, size)
    assert root.hex() == HistoryCheckpoint.objects.latest("size").root
    bundle = client.get(f"/log/tile/entries/000.p/{size}").content
    first = HistoryEntry.objects.get(sequence=1).leaf.encode()
    assert bundle[2 : 2 + int.from_bytes(bundle[:2], "big")] == first
    for wrong in ("0/001", f"0/000.p/{size + 1}", "9/000", "../000", "entries/x"):
        assert client.get(f"/log/tile/{wrong}").status_code == 404, wrong
    stranger = Client()
    for name in ("checkpoint", "keys", "tile/0/000.p/1"):
        assert stranger.get(f"/log/{name}").status_code == 302
    settings.PUBLIC_LOG = True
    for name in ("checkpoint", "keys", "tile/0/000.p/1"):
        assert stranger.get(f"/log/{name}").status_code == 200
    assert stranger.get("/log/tile/entries/000.p/1").status_code == 302, "hashes alone"
    assert read_path("0/000") == ("0", 0, 256)


def test_fr009_a_correction_is_a_new_entry_linked_to_the_old_one(finished: Driver) -> None:
    entry = signature(finished)
    address = f"/history/{entry.sequence}/correct"
    assert signed_in(finished.cast.contributor).post(address, {"reason": "x"}).status_code == 403
    reviewer = signed_in(finished.cast.reviewer)
    assert reviewer.post(address, {"reason": " "}).status_code == 422
    assert reviewer.post(address, {"reason": "Signed for the wrong build."}).status_code == 302
    made = HistoryEntry.objects.latest("sequence")
    assert (made.action, made.corrects, made.workstream) == ("entry corrected", entry, finished.workstream)
    assert f'"corrects":{entry.sequence}' in made.leaf
    assert HistoryEntry.objects.get(pk=entry.pk).leaf == entry.leaf
    shown = words(reviewer.get(f"/history/{entry.sequence}/"))
    assert f"Corrected by entry {made.sequence}" in shown
    seal_and_anchor(now=finished.tick())
    assert (verify(key_ring().public).breach, verify(key_ring().public).differences) == (None, [])


def test_fr009_any_text_proves_itself_in_every_form(finished: Driver, check, tmp_path: Path) -> None:
    """Escapes of HTML, and what other programs take for an end of a line, are text like any other."""
    reason = "a &gt; b\u2028c\u0085d > e --> f"
    assert (
        signed_in(finished.cast.reviewer)
        .post(f"/history/{signature(finished).sequence}/correct", {"reason": reason})
        .status_code
        == 302
    )
    seal_and_anchor(now=finished.tick())
    made = HistoryEntry.objects.latest("sequence")
    assert "&gt;" in made.leaf
    call_command("verify_history", "--export", str(tmp_path / "all"))
    forms = {
        "report": page(finished, f"/workstreams/{finished.reload().uuid}/report.html"),
        "export": (tmp_path / "all").read_bytes(),
        "json": page(finished, f"/history/{made.sequence}/proof.json"),
    }
    for form, content in forms.items():
        code, said = check(content, *keys())
        assert code == 0, (form, said)


def test_fr009_a_report_shows_no_row_that_nobody_spoke_of(finished: Driver) -> None:
    real = CriterionCheck.objects.select_related("criterion").first()
    assert real is not None
    other = Attempt.objects.filter(task__workstream=finished.workstream).exclude(pk=real.attempt_id).first()
    CriterionCheck.objects.create(
        attempt=other,
        criterion=real.criterion,
        evidence="FORGED EVIDENCE",
        checked_by=real.checked_by,
        checked_as=real.checked_as,
        checked_at=real.checked_at,
    )
    address = f"/workstreams/{finished.reload().uuid}/report.html"
    shown = page(finished, address).decode()
    assert real.evidence in unescape(shown)
    assert "FORGED" not in shown
    drop_guards()
    launched = HandoffArtifact.objects.filter(event="attempt-queued").first()
    assert launched is not None
    HandoffArtifact.objects.filter(pk=launched.pk).update(sha256="0" * 64)
    install_guards()
    refused = signed_in(finished.cast.observer).get(address)
    assert refused.status_code == 409, "any row that the history spoke of, not only those of decisions"


def test_fr009_f33_a_rotated_key_is_named_by_the_old_one(finished: Driver, check, capsys) -> None:
    old = key_ring().private.public
    call_command("history_key", "--rotate", "--as", "anna", "--reason", "A year is over.")
    new = key_ring().private.public
    assert capsys.readouterr().out.split("\n")[1:3] == [str(new), str(old)]
    entry = HistoryEntry.objects.get(action="history key rotated")
    by_old = HistoryCheckpoint.objects.get(size=entry.sequence)
    assert read_note(by_old.note).signatures[0].by(old), "whoever trusts the old key can trust the new one"
    assert str(new) in entry.leaf
    signed_in(finished.cast.reviewer).post(f"/history/{entry.sequence}/correct", {"reason": "More."})
    seal_and_anchor(now=finished.tick())
    assert read_note(HistoryCheckpoint.objects.latest("size").note).signatures[0].by(new)
    call_command("verify_history")
    assert check(page(finished, f"/history/{entry.sequence}/proof.json"), "--key", str(new))[0] == 0
    with pytest.raises(SystemExit):
        call_command("verify_history", "--key", str(new))
    call_command("verify_history", "--key", str(new), "--key", str(old))


def test_fr009_f33_a_lost_key_is_replaced_by_whoever_kept_the_public_half(finished: Driver) -> None:
    old = str(key_ring().private.public)
    with pytest.raises(CommandError, match="The key file is there"):
        call_command("history_key", "--replace", old, "--as", "anna", "--reason", "Lost.")
    key_file().unlink()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("history_key", "--rotate", "--as", "anna", "--reason", "Lost.")
    other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    with pytest.raises(CommandError, match="None of these keys"):
        call_command("history_key", "--replace", other, "--as", "anna", "--reason", "Lost.")
    call_command("history_key", "--replace", old, "--as", "anna", "--reason", "The disk broke.")
    assert HistoryEntry.objects.get(action="history key replaced").reason == "The disk broke."
    seal_and_anchor(now=finished.tick())
    call_command("verify_history")


@pytest.fixture
def clone(finished: Driver, settings, tmp_path: Path) -> Callable[[], Path]:
    """A clone of the workspace, its branch history checked out; asked again it is brought up to date."""
    place = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "-b", "history", str(settings.WORKSPACE_DIR), str(place)], check=True
    )

    def pulled() -> Path:
        subprocess.run(["git", "-C", str(place), "fetch", "-q"], check=True)
        subprocess.run(["git", "-C", str(place), "reset", "-q", "--hard", "origin/history"], check=True)
        return place

    return pulled


def test_fr009_a_witness_signs_growth_and_nothing_else(
    finished: Driver, clone: Callable[[], Path], check, tmp_path: Path, capsys
) -> None:
    folder, file_of_keys = tmp_path / "witness", tmp_path / "keys.txt"
    file_of_keys.write_text(f"{key_ring().private.public}\n")

    def witness() -> str:
        key = str(file_of_keys)
        call_command("witness", str(clone()), "--key", key, "--folder", str(folder), "--name", "audit")
        return capsys.readouterr().out

    own = witness().strip().split(" ")[-1]
    assert read_public(own).name == "audit"
    signed_in(finished.cast.reviewer).post("/history/1/correct", {"reason": "More."})
    seal_and_anchor(now=finished.tick())
    witness()
    kept = folder / "newest.txt"
    proof = page(finished, "/history/1/proof.json")
    code, said = check(proof, "--checkpoint", str(kept), *keys(), "--key", own)
    assert code == 0, said
    call_command("verify_history", "--checkpoint", str(kept))
    call_command("verify_history", "--key", str(file_of_keys))
    with pytest.raises(CommandError, match="--key: "):
        call_command("verify_history", "--key", "no such file")
    before = kept.read_text()
    place = clone()
    older = HistoryCheckpoint.objects.order_by("size")[0]
    other = kept.read_text().replace("\n", "\n9", 1)
    for file, content, problem in (
        ("checkpoint", older.note.encode(), "tiles cannot be read|went back"),
        ("checkpoint", other.encode(), "no checkpoint that can be signed"),
        ("tile", b"", "tiles"),
    ):
        found = next(place.glob(f"{file}*/0/*.p/*")) if file == "tile" else place / file
        found.write_bytes(content)
        with pytest.raises(CommandError, match=problem):
            call_command(
                "witness", str(place), "--key", str(key_ring().private.public), "--folder", str(folder)
            )
        clone()
    assert kept.read_text() == before


def test_fr009_a_clone_finds_a_history_that_was_written_anew(
    finished: Driver, clone: Callable[[], Path], settings, tmp_path: Path
) -> None:
    """Even with the key: whoever has an older clone has a checkpoint that the new past does not fit."""
    from orchestrator.models.base.guards import drop_guards
    from tests.acceptance.test_fr009_mutations import rewritten, sql

    kept = clone() / "checkpoint"
    drop_guards()
    rewritten(2, chain=True)
    sql("DELETE FROM orchestrator_historycheckpoint")
    sql("DELETE FROM orchestrator_historytile")
    Files(Path(settings.WORKSPACE_DIR)).git("update-ref", "-d", "refs/heads/history")
    seal_and_anchor(now=finished.tick())
    call_command("verify_history")
    with pytest.raises(SystemExit):
        call_command("verify_history", "--checkpoint", str(kept))
